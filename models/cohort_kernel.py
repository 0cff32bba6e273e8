r"""Compiled moments of cohorts: sums over levels of P(level, tracking) times each use.

The formulas are those of :mod:`models.forecast_states` and :mod:`models.race`, which stay the
reference; here the states of a draw and cohort lie in the nearest cache from the first product to
the last sum. Most of the time goes to the 16 exponentials a state of the race
(:mod:`models.powers`).
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models import structure
from models.powers import FAST, PER_E, power

Reals = NDArray[np.float64]
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
"""Moments of :func:`models.forecast_states.moments`; ``alike`` is capabilities use of works at the
levels of all, whether or not they track."""
LEVELS = len(structure.LEVELS)


class Side(NamedTuple):
    """One side: the factors of M, then what turns M into uses.

    ``year`` (draw, cohort), ``agenda`` (draw, agenda), ``level`` (draw, level) and, of a work that
    tracks, ``tracked`` (draw,) multiply to M; ``own`` (draw,) times M is the mean of own use;
    ``documented`` (draw,) is the share seen; ``grown`` and ``shown`` (draw, cohort) are the shares
    of uses that come, and that are seen, by the horizon.
    """

    year: Reals
    agenda: Reals
    level: Reals
    tracked: Reals
    own: Reals
    documented: Reals
    grown: Reals
    shown: Reals


class Cohorts(NamedTuple):
    """Works of the cohorts: P(level) and P(tracks | level), (draw, agenda, cohort, level).

    ``node``, ``node_grown`` and ``node_factor`` (draw, cohort, node): those of
    :func:`models.race.nodes`.
    """

    level: Reals
    track: Reals
    node: Reals
    node_grown: Reals
    node_factor: Reals


@numba.njit(fastmath=FAST, error_model="numpy")
def _uses(s: Side, d: int, t: int, out: Reals) -> None:
    """Put the mean of actual uses, and chances of no own, other and documented use into ``out``.

    Dims (4, state), with states by agenda, tracking and level.
    """
    for a in range(s.agenda.shape[1]):
        for z in range(2):
            base = s.year[d, t] * s.agenda[d, a] * (s.tracked[d] if z else 1.0)
            for k in range(LEVELS):
                out[0, (2 * a + z) * LEVELS + k] = base * s.level[d, k]
    own, shown = s.own[d] * PER_E, s.shown[d, t] * PER_E
    others, share = s.grown[d, t] * PER_E, s.documented[d]
    for j in range(out.shape[1]):
        m = out[0, j]
        actual = m / share
        out[0, j] = actual
        out[1, j] = power(-m * own)
        out[2, j] = power(-actual * others)
        out[3, j] = power(-m * shown)


@numba.njit(fastmath=FAST, error_model="numpy")
def _first(c: Cohorts, d: int, t: int, cap: Reals, ali: Reals, out: Reals) -> None:
    """Put the chance that a capabilities use comes first into ``out[0]``; none ever into the next.

    Dims (2, state).
    """
    first = out[0]
    first[:] = 0.0
    for i in range(c.node.shape[2]):
        u, grown = c.node[d, t, i] * PER_E, c.node_grown[d, t, i] * PER_E
        factor = c.node_factor[d, t, i]
        for j in range(len(first)):
            first[j] += factor * power(-(cap[0, j] * u + ali[0, j] * grown))
    for j in range(len(first)):
        own, later = 1.0 - cap[1, j], cap[0, j] * first[j]
        first[j] = own * (0.5 + 0.5 * ali[1, j]) + cap[1, j] * ali[1, j] * later
        out[1, j] = power(-cap[0, j] * PER_E)


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
            _uses(cap, d, t, of_cap)
            _uses(ali, d, t, of_ali)
            _first(c, d, t, of_cap, of_ali, first)
            for a in range(agendas):
                at = slice(2 * LEVELS * a, 2 * LEVELS * (a + 1))
                level, track = c.level[d, a, t], c.track[d, a, t]
                _sums(level, track, of_cap[:, at], of_ali[:, at], first[:, at], out[d, t, :, :, a])
    return out
