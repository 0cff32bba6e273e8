"""The order in which the kernel takes the rows: by cell, then by what they have in common.

A row's answers are two patterns: that on the level, and the rest. Rows of one cell with the same
rest are a *pair*: all but the sum over levels is computed once for them. The order follows from
cells, answers and weights, which a fit does not change, so it is data of the graph: one vector of
whole numbers, whose length follows from those of the rows and cells.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 2**62
"""Largest number of keys that a whole number can tell apart with room to spare."""
COUNTS = 2
"""Numbers at the head of the vector: of patterns on the level, and of the rest."""
Whole = NDArray[np.int64]


class Rows(NamedTuple):
    """The rows with weight, by cell, then by rest.

    ``pairs``, where the pairs of each cell begin; ``start``, where the rows of each pair begin, and
    ``rest``, its pattern; ``row``, the place of each row among those given, and ``level``, its
    pattern on the level; ``level_first`` and ``rest_first``, a given row of each pattern.
    """

    pairs: Whole
    start: Whole
    rest: Whole
    row: Whole
    level: Whole
    level_first: Whole
    rest_first: Whole


def ordering(cell: Whole, codes: Whole, *, weight: NDArray[np.float64], n_cells: int) -> Whole:
    """Return :class:`Rows` as one vector, each part filled up to its greatest length.

    Parameters
    ----------
    cell, codes, weight
        Of the rows, dims (row,), (row, 6 x rater) and (row,).
    n_cells
        Number of cells.
    """
    given, n = np.flatnonzero(weight), codes.shape[1] // 6
    level_first, level = patterns(codes[given, :n])
    rest_first, rest = patterns(codes[given, n:])
    at = np.lexsort((rest, cell[given]))
    key = cell[given][at] * max(len(rest_first), 1) + rest[at]
    _, start = np.unique(key, return_index=True)
    pairs = np.searchsorted(cell[given][at][start], np.arange(n_cells + 1))
    first = (given[level_first], given[rest_first])
    rows = Rows(pairs, np.append(start, len(at)), rest[at][start], given[at], level[at], *first)
    lengths = part_lengths(len(cell), n_cells)
    filled = [np.pad(x, (0, n - len(x))) for x, n in zip(rows, lengths, strict=True)]
    return np.concatenate([[len(x) for x in first], *filled])


def part_lengths(n_rows: int, n_cells: int) -> tuple[int, ...]:
    """Return the greatest length of each part of :class:`Rows`."""
    return (n_cells + 1, n_rows + 1, n_rows, n_rows, n_rows, n_rows, n_rows)


def patterns(codes: Whole) -> tuple[Whole, Whole]:
    """Return a row of each distinct one, and which each is."""
    sizes = codes.max(axis=0, initial=0) + 1
    _, first, at = np.unique(ordered(codes, sizes.tolist()), return_index=True, return_inverse=True)
    return first, at


def ordered(columns: Whole, sizes: Sequence[int]) -> Whole:
    """Return whole numbers in the order of the rows, equal where rows are equal.

    Parameters
    ----------
    columns
        Whole numbers from 0, dims (row, column).
    sizes
        One more than the largest number that each column may hold.
    """
    key, n = np.zeros(len(columns), dtype=np.int64), 1
    for i, size in enumerate(sizes):
        if n * size > LONGEST:
            found, key = np.unique(key, return_inverse=True)
            n = max(len(found), 1)
        key, n = key * size + columns[:, i], n * size
    return key
