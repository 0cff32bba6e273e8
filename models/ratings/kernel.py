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

with the notation of :mod:`models.components.spillover` and :mod:`models.ratings.formula`, whose
formulas are the
reference. A row without weight is not looked at. States run (tracking, level) here. All working
numbers of a cell stand in one array at fixed places, so that LLVM sees which are apart.

Compiled tables of what raters answer, and the derivative pushed back through them.

Everything here depends on the raters alone, not on a row, so it is computed once per gradient:

.. math::

    K[a, b] &= (1 - s) N[a, b] + s / 8, \qquad
        N[a, b] \propto \exp(-\tfrac12 u^2 + \text{lean}\,(b - a)),\; u = (b - a) / \text{scale} \\
    v &= p f / (1 - p + p f), \qquad f = e^{\text{halo} \cdot \text{share}} \\
    W[h, m] &= (1 - e)^h (e / 2)^m

for level answers, for the shared reading of a use at each share of raters who recorded tracking,
and for h right and m wrong answers to 'whose use'. The formulas are those of
:mod:`models.ratings.formula`, which stays the reference; each ``push_`` adds to the derivative.

Compiled chances of each distinct pattern of answers, and the derivative pushed back.

A pattern of answers on the level is :math:`T[k]` of each level; a pattern of the rest :math:`Z[z]`
of tracking and :math:`C_g[u]` of the four uses on both sides, as in :mod:`models.ratings.formula`.
Many rows share a pattern, so each is computed once. Products over a kind's raters leave one out by
running products from both ends, since a factor may be zero.

Compiled weighted sum of logarithms, with a logarithm that is computed for several at once.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
from numba.cpython.unsafe.numbers import viewer
from numpy.typing import NDArray

from models.ratings.formula import FLOOR, Rows

Reals = NDArray[np.float64]
Whole = NDArray[np.int64]
FAST = {"contract", "reassoc", "nsz"}
"""What LLVM may assume; not that numbers are finite, so NaN and infinity stay what they are."""
LEVELS, READINGS, CODES = 8, 2, 3
"""Levels; readings of a column; codes of a binary answer, with missing."""


class Raters(NamedTuple):
    """The terms of the raters (``TERMS`` of the formula), or their derivative; each an array."""

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


TRACKING, USES, WIDTH = 0, 2, 10
"""Where tracking and the uses of the first side stand in the numbers of the rest; how many."""


class Work(NamedTuple):
    """The products of each pattern, by rater and by kind, on the way to its numbers.

    Of the level ``levels`` (pattern, rater, reading), ``readings`` (pattern, kind, reading) and
    ``truth`` (pattern, kind, level). Of the rest ``share``, the place in ``Tables.read``
    (pattern,); by the three columns ``binary`` (pattern, column, rater, reading), ``marks``
    (pattern, column, kind, reading), ``state`` (pattern, column, kind, state) and ``column``
    (pattern, column, state); ``hits`` and ``given``, number and chance of each answer to 'whose
    use' (pattern, column, whose), 0 being no answer, and the sum of the chances. ``kind_of`` is
    each rater's kind.

    Functions name the arrays they need and then run over the patterns, since each look into a
    tuple of arrays counts references.
    """

    kind_of: Whole
    levels: Reals
    readings: Reals
    truth: Reals
    share: Whole
    binary: Reals
    marks: Reals
    state: Reals
    column: Reals
    hits: Whole
    given: Reals


