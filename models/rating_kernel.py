r"""Compiled sum of the ratings' weighted log probability, with its derivative by hand.

For each cell the 16 states and the chances of no use are computed once; for each pair of it (rows
with the same answers but for the level) the chance Q of each level with these answers; for each row
a sum over levels. The derivative is pushed back the same way, so that all of it stays in a few
hundred numbers:

.. math::

    p &= \sum_k T[k]\, Q[k], \qquad Q[k] = \sum_z \pi_{kz}\, Z[z] \prod_g m_g \\
    m_g &= C_3 + a (C_2 - C_3) + b (C_1 - C_3) + a b (C_0 - C_1 - C_2 + C_3) \\
    a &= e^{-\rho M}, \qquad b = e^{-M G}, \qquad
    \frac{\partial L}{\partial x} = \sum_i \frac{w_i}{p_i + \epsilon}
        \frac{\partial p_i}{\partial x}

with the notation of :mod:`models.spillover` and :mod:`models.ratings`, whose formulas are the
reference. A row without weight is not looked at. States run (tracking, level) here. All working
numbers of a cell stand in one array at fixed places, so that LLVM sees which are apart.
"""

import math

import numba
import numpy as np
from numba.cpython.unsafe.numbers import viewer

from models.rating_answers import TRACKING, USES, WIDTH
from models.rating_patterns import Rows
from models.rating_tables import FAST, LEVELS, Reals
from models.ratings import FLOOR

