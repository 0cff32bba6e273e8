"""Compiled sorting of the rows: distinct patterns of answers, and rows by cell."""

from typing import NamedTuple

import numba
import numpy as np

from models.rating_tables import Reals, Whole


class Rows(NamedTuple):
    """The rows in the order of their use.

    ``weight`` and ``pattern`` of each row (-1 if it has no weight); ``first``, a row of each
    pattern; ``order``, the rows with weight by cell; ``start``, where each cell's begin there.
    """

    weight: Reals
    pattern: Whole
    first: Whole
    order: Whole
    start: Whole


@numba.njit(cache=True)
def sort_rows(cell: Whole, codes: Whole, weight: Reals, n_cells: int) -> Rows:
    """Return the order of the rows with weight; codes are trusted, as evidence checks them."""
    pattern, first = _patterns(codes, weight)
    order, start = _by_cell(cell, pattern, n_cells=n_cells)
    return Rows(weight, pattern, first, order, start)


@numba.njit(cache=True)
def _patterns(codes: Whole, weight: Reals) -> tuple:
    """Return the distinct pattern of each row that has weight, and a row of each, by hashing."""
    n_rows, width = codes.shape
    size = 4
    while size < 2 * n_rows:
        size *= 2
    factor = np.empty(width, np.int64)
    for j in range(width):
        factor[j] = factor[j - 1] * 6364136223846793005 + 1 if j else 1442695040888963407
    slots, of_row, row = np.full(size, -1), np.full(n_rows, -1), np.empty(n_rows, np.int64)
    n = 0
    for i in range(n_rows):
        if weight[i] == 0.0:
            continue
        key = 0
        for j in range(width):
            key += factor[j] * codes[i, j]
        at = (key >> 32) & (size - 1)
        while slots[at] >= 0 and not _same(codes[i], codes[row[slots[at]]]):
            at = (at + 1) & (size - 1)
        if slots[at] < 0:
            slots[at], row[n] = n, i
            n += 1
        of_row[i] = slots[at]
    return of_row, row[:n]


@numba.njit(cache=True)
def _same(a: Whole, b: Whole) -> bool:
    differ = 0
    for j in range(len(a)):
        differ |= a[j] ^ b[j]
    return differ == 0


@numba.njit(cache=True)
def _by_cell(cell: Whole, pattern: Whole, n_cells: int) -> tuple:
    """Return the rows with weight in order of their cell, and where each cell's begin."""
    start, order = np.zeros(n_cells + 1, np.int64), np.empty(len(cell), np.int64)
    for i in range(len(cell)):
        if pattern[i] >= 0:
            start[cell[i] + 1] += 1
    for c in range(n_cells):
        start[c + 1] += start[c]
    place = start.copy()
    for i in range(len(cell)):
        if pattern[i] >= 0:
            order[place[cell[i]]] = i
            place[cell[i]] += 1
    return order, start
