r"""Are ranks uniform? Three tests of each quantity, and one family-wise verdict over all.

With :math:`u_i` uniform, :math:`z_i = \Phi^{-1}(u_i)` are standard normal, so that exactly

.. math::

    \sqrt{N}\, \bar z \sim \mathrm{Normal}(0, 1), \qquad \sum_i z_i^2 \sim \chi^2_N,

which is the most powerful test of a posterior that is shifted and of one that is too narrow or too
wide (Cook, Gelman and Rubin 2006, JCGS 15:675). Kolmogorov and Smirnov's test of the :math:`u_i`
sees what is neither. The p-values of all quantities and tests are held to one level by Holm's steps
(1979), which assume nothing of how the quantities depend on each other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

LEVEL = 0.01
"""Chance of any false alarm among all quantities, if all is well."""
TESTS = ("shift", "width", "shape")
POWER = 0.8
Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What a number of simulations can see of one quantity with probability :data:`POWER`.

    ``shift`` is of normal scores, in posterior standard deviations; ``narrow`` and ``wide`` are
    standard deviations of normal scores: above 1 the posterior is too narrow by that factor,
    below 1 too wide.
    """

    shift: float
    narrow: float
    wide: float


def p_values(u: np.ndarray) -> dict[str, float]:
    """Return the p-value of each of :data:`TESTS` of uniform numbers, dims (simulation,)."""
    z, n = stats.norm.ppf(u), len(u)
    total = stats.chi2(n)
    squares = float(np.sum(z**2))
    return {
        "shift": float(2.0 * stats.norm.sf(abs(z.mean()) * n**0.5)),
        "width": float(min(1.0, 2.0 * min(total.cdf(squares), total.sf(squares)))),
        "shape": float(stats.kstest(u, "uniform").pvalue),
    }


def holm(p: np.ndarray, *, level: float) -> np.ndarray:
    """Return which p-values Holm's steps reject at a family-wise level."""
    order = np.argsort(p)
    steps = level / np.arange(len(p), 0, -1)
    above = np.flatnonzero(p[order] > steps)
    out = np.zeros(len(p), dtype=bool)
    out[order[: above[0] if len(above) else len(p)]] = True
    return out


def verdicts(names: list[str], ranks: np.ndarray, *, level: float = LEVEL) -> list[Row]:
    """Return a row for each quantity: its p-values, which tests fail, shift and width.

    Parameters
    ----------
    names
        Of the quantities.
    ranks
        Uniform numbers if all is well, dims (simulation, quantity).
    level
        Family-wise, over all quantities and tests.
    """
    found = [p_values(u) for u in ranks.T]
    flat = np.array([[p[test] for test in TESTS] for p in found])
    failed = holm(flat.ravel(), level=level).reshape(flat.shape)
    z = stats.norm.ppf(ranks)
    return [
        {
            "name": name,
            "passes": not bad.any(),
            "fails": " ".join(test for test, out in zip(TESTS, bad, strict=True) if out),
            "shift": float(z[:, j].mean()),
            "width": float(np.sqrt(np.mean(z[:, j] ** 2))),
            **{f"p_{test}": found[j][test] for test in TESTS},
        }
        for j, (name, bad) in enumerate(zip(names, failed, strict=True))
    ]


def seen(n: int, quantities: int, *, level: float = LEVEL, power: float = POWER) -> Seen:
    """Return the smallest faults that ``n`` simulations see in one of so many quantities.

    At Holm's first step, the strictest: a fault in several quantities is seen sooner.
    """
    alpha = level / (quantities * len(TESTS))
    total = stats.chi2(n)
    return Seen(
        shift=float((stats.norm.isf(alpha / 2) + stats.norm.ppf(power)) / n**0.5),
        narrow=float((total.isf(alpha / 2) / total.ppf(1.0 - power)) ** 0.5),
        wide=float((total.ppf(alpha / 2) / total.ppf(power)) ** 0.5),
    )