STATES, SIDE = 16, 48
"""States; numbers of each side: the chances of no own use, of none by others, and of neither."""
STATE, UNUSED, TO_STATE, TO_UNUSED = 0, 16, 112, 128
"""Where the states begin, the chances of both sides, and the derivative by either."""
MEAN, YES, TRACK, NO, DENSITY, LEVEL, REACH = 224, 256, 264, 272, 288, 296, 304
MIX, PAIR, PART, WITH, TO_WITH, REST, TO_REST = 320, 352, 368, 384, 392, 400, 412
SCALE, STEP, UPPER, TRACK_LEVEL, FACTOR, TRACKED, OWN = 422, 424, 432, 440, 448, 464, 466
"""A cell's scale of M by side. Then what all cells share: the steps' inverse link, both
discriminations, tracking by level; by side the factors on M of each level (8 each), of a work that
tracks, and the rate of own use."""
TO, SIZE = 48, 520
"""How far after these the derivative by them stands; how many numbers there are."""
THETA, TRACK_BASE, BASE, GROWN, N_BY_CELL = 0, 1, 2, 4, 6
"""Rows of what each cell has of its own, dims (6, cell): log M and G are by side."""


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy", forceinline=True)
def _exp(x: float) -> float:
    """Return exp(x), to an ulp, in steps that LLVM can do for several numbers at once."""
    y = -708.0 if x < -708.0 else x
    y = 709.7 if y > 709.7 else y
    # The sum rounds to a whole number, whose low bits are the power of two. Without a mark of its
    # own the function would take its caller's, which let LLVM undo the sum.
    shifted = y * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = (y - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    # Taylor's series from the square on, in pairs (Estrin): few steps wait for one another.
    r2 = r * r
    r4 = r2 * r2
    a = (1.0 / 6.0 * r + 0.5) + (1.0 / 120.0 * r + 1.0 / 24.0) * r2
    b = (1.0 / 5040.0 * r + 1.0 / 720.0) + (1.0 / 362880.0 * r + 1.0 / 40320.0) * r2
    c = (1.0 / 39916800.0 * r + 1.0 / 3628800.0) + 1.0 / 479001600.0 * r2
    p = ((a + (b + c * r4) * r4) * r2 + r) + 1.0
    power = (viewer(shifted, numba.int64) << 52) + (1023 << 52)  # type: ignore[call-arg]
    e = p * viewer(numba.int64(power), numba.float64)
    return 0.0 if x < -708.0 else (np.inf if x > 709.7 else e)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _fill_chances(w: Reals, probit: bool) -> None:
    """Replace the log-odds of steps and tracking by their chances; fill what these leave of 1."""
    for k in range(LEVELS):
        w[DENSITY + k] = w[YES + k]
    for k in range(2 * LEVELS):
        x = w[YES + k]
        t = _exp(-abs(x))
        large = 1.0 / (1.0 + t)
        small = t * large
        w[YES + k] = large if x >= 0.0 else small
        w[NO + k] = small if x >= 0.0 else large
    for k in range(LEVELS):
        x = w[DENSITY + k]
        if probit:
            w[DENSITY + k] = math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
            w[YES + k] = 0.5 * math.erfc(-x / math.sqrt(2.0))
            w[NO + k] = 0.5 * math.erfc(x / math.sqrt(2.0))
        else:
            w[DENSITY + k] = w[YES + k] * w[NO + k]


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _fill_cell(w: Reals, by_cell: Reals, c: int, probit: bool) -> None:
    """Fill the states and chances of no use of cell ``c``, and clear their derivative."""
    theta, base = by_cell[THETA, c], by_cell[TRACK_BASE, c]
    for k in range(LEVELS):
        w[YES + k] = w[STEP + k] + (1.0 if k < 3 else w[UPPER + min(k - 3, 1)]) * theta
        w[TRACK + k] = base + w[TRACK_LEVEL + k]
    _fill_chances(w, probit)
    reach = 1.0
    for k in range(LEVELS - 1):
        w[REACH + k] = reach
        w[LEVEL + k] = reach * w[NO + k]
        reach *= w[YES + k]
    w[LEVEL + LEVELS - 1] = reach
    for k in range(LEVELS):
        w[STATE + k] = w[LEVEL + k] * w[NO + LEVELS + k]
        w[STATE + LEVELS + k] = w[LEVEL + k] * w[TRACK + k]
    _fill_uses(w, math.exp(by_cell[BASE, c]), by_cell[GROWN, c], g=0)
    _fill_uses(w, math.exp(by_cell[BASE + 1, c]), by_cell[GROWN + 1, c], g=1)
    for s in range(TO_STATE, MEAN):
        w[s] = 0.0


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _fill_uses(w: Reals, scale: float, grown: float, g: int) -> None:
    """Fill the means of one side and the chances of no use."""
    own, tracked, mean, at = w[OWN + g], w[TRACKED + g], MEAN + STATES * g, UNUSED + SIDE * g
    w[SCALE + g] = scale
    for k in range(LEVELS):
        w[mean + k] = scale * w[FACTOR + LEVELS * g + k]
        w[mean + LEVELS + k] = w[mean + k] * tracked
    for s in range(STATES):
        w[at + s] = _exp(-own * w[mean + s])
        w[at + STATES + s] = _exp(-grown * w[mean + s])
        w[at + 2 * STATES + s] = w[at + s] * w[at + STATES + s]


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _push_cell(w: Reals, by_cell: Reals, c: int, to: Reals) -> None:
    """Add the derivative by what all cells share, and put that by cell ``c`` into ``to``."""
    theta = by_cell[THETA, c]
    by_base = by_theta = 0.0
    for k in range(LEVELS):
        no, yes = w[TO_STATE + k], w[TO_STATE + LEVELS + k]
        by_odds = w[LEVEL + k] * (yes - no) * w[TRACK + k] * w[NO + LEVELS + k]
        w[TO + TRACK_LEVEL + k] += by_odds
        by_base += by_odds
        w[LEVEL + k] = no * w[NO + LEVELS + k] + yes * w[TRACK + k]
    by_reach = w[LEVEL + LEVELS - 1]
    for i in range(LEVELS - 1):
        k = LEVELS - 2 - i
        by_step = w[REACH + k] * (by_reach - w[LEVEL + k]) * w[DENSITY + k]
        by_reach = w[LEVEL + k] * w[NO + k] + by_reach * w[YES + k]
        w[TO + STEP + k] += by_step
        if k < 3:
            by_theta += by_step
        else:
            upper = UPPER + min(k - 3, 1)
            by_theta += by_step * w[upper]
            w[TO + upper] += by_step * theta
    to[THETA, c], to[TRACK_BASE, c] = by_theta, by_base
    to[BASE, c], to[GROWN, c] = _push_uses(w, by_cell[GROWN, c], g=0)
    to[BASE + 1, c], to[GROWN + 1, c] = _push_uses(w, by_cell[GROWN + 1, c], g=1)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _push_uses(w: Reals, grown: float, g: int) -> tuple:
    """Add the derivative by what one side's cells share; return that by log M and G."""
    own, tracked, mean, scale = w[OWN + g], w[TRACKED + g], MEAN + STATES * g, w[SCALE + g]
    none, bar = UNUSED + SIDE * g, TO_UNUSED + SIDE * g
    by_own = by_grown = by_tracked = by_base = 0.0
    for s in range(STATES):
        both = w[bar + 2 * STATES + s] * w[none + 2 * STATES + s]
        to_own = w[bar + s] * w[none + s] + both
        to_others = w[bar + STATES + s] * w[none + STATES + s] + both
        by_own -= to_own * w[mean + s]
        by_grown -= to_others * w[mean + s]
        w[bar + s] = -own * to_own - grown * to_others
    for k in range(LEVELS):
        by_mean = w[bar + k] + tracked * w[bar + LEVELS + k]
        by_tracked += w[bar + LEVELS + k] * w[mean + k]
        by_base += by_mean * w[mean + k]
        w[TO + FACTOR + LEVELS * g + k] += by_mean * scale
    w[TO + OWN + g] += by_own
    w[TO + TRACKED + g] += by_tracked
    return by_base, by_grown


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _fill_mixture(w: Reals, g: int) -> None:
    """Fill the chance of a side's answers in each state, linear in a, b and ab."""
    own, at = UNUSED + SIDE * g, REST + USES + 4 * g
    c1, c2, c3 = w[at + 1], w[at + 2], w[at + 3]
    both = (w[at] - c1) - (c2 - c3)
    for s in range(STATES):
        linear = c3 + w[own + s] * (c2 - c3) + w[own + STATES + s] * (c1 - c3)
        w[MIX + STATES * g + s] = linear + w[own + 2 * STATES + s] * both


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _fill_pair(w: Reals) -> None:
    """Fill the chance of each level with the rest of the answers in ``w``; clear its derivative."""
    no, yes = w[REST + TRACKING], w[REST + TRACKING + 1]
    _fill_mixture(w, 0)
    _fill_mixture(w, 1)
    for s in range(STATES):
        w[PART + s] = w[STATE + s] * (w[MIX + s] * w[MIX + STATES + s])
    for k in range(LEVELS):
        w[WITH + k] = w[PART + k] * no + w[PART + LEVELS + k] * yes
        w[TO_WITH + k] = 0.0


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _add_row(w: Reals, levels: Reals, at: int, to_levels: Reals, weight: float) -> float:
    """Return the probability of a row's answers; add to the derivative by the pair and by T."""
    p = FLOOR
    for k in range(LEVELS):
        p += levels[at, k] * w[WITH + k]
    by_p = weight / p
    for k in range(LEVELS):
        w[TO_WITH + k] += by_p * levels[at, k]
    for k in range(LEVELS):
        to_levels[at, k] += by_p * w[WITH + k]
    return p


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _push_mixture(w: Reals, g: int) -> None:
    """Push a side's mixture back to the chances of no use and to its four answers."""
    own, other, at = UNUSED + SIDE * g, MIX + STATES * (1 - g), REST + USES + 4 * g
    to = own + TO_UNUSED - UNUSED
    c1, c2, c3 = w[at + 1], w[at + 2], w[at + 3]
    both = (w[at] - c1) - (c2 - c3)
    one = by_a = by_b = by_ab = 0.0
    for s in range(STATES):
        y = w[PAIR + s] * w[other + s]
        w[to + s] += y * (c2 - c3)
        w[to + STATES + s] += y * (c1 - c3)
        w[to + 2 * STATES + s] += y * both
        one += y
        by_a += y * w[own + s]
        by_b += y * w[own + STATES + s]
        by_ab += y * w[own + 2 * STATES + s]
    at = TO_REST + USES + 4 * g
    w[at], w[at + 1], w[at + 2] = by_ab, by_b - by_ab, by_a - by_ab
    w[at + 3] = one - by_a - by_b + by_ab


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", forceinline=True)
def _push_pair(w: Reals) -> None:
    """Add to ``w`` the derivative by states and chances, and set that by the rest."""
    no, yes = w[REST + TRACKING], w[REST + TRACKING + 1]
    by_no = by_yes = 0.0
    for k in range(LEVELS):
        by = w[TO_WITH + k]
        w[PAIR + k], w[PAIR + LEVELS + k] = by * no, by * yes
        by_no += by * w[PART + k]
        by_yes += by * w[PART + LEVELS + k]
    w[TO_REST + TRACKING], w[TO_REST + TRACKING + 1] = by_no, by_yes
    for s in range(STATES):
        w[TO_STATE + s] += w[PAIR + s] * (w[MIX + s] * w[MIX + STATES + s])
        w[PAIR + s] *= w[STATE + s]
    _push_mixture(w, g=0)
    _push_mixture(w, g=1)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def sweep_cells(
    w: Reals, by_cell: Reals, rows: Rows, mass: Reals, patterns: tuple, probit: bool
) -> tuple:
    """Return each row's probability, and the derivative by ``by_cell``.

    That of the weighted sum of logarithms by what cells share is added to ``w``.

    Parameters
    ----------
    w
        Working numbers, with what all cells share at its places.
    by_cell
        What each cell has of its own, dims (6, cell).
    rows
        The rows with weight by cell and pair; ``mass`` are their weights in that order.
    patterns
        Numbers of each pattern on the level, dims (pattern, 8), and of the rest, (pattern, 10);
        and the arrays that take the derivative by either.
    probit
        Whether steps have the probit link.
    """
    level, start, rest, pairs = rows.level, rows.start, rows.rest, rows.pairs
    levels, others, to_levels, to_others = patterns
    to, chance = np.zeros(by_cell.shape), np.empty(len(mass))
    for c in range(len(pairs) - 1):
        if pairs[c] == pairs[c + 1]:
            continue
        _fill_cell(w, by_cell, c, probit=probit)
        for i in range(pairs[c], pairs[c + 1]):
            pattern = rest[i]
            for k in range(WIDTH):
                w[REST + k] = others[pattern, k]
            _fill_pair(w)
            for j in range(start[i], start[i + 1]):
                chance[j] = _add_row(w, levels, level[j], to_levels, weight=mass[j])
            _push_pair(w)
            for k in range(WIDTH):
                to_others[pattern, k] += w[TO_REST + k]
        _push_cell(w, by_cell, c, to=to)
    return chance, to
