"""Compiled chance of the answers of each row, from its cell's states and its two patterns.

The formula is that of :func:`models.ratings.formula.row_probability`, which stays the reference;
here the states of a row are summed without an array of rows by states.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models.dims import LEVELS

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
N_LEVELS = len(LEVELS)


class Cells(NamedTuple):
    """By cell, dims (draw, cell, state), level-major: P(state), and chances of no use.

    ``cap`` and ``ali`` begin the names of the sides, ``own`` and ``others`` tell whose use it is.
    """

    state: Reals
    cap_own: Reals
    cap_others: Reals
    ali_own: Reals
    ali_others: Reals


class Answers(NamedTuple):
    """Chances of the answers of each pattern: on the level, and of the rest.

    ``level`` (draw, pattern, level); ``tracking`` (draw, pattern, 2), ``cap`` and ``ali`` (draw,
    pattern, use) are of the other patterns.
    """

    level: Reals
    tracking: Reals
    cap: Reals
    ali: Reals


class Places(NamedTuple):
    """The cell of each row, and its patterns."""

    cell: Whole
    level: Whole
    rest: Whole


@numba.njit(error_model="numpy")
def _mixture(own: float, others: float, c: Reals) -> float:
    """Return the chance of a side's answers, the sum over the four uses."""
    seen = others * (own * c[0] + (1.0 - own) * c[1])
    return seen + (1.0 - others) * (own * c[2] + (1.0 - own) * c[3])


@numba.njit(cache=True, error_model="numpy", nogil=True)
def chances(cells: Cells, answers: Answers, at: Places) -> Reals:
    """Return the chance of each row's answers, dims (draw, row)."""
    draws = len(cells.state)
    out = np.empty((draws, len(at.cell)))
    for d in range(draws):
        for i in range(len(at.cell)):
            c, r, total = at.cell[i], at.rest[i], 0.0
            level, cap, ali = answers.level[d, at.level[i]], answers.cap[d, r], answers.ali[d, r]
            for k in range(N_LEVELS):
                for z in range(2):
                    s = 2 * k + z
                    used = _mixture(cells.cap_own[d, c, s], cells.cap_others[d, c, s], cap)
                    used *= _mixture(cells.ali_own[d, c, s], cells.ali_others[d, c, s], ali)
                    pair = level[k] * answers.tracking[d, r, z]
                    total += cells.state[d, c, s] * pair * used
            out[d, i] = total
    return out
