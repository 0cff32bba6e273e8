r"""How often central intervals of simulated fits hold the truth, with binomial errors.

A truth of uniform rank u lies in the central interval of probability p where
:math:`|u - 1/2| < p / 2`. Of N simulations the count is binomial if the inference is right, with
standard error :math:`\sqrt{p (1 - p) / N}`. Ranks of the quantities of one simulation depend on
each other, so that over several quantities the unit is the simulation: with :math:`c_i` the share
of its quantities that are covered, the error of the mean is :math:`sd(c_i) / \sqrt{N}`.
"""

import numpy as np
from scipy import stats

from forecast.analyses.uniformity import Row
from models.quantities import HEADLINE

PROBS = (0.5, 0.8, 0.95)
"""Probabilities of the central intervals."""
OUTSIDE = 0.01
"""Chance beyond which a quantity's count is told as outside of what the binomial gives."""


def held(u: np.ndarray, p: float) -> np.ndarray:
    """Return which truths of ranks u lie in their central interval of probability p."""
    return np.abs(u - 0.5) < 0.5 * p


def coverage_rows(names: list[str], ranks: np.ndarray) -> list[Row]:
    """Return each quantity's coverage, its binomial error, and whether chance gives such a count.

    Parameters
    ----------
    names
        Of the quantities.
    ranks
        Uniform numbers if all is well, dims (simulation, quantity).
    """
    n = len(ranks)
    rows: list[Row] = [{"name": name, "simulations": n} for name in names]
    for p in PROBS:
        count, (low, high) = held(ranks, p).sum(axis=0), _bounds(n, p)
        error = (p * (1.0 - p) / n) ** 0.5
        for row, k in zip(rows, count.tolist(), strict=True):
            row |= {f"within_{p:g}": k / n, f"se_{p:g}": error}
            row |= {f"outside_{p:g}": not low <= k <= high}
    return rows


def pooled_rows(names: list[str], ranks: np.ndarray) -> list[Row]:
    """Return coverage over parameters, over headline quantities and over all of them.

    ``se`` is over simulations; ``outside`` counts the quantities whose own count lies outside the
    central 99% of its binomial, and ``by_chance`` how many would.
    """
    headline = np.array([name in HEADLINE for name in names])
    each, out = coverage_rows(names, ranks), []
    groups = {"parameters": ~headline, "headline quantities": headline, "all": headline | True}
    for group, some in groups.items():
        if not some.any():
            continue
        row: Row = {"group": group, "quantities": int(some.sum()), "simulations": len(ranks)}
        for p in PROBS:
            share = held(ranks[:, some], p).mean(axis=1)
            low, high = _bounds(len(ranks), p)
            law = stats.binom(len(ranks), p)
            chance = float(law.cdf(low - 1) + law.sf(high))
            out_of = np.array([one[f"outside_{p:g}"] for one in each])[some]
            row |= {f"within_{p:g}": float(share.mean()), f"se_{p:g}": clustered(share)}
            row |= {f"outside_{p:g}": int(out_of.sum())}
            row |= {f"by_chance_{p:g}": chance * int(some.sum())}
        out.append(row)
    return out


def clustered(share: np.ndarray) -> float:
    """Return the standard error of the mean of one number per simulation."""
    return float(share.std(ddof=1) / len(share) ** 0.5)


def _bounds(n: int, p: float) -> tuple[int, int]:
    """Return the smallest and the largest count inside the central 99% of the binomial."""
    low, high = stats.binom.ppf((OUTSIDE / 2, 1.0 - OUTSIDE / 2), n, p)
    return int(low), int(high)


__all__ = ["PROBS", "clustered", "coverage_rows", "held", "pooled_rows"]
