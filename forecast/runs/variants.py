"""The headline under nearby beliefs, each at the least price: reweighted, else refitted.

Every row says how it was obtained, with the Pareto k of the weights and the diagnostics of its fit;
a row whose fit did not converge is shown, and says so. :func:`forecast.inference.evaluate.evaluate`
gives the same numbers; the page's sliders need the draws behind them too.

Refits that are sure to be needed run while one thread checks, writes and draws figures: sampling
needs no Python, so they take a core that would be idle. A refit follows from its Case and the fit
that it starts from alone, whenever it is made.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from forecast.config.load import Config, load_config
from forecast.inference.case import Answer, Case, asked_options, structure_of, with_prior
from forecast.inference.evaluate import answer, evaluate, exactly, judged, refit, summed
from forecast.inference.forward import future_normals, taken
from forecast.inference.identity import code_hash
from forecast.inference.mass_matrix import ONE_THREAD
from forecast.inference.outcomes import headline
from forecast.inference.reweighting import (
    HOPELESS,
    Importance,
    importance,
    log_ratio,
    moment_matched,
    smoothed,
)
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from forecast.runs.folder import read_json, read_manifest
from forecast.runs.open import find_lender, lent_fit
from forecast.runs.summarise import spread
from models.batches import threads
from models.prior_draws import prior_draws
from models.priors import FAMILIES, Prior
from models.quantities import HEADLINE

POLL = 0.1
"""Seconds between looks at a refit that is waited for."""
Refit = Callable[[Case], Fit]


@contextmanager
def refits_ahead(
    fit: Fit, cases: Iterable[Case], *, cores: int | None, tick: Callable[[], None]
) -> Iterator[Refit]:
    """Yield what refits a Case; those of ``cases`` that weights are hopeless for are begun.

    Within, linear algebra is on one thread throughout: two threads that each set and put back the
    number for themselves would change it for one another.

    Parameters
    ----------
    fit
        Where refits start.
    cases
        Cases of the same evidence that will be asked for.
    cores
        Processor cores of a refit; with one alone nothing is begun.
    tick
        Called while a refit is waited for.
    """
    stopped = threading.Event()

    def until_stopped() -> None:
        if stopped.is_set():
            raise KeyboardInterrupt

    def begin(case: Case) -> Future[Fit]:
        return pool.submit(copy_context().run, refit, fit, case, cores=cores, tick=until_stopped)

    with threadpool_limits(**ONE_THREAD):
        pool = ThreadPoolExecutor(1)
        needed = [x for x in cases if far(fit, x)] if threads() > 1 else []
        if needed:
            _ = fit.ground  # held from here on: its many short calls would wait for figures
        begun = {case.priors: begin(case) for case in needed}

        def refitted(case: Case) -> Fit:
            if case.priors not in begun:
                return refit(fit, case, cores=cores, tick=tick)
            return _waited(begun[case.priors], tick)

        try:
            yield refitted
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


def far(fit: Fit, case: Case) -> bool:
    """Return whether neither weights nor moved draws can be tried."""
    if structure_of(case) != fit.compiled.structure:
        return True
    return smoothed(log_ratio(fit, case)).pareto_k > HOPELESS


def _waited(future: Future[Fit], tick: Callable[[], None]) -> Fit:
    while True:
        try:
            return future.result(timeout=POLL)
        except TimeoutError:
            if future.done():  # its own, not that of waiting
                raise
            tick()


@dataclass(frozen=True)
class NearFit:
    """Draws of a Case near that of a run: ``how`` they were obtained, and their weights, if any."""

    fit: Fit
    how: str
    weights: Importance | None = None


def answered(
    fit: Fit, case: Case, *, names: Sequence[str], refit: Callable[[Case], Fit] | None
) -> tuple[Answer | None, NearFit | None]:
    """Answer a Case as ``evaluate`` does, and return the draws behind the answer.

    Parameters
    ----------
    fit
        What to start from.
    case
        Of the same evidence.
    names
        Quantities of the headline.
    refit
        Makes a refit, if one is needed; with None there is no answer where weights fail.

    Returns
    -------
    tuple
        The answer; and its draws, None where those of ``fit`` will do.
    """
    exact = exactly(fit, case)
    if refit is None and not exact and far(fit, case):
        return None, None
    weights = None if exact else importance(fit, case)
    if weights is None:
        return evaluate([case], base=fit, names=names)[0], None
    if weights.good:
        own = NearFit(fit, "reweighted", weights)
        return _weighed(own, weights, base=fit, case=case, names=names), None
    if refit is None:
        return None, None
    near = moved(fit, case)
    if near is not None and near.weights is not None:
        return _weighed(near, near.weights, base=fit, case=case, names=names), near
    made_fit = refit(case)
    found = answer(made_fit, case, names=list(dict.fromkeys((*names, *HEADLINE))))
    made_fit = judged(made_fit, found)
    made = summed({name: found[name] for name in names}, made_fit, how="refit")
    return replace(made, pareto_k=weights.pareto_k), NearFit(made_fit, "refit")


def _weighed(
    near: NearFit, weights: Importance, *, base: Fit, case: Case, names: Sequence[str]
) -> Answer:
    """Return the answer of weighted draws, whose errors and verdict are those of ``base``.

    Quantities are computed once for each draw that is chosen, however often it is.
    """
    some, place = np.unique(weights.chosen(case.seed), return_inverse=True)
    found = answer(taken(near.fit, some), case, names=names)
    made = summed({k: x[place] for k, x in found.items()}, base, how=near.how, ess=weights.ess)
    return replace(made, pareto_k=weights.pareto_k)


def moved(fit: Fit, case: Case) -> NearFit | None:
    """Return moved draws of ``fit`` as those of a Case, None where they cannot be trusted."""
    made = moment_matched(fit, case)
    good = made is not None and made.weights.good
    return NearFit(made.fit, "moment-matched", made.weights) if made is not None and good else None


def of_run(case: Case, beside: Path) -> NearFit | None:
    """Return the draws of a finished, converged run of a Case in the folder ``beside``."""
    lender = find_lender(case, beside)
    fit = None if lender is None else lent_fit(case, lender)
    return NearFit(fit, "run") if fit is not None and fit.diagnosis.converged else None


DRAWS = 1000
"""Draws of a worldview's prior alone: its interval is read to two digits."""
WORLDVIEWS = ("default", "doubter", "questioner")
HALO = {"off": ("Normal", (0.0, 0.05)), "large": ("Normal", (-1.5, 0.3))}
"""Halo priors beside the stated one: none, and one that hides four uses in five."""
SHARED = {
    "none": {"shared_sensitivity": (200.0, 1.0), "shared_specificity": (800.0, 1.0)}
    | {"shared_level_slip": (1.0, 400.0)},
    "high": {"shared_sensitivity": (6.0, 3.0), "shared_specificity": (20.0, 3.0)}
    | {"shared_level_slip": (2.0, 20.0)},
}
"""Beta numbers of the error that raters of one kind share: none to speak of, and high."""
SHOWN = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "capabilities_first",
    "tracking_effect_capabilities",
    "capabilities_only_tracked",
    "capabilities_only_untracked",
    "relevant_tracked",
    "relevant_untracked",
)
"""Quantities that a variant of the raters reports."""
Evaluate = Callable[[Case, Sequence[str]], Answer | None]
"""Answers a Case: the quantities that are named; None where a fit is needed that is not made."""


