"""The one mechanism behind every analysis: Cases in, Answers out.

``posterior`` samples the priors that a likelihood touches; ``answer`` adds the forecast-only
priors, pushed through their quantile functions at uniforms fixed by seed and name, and computes
the quantities; ``refit`` samples a changed Case from where another fit ended; ``evaluate`` answers
many Cases at the least price: exact, else reweighted, else moment-matched, else refitted.

What is done, where the user allows it, about a fit that does not converge: once more, slower.

The same chains are drawn anew with twice the tuning and a target acceptance halfway to 1, so with
shorter steps. The second fit stands, whatever becomes of it, and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from forecast.config.load import ModelOptions, Question
from forecast.inference import diagnostics as convergence
from forecast.inference.case import Answer, Case, structure_of
from forecast.inference.forward import all_draws, future, with_ease
from forecast.inference.outcomes import Staged, headline, predict, prepare
from forecast.inference.reweighting import (
    asked_of,
    importance,
    moment_matched,
    soft_part,
    weighed,
)
from forecast.inference.sampling import Compiled, Fit, compiled_model, draw, flat
from models.errors import InputError
from models.outcomes.graphs import request_of
from models.quantities import HEADLINE


def harder(case: Case) -> Case:
    """Return the Case with longer tuning and a higher target acceptance."""
    accept = 0.5 * (1.0 + case.sampler.target_accept)
    sampler = replace(case.sampler, tune=2 * case.sampler.tune, target_accept=accept)
    return replace(case, sampler=sampler)


def again(first: Fit, second: Fit) -> Fit:
    """Return the second fit, saying why it was made and how."""
    sampler = harder(second.case).sampler
    said = (
        f"the first fit failed ({'; '.join(first.diagnosis.failures)}), so once more with "
        f"{sampler.tune} tuning steps and target acceptance {sampler.target_accept:g}"
    )
    return replace(second, diagnosis=replace(second.diagnosis, retried=said))


WAYS = ("auto", "exact", "reweight", "refit")
WARM = {"tune": 100, "draws": 1000}
"""Most tuning steps and draws of each chain of a refit, which starts among another fit's draws.

Of ten refits of five beliefs at two seeds 9 met the rule with 1000 draws, 4 with 800, and each took
about half of the processor time of a fit from scratch.
"""
HELD = 8
"""Results of a stage of the headline that are held, of the latest variations."""
KEPT = "stage 0 "
"""What begins the names of the first stage's results among what is kept with a fit."""


def posterior(case: Case, *, cores: int | None = None, tick: Any = None) -> Fit:
    """Sample the priors that a likelihood touches, given the evidence.

    Where the Case's sampler allows it, a fit that does not converge is made once more.
    """
    compiled = compiled_model(case)
    fit = fitted(case, compiled, tree=draw(compiled, case, cores=cores, tick=tick))
    if fit.diagnosis.converged or not case.sampler.retry:
        return fit
    tree = draw(compiled, harder(case), cores=cores, tick=tick)
    return again(fit, fitted(case, compiled, tree=tree))


def refit(base: Fit, case: Case, *, cores: int | None = None, tick: Any = None) -> Fit:
    """Sample a Case at the price of sampling alone, from where the fit of another one ended.

    Chains start among the draws of ``base`` and move in their metric, so that little tuning is
    needed; they have at most the numbers of steps of :data:`WARM`. A Case of another structure is
    fitted afresh. The same base and Case give the same draws, whatever else was fitted.
    """
    compiled = compiled_model(case)
    if compiled.structure != base.compiled.structure:
        return posterior(case, cores=cores, tick=tick)
    most = {name: min(n, getattr(case.sampler, name)) for name, n in WARM.items()}
    short = replace(case, sampler=replace(case.sampler, **most))
    tree = draw(compiled, short, ground=base.ground, cores=cores, tick=tick)
    return fitted(case, compiled, tree=tree)


def compile_beside(case: Case) -> Compiled:
    """Return the compiled model; child processes compile the forecast beside it and the sampler."""
    structure = structure_of(case)
    questions = {"relevance": [case.asked], "levels": [case.asked]}
    if soft_part(case):
        questions["levels"].append(asked_of(case).asked)
    prepare(
        request_of(kind, structure=structure, question=question)
        for kind, asked in questions.items()
        for question in asked
    )
    model = compiled_model(case)
    prepare([request_of("headline", structure=structure, question=case.asked, varying=model.alone)])
    return model


def fitted(case: Case, compiled: Compiled, *, tree: Any) -> Fit:
    """Return the fit that a sampled tree makes, forecasts by others weighed in."""
    draws = with_ease(flat(tree["posterior"]), case)
    return weighed(Fit(case, compiled, tree, draws, convergence.diagnose(tree)))


