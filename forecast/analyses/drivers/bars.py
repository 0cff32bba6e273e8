r"""How far a Case moves the mean of the target, at the least price, and with which error.

- ``exact``: forecast-only priors differ. Each draw is paired with itself, so that the error is that
  of the mean of the differences.
- ``reweighted``: Pareto k <= 0.7 and enough effective draws. The error is that of the difference of
  a weighted and a plain mean of the same draws (:func:`paired`).
- ``moment-matched``: draws moved, then weighted (:mod:`forecast.matching`); the same error.
- ``refit``: another fit, so that the errors of both means add up.
- ``withheld``: none of these was allowed or trusted; there is no number.

Errors of draws of a chain are those of as many independent draws as are effective.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.analyses.drivers.material import Material
from forecast.case import Case
from forecast.engine import judged, wanted
from forecast.matching import moment_matched
from forecast.reweighting import MAX_PARETO_K, smoothed
from forecast.sampling import Fit
from forecast.soft import log_weights, soft_part
from models.blocks import limited
from models.experts import READS
from models.late import LATE
from models.quantities import HEADLINE

WITHHELD = "withheld"
ENDS = (0.055, 0.945)
"""Probabilities at the ends of the interval."""
STEP = 0.02
"""Half the stretch of probability over which a density is taken."""


@dataclass(frozen=True)
class Bar:
    """A move of the target's mean: ``mean`` after it, its ``shift``, and how it was obtained.

    ``width_mcse`` is the error of the change of the interval's width, where that is told.
    """

    mean: float
    lower: float
    upper: float
    shift: float
    mcse: float
    how: str
    pareto_k: float = float("nan")
    converged: bool = True
    width_mcse: float = float("nan")

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return self.how != WITHHELD

    def row(self) -> dict[str, Any]:
        """Return the bar as columns of a table."""
        return dict(vars(self))


def withheld(pareto_k: float = float("nan")) -> Bar:
    """Return a bar without a number."""
    nan = float("nan")
    return Bar(nan, nan, nan, nan, nan, WITHHELD, pareto_k)


def weighted(
    m: Material, log_weights: np.ndarray, *, k: float, at: np.ndarray | None = None
) -> Bar:
    """Return the bar of smoothed log weights of the run's draws, of those ``at`` if given.

    The weights may not depend on the beliefs that :func:`material.averaged` averages out.
    """
    place = np.arange(m.fit.n) if at is None else at
    w = np.exp(log_weights - log_weights.max())
    w /= w.sum()
    shift, error = paired(m.smooth[place], w, base=m.smooth[place], least=m.least)
    return Bar(m.mean + shift, *interval(m.y[place], w), shift, error, "reweighted", k)


def paired(x: np.ndarray, w: np.ndarray, *, base: np.ndarray, least: float) -> tuple[float, float]:
    r"""Return the weighted mean of x less the mean of the base, and its Monte Carlo error.

    The draws are the same, so that the error is that of the difference (delta method),
    :math:`\sum_s [w_s (x_s - \bar x_w) - (b_s - \bar b) / n]^2` over the share of effective draws.
    """
    mean, plain = float(w @ x), float(base.mean())
    part = w * (x - mean) - (base - plain) / len(base)
    return mean - plain, float(((part**2).sum() / least) ** 0.5)


def interval(y: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 89% equal-tailed interval of weighted draws."""
    low, high = quantiles(y, w, at=ENDS)
    return low, high


def quantiles(y: np.ndarray, w: np.ndarray, *, at: Sequence[float]) -> list[float]:
    """Return quantiles of weighted draws."""
    order = np.argsort(y)
    cdf = np.cumsum(w[order]) - 0.5 * w[order]
    return [float(x) for x in np.interp(at, cdf, y[order])]


def width_parts(y: np.ndarray, w: np.ndarray) -> np.ndarray:
    r"""Return what each draw does to the width of the interval of weighted draws, to first order.

    A quantile q at p moves by :math:`w_s (p - [y_s \le q]) / f(q)`; the density f is that between
    the quantiles at :math:`p \pm 0.02`. The error of a width is the root of the sum of squares.
    """
    total = np.zeros(len(y))
    for sign, p in zip((-1.0, 1.0), ENDS, strict=True):
        low, q, high = quantiles(y, w, at=(p - STEP, p, p + STEP))
        total += sign * w * (p - (y <= q)) * (high - low) / (2.0 * STEP)
    return total


def width_error(m: Material, w: np.ndarray, *, at: np.ndarray) -> float:
    """Return the error of the change of width under weights of the draws ``at``, all paired."""
    y = m.y[at]
    part = width_parts(y, w) - width_parts(y, np.full(len(y), 1.0 / len(y)))
    return float(((part**2).sum() / m.least) ** 0.5)


