r"""Compiled chances of each distinct pattern of answers, and the derivative pushed back.

A pattern of answers on the level is :math:`T[k]` of each level; a pattern of the rest :math:`Z[z]`
of tracking and :math:`C_g[u]` of the four uses on both sides, as in :mod:`models.ratings`. Many
rows share a pattern, so each is computed once. Products over a kind's raters leave one out by
running products from both ends, since a factor may be zero.
"""

from typing import NamedTuple

import numba
import numpy as np

from models.rating_tables import CODES, FAST, LEVELS, Reals, Tables, Whole

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
