r"""Proportional odds with a ridge: a baseline that regresses a rating on agenda and year.

.. math::

    \mathrm{logit}\, P(Y \le k \mid a, t) = c_k - \alpha_a - \beta\,(t - t_0), \qquad
    c_1 < c_2 < \dots

fitted by maximising the log likelihood less :math:`\tfrac12 \sum_a (\alpha_a / s_a)^2 +
\tfrac12 (\beta / s_t)^2` (McCullagh 1980; the ridge of le Cessie & van Houwelingen 1992). With two
categories it is a logistic regression. Our own, since agendas with a handful of works need the
ridge, which statsmodels' ``OrderedModel`` lacks. A test holds it against closed forms.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

AGENDA_SD = 1.0
"""Standard deviation of the ridge on agendas, in log-odds."""
YEAR_SD = 0.3
"""Standard deviation of the ridge on the slope, in log-odds a year."""
TINY = 1e-12


@dataclass(frozen=True)
class Ordinal:
    """A fitted regression: categories seen, cutpoints between them, coefficients, centre year."""

    seen: np.ndarray
    cuts: np.ndarray
    agenda: np.ndarray
    slope: float
    centre: float

    def chances(self, agenda: np.ndarray, year: np.ndarray, *, categories: int) -> np.ndarray:
        """Return the chance of each category, dims (row, category); 0 of what was never seen."""
        eta = self.agenda[agenda] + self.slope * (year - self.centre)
        below = special.expit(self.cuts[None, :] - eta[:, None])
        ends = [np.zeros((len(eta), 1)), below, np.ones((len(eta), 1))]
        out = np.zeros((len(eta), categories))
        out[:, self.seen] = np.diff(np.concatenate(ends, axis=1), axis=1)
        return out


def fit_ordinal(
    y: ArrayLike,
    agenda: ArrayLike,
    *,
    year: ArrayLike,
    weight: ArrayLike,
    n_agendas: int,
    sd: tuple[float, float] = (AGENDA_SD, YEAR_SD),
) -> Ordinal:
    """Fit the regression.

    Parameters
    ----------
    y
        Category of each row, from 0.
    agenda, year, weight
        Index of the agenda, year and weight of each row.
    n_agendas
        Number of agendas; one without a row has no effect.
    sd
        Standard deviations of the ridge on agendas and on the slope.
    """
    seen, code = np.unique(np.asarray(y), return_inverse=True)
    years, w = np.asarray(year, dtype=float), np.asarray(weight, dtype=float)
    centre = float(np.average(years, weights=w))
    rows = (code, np.asarray(agenda), years - centre, w)
    if len(seen) == 1:
        return Ordinal(seen, np.zeros(0), np.zeros(n_agendas), 0.0, centre)
    k = len(seen) - 1
    share = np.cumsum(np.bincount(code, weights=w) + 0.5)
    cuts = special.logit(share[:-1] / share[-1])
    start = np.concatenate([cuts[:1], np.log(np.diff(cuts)), np.zeros(n_agendas + 1)])
    precision = np.array([*[sd[0] ** -2] * n_agendas, sd[1] ** -2])
    found = optimize.minimize(
        _loss,
        start,
        args=((rows, k, precision),),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-12, "gtol": 1e-7, "maxiter": 2000},
    )
    cuts, beta = _cuts(found.x[:k]), found.x[k:]
    return Ordinal(seen, cuts, beta[:-1], float(beta[-1]), centre)


def _cuts(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[:1], x[0] + np.cumsum(np.exp(x[1:]))])


def _loss(x: np.ndarray, given: Any) -> tuple[float, np.ndarray]:
    """Return the penalised negative log likelihood and its gradient.

    ``given`` are the rows (code, agenda, year, weight), the number of cutpoints, and precisions.
    """
    rows, k, precision = given
    code, agenda, years, w = rows
    cuts, beta = _cuts(x[:k]), x[k:]
    eta = beta[agenda] + beta[-1] * years
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    high, low = special.expit(ends[code + 1] - eta), special.expit(ends[code] - eta)
    p = np.maximum(high - low, TINY)
    up, down = w * high * (1.0 - high) / p, w * low * (1.0 - low) / p
    by_cut = np.bincount(code + 1, up, minlength=k + 2) - np.bincount(code, down, minlength=k + 2)
    by_cut = by_cut[1:-1]  # by the cutpoints; the ends do not move
    steps = np.exp(x[1:k])
    later = np.cumsum(by_cut[::-1])[::-1]
    by_eta = down - up
    by_beta = np.append(np.bincount(agenda, by_eta, minlength=len(beta) - 1), by_eta @ years)
    gradient = -np.concatenate([later[:1], later[1:] * steps, by_beta])
    gradient[k:] += precision * beta
    return float(0.5 * precision @ beta**2 - w @ np.log(p)), gradient


__all__ = ["Ordinal", "fit_ordinal"]