def cheap(m: Material, case: Case, *, thin: bool = False) -> Bar:
    """Return the exact or reweighted bar of a Case, else a withheld one with its Pareto k.

    With ``thin`` fewer draws are used where a prior enters early, so that each costs seconds.
    """
    changed = [p for p in case.priors if p != m.case.by_name[p.name]]
    if m.prior_only(case):
        made = smoothed(m.ratio(changed))
        if not made.good:
            return withheld(made.pareto_k)
        with np.errstate(divide="ignore"):
            return weighted(m, np.log(made.weights), k=made.pareto_k)
    with limited(1) if thin else nullcontext():  # few blocks: threads would wait for each other
        return forecast_only(m, case, names={p.name for p in changed}, thin=thin)


def forecast_only(m: Material, case: Case, *, names: set[str], thin: bool) -> Bar:
    """Return the bar of a Case with other forecast-only priors, each draw paired with itself.

    ``names`` are the priors that differ. Where forecasts by others weigh and read one of them,
    draws are weighed by how that changes their weights.
    """
    soft, late = bool(soft_part(m.case)) and bool(names & set(READS)), names <= set(LATE)
    few = thin and (soft or not late)
    fit = m.thin if few else m.fit
    at = m.places if few else slice(None)
    made = smoothed(log_weights(fit, case) - m.others(fit) if soft else np.zeros(fit.n))
    if not made.good:
        return withheld(made.pareto_k)
    y = m.y[at]
    x = m.at(case)[at] if late or not few else wanted(fit, case, names=[m.target])[m.target]
    least = min(m.ess, float(len(y))) / len(y)
    shift, error = paired(x, made.weights, base=y, least=least)
    how, k = ("reweighted", made.pareto_k) if soft else ("exact", float("nan"))
    return Bar(m.mean + shift, *interval(x, made.weights), shift, error, how, k)


def matched(m: Material, case: Case) -> Bar | None:
    """Return the bar of draws moved to the weighted moments, None where they are not trusted."""
    made = moment_matched(m.fit, case)
    if made is None or not made.weights.good:
        return None
    x, w = wanted(made.fit, case, names=[m.target])[m.target], made.weights.weights
    shift, error = paired(x, w, base=m.y[made.fit.chosen], least=m.least)
    how, k = "moment-matched", made.weights.pareto_k
    return Bar(m.mean + shift, *interval(x, w), shift, error, how, k)


def refitted(m: Material, fit: Fit, *, k: float) -> Bar:
    """Return the bar of a fit of its own; ``k`` is why it was needed."""
    found = wanted(fit, fit.case, names=list(HEADLINE))
    verdict, x = judged(fit, found).diagnosis, found[m.target]
    ess = min(verdict.min_ess_bulk, verdict.min_ess_tail)
    error = float(np.hypot(x.std() / max(ess, 1.0) ** 0.5, m.y.std() / m.ess**0.5))
    same = np.full(len(x), 1.0 / len(x))
    own = width_parts(m.y, np.full(m.fit.n, 1.0 / m.fit.n))
    parts = (width_parts(x, same) ** 2).sum() * len(x) / max(ess, 1.0), (own**2).sum() / m.least
    width, mean = float(sum(parts) ** 0.5), float(x.mean())
    ends, shift = interval(x, same), mean - m.mean
    return Bar(mean, *ends, shift, error, "refit", k, verdict.converged, width)


Refit = Callable[[Sequence[Case]], list[Fit]]
"""Fits Cases from where the run's own fit ended."""


def bars(
    m: Material, cases: Sequence[Case], *, refit: Refit | None, cheaply: Sequence[Bar] | None = None
) -> list[Bar]:
    """Return the bar of each Case; without ``refit`` those that need one are withheld.

    ``cheaply`` are bars found already, withheld where something better is wanted.
    """
    quick = refit is None
    found = list(cheaply) if cheaply else [cheap(m, case, thin=quick) for case in cases]
    if refit is None:
        return found
    for i, bar in enumerate(found):
        if not bar.known and cases[i].evidence == m.case.evidence:
            found[i] = matched(m, cases[i]) or bar
    left = [i for i, bar in enumerate(found) if not bar.known]
    for i, fit in zip(left, refit([cases[i] for i in left]), strict=True):
        found[i] = refitted(m, fit, k=found[i].pareto_k)
    return found


def trusted(k: float) -> bool:
    """Return whether weights with this Pareto k are to be trusted."""
    return bool(k <= MAX_PARETO_K)