def evaluator(
    fit: Fit,
    stated: dict[str, np.ndarray],
    *,
    refit: Callable[[Case], Fit] | None,
    near: dict[Any, NearFit] | None = None,
) -> Evaluate:
    """Return the function that answers a Case from a fit, whose own Case is answered already.

    ``refit`` makes the refits that are needed (:func:`refits_ahead`), None none.
    Draws that a shipped worldview needed of its own go into ``near``, by its priors.
    """
    own = summed(stated, fit, how="exact")
    views = {config.priors for config in others(fit.case)}

    def evaluated(case: Case, names: Sequence[str]) -> Answer | None:
        if case is fit.case:
            return own
        made, draws = answered(fit, case, names=names, refit=refit)
        if near is not None and draws is not None and case.priors in views:
            near[case.priors] = draws
        return made

    return evaluated


def restated(prior: Prior, dist: str, *, numbers: tuple[float, ...]) -> Prior:
    """Return a prior with another distribution's numbers."""
    params = tuple(zip(FAMILIES[dist].params, numbers, strict=True))
    return replace(prior, dist=dist, params=params, quantiles=None)


def obtained(answer: Answer) -> dict[str, Any]:
    """Return how an answer was obtained, and its diagnostics."""
    names = ("how", "pareto_k", "r_hat", "ess", "converged")
    return {name: getattr(answer, name) for name in names}


def variant_rows(cases: dict[str, Case], evaluated: Evaluate) -> list[dict[str, Any]]:
    """Return one row per setting: how it was obtained, and the shown quantities."""
    rows = []
    for setting, case in cases.items():
        made = evaluated(case, SHOWN)
        if made is None:
            continue
        shown = {name: spread(made.quantities[name]) for name in SHOWN}
        rows.append({"setting": setting} | obtained(made) | shown)
    return rows


