"""Structural checks: the headline under another model, another unit, fewer raters or tables.

Each variation is a Case; :func:`forecast.inference.evaluate.evaluate` answers it at the least
price and says
how: exact where only the question changes, reweighted where Pareto k allows, else refitted (a
changed link or tail compiles a model of its own, and is compared with the run by LOO). The shift is
against the run itself; where the draws are not the same its error adds both fits' errors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.analyses.loo import COLUMNS, stacked, work_elpd
from forecast.analyses.run_checks import MOST
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
Variation = tuple[str, str, Case]


@dataclass(frozen=True)
class Fitting:
    """How variations are fitted: once more if allowed, on how many cores, with which progress."""

    retry: bool = False
    cores: int | None = None
    tick: Callable[[], None] | None = None


def structure_cases(case: Case) -> list[Variation]:
    """Return (what is varied, setting, Case) of every structural check."""
    return [*_options(case), *_raters(case), *_errors(case), *_selection(case)]


def table_cases(case: Case) -> list[Variation]:
    """Return the Case without each table of evidence: all of its rows with weight 0."""
    out: list[Variation] = []
    for name, columns in case.evidence.arrays.items():
        if np.any(columns.get("weight", 0.0)):
            none = np.zeros_like(columns["weight"])
            out.append(("table", f"without {name}", with_arrays(case, name, weight=none)))
    return out


def _options(case: Case) -> Iterator[Variation]:
    model = case.model
    for m in (1, 3, 10):
        if m != model.established_at:
            made = replace(case, model=replace(model, established_at=m))
            yield "established_at", f"{m} works", made
    for unit in ("field", "family", "agenda"):
        if unit != model.established_in:
            yield "established_in", unit, replace(case, model=replace(model, established_in=unit))
    if model.tails == "normal":
        yield "tails", HEAVY, replace(case, model=replace(model, tails="student-t"))
    if model.link == "logit":
        yield "link", "probit link", replace(case, model=replace(model, link="probit"))


def _raters(case: Case) -> Iterator[Variation]:
    """Yield the Case with each rater's answers missing, as long as another is left."""
    raters = case.evidence.labels["rater"]
    if not case.evidence.arrays["ratings"]["weight"].any():
        return
    for i, rater in enumerate(raters):
        if not rater.startswith("absent-"):
            yield "raters", f"without {rater}", without_rater(case, i)


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


def _errors(case: Case) -> Iterator[Variation]:
    """Yield the ends of the errors that raters share and of the halo.

    No shared error makes three raters three readings; a large one makes them little more than one:
    these are the ends of the effective number of raters.
    """
    words = {"none": "as many readings as raters", "high": "little more than one reading"}
    for setting, made in shared_cases(case).items():
        if made is not case:
            yield "effective number of raters", words[setting], made
    for setting, made in halo_cases(case).items():
        if made is not case:
            yield "halo", setting, made


def _selection(case: Case) -> Iterator[Variation]:
    rows, cells = case.evidence.arrays["ratings"], case.evidence.arrays["cells"]
    known = cells["purposive"][rows["cell"]] == 1
    if (known & (rows["weight"] > 0)).any():
        weight = np.where(known, 0.0, rows["weight"])
        yield "selection", "known cases left out", with_arrays(case, "ratings", weight=weight)


def variation_rows(
    fit: Fit,
    found: dict[str, np.ndarray],
    *,
    variations: list[Variation],
    fitting: Fitting | None = None,
) -> list[dict[str, Any]]:
    """Return each variation's headline, its change, and how it was obtained.

    Parameters
    ----------
    fit, found
        The run, and its quantities by draw.
    variations
        From :func:`structure_cases` or :func:`table_cases`.
    fitting
        How fits are made, where they are needed.
    """
    how = fitting or Fitting()
    own = summed({name: found[name] for name in HEADLINE}, fit, how="exact")
    rows, elpd = [_row(("as run", "as run"), own, own=own) | _told(None)], {}
    for what, setting, case in variations:
        made, other = answered(fit, case, fitting=how)
        if other is not None and other.compiled.structure != fit.compiled.structure:
            elpd[len(rows)] = work_elpd(other, most=MOST)
        rows.append(_row((what, setting), made, own=own) | _told(other))
    if elpd:
        elpd[0] = work_elpd(fit, most=MOST)
    weights = stacked(elpd)
    return [row | weights.get(i, dict.fromkeys(COLUMNS)) for i, row in enumerate(rows)]


def answered(fit: Fit, case: Case, *, fitting: Fitting) -> tuple[Answer, Fit | None]:
    """Return the answer to a Case at the least price, and the fit that it took, if any.

    As :func:`forecast.inference.evaluate.evaluate`, but a fit that does not meet the rule says
    why, and is made once more from scratch, tuned longer, where that is allowed.
    """
    k = _weights_that_fail(fit, case)
    if k is None:
        return evaluate([case], base=fit, names=HEADLINE)[0], None
    options: dict[str, Any] = {"cores": fitting.cores, "tick": fitting.tick}
    once = replace(case, sampler=replace(careful(case.sampler), retry=False))
    other = _judged(refit(fit, once, **options))
    if fitting.retry and not other.diagnosis.converged:
        second = replace(posterior(harder(once), **options), case=once)
        other = _judged(again(other, second))
    found = answer(other, other.case, names=HEADLINE)
    return replace(summed(found, other, how="refit"), pareto_k=k), other


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


def _told(fit: Fit | None) -> dict[str, str]:
    """Return what the rule says of a variation's own fit: what fails, if it is a second."""
    if fit is None:
        return {"failures": "", "retried": ""}
    return {"failures": "; ".join(fit.diagnosis.failures), "retried": fit.diagnosis.retried}


def _row(words: tuple[str, str], made: Answer, *, own: Answer) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(("what", "setting"), words, strict=True))
    row |= {key: getattr(made, key) for key in ("how", "pareto_k", "r_hat", "ess", "converged")}
    for name in SHOWN:
        x, base = made.quantities[name], own.quantities[name]
        paired = made.how == "exact" and len(x) == len(base)
        error = _paired(x - base, made.ess) if paired else np.hypot(made.mcse[name], own.mcse[name])
        lower, upper = np.quantile(x, (LOWER, UPPER))
        row |= {name: float(x.mean()), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
        row |= {f"{name}_change": float(x.mean() - base.mean()), f"{name}_mcse": float(error)}
    return row


def _paired(change: np.ndarray, ess: float) -> float:
    return float(change.std() / max(ess, 1.0) ** 0.5)
