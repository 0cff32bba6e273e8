r"""Compiled sums over agendas and years: works by level and year, and tracking.

The formulas are those of :mod:`models.maturity`, :mod:`models.tracking` and
:mod:`models.milestones`, which stay the reference, under the logit link: since

.. math:: \mathrm{logit}^{-1}(d_k + u_k \theta) = \frac{1}{1 + e^{-d_k} e^{-u_k \theta}},

an agenda and year takes four exponentials (u has three values, and tracking's level effects add
to its log-odds) where the formulas take fifteen.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models import structure
from models.powers import FAST, PER_E, power

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
LEVELS, STEPS = len(structure.LEVELS), len(structure.STEPS)
FOURTH = structure.STEPS.index(4)
"""The step with a discrimination of its own: those before have 1, those after share one."""


class Terms(NamedTuple):
    """What levels, tracking and works by agenda and year follow from.

    Of maturity ``agenda``, ``slope`` (draw, agenda), ``effort`` (draw, year), ``upper`` (draw, 2)
    and ``step`` (draw, step), :math:`e^{-d_k}`; of tracking ``odds`` (draw, agenda), the log-odds
    but for ``trend`` (draw,) times ``since`` (draw, year), and ``level`` (draw, level), e to the
    negative level effect; ``done`` (year,), the chance that an intervention sets, or NaN. Then
    ``works`` (draw, year) and ``share`` (draw, year, agenda), the new agenda's last.
    """

    agenda: Reals
    slope: Reals
    effort: Reals
    upper: Reals
    step: Reals
    odds: Reals
    trend: Reals
    since: Reals
    level: Reals
    done: Reals
    works: Reals
    share: Reals


@numba.njit(fastmath=FAST, error_model="numpy")
def _negative(x: Reals, factor: float, out: Reals) -> None:
    """Put e to the power of -factor x into ``out``."""
    for t in range(len(out)):
        y = factor * PER_E * x[t]
        e = power(-abs(y))
        out[t] = e if y > 0.0 else 1.0 / e


@numba.njit(fastmath=FAST, error_model="numpy")
def _row(s: Terms, d: int, a: int, at: Reals) -> None:
    r"""Put what is by year of an agenda into ``at``.

    Rows 0 to 2 are :math:`e^{-u \theta}` of the three u, row 3 is e to the negative log-odds of
    tracking, row 4 works and row 5 the share.
    """
    for t in range(at.shape[1]):
        at[5, t] = s.share[d, t, a]
        at[4, t] = s.works[d, t] * at[5, t]
        at[3, t] = s.odds[d, a] + s.trend[d] * s.since[d, t]
        at[2, t] = s.agenda[d, a] + s.slope[d, a] * s.effort[d, t]
    _negative(at[3], 1.0, at[3])
    _negative(at[2], 1.0, at[0])
    _negative(at[2], s.upper[d, 0], at[1])
    _negative(at[2], s.upper[d, 1], at[2])


@numba.njit(fastmath=FAST, error_model="numpy")
def _step(step: float, e: Reals, reach: Reals, level: Reals) -> None:
    """Put the chance to stay below a step into ``level``; ``reach`` is then that to take it."""
    for t in range(len(reach)):
        p = 1.0 / (1.0 + e[t] * step)
        level[t] = reach[t] * (1.0 - p)
        reach[t] *= p


@numba.njit(fastmath=FAST, error_model="numpy")
def _track(factor: float, e: Reals, done: Reals, out: Reals) -> None:
    """Put the chance that a work of a level tracks into ``out``."""
    for t in range(len(out)):
        p = 1.0 / (1.0 + e[t] * factor)
        out[t] = p if np.isnan(done[t]) else done[t]


@numba.njit(fastmath=FAST, error_model="numpy")
def _add(x: Reals, y: Reals, out: Reals) -> None:
    """Add the products of ``x`` and ``y`` to ``out``."""
    for t in range(len(out)):
        out[t] += x[t] * y[t]


@numba.njit(fastmath=FAST, error_model="numpy")
def _until(x: Reals, y: Reals, end: int) -> float:
    """Return the sum of the products of ``x`` and ``y`` before ``end``."""
    total = 0.0
    for t in range(end):
        total += x[t] * y[t]
    return total


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def sums(s: Terms, cohort: Whole, end: int, whole: bool) -> tuple:
    """Return the arrays of :class:`models.field_sums.Field`, in its order.

    Works until the horizon are those of years before ``end``; P(level >= 1..7) of all agendas and
    years, which come last, are empty unless ``whole``. ``cohort`` holds the places of the cohorts.
    """
    draws, years, agendas = s.share.shape
    level = np.empty((draws, agendas, len(cohort), LEVELS))
    track, tracked = np.empty_like(level), np.zeros((draws, agendas, years))
    total, by_level = np.empty((draws, agendas, STEPS)), np.empty((draws, years, LEVELS))
    by_step = np.empty((draws, years, STEPS))
    every = np.empty((draws, agendas, years, STEPS)) if whole else np.empty((0, 0, 0, STEPS))
    at, reach, here, tracks = (
        np.empty((6, years)),
        np.empty(years),
        np.empty(years),
        np.empty(years),
    )
    of_level, of_step = np.empty((LEVELS, years)), np.empty((STEPS, years))
    for d in range(draws):
        of_level[:], of_step[:] = 0.0, 0.0
        for a in range(agendas):
            _row(s, d, a, at)
            reach[:] = 1.0
            for k in range(LEVELS):
                here[:] = reach
                if k < STEPS:
                    _step(s.step[d, k], at[min(max(k - FOURTH + 1, 0), 2)], reach, here)
                    total[d, a, k] = _until(at[4], reach, end)
                _track(s.level[d, k], at[3], s.done, tracks)
                _add(here, tracks, tracked[d, a])
                for i in range(len(cohort)):
                    level[d, a, i, k], track[d, a, i, k] = here[cohort[i]], tracks[cohort[i]]
                if a < agendas - 1:
                    _add(at[5], here, of_level[k])
                    if k < STEPS:
                        _add(at[4], reach, of_step[k])
                if whole and k < STEPS:
                    every[d, a, :, k] = reach
        by_level[d], by_step[d] = of_level.T, of_step.T
    return level, track, tracked, by_level, by_step, total, every
