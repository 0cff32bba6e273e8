r"""Compiled tables of what raters answer, and the derivative pushed back through them.

Everything here depends on the raters alone, not on a row, so it is computed once per gradient:

.. math::

    K[a, b] &= (1 - s) N[a, b] + s / 8, \qquad
        N[a, b] \propto \exp(-\tfrac12 u^2 + \text{lean}\,(b - a)),\; u = (b - a) / \text{scale} \\
    v &= p f / (1 - p + p f), \qquad f = e^{\text{halo} \cdot \text{share}} \\
    W[h, m] &= (1 - e)^h (e / 2)^m

for level answers, for the shared reading of a use at each share of raters who recorded tracking,
and for h right and m wrong answers to 'whose use'. The formulas are those of
:mod:`models.ratings`, which stays the reference; each ``push_`` adds to the derivative.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
FAST = {"contract", "reassoc", "nsz"}
"""What LLVM may assume; not that numbers are finite, so NaN and infinity stay what they are."""
LEVELS, READINGS, CODES = 8, 2, 3
"""Levels; readings of a column; codes of a binary answer, with missing."""


class Raters(NamedTuple):
    """The terms of the raters (``models.ratings.TERMS``), or their derivative; each an array."""

    shared_scale: Reals
    shared_slip: Reals
    shared_sensitivity: Reals
    shared_specificity: Reals
    shared_own: Reals
    lean: Reals
    scale: Reals
    slip: Reals
    sensitivity: Reals
    specificity: Reals
    own: Reals
    halo: Reals


class Tables(NamedTuple):
    """What the rows look up, or the derivative with respect to it.

    ``shared`` (kind, level, reading), ``level`` (rater, answer with missing, reading), ``binary``
    (column, rater, reading, code), ``read`` (share, column, kind, state), ``whose`` (right, wrong)
    and ``whose_shared`` (right, wrong: 2). A share of ``yes`` among ``n`` stands at
    ``yes * (raters + 1) + n``.
    """

    shared: Reals
    level: Reals
    binary: Reals
    read: Reals
    whose: Reals
    whose_shared: Reals


@numba.njit(cache=True)
def raters_of(flat: Reals, n_kinds: int, n_raters: int) -> Raters:
    """Return the terms, one after another in a vector, as views of it."""
    q, r = n_kinds, n_raters
    at = 8 * q + 1
    return Raters(
        flat[:q],
        flat[q : 2 * q],
        flat[2 * q : 5 * q].reshape((q, 3)),
        flat[5 * q : 8 * q].reshape((q, 3)),
        flat[8 * q : at],
        flat[at : at + r],
        flat[at + r : at + 2 * r],
        flat[at + 2 * r : at + 3 * r],
        flat[at + 3 * r : at + 6 * r].reshape((r, 3)),
        flat[at + 6 * r : at + 9 * r].reshape((r, 3)),
        flat[at + 9 * r : at + 9 * r + 1],
        flat[at + 9 * r + 1 : at + 9 * r + 2],
    )


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _normal_share(lean: float, scale: float) -> Reals:
    """Return N, dims (truth, reading)."""
    out = np.empty((LEVELS, LEVELS))
    for a in range(LEVELS):
        total = 0.0
        for b in range(LEVELS):
            u = (b - a) / scale
            out[a, b] = np.exp(lean * (b - a) - 0.5 * u * u)
            total += out[a, b]
        for b in range(LEVELS):
            out[a, b] /= total
    return out


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _push_kernel(bar: Reals, lean: float, scale: float, slip: float) -> tuple:
    """Return the derivative by lean, scale and slip from that by the kernel, ``bar``."""
    share = _normal_share(lean, scale)
    to_lean = to_scale = to_slip = 0.0
    for a in range(LEVELS):
        mean = 0.0
        for b in range(LEVELS):
            mean += share[a, b] * bar[a, b]
        for b in range(LEVELS):
            to_slip += bar[a, b] * (1.0 / LEVELS - share[a, b])
            by_log = (1.0 - slip) * share[a, b] * (bar[a, b] - mean)
            u = (b - a) / scale
            to_lean += by_log * (b - a)
            to_scale += by_log * u * u / scale
    return to_lean, to_scale, to_slip


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def no_tables(n_kinds: int, n_raters: int) -> Tables:
    """Return tables of zeros."""
    some = n_raters + 1
    return Tables(
        np.zeros((n_kinds, LEVELS, LEVELS)),
        np.zeros((n_raters, LEVELS + 1, LEVELS)),
        np.zeros((3, n_raters, READINGS, CODES)),
        np.zeros((some * some, 3, n_kinds, READINGS)),
        np.zeros((some, some)),
        np.zeros(2),
    )


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def make_tables(raters: Raters) -> Tables:
    """Return what the rows look up."""
    n_kinds, n_raters = len(raters.shared_scale), len(raters.scale)
    out = no_tables(n_kinds, n_raters)
    for q in range(n_kinds):
        slip = raters.shared_slip[q]
        share = _normal_share(0.0, raters.shared_scale[q])
        for a in range(LEVELS):
            for b in range(LEVELS):
                out.shared[q, a, b] = (1.0 - slip) * share[a, b] + slip / LEVELS
    for r in range(n_raters):
        slip = raters.slip[r]
        share = _normal_share(raters.lean[r], raters.scale[r])
        for a in range(LEVELS):
            for b in range(LEVELS):
                out.level[r, b, a] = (1.0 - slip) * share[a, b] + slip / LEVELS
            out.level[r, LEVELS, a] = 1.0
        for c in range(3):
            for b in range(READINGS):
                yes = raters.sensitivity[r, c] if b else 1.0 - raters.specificity[r, c]
                out.binary[c, r, b, 0] = 1.0 - yes
                out.binary[c, r, b, 1] = yes
                out.binary[c, r, b, 2] = 1.0
    _fill_readings(raters, out)
    right, wrong = 1.0 - raters.own[0], 0.5 * raters.own[0]
    for h in range(n_raters + 1):
        for m in range(n_raters + 1 - h):
            out.whose[h, m] = right**h * wrong**m
    out.whose_shared[0] = 1.0 - raters.shared_own[0]
    out.whose_shared[1] = 0.5 * raters.shared_own[0]
    return out


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _fill_readings(raters: Raters, out: Tables) -> None:
    """Fill the chance of each shared reading; column 0, tracking, is not shifted."""
    n_kinds, some = len(raters.shared_scale), len(raters.scale) + 1
    for n in range(some):
        for yes in range(n + 1):
            factor = np.exp(raters.halo[0] * yes / max(n, 1))
            for c in range(3):
                f = factor if c else 1.0
                for q in range(n_kinds):
                    for s in range(READINGS):
                        if s:
                            p = raters.shared_sensitivity[q, c]
                        else:
                            p = 1.0 - raters.shared_specificity[q, c]
                        out.read[yes * some + n, c, q, s] = p * f / (1.0 - p + p * f)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def push_tables(raters: Raters, bar: Tables, out: Raters) -> None:
    """Add to ``out`` the derivative by the terms, from that by the tables, ``bar``."""
    n_kinds, n_raters = len(raters.shared_scale), len(raters.scale)
    by_kernel = np.empty((LEVELS, LEVELS))
    for q in range(n_kinds):
        scale, slip = raters.shared_scale[q], raters.shared_slip[q]
        _, to_scale, to_slip = _push_kernel(bar.shared[q], 0.0, scale=scale, slip=slip)
        out.shared_scale[q] += to_scale
        out.shared_slip[q] += to_slip
    for r in range(n_raters):
        for a in range(LEVELS):
            for b in range(LEVELS):
                by_kernel[a, b] = bar.level[r, b, a]
        scale, slip = raters.scale[r], raters.slip[r]
        to = _push_kernel(by_kernel, raters.lean[r], scale=scale, slip=slip)
        out.lean[r] += to[0]
        out.scale[r] += to[1]
        out.slip[r] += to[2]
        for c in range(3):
            out.specificity[r, c] -= bar.binary[c, r, 0, 1] - bar.binary[c, r, 0, 0]
            out.sensitivity[r, c] += bar.binary[c, r, 1, 1] - bar.binary[c, r, 1, 0]
    _push_readings(raters, bar.read, out=out)
    right, wrong = 1.0 - raters.own[0], 0.5 * raters.own[0]
    for h in range(n_raters + 1):
        for m in range(n_raters + 1 - h):
            if h:
                out.own[0] -= bar.whose[h, m] * h * right ** (h - 1) * wrong**m
            if m:
                out.own[0] += 0.5 * bar.whose[h, m] * m * right**h * wrong ** (m - 1)
    out.shared_own[0] += 0.5 * bar.whose_shared[1] - bar.whose_shared[0]


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _push_readings(raters: Raters, bar: Reals, out: Raters) -> None:
    """Add the derivative by the shared sensitivity, specificity and the halo."""
    n_kinds, some = len(raters.shared_scale), len(raters.scale) + 1
    for n in range(some):
        for yes in range(n + 1):
            share = yes / max(n, 1)
            factor = np.exp(raters.halo[0] * share)
            for c in range(3):
                f = factor if c else 1.0
                for q in range(n_kinds):
                    for s in range(READINGS):
                        if s:
                            p = raters.shared_sensitivity[q, c]
                        else:
                            p = 1.0 - raters.shared_specificity[q, c]
                        scaled = bar[yes * some + n, c, q, s] / (1.0 - p + p * f) ** 2
                        if s:
                            out.shared_sensitivity[q, c] += scaled * f
                        else:
                            out.shared_specificity[q, c] -= scaled * f
                        if c:
                            out.halo[0] += scaled * p * f * (1.0 - p) * share
