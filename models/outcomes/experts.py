r"""Forecasts by others as a weak penalty on what the model says of the same level and year.

With F the model's chance that level k is established by a year, p the middle of the band that was
stated (in log-odds) and

.. math:: s^2 = h^2 + 1, \qquad
    \log w = -\frac{\text{weight}}{2} \Big(\frac{\mathrm{logit}\, F - \mathrm{logit}\, p}{s}\Big)^2

where h is half the band in log-odds (0 where no band was stated) and 1 the least error in log-odds
of an event that is a stand-in for the level, or a part of it. Of an event that implies the level
(`stricter`) p is a lower bound: only an F below p is penalised. F is read no closer than 0.001 to
0 or 1: a loose stand-in cannot tell smaller chances apart. Source: evidence/README.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.priors import Array

LEAST_ERROR = 1.0
"""Error of any forecast by others as a reading of a level, in log-odds."""
EDGE = 1e-3
"""Distance from 0 and 1 within which chances are not told apart."""
READS = ("worker_damping", "stop_6", "stop_7", "works_2025", "cluster_size")
"""Beliefs that no other likelihood touches and that decide when levels are established."""


@dataclass(frozen=True)
class Expert:
    """One forecast by others: level ``level`` by ``year`` with log-odds ``logit`` +- ``scale``.

    ``bound``: the event implies the level, so that its chance is a lower bound. ``weight``: what is
    given to forecasts by others, shared by the rows of one cluster.
    """

    row: str
    level: int
    year: int
    logit: float
    scale: float
    bound: bool
    weight: float


def logit(p: Array | float) -> Array:
    """Return the log-odds of chances, read no closer than :data:`EDGE` to 0 or 1."""
    inside = np.clip(p, EDGE, 1.0 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def scale_of(low: float, high: float) -> float:
    """Return s of a stated band."""
    half = 0.5 * float(logit(high) - logit(low))
    return float(np.hypot(half, LEAST_ERROR))


def penalty(reached: Array, experts: Sequence[Expert]) -> Array:
    """Return the sum of log w from F of each expert's level and year, dims (draw, expert)."""
    total = np.zeros(len(reached))
    for f, expert in zip(reached.T, experts, strict=True):
        z = (logit(f) - expert.logit) / expert.scale
        z = np.minimum(z, 0.0) if expert.bound else z
        total -= 0.5 * expert.weight * z**2
    return total
