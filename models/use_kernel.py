"""Compiled uses of the works of one draw and cohort, for the kernels that sum over states.

The formulas are those of :mod:`models.outcomes.states` and :mod:`models.outcomes.race`, which stay
the
reference. States run by agenda, tracking and level. Most of the time goes to the 16 exponentials a
state of the race (:mod:`models.powers`).
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models import dims as structure
from models.powers import FAST, PER_E, power

Reals = NDArray[np.float64]
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


@numba.njit(fastmath=FAST, error_model="numpy")
def fill_uses(s: Side, d: int, t: int, seen: bool, out: Reals) -> None:
    """Put the mean of actual uses, and chances of no own, other and documented use into ``out``.

    Dims (4, state); the last only if ``seen``. ``d`` and ``t`` are the draw and the cohort.
    """
    for a in range(s.agenda.shape[1]):
        for z in range(2):
            base = s.year[d, t] * s.agenda[d, a] * (s.tracked[d] if z else 1.0)
            for k in range(LEVELS):
                out[0, (2 * a + z) * LEVELS + k] = base * s.level[d, k]
    own, shown = s.own[d] * PER_E, s.shown[d, t] * PER_E
    others, share = s.grown[d, t] * PER_E, s.documented[d]
    if seen:
        for j in range(out.shape[1]):
            out[3, j] = power(-out[0, j] * shown)
    for j in range(out.shape[1]):
        m = out[0, j]
        actual = m / share
        out[0, j] = actual
        out[1, j] = power(-m * own)
        out[2, j] = power(-actual * others)


@numba.njit(fastmath=FAST, error_model="numpy")
def fill_first(c: Any, d: int, t: int, cap: Reals, ali: Reals, out: Reals) -> None:
    """Put the chance that a capabilities use comes first into ``out``, dims (state,).

    ``c`` has ``node``, ``node_grown`` and ``node_factor`` (draw, cohort, node): those of
    :func:`models.outcomes.race.nodes`; ``cap`` and ``ali`` are from :func:`fill_uses`.
    """
    out[:] = 0.0
    for i in range(c.node.shape[2]):
        u, grown = c.node[d, t, i] * PER_E, c.node_grown[d, t, i] * PER_E
        factor = c.node_factor[d, t, i]
        for j in range(len(out)):
            out[j] += factor * power(-(cap[0, j] * u + ali[0, j] * grown))
    for j in range(len(out)):
        own, later = 1.0 - cap[1, j], cap[0, j] * out[j]
        out[j] = own * (0.5 + 0.5 * ali[1, j]) + cap[1, j] * ali[1, j] * later
