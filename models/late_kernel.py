r"""Compiled sums over the states of one cohort: what becomes of its works, given all beliefs.

The formulas are those of :mod:`models.forecast_states` and :mod:`models.race`, which stay the
reference; here a draw's states lie in the nearest cache from the first product to the last sum.
Most of the time goes to the 16 exponentials a state of the race, so these are

.. math:: 2^y = 2^n\, p(y - n), \qquad n = \lfloor y + \tfrac12 \rfloor,

with p the polynomial through :math:`2^r` at the Chebyshev points of :math:`[-\frac12, \frac12]`:
within 2e-15 of the library's, and several numbers at a time.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
FAST = {"contract", "reassoc", "nsz"}
"""What LLVM may assume; not that numbers are finite."""
FIELD = (
    "alignment_used",
    "capabilities_relevant",
    "alignment_used_by_others",
    "capabilities_used_by_others",
    "capabilities_first",
    "documented_alignment",
    "documented_capabilities",
    "both",
)
"""Outcomes that are summed over the field."""
DEGREE = 10
P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10 = np.polynomial.Chebyshev.interpolate(
    lambda r: np.exp2(0.5 * r), DEGREE
).convert(kind=np.polynomial.Polynomial).coef * 2.0 ** np.arange(DEGREE + 1)
"""Coefficients of p."""
LEAST = float(np.finfo(float).minexp)
"""Least power of two."""
BIAS, FRACTION = 1 - np.finfo(float).minexp, np.finfo(float).nmant
"""What is added to a double's exponent, and the bits after it."""
PER_E = float(np.log2(np.e))


class Side(NamedTuple):
    """One side: log factors of M apart, then what turns M into uses; each by draw.

    ``agenda`` (draw, agenda), ``level`` (draw, level) and ``tracked`` multiply to M; ``own`` times
    M is the mean of own use; ``grown`` and ``shown`` are the shares of uses that come, and that are
    seen, by the horizon.
    """

    agenda: Reals
    level: Reals
    tracked: Reals
    own: Reals
    documented: Reals
    grown: Reals
    shown: Reals


class Cohort(NamedTuple):
    """Works of the cohort: P(level), (draw, agenda, level), and the log-odds of tracking in parts.

    ``odds`` (draw, agenda) and ``odds_level`` (draw, level) add up; ``done`` is the chance that an
    intervention sets, or NaN. ``share`` (draw, agenda) is of works. ``node``, ``node_grown`` and
    ``node_factor`` (draw, node): u, and the other side's G and the factor there, as in
    :func:`models.race.first_by`.
    """

    level: Reals
    odds: Reals
    odds_level: Reals
    share: Reals
    done: float
    node: Reals
    node_grown: Reals
    node_factor: Reals


@numba.njit(fastmath=FAST, error_model="numpy")
def _power(y: float) -> float:
    """Return 2^y for y <= 0."""
    y = max(y, LEAST)
    n = np.floor(y + 0.5)
    r = y - n
    p = P4 + r * (P5 + r * (P6 + r * (P7 + r * (P8 + r * (P9 + r * P10)))))
    p = P0 + r * (P1 + r * (P2 + r * (P3 + r * p)))
    return p * np.int64((np.int64(n) + BIAS) << FRACTION).view(np.float64)


@numba.njit(fastmath=FAST, error_model="numpy")
def _states(c: Cohort, d: int, chance: Reals) -> None:
    """Put P(level, tracking) into ``chance``, dims (agenda, tracking, level)."""
    for a in range(chance.shape[0]):
        for k in range(chance.shape[2]):
            x = c.odds[d, a] + c.odds_level[d, k]
            e = _power(-abs(x) * PER_E)
            track = (e if x < 0.0 else 1.0) / (1.0 + e)
            if not np.isnan(c.done):
                track = c.done
            chance[a, 0, k] = c.level[d, a, k] * (1.0 - track)
            chance[a, 1, k] = c.level[d, a, k] * track