def judged(fit: Fit, found: dict[str, np.ndarray]) -> Fit:
    """Return the fit judged again, headline quantities included."""
    from forecast.inference.tree import dataset

    scalars = {name: found[name] for name in HEADLINE}
    whole = dataset(scalars, {}, coords={}, chains=fit.chains)
    return fit.restated(diagnosis=convergence.with_quantities(fit.diagnosis, whole))


def answer(fit: Fit, case: Case, *, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Return quantities by draw, all by default; the Case shares the sampled part of ``fit``.

    Of the headline alone only what it needs is computed.
    """
    parts = forward(fit, case)
    if names is None or not set(names) <= set(HEADLINE):
        return predict(**parts, names=names)
    return headline(**parts, names=names, varying=fit.compiled.alone)


def forward(fit: Fit, case: Case) -> dict[str, Any]:
    """Return all that quantities are computed from, under the names that ``predict`` takes."""
    return {
        "draws": all_draws(fit, case),
        "future": future(fit, case),
        "structure": fit.compiled.structure,
        "question": case.asked,
        "do": case.do,
    }


def sampled_part(case: Case, alone: Sequence[str]) -> Case:
    """Return the Case with all that does not enter the likelihood made equal."""
    priors = tuple(prior for prior in case.priors if prior.name not in alone)
    model = ModelOptions(link=case.model.link, tails=case.model.tails)
    return replace(case, priors=priors, do=(), question=Question(), model=model, experts=())


def exactly(fit: Fit, case: Case) -> bool:
    """Return whether the draws of ``fit`` are draws of ``case``."""
    alone = fit.compiled.alone
    same = sampled_part(case, alone) == sampled_part(fit.case, alone)
    return same and soft_part(case) == soft_part(fit.case)


def forward_part(case: Case, alone: Sequence[str]) -> tuple[Any, ...]:
    """Return all that the quantities at given sampled draws follow from."""
    priors = tuple(prior for prior in case.priors if prior.name in alone)
    return (priors, case.asked, case.do, case.seed)


def evaluate(
    cases: Sequence[Case],
    *,
    how: str = "auto",
    base: Fit | None = None,
    names: Sequence[str] | None = None,
    cores: int | None = None,
    tick: Any = None,
) -> list[Answer]:
    """Answer each Case at the least price.

    Parameters
    ----------
    cases
        Variations; order is kept.
    how
        ``auto``: exact where only forecast-only priors, the question or ``do`` differ from a fit
        at hand, else reweighted if Pareto k <= 0.7, else by draws moved to the weighted moments
        (:mod:`forecast.inference.reweighting`) if theirs is, else refitted; or one of these by
        name.
    base
        A fit to start from; else the first Case is fitted.
    names
        Quantities wanted; all by default. Many reweighted Cases cost little for a few of them:
        quantities are computed once, and their draws chosen anew for each Case.
    cores
        Processor cores of a fit.
    tick
        Called about ten times a second while sampling.
    """
    if how not in WAYS:
        raise InputError(f"how: found {how!r}; use one of {', '.join(WAYS)}")
    fits = [base] if base is not None else []
    ahead = Ahead(names)

    def sample(case: Case) -> Fit:
        if not fits:
            return posterior(case, cores=cores, tick=tick)
        return refit(fits[0], case, cores=cores, tick=tick)

    return [_evaluate(case, fits, how=how, sample=sample, ahead=ahead) for case in cases]


def hold(held: dict[Any, Any], key: Any, *, make: Callable[[], Any], most: int) -> Any:
    """Return what is held under the key, made if it is not there; the longest unused give way."""
    if key in held:
        found = held.pop(key)
    else:
        while len(held) >= most:
            held.pop(next(iter(held)))
        found = make()
    held[key] = found
    return found


@dataclass(frozen=True)
class Ahead:
    """Quantities at a fit's draws: ``names`` are those wanted.

    The headline is computed in stages (:func:`forecast.inference.outcomes.staged`), the inputs that cost most
    in the first: what a changed belief does not enter is held, of the latest :data:`HELD`
    variations by stage. The first stage of the fit's own Case is kept with the fit (``Fit.held``).
    Of other quantities, which may take hundreds, the last two are held.
    """

    names: Sequence[str] | None
    held: dict[Any, Any] = field(default_factory=dict)
    stages: dict[int, dict[Any, Any]] = field(default_factory=dict)

    def __call__(self, fit: Fit, case: Case) -> dict[str, np.ndarray]:
        """Return the wanted quantities of a Case at the draws of a fit."""
        if self.names is None or not set(self.names) <= set(HEADLINE):
            key = id(fit), forward_part(case, fit.compiled.alone)
            return hold(self.held, key, make=lambda: answer(fit, case, names=self.names), most=2)
        found = self.stage(fit, case, program_of(fit, case).last)
        return {name: found[name] for name in self.names}

    def stage(self, fit: Fit, case: Case, i: int) -> dict[str, np.ndarray]:
        """Return what the stages up to ``i`` give, held where nothing changed that enters them."""
        program = program_of(fit, case)
        entered = [name for name in fit.compiled.alone if program.level.get(name, 0) <= i]
        key = id(fit), forward_part(case, entered)

        def make() -> dict[str, np.ndarray]:
            before = self.stage(fit, case, i - 1) if i else {}
            given = before | all_draws(fit, case, names=program.inputs(i))
            later = partial(future, fit, case)
            return before | program.run(given, later, n=fit.n, stage=i, do=case.do)

        if i == 0 and key == (id(fit), forward_part(fit.case, entered)):
            return kept(fit, make)
        return hold(self.stages.setdefault(i, {}), key, make=make, most=HELD)

    def finish(self, fit: Fit, case: Case, draws: Mapping[str, np.ndarray]) -> Any:
        """Return the headline where ``draws`` replace those of what enters in the last stage."""
        program = program_of(fit, case)
        before = self.stage(fit, case, program.last - 1)
        later, stage = partial(future, fit, case), program.last
        return program.run({**before, **draws}, later, n=fit.n, stage=stage, do=case.do)


def kept(fit: Fit, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the first stage of the headline of the fit's own Case, made once and kept with it."""
    stored = {name: x for name, x in fit.held.items() if name.startswith(KEPT)}
    if not stored:
        stored = {KEPT + name: x for name, x in make().items()}
        fit.held.update(stored)
    return {name.removeprefix(KEPT): x for name, x in stored.items()}


def program_of(fit: Fit, case: Case) -> Staged:
    """Return the headline in stages, for the draws of a fit and the question of a Case."""
    structure, alone = fit.compiled.structure, fit.compiled.alone
    return Staged(structure=structure, question=case.asked, varying=alone)


def late(fit: Fit) -> set[str]:
    """Return the forecast-only priors that enter the headline in its last stage, or not at all."""
    program = program_of(fit, fit.case)
    return {name for name in fit.compiled.alone if program.level.get(name, 0) == program.last}


def _evaluate(
    case: Case, fits: list[Fit], *, how: str, sample: Callable[[Case], Fit], ahead: Ahead
) -> Answer:
    for fit in fits if how in ("auto", "exact") else ():
        if exactly(fit, case):
            return summed(ahead(fit, case), fit, how="exact")
    k = float("nan")
    weights = importance(fits[0], case) if fits and how in ("auto", "reweight") else None
    if weights is not None:
        k = weights.pareto_k
        if how == "reweight" or weights.good:
            at = weights.chosen(case.seed)
            found = {name: x[at] for name, x in ahead(fits[0], case).items()}
            made = summed(found, fits[0], how="reweighted", ess=weights.ess)
            return replace(made, pareto_k=k, converged=made.converged and weights.good)
        moved = moment_matched(fits[0], case) if how == "auto" else None
        if moved is not None and moved.weights.good:
            found = moved.quantities(answer(moved.fit, case, names=ahead.names))
            made = summed(found, fits[0], how="moment-matched", ess=moved.weights.ess)
            return replace(made, pareto_k=moved.weights.pareto_k)
    if how in ("exact", "reweight") and fits:
        raise InputError(f"evaluate: a case cannot be answered by {how}; use how='auto'")
    fit = sample(case)
    fits.append(fit)
    needed = None if ahead.names is None else list(dict.fromkeys((*ahead.names, *HEADLINE)))
    found = answer(fit, case, names=needed)
    asked = found if ahead.names is None else ahead.names
    made = summed({name: found[name] for name in asked}, judged(fit, found), how="refit")
    return replace(made, pareto_k=k)


def summed(
    quantities: dict[str, np.ndarray], fit: Fit, *, how: str, ess: float | None = None
) -> Answer:
    """Return the Answer that quantities make, with the errors and the verdict of their fit."""
    verdict = fit.diagnosis
    ess = verdict.min_ess if ess is None else ess
    scalars = {name: x for name, x in quantities.items() if x.ndim == 1}
    mcse = {name: float(x.std() / max(ess, 1.0) ** 0.5) for name, x in scalars.items()}
    return Answer(
        quantities,
        mcse,
        how=how,
        pareto_k=float("nan"),
        ess=ess,
        r_hat=verdict.max_rhat,
        converged=verdict.converged,
    )
