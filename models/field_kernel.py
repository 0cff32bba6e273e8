r"""Compiled sums over agendas and years: works by level and year, and tracking.

The formulas are those of :mod:`models.components.maturity`, :mod:`models.components.tracking` and
:mod:`models.outcomes.milestones`, which stay the reference, under the logit link: since

.. math:: \mathrm{logit}^{-1}(d_k + u_k \theta) = \frac{1}{1 + e^{-d_k} e^{-u_k \theta}},

an agenda and year takes four exponentials (u has three values, and tracking's level effects add
to its log-odds) where the formulas take fifteen.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models import dims as structure
from models.powers import FAST, PER_E, power

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
LEVELS, STEPS = len(structure.LEVELS), len(structure.STEPS)
ROW = tuple(0 if k < 4 else 1 if k == 4 else 2 for k in structure.STEPS)
"""Which of the three u each step has: 1, that of level 4, or that above it."""


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
def _step(step: float, e: Reals, now: Reals, reach: Reals, level: Reals) -> None:
    """Put the chances to take a step, and to stay below it, into ``reach`` and ``level``.

    ``now`` is the chance to come so far, and is then that to take the step.
    """
    for t in range(len(now)):
        p = 1.0 / (1.0 + e[t] * step)
        level[t] = now[t] * (1.0 - p)
        now[t] *= p
        reach[t] = now[t]


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


@numba.njit(fastmath=FAST, error_model="numpy")
def _put(x: Reals, out: Reals) -> None:
    """Put ``x``, dims (level or step, year), into ``out``, dims (year, level or step)."""
    for t in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[t, k] = x[k, t]


@numba.njit(fastmath=FAST, error_model="numpy")
def _ladder(s: Terms, d: int, at: Reals, reach: Reals, level: Reals, track: Reals) -> None:
    """Put P(level >= 1..7), P(level) and P(tracks | level) of an agenda, from :func:`_row`.

    Dims (step, year) or (level, year).
    """
    now = level[LEVELS - 1]
    now[:] = 1.0
    for k in range(STEPS):
        _step(s.step[d, k], at[ROW[k]], now, reach[k], level[k])
    for k in range(LEVELS):
        _track(s.level[d, k], at[3], s.done, track[k])


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def sums(s: Terms, cohort: Whole, end: int, whole: bool) -> tuple:
    """Return the arrays of :class:`models.field_sums.Field`, in its order.

    Works until the horizon are those of years before ``end``; P(level >= 1..7) of all agendas and
    years, which come last, are empty unless ``whole``. ``cohort`` holds the places of the cohorts.
    """
    draws, years, agendas = s.share.shape
    level = np.empty((draws, agendas, len(cohort), LEVELS))
    track, tracked = np.empty(level.shape), np.empty((draws, agendas, years))
    total, by_level = np.empty((draws, agendas, STEPS)), np.empty((draws, years, LEVELS))
    by_step = np.empty((draws, years, STEPS))
    every = np.empty((draws if whole else 0, agendas, years, STEPS))
    at, reach, of_step = np.empty((6, years)), np.empty((STEPS, years)), np.empty((STEPS, years))
    here, tracks = np.empty((LEVELS, years)), np.empty((LEVELS, years))
    of_level = np.empty((LEVELS, years))
    for d in range(draws):
        of_level[:], of_step[:] = 0.0, 0.0
        for a in range(agendas):
            _row(s, d, a, at)
            _ladder(s, d, at, reach, here, tracks)
            tracked[d, a, :] = 0.0
            for k in range(LEVELS):
                _add(here[k], tracks[k], tracked[d, a])
                for i in range(len(cohort)):
                    t = cohort[i]
                    level[d, a, i, k], track[d, a, i, k] = here[k, t], tracks[k, t]
                if a < agendas - 1:
                    _add(at[5], here[k], of_level[k])
            for k in range(STEPS):
                total[d, a, k] = _until(at[4], reach[k], end)
                if a < agendas - 1:
                    _add(at[4], reach[k], of_step[k])
            if whole:
                _put(reach, every[d, a])
        _put(of_level, by_level[d])
        _put(of_step, by_step[d])
    return level, track, tracked, by_level, by_step, total, every