@numba.njit(fastmath=FAST, error_model="numpy")
def _uses(s: Side, d: int, out: Reals) -> None:
    """Put the mean of actual uses, and chances of no own, other and documented use into ``out``.

    Dims (4, state), with states by agenda, tracking and level.
    """
    n = s.level.shape[1]
    for a in range(s.agenda.shape[1]):
        for z in range(2):
            base = s.agenda[d, a] * (s.tracked[d] if z else 1.0)
            for k in range(n):
                out[0, (2 * a + z) * n + k] = base * s.level[d, k]
    own, shown = s.own[d] * PER_E, s.shown[d] * PER_E
    others, share = s.grown[d] * PER_E, s.documented[d]
    for j in range(out.shape[1]):
        m = out[0, j]
        actual = m / share
        out[0, j] = actual
        out[1, j] = _power(-m * own)
        out[2, j] = _power(-actual * others)
        out[3, j] = _power(-m * shown)


@numba.njit(fastmath=FAST, error_model="numpy")
def _first(c: Cohort, d: int, cap: Reals, ali: Reals, out: Reals) -> None:
    """Put the chance that a capabilities use comes first into ``out``, dims (state,)."""
    out[:] = 0.0
    for i in range(c.node.shape[1]):
        u, grown = c.node[d, i] * PER_E, c.node_grown[d, i] * PER_E
        factor = c.node_factor[d, i]
        for j in range(len(out)):
            out[j] += factor * _power(-(cap[0, j] * u + ali[0, j] * grown))
    for j in range(len(out)):
        own, later = 1.0 - cap[1, j], cap[0, j] * out[j]
        out[j] = own * (0.5 + 0.5 * ali[1, j]) + cap[1, j] * ali[1, j] * later


@numba.njit(fastmath=FAST, error_model="numpy")
def _field(weight: Reals, cap: Reals, ali: Reals, first: Reals, out: Reals) -> None:
    """Put the sums of :data:`FIELD` into ``out``."""
    t0 = t1 = t2 = t3 = t4 = t5 = t6 = t7 = 0.0
    for j in range(len(weight)):
        w = weight[j]
        by_ali, by_cap = 1.0 - ali[1, j] * ali[3, j], 1.0 - cap[1, j] * cap[3, j]
        t0 += w * (1.0 - ali[1, j] * ali[2, j])
        t1 += w * (1.0 - cap[1, j] * cap[2, j])
        t2 += w * (1.0 - ali[2, j])
        t3 += w * (1.0 - cap[2, j])
        t4 += w * first[j]
        t5 += w * by_ali
        t6 += w * by_cap
        t7 += w * by_ali * by_cap
    out[:] = (t0, t1, t2, t3, t4, t5, t6, t7)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def sums(c: Cohort, cap: Side, ali: Side) -> tuple:
    """Return use in alignment, and on both sides, by tracking, and the sums of :data:`FIELD`.

    Returns
    -------
    tuple of ndarray
        Dims (draw, agenda, tracking), the same, and (draw, outcome).
    """
    draws, agendas, levels = c.level.shape
    alignment, both = np.zeros((draws, agendas, 2)), np.zeros((draws, agendas, 2))
    field = np.empty((draws, len(FIELD)))
    states = agendas * 2 * levels
    chance, weight, first = np.empty((agendas, 2, levels)), np.empty(states), np.empty(states)
    of_cap, of_ali = np.empty((4, states)), np.empty((4, states))
    for d in range(draws):
        _states(c, d, chance)
        _uses(cap, d, of_cap)
        _uses(ali, d, of_ali)
        _first(c, d, of_cap, of_ali, first)
        for a in range(agendas):
            for z in range(2):
                for k in range(levels):
                    j = (2 * a + z) * levels + k
                    used = chance[a, z, k] * (1.0 - of_ali[1, j] * of_ali[2, j])
                    alignment[d, a, z] += used
                    both[d, a, z] += used * (1.0 - of_cap[1, j] * of_cap[2, j])
                    weight[j] = c.share[d, a] * chance[a, z, k]
        _field(weight, of_cap, of_ali, first, field[d])
    return alignment, both, field
