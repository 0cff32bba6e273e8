"""Compiled sums over the states of one cohort: what becomes of its works, given all beliefs.

The formulas are those of :mod:`models.outcomes.states` and :mod:`models.outcomes.race`, which stay
the reference; here a draw's states lie in the nearest cache from the first product to the last sum
(:mod:`models.use_kernel`).
"""

from typing import NamedTuple

import numba
import numpy as np

from models.powers import FAST, PER_E, power
from models.use_kernel import LEVELS, Reals, Side, fill_first, fill_uses

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


class Cohort(NamedTuple):
    """Works of the cohort: P(level), (draw, agenda, level), and the log-odds of tracking in parts.

    ``odds`` (draw, agenda) and ``odds_level`` (draw, level) add up; ``done`` (draw,) is the chance
    that an intervention sets, or NaN. ``share`` (draw, agenda) is of works. ``node``,
    ``node_grown`` and ``node_factor`` (draw, one cohort, node) are those of
    :func:`models.outcomes.race.nodes`. Sides (:class:`models.use_kernel.Side`) have one cohort too.
    """

    level: Reals
    odds: Reals
    odds_level: Reals
    share: Reals
    done: Reals
    node: Reals
    node_grown: Reals
    node_factor: Reals


class Wanted(NamedTuple):
    """What is wanted.

    ``whole``: use in alignment summed over agendas; ``race``: who is first; ``seen``: what one can
    read about.
    """

    whole: bool
    race: bool
    seen: bool


@numba.njit(fastmath=FAST, error_model="numpy")
def _states(c: Cohort, d: int, chance: Reals) -> None:
    """Put P(agenda, level, tracking) into ``chance``, dims (agenda, tracking, level)."""
    for a in range(chance.shape[0]):
        for k in range(chance.shape[2]):
            x = c.odds[d, a] + c.odds_level[d, k]
            e = power(-abs(x) * PER_E)
            track = (e if x < 0.0 else 1.0) / (1.0 + e)
            if not np.isnan(c.done[d]):
                track = c.done[d]
            here = c.share[d, a] * c.level[d, a, k]
            chance[a, 0, k], chance[a, 1, k] = here * (1.0 - track), here * track


@numba.njit(fastmath=FAST, error_model="numpy")
def _field(weight: Reals, cap: Reals, ali: Reals, first: Reals, out: Reals) -> None:
    """Put the sums of :data:`FIELD` into ``out``, but for what one can read about."""
    t0 = t1 = t2 = t3 = t4 = 0.0
    for j in range(len(weight)):
        w = weight[j]
        t0 += w * (1.0 - ali[1, j] * ali[2, j])
        t1 += w * (1.0 - cap[1, j] * cap[2, j])
        t2 += w * (1.0 - ali[2, j])
        t3 += w * (1.0 - cap[2, j])
        t4 += w * first[j]
    out[:5] = (t0, t1, t2, t3, t4)


@numba.njit(fastmath=FAST, error_model="numpy")
def _seen(weight: Reals, cap: Reals, ali: Reals, out: Reals) -> None:
    """Put those sums of :data:`FIELD` into ``out`` that are of what one can read about."""
    t5 = t6 = t7 = 0.0
    for j in range(len(weight)):
        w = weight[j]
        by_ali, by_cap = 1.0 - ali[1, j] * ali[3, j], 1.0 - cap[1, j] * cap[3, j]
        t5 += w * by_ali
        t6 += w * by_cap
        t7 += w * by_ali * by_cap
    out[5:] = (t5, t6, t7)


@numba.njit(fastmath=FAST, error_model="numpy")
def _by_tracking(chance: Reals, cap: Reals, ali: Reals, used: Reals) -> None:
    """Put use in alignment, and on both sides, into ``used``, dims (2, unit, tracking)."""
    used[:] = 0.0
    for a in range(chance.shape[0]):
        unit = min(a, used.shape[1] - 1)
        for z in range(2):
            one = both = 0.0
            for k in range(LEVELS):
                j = (2 * a + z) * LEVELS + k
                by_ali = chance[a, z, k] * (1.0 - ali[1, j] * ali[2, j])
                one += by_ali
                both += by_ali * (1.0 - cap[1, j] * cap[2, j])
            used[0, unit, z] += one
            used[1, unit, z] += both


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def sums(c: Cohort, cap: Side, ali: Side, wanted: Wanted) -> tuple:
    """Return use in alignment, and on both sides, by tracking, and the sums of :data:`FIELD`.

    Returns
    -------
    tuple of ndarray
        Dims (draw, 2, unit, tracking), times the agenda's share, where the one unit is the field
        or else each agenda is one; and (draw, outcome), zero where it is not wanted.
    """
    draws, agendas = c.odds.shape
    used = np.empty((draws, 2, 1 if wanted.whole else agendas, 2))
    field, states = np.zeros((draws, len(FIELD))), agendas * 2 * LEVELS
    chance, first = np.empty((agendas, 2, LEVELS)), np.zeros(states)
    of_cap, of_ali = np.empty((4, states)), np.empty((4, states))
    for d in range(draws):
        _states(c, d, chance)
        fill_uses(cap, d, 0, wanted.seen, of_cap)
        fill_uses(ali, d, 0, wanted.seen, of_ali)
        if wanted.race:
            fill_first(c, d, 0, of_cap, of_ali, first)
        _by_tracking(chance, of_cap, of_ali, used[d])
        _field(chance.reshape(states), of_cap, of_ali, first, field[d])
        if wanted.seen:
            _seen(chance.reshape(states), of_cap, of_ali, field[d])
    return used, field
