"""The one mechanism behind every analysis: Cases in, Answers out.

``posterior`` samples the priors that a likelihood touches; ``answer`` adds the forecast-only
priors, pushed through their quantile functions at uniforms fixed by seed and name, and computes
the quantities; ``refit`` samples a changed Case from where another fit ended; ``evaluate`` answers
many Cases at the least price: exact, else reweighted, else moment-matched, else refitted.

What is done, where the user allows it, about a fit that does not converge: once more, slower.

The same chains are drawn anew with twice the tuning and a target acceptance halfway to 1, so with
shorter steps. The second fit stands, whatever becomes of it, and says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forecast.config.load import ModelOptions, Question
from forecast.inference import diagnostics as convergence
from forecast.inference.case import Answer, Case
from forecast.inference.forward import all_draws, future, with_ease
from forecast.inference.reweighting import importance, moment_matched, soft_part, weighed
from forecast.inference.sampling import Compiled, Fit, compiled_model, draw, flat
from models import late as last
from models import late_uses
from models.errors import InputError
from models.outcomes.relevance import predict
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
"""Parts of the headline that are held, of the latest variations."""
KEPT = "works "
"""What begins the names of the costly part of the headline among what is kept with a fit."""


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
    found = last.headline(last.make_early(**parts), parts["draws"], question=case.asked)
    return {name: found[name] for name in names}


def late(fit: Fit) -> set[str]:
    """Return the forecast-only priors that enter the headline last, or not at all."""
    return set(last.LATE) & set(fit.compiled.alone)


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


def kept_works(fit: Fit) -> late_uses.Works:
    """Return the costly part of the headline of the fit's own Case, made once and kept with it."""
    kept = {name: x for name, x in fit.held.items() if name.startswith(KEPT)}
    if not kept:
        made = late_uses.make_works(**forward(fit, fit.case))
        kept = {KEPT + name: x for name, x in made.items()}
        fit.held.update(kept)
    return {name.removeprefix(KEPT): x for name, x in kept.items()}


@dataclass(frozen=True)
class Ahead:
    """Quantities at a fit's draws: ``names`` are those wanted.

    Of the headline alone only what a changed belief enters is computed anew, so the latest
    :data:`HELD` parts are held: costly ones in ``works``, of 4000 draws some 10 MB each, and what
    becomes of them in ``held``, of at most 4 MB. The costly part of the fit's own Case is kept with
    the fit (``Fit.held``). Of other quantities, which may take hundreds, the last two are held.
    """

    names: Sequence[str] | None
    held: dict[Any, Any] = field(default_factory=dict)
    works: dict[Any, Any] = field(default_factory=dict)

    def __call__(self, fit: Fit, case: Case) -> dict[str, np.ndarray]:
        """Return the wanted quantities of a Case at the draws of a fit."""
        if self.names is None or not set(self.names) <= set(HEADLINE):
            key = id(fit), forward_part(case, fit.compiled.alone)
            return hold(self.held, key, make=lambda: answer(fit, case, names=self.names), most=2)
        return self.wanted(self.finish(fit, case, all_draws(fit, case, names=last.READ)))

    def finish(self, fit: Fit, case: Case, draws: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the headline where ``draws`` are those of the beliefs that enter last."""
        key = self.key(fit, case)
        early = hold(self.held, key, make=lambda: self.early(fit, case), most=HELD)
        return last.headline(early, draws, question=case.asked)

    def early(self, fit: Fit, case: Case) -> last.Early:
        """Return what the last beliefs enter, from works that are held where they are the same."""
        draws = all_draws(fit, case, names=late_uses.enters(case.asked))
        works, names = self.costly(fit, case), HEADLINE if self.names is None else self.names
        return late_uses.make_early(works, draws, question=case.asked, names=names)

    def costly(self, fit: Fit, case: Case) -> late_uses.Works:
        """Return the costly part: that of the fit's own Case is kept with the fit."""
        key = self.key(fit, case, but=late_uses.BETWEEN)
        if key == self.key(fit, fit.case, but=late_uses.BETWEEN):
            return kept_works(fit)
        make = late_uses.make_works
        return hold(self.works, key, make=lambda: make(**forward(fit, case)), most=HELD)

    def key(self, fit: Fit, case: Case, *, but: Sequence[str] = ()) -> Any:
        """Return what the part follows from that neither the last beliefs nor ``but`` enter."""
        idle = set(late_uses.BETWEEN) - set(late_uses.enters(case.asked))
        left = set(fit.compiled.alone) - idle - {*last.LATE, *but}
        return id(fit), forward_part(case, sorted(left))

    def wanted(self, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the quantities that were asked for."""
        return found if self.names is None else {name: found[name] for name in self.names}


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
    made = summed(ahead.wanted(found), judged(fit, found), how="refit")
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
