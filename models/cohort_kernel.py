"""Compiled moments of cohorts: sums over levels of P(level, tracking) times each use.

The formulas are those of :mod:`models.outcomes.states` and :mod:`models.outcomes.race`, which stay
the
reference; here the states of a draw and cohort lie in the nearest cache from the first product to
the last sum (:mod:`models.use_kernel`).
"""

from typing import NamedTuple

import numba
import numpy as np

from models.powers import FAST, PER_E, power
from models.use_kernel import LEVELS, Reals, Side, fill_first, fill_uses

NAMES = (
    "alignment",
    "capabilities",
    "both",
    "alignment_others",
    "capabilities_others",
    "alignment_documented",
    "capabilities_documented",
    "both_documented",
    "first",
    "mean",
    "none_ever",
    "share",
    "alike",
)
"""Moments of :func:`models.outcomes.states.moments`; ``alike`` is capabilities use of works at the
levels of all, whether or not they track."""


class Cohorts(NamedTuple):
    """Works of the cohorts: P(level) and P(tracks | level), (draw, agenda, cohort, level).

    ``node``, ``node_grown`` and ``node_factor`` (draw, cohort, node): those of
    :func:`models.outcomes.race.nodes`.
    """

    level: Reals
    track: Reals
    node: Reals
    node_grown: Reals
    node_factor: Reals


@numba.njit(fastmath=FAST, error_model="numpy")
def _none_ever(cap: Reals, out: Reals) -> None:
    """Put the chance of no capabilities use by others, ever, into ``out``, dims (state,)."""
    for j in range(len(out)):
        out[j] = power(-cap[0, j] * PER_E)


@numba.njit(fastmath=FAST, error_model="numpy")
def _sums(level: Reals, track: Reals, cap: Reals, ali: Reals, first: Reals, out: Reals) -> None:
    """Put the moments of one agenda into ``out``, dims (name, tracking), from those of its states.

    ``level`` and ``track`` have dims (level,), uses (..., state of the agenda).
    """
    for z in range(2):
        t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = t8 = t9 = t10 = t11 = t12 = 0.0
        for k in range(LEVELS):
            j = z * LEVELS + k
            w = level[k] * (track[k] if z else 1.0 - track[k])
            by_ali, by_cap = 1.0 - ali[1, j] * ali[2, j], 1.0 - cap[1, j] * cap[2, j]
            seen_ali, seen_cap = 1.0 - ali[1, j] * ali[3, j], 1.0 - cap[1, j] * cap[3, j]
            t0 += w * by_ali
            t1 += w * by_cap
            t2 += w * by_ali * by_cap
            t3 += w * (1.0 - ali[2, j])
            t4 += w * (1.0 - cap[2, j])
            t5 += w * seen_ali
            t6 += w * seen_cap
            t7 += w * seen_ali * seen_cap
            t8 += w * first[0, j]
            t9 += w * cap[0, j]
            t10 += w * first[1, j]
            t11 += w
            t12 += level[k] * by_cap
        found = (t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12)
        for i in range(len(NAMES)):
            out[i, z] = found[i]


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def sums(c: Cohorts, cap: Side, ali: Side) -> Reals:
    """Return the moments of :data:`NAMES`, dims (draw, cohort, name, tracking, agenda)."""
    draws, cohorts, _ = c.node.shape
    agendas = cap.agenda.shape[1]
    out = np.empty((draws, cohorts, len(NAMES), 2, agendas))
    states = agendas * 2 * LEVELS
    of_cap, of_ali = np.empty((4, states)), np.empty((4, states))
    first = np.empty((2, states))
    for d in range(draws):
        for t in range(cohorts):
            fill_uses(cap, d, t, True, of_cap)
            fill_uses(ali, d, t, True, of_ali)
            fill_first(c, d, t, of_cap, of_ali, first[0])
            _none_ever(of_cap, first[1])
            for a in range(agendas):
                at = slice(2 * LEVELS * a, 2 * LEVELS * (a + 1))
                level, track = c.level[d, a, t], c.track[d, a, t]
                _sums(level, track, of_cap[:, at], of_ali[:, at], first[:, at], out[d, t, :, :, a])
    return out
