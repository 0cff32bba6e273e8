"""``forecast check --structure`` and ``--tables``: the headline under other models or evidence.

Each variation (another unit, link or tail, fewer raters or tables) is a Case, and
:func:`forecast.inference.evaluate.evaluate` answers it at the least price: exact where only the
question changes, reweighted where Pareto k allows, otherwise refitted. A changed link or tail
compiles a model of its own, which is compared with the run by LOO. The change is against the run
itself; where the draws are not the same, its error adds both fits' errors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.analyses.loo import COLUMNS, stacked, work_elpd
from forecast.analyses.run_checks import MOST
from forecast.analyses.scores import Row
from forecast.inference.case import Answer, Case, with_arrays
from forecast.inference.evaluate import (
    again,
    answer,
    evaluate,
    exactly,
    harder,
    judged,
    posterior,
    refit,
    summed,
)
from forecast.inference.reweighting import importance, moment_matched
from forecast.inference.sampling import Fit, careful
from forecast.runs.variants import halo_cases, shared_cases
from models.quantities import HEADLINE
from models.ratings.formula import MISSING, MISSING_LEVEL, NO_ANSWER
from reports.words import LOWER, UPPER

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""Quantities whose change is shown."""
HEAVY = "student-t tails of agendas"
"""The variation that stands beside a headline below 2% or above 98%."""
READINGS = {"none": "as many readings as raters", "high": "little more than one reading"}
"""What the ends of the raters' shared error make of three raters."""


@dataclass(frozen=True)
class Variation:
    """A changed Case: what is varied, and its setting."""

    what: str
    setting: str
    case: Case


@dataclass(frozen=True)
class Fitting:
    """How variations are fitted: once more if allowed, on how many cores, with which progress."""

    retry: bool = False
    cores: int | None = None
    tick: Callable[[], None] | None = None


def structure_cases(case: Case) -> Iterator[Variation]:
    """Yield every structural check.

    The ends of the errors that raters share stand for the effective number of raters: without a
    shared error three raters are three readings, with a large one little more than one.
    """
    model = case.model

    def option(name: str, value: Any, setting: str) -> Variation:
        return Variation(name, setting, replace(case, model=replace(model, **{name: value})))

    for m in (1, 3, 10):
        if m != model.established_at:
            yield option("established_at", m, f"{m} works")
    for unit in ("field", "family", "agenda"):
        if unit != model.established_in:
            yield option("established_in", unit, unit)
    if model.tails == "normal":
        yield option("tails", "student-t", HEAVY)
    if model.link == "logit":
        yield option("link", "probit", "probit link")
    ratings, cells = case.evidence.arrays["ratings"], case.evidence.arrays["cells"]
    if ratings["weight"].any():
        for i, rater in enumerate(case.evidence.labels["rater"]):
            if not rater.startswith("absent-"):
                yield Variation("raters", f"without {rater}", without_rater(case, i))
    for setting, varied in shared_cases(case).items():
        if varied is not case:
            yield Variation("effective number of raters", READINGS[setting], varied)
    for setting, varied in halo_cases(case).items():
        if varied is not case:
            yield Variation("halo", setting, varied)
    known = cells["purposive"][ratings["cell"]] == 1
    if (known & (ratings["weight"] > 0)).any():
        sampled = with_arrays(case, "ratings", weight=np.where(known, 0.0, ratings["weight"]))
        yield Variation("selection", "known cases left out", sampled)


def table_cases(case: Case) -> Iterator[Variation]:
    """Yield the Case without each table of evidence: all of its rows with weight 0."""
    for name, columns in case.evidence.arrays.items():
        if np.any(columns.get("weight", 0.0)):
            without = with_arrays(case, name, weight=np.zeros_like(columns["weight"]))
            yield Variation("table", f"without {name}", without)


def without_rater(case: Case, rater: int) -> Case:
    """Return the Case in which one rater answered nothing."""
    rows = case.evidence.arrays["ratings"]
    n = len(case.evidence.labels["rater"])
    blank = (MISSING_LEVEL, *(MISSING,) * 3, *(NO_ANSWER,) * 2)
    value, asked = rows["value"].copy(), rows["asked"].copy()
    for column, code in enumerate(blank):
        value[:, column * n + rater] = code
        asked[:, column * n + rater] = 0
    return with_arrays(case, "ratings", value=value, asked=asked)