def beside_rows(
    fit: Fit, evaluated: Evaluate, *, beside: Path, evidence_hash: str, report: bool
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all beliefs beside the headline, by key of the context.

    Those of the raters' halo and shared error stand in the report alone, and cost a fit.
    """
    views = worldview_rows(fit, evaluated, beside=beside, evidence_hash=evidence_hash)
    if not report:
        return {"worldviews": views}
    return {
        "worldviews": views,
        "halo": variant_rows(halo_cases(fit.case), evaluated),
        "shared_error": variant_rows(shared_cases(fit.case), evaluated),
    }


def rater_cases(case: Case) -> list[Case]:
    """Return the Cases of the raters' halo and shared error that are not the Case itself."""
    made = (*halo_cases(case).values(), *shared_cases(case).values())
    return [one for one in made if one is not case]


def halo_cases(case: Case) -> dict[str, Case]:
    """Return the Case with the halo off, as stated, and large."""
    stated = case.by_name["halo"]
    made = {
        key: with_prior(case, restated(stated, dist, numbers=pair))
        for key, (dist, pair) in HALO.items()
    }
    return {"off": made["off"], "as stated": case, "large": made["large"]}


def shared_cases(case: Case) -> dict[str, Case]:
    """Return the Case with no shared error of raters, as stated, and high."""
    out = {}
    for setting, numbers in SHARED.items():
        made = case
        for name, pair in numbers.items():
            made = with_prior(made, restated(case.by_name[name], "Beta", numbers=pair))
        out[setting] = made
    return {"none": out["none"], "as stated": case, "high": out["high"]}


def others(case: Case) -> list[Config]:
    """Return the shipped worldviews to hold beside a Case: two that it is not itself."""
    configs = [load_config(name) for name in WORLDVIEWS]
    left = [config for config in configs if config.priors != case.priors]
    return left if len(left) < len(configs) else left[1:]


def worldview_rows(
    fit: Fit, evaluated: Evaluate, *, beside: Path, evidence_hash: str
) -> list[dict[str, Any]]:
    """Return each worldview beside: its headline under priors alone, and given the evidence.

    The latter is that of a finished run in the folder ``beside`` with the same evidence, question,
    options and code (``how`` is then ``run``), else it is evaluated; None where that needs a fit
    that is not made.
    """
    rows = []
    for config in others(fit.case):
        case = replace(fit.case, priors=config.priors)
        alone = prior_headline(case, fit)
        row: dict[str, Any] = {"name": config.name, "summary": config.summary}
        row |= {"prior_only": {name: spread(alone[name]) for name in HEADLINE}}
        found = _finished(beside, config, case=case, evidence_hash=evidence_hash)
        if found is None:
            found = _posterior(evaluated(case, HEADLINE))
        rows.append(row | found)
    return rows


def _posterior(made: Answer | None) -> dict[str, Any]:
    """Return the headline of an answer with its errors, and how it was obtained."""
    if made is None:
        return {"posterior": None}
    shown = {name: spread(made.quantities[name]) for name in HEADLINE}
    told = {name: x | {"mcse": made.mcse[name]} for name, x in shown.items()}
    return obtained(made) | {"posterior": told}


def _finished(
    beside: Path, config: Config, *, case: Case, evidence_hash: str
) -> dict[str, Any] | None:
    """Return the headline of a converged run of the worldview, if there is one."""
    code, asked = code_hash(), asked_options(case)
    for folder in sorted(beside.glob(f"{config.name}-????????")):
        made = read_manifest(folder) or {}
        same = made.get("evidence_hash") == evidence_hash and made.get("code_hash") == code
        same = same and asked.items() <= made.get("options", {}).items()
        whole = made.get("complete") and made.get("checks", {}).get("converged")
        if same and whole and load_config(folder / "priors.toml").priors == config.priors:
            head, told = (read_json(folder / f"{x}.json") for x in ("headline", "diagnostics"))
            ess = min(told["min_ess_bulk"], told["min_ess_tail"])
            row = {"how": "run", "pareto_k": float("nan"), "r_hat": told["max_rhat"], "ess": ess}
            return row | {"converged": True, "posterior": dict(head["quantities"])}
    return None


def prior_headline(case: Case, fit: Fit) -> dict[str, np.ndarray]:
    """Return the headline of a Case under its priors alone."""
    structure = fit.compiled.structure
    rng = stream(case.seed, "prior")
    draws = prior_draws(case.by_name, structure, n=DRAWS, rng=rng)
    future = future_normals(case, DRAWS)
    parts: Any = {"structure": structure, "question": case.asked, "varying": fit.compiled.alone}
    return headline(draws, future, **parts)