@numba.njit(cache=True)
def make_work(kind_of: Whole, n_kinds: int, n_levels: int, n: int) -> Work:
    """Return room for the products of the patterns on the level and of the ``n`` of the rest."""
    n_raters = len(kind_of)
    return Work(
        kind_of,
        np.empty((n_levels, n_raters, LEVELS)),
        np.ones((n_levels, n_kinds, LEVELS)),
        np.empty((n_levels, n_kinds, LEVELS)),
        np.empty(n, np.int64),
        np.empty((n, 3, n_raters, 2)),
        np.empty((n, 3, n_kinds, 2)),
        np.empty((n, 3, n_kinds, 2)),
        np.ones((n, 3, 2)),
        np.zeros((n, 3, 4), np.int64),
        np.zeros((n, 3, 4)),
    )


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def fill_levels(codes: Whole, rows: Whole, tables: Tables, work: Work) -> Reals:
    """Return T[k] of the patterns of ``rows``, dims (pattern, level), filling ``work``.

    It is the product over kinds of sums over their shared reading.
    """
    out = np.empty((len(rows), LEVELS))
    kind_of, levels, readings, truth = work.kind_of, work.levels, work.readings, work.truth
    shared, level = tables.shared, tables.level
    for i in range(len(rows)):
        for k in range(LEVELS):
            out[i, k] = 1.0
        for q in range(readings.shape[1]):
            n = 0
            for r in range(len(kind_of)):
                if kind_of[r] == q:
                    n += 1
                    y = codes[rows[i], r]
                    for j in range(LEVELS):
                        levels[i, r, j] = readings[i, q, j]
                        readings[i, q, j] *= level[r, y, j]
            for k in range(LEVELS):
                total = 0.0
                for j in range(LEVELS):
                    total += shared[q, k, j] * readings[i, q, j]
                truth[i, q, k] = total if n else 1.0
                out[i, k] *= truth[i, q, k]
    return out


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _fill_columns(codes: Whole, rows: Whole, tables: Tables, work: Work) -> None:
    """Fill the chance of the binary columns' answers, given absent and given present."""
    kind_of, running, marks, state = work.kind_of, work.binary, work.marks, work.state
    read, binary, column, share = tables.read, tables.binary, work.column, work.share
    n = len(kind_of)
    for i in range(len(rows)):
        recorded = present = 0
        for r in range(n, 2 * n):
            recorded += codes[rows[i], r] == 1
            present += codes[rows[i], r] != CODES - 1
        share[i] = recorded * (n + 1) + present
        for c in range(3):
            for q in range(marks.shape[2]):
                no = yes = 1.0
                for r in range(n):
                    if kind_of[r] == q:
                        running[i, c, r, 0], running[i, c, r, 1] = no, yes
                        code = codes[rows[i], (c + 1) * n + r]
                        no *= binary[c, r, 0, code]
                        yes *= binary[c, r, 1, code]
                marks[i, c, q, 0], marks[i, c, q, 1] = no, yes
                for s in range(2):
                    p = read[share[i], c, q, s]
                    state[i, c, q, s] = (1.0 - p) * no + p * yes
                    column[i, c, s] *= state[i, c, q, s]


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _fill_whose(codes: Whole, rows: Whole, tables: Tables, work: Work, out: Reals) -> None:
    """Fill the chance of the marks and of 'whose use' given none, own, others and both."""
    hits, given, column, chance = work.hits, work.given, work.column, tables.whose
    keep, lose, n = tables.whose_shared[0], tables.whose_shared[1], len(work.kind_of)
    for i in range(len(rows)):
        for c in range(1, 3):
            for r in range((c + 3) * n, (c + 4) * n):
                hits[i, c, codes[rows[i], r]] += 1
            asked, total = n - hits[i, c, 0], 0.0
            for u in range(1, 4):
                given[i, c, u] = chance[hits[i, c, u], asked - hits[i, c, u]]
                total += given[i, c, u]
            given[i, c, 0] = total
            at, present = USES + 4 * (c - 1), column[i, c, 1]
            out[i, at] = column[i, c, 0] * total / 3.0
            for u in range(1, 4):
                good = given[i, c, u]
                out[i, at + u] = present * (keep * good + lose * (total - good))