def variation_rows(
    fit: Fit,
    quantities: dict[str, np.ndarray],
    *,
    variations: Iterator[Variation] | list[Variation],
    fitting: Fitting | None = None,
) -> list[Row]:
    """Return each variation's headline, its change, and how it was obtained.

    Parameters
    ----------
    fit, quantities
        The run, and its quantities by draw.
    variations
        From :func:`structure_cases` or :func:`table_cases`.
    fitting
        How fits are made, where they are needed.
    """
    own = summed({name: quantities[name] for name in HEADLINE}, fit, how="exact")
    as_run = Variation("as run", "as run", fit.case)
    rows, elpd = [_row(as_run, own, own=own, refitted=None)], {}
    for variation in variations:
        result, refitted = answered(fit, variation.case, fitting=fitting or Fitting())
        if refitted is not None and refitted.compiled.structure != fit.compiled.structure:
            elpd[len(rows)] = work_elpd(refitted, most=MOST)
        rows.append(_row(variation, result, own=own, refitted=refitted))
    weights = stacked({0: work_elpd(fit, most=MOST)} | elpd) if elpd else {}
    return [row | weights.get(i, dict.fromkeys(COLUMNS)) for i, row in enumerate(rows)]


def answered(fit: Fit, case: Case, *, fitting: Fitting) -> tuple[Answer, Fit | None]:
    """Return the answer to a Case at the least price, and the fit that it took, if any.

    As :func:`forecast.inference.evaluate.evaluate`, but a fit that does not meet the rule says
    why, and is made once more from scratch, tuned longer, where that is allowed.
    """
    k = _weights_that_fail(fit, case)
    if k is None:
        return evaluate([case], base=fit, names=HEADLINE)[0], None
    once = replace(case, sampler=replace(careful(case.sampler), retry=False))
    refitted = _judged(refit(fit, once, cores=fitting.cores, tick=fitting.tick))
    if fitting.retry and not refitted.diagnosis.converged:
        second = posterior(harder(once), cores=fitting.cores, tick=fitting.tick)
        refitted = _judged(again(refitted, replace(second, case=once)))
    quantities = answer(refitted, refitted.case, names=HEADLINE)
    return replace(summed(quantities, refitted, how="refit"), pareto_k=k), refitted


def _weights_that_fail(fit: Fit, case: Case) -> float | None:
    """Return Pareto k of the weights that will not do for a Case; None if no fit is needed."""
    if exactly(fit, case):
        return None
    weights = importance(fit, case)
    if weights is None:
        return float("nan")
    if weights.good:
        return None
    moved = moment_matched(fit, case)
    return None if moved is not None and moved.weights.good else weights.pareto_k


def _judged(fit: Fit) -> Fit:
    return judged(fit, answer(fit, fit.case, names=HEADLINE))


def _row(variation: Variation, result: Answer, *, own: Answer, refitted: Fit | None) -> Row:
    """Return a variation's row: of its own fit, what fails and why it is a second one."""
    row: Row = {"what": variation.what, "setting": variation.setting}
    for key in ("how", "pareto_k", "r_hat", "ess", "converged"):
        row[key] = getattr(result, key)
    for name in SHOWN:
        x, base = result.quantities[name], own.quantities[name]
        error = np.hypot(result.mcse[name], own.mcse[name])
        if result.how == "exact" and len(x) == len(base):
            error = (x - base).std() / max(result.ess, 1.0) ** 0.5
        lower, upper = np.quantile(x, (LOWER, UPPER))
        row |= {name: float(x.mean()), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
        row |= {f"{name}_change": float(x.mean() - base.mean()), f"{name}_mcse": float(error)}
    verdict = None if refitted is None else refitted.diagnosis
    row["failures"] = "; ".join(verdict.failures) if verdict else ""
    row["retried"] = verdict.retried if verdict else ""
    return row