@numba.njit(cache=True)
def fill_rest(codes: Whole, rows: Whole, tables: Tables, work: Work) -> Reals:
    """Return the numbers of the rest's patterns of ``rows``, (pattern, 10), filling ``work``."""
    out = np.empty((len(rows), WIDTH))
    _fill_columns(codes, rows, tables=tables, work=work)
    _fill_whose(codes, rows, tables=tables, work=work, out=out)
    column = work.column
    for i in range(len(rows)):
        out[i, TRACKING], out[i, TRACKING + 1] = column[i, 0, 0], column[i, 0, 1]
    return out


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def push_levels(
    codes: Whole, rows: Whole, tables: Tables, work: Work, bar: Reals, to: Tables
) -> None:
    """Push T[k], of derivative ``bar``, back to the kernels."""
    kind_of, levels, readings, truth = work.kind_of, work.levels, work.readings, work.truth
    shared, level, to_shared, to_level = tables.shared, tables.level, to.shared, to.level
    by, width = np.empty(LEVELS), readings.shape[2]  # a length not known lets LLVM use vectors
    for i in range(len(rows)):
        for q in range(readings.shape[1]):
            for j in range(LEVELS):
                by[j] = 0.0
            for k in range(LEVELS):
                by_truth = bar[i, k]
                for other in range(readings.shape[1]):
                    by_truth *= truth[i, other, k] if other != q else 1.0
                for j in range(width):
                    by[j] += by_truth * shared[q, k, j]
                for j in range(width):
                    to_shared[q, k, j] += by_truth * readings[i, q, j]
            for back in range(len(kind_of)):
                r = len(kind_of) - 1 - back
                if kind_of[r] == q:
                    y = codes[rows[i], r]
                    for j in range(LEVELS):
                        to_level[r, y, j] += by[j] * levels[i, r, j]
                        by[j] *= level[r, y, j]


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _push_whose(tables: Tables, work: Work, bar: Reals, to_column: Reals, to: Tables) -> None:
    """Push the four uses back to the marks and to 'whose use'."""
    hits, given, column, n = work.hits, work.given, work.column, len(work.kind_of)
    keep, lose, to_whose = tables.whose_shared[0], tables.whose_shared[1], to.whose
    by_keep = by_lose = 0.0
    for i in range(len(bar)):
        for c in range(1, 3):
            at, asked, total = USES + 4 * (c - 1), n - hits[i, c, 0], given[i, c, 0]
            present, by_present = column[i, c, 1], 0.0
            by_total = bar[i, at] * column[i, c, 0] / 3.0
            for u in range(1, 4):
                good, by_use = given[i, c, u], bar[i, at + u]
                by_present += by_use * (keep * good + lose * (total - good))
                by_total += by_use * present * lose
                by_keep += by_use * present * good
                by_lose += by_use * present * (total - good)
            for u in range(1, 4):
                by_good = bar[i, at + u] * present * (keep - lose) + by_total
                to_whose[hits[i, c, u], asked - hits[i, c, u]] += by_good
            to_column[i, c, 0], to_column[i, c, 1] = bar[i, at] * total / 3.0, by_present
    to.whose_shared[0] += by_keep
    to.whose_shared[1] += by_lose


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def _push_columns(
    codes: Whole, rows: Whole, tables: Tables, work: Work, to_column: Reals, to: Tables
) -> None:
    """Push the chances of the columns' answers back to the raters and the shared reading."""
    kind_of, running, marks, state = work.kind_of, work.binary, work.marks, work.state
    binary, read, to_read, to_binary = tables.binary, tables.read, to.read, to.binary
    share, n, kinds = work.share, len(work.kind_of), work.marks.shape[2]
    for i in range(len(rows)):
        for c in range(3):
            for q in range(kinds):
                by_no = by_yes = 0.0
                for s in range(2):
                    by_state, p = to_column[i, c, s], read[share[i], c, q, s]
                    for other in range(kinds):
                        by_state *= state[i, c, other, s] if other != q else 1.0
                    spread = marks[i, c, q, 1] - marks[i, c, q, 0]
                    to_read[share[i], c, q, s] += by_state * spread
                    by_no += by_state * (1.0 - p)
                    by_yes += by_state * p
                for back in range(n):
                    r = n - 1 - back
                    if kind_of[r] == q:
                        code = codes[rows[i], (c + 1) * n + r]
                        to_binary[c, r, 0, code] += by_no * running[i, c, r, 0]
                        to_binary[c, r, 1, code] += by_yes * running[i, c, r, 1]
                        by_no *= binary[c, r, 0, code]
                        by_yes *= binary[c, r, 1, code]


@numba.njit(cache=True)
def push_rest(
    codes: Whole, rows: Whole, tables: Tables, work: Work, bar: Reals, to: Tables
) -> None:
    """Add to ``to`` the derivative by the tables, from that by the rest's numbers, ``bar``."""
    to_column = np.empty((len(bar), 3, 2))
    for i in range(len(bar)):
        to_column[i, 0, 0], to_column[i, 0, 1] = bar[i, TRACKING], bar[i, TRACKING + 1]
    _push_whose(tables, work=work, bar=bar, to_column=to_column, to=to)
    _push_columns(codes, rows, tables=tables, work=work, to_column=to_column, to=to)


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


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy", forceinline=True)
def log_of(x: float) -> float:
    """Return log(x) of a positive normal x to two ulps, in steps that vectors can do too."""
    # Bits above those of sqrt(1/2) leave a mantissa m between it and sqrt(2), and an exponent.
    bits = np.uint64(viewer(x, numba.uint64))  # type: ignore[call-arg]
    shifted = (bits + np.uint64(0x95F619980C433)) >> np.uint64(52)
    power = viewer(shifted | np.uint64(0x4330000000000000), numba.float64) - 4503599627371519.0
    m = viewer(bits - ((shifted - np.uint64(1023)) << np.uint64(52)), numba.float64)
    # log m = 2 artanh f, f = (m - 1) / (m + 1), whose series is in powers of f squared.
    f = (m - 1.0) / (m + 1.0)
    s = f * f
    s2 = s * s
    s4 = s2 * s2
    a = (1.0 / 3.0 + 1.0 / 5.0 * s) + (1.0 / 7.0 + 1.0 / 9.0 * s) * s2
    b = (1.0 / 11.0 + 1.0 / 13.0 * s) + (1.0 / 15.0 + 1.0 / 17.0 * s) * s2
    c = (1.0 / 19.0 + 1.0 / 21.0 * s) + 1.0 / 23.0 * s2
    p = a + (b + c * s4) * s4
    y = power * 1.9082149292705877e-10 + 2.0 * f * s * p
    return (power * 0.6931471803691238 + (2.0 * f + y)) + (x - x)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def weighted_logs(x: Reals, weight: Reals) -> float:
    """Return the weighted sum of logarithms."""
    total = 0.0
    for j in range(len(x)):
        total += weight[j] * log_of(x[j])
    return total
