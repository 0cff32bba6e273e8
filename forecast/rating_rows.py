"""Works and ratings to cells and distinct rows with weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.evidence import Tables
from models.errors import InputError
from models.rating_patterns import ordered
from models.ratings import MISSING, MISSING_LEVEL, NO_ANSWER
from models.structure import FIRST_YEAR, LAST_YEAR

WHOSE = {(1, 0): 1, (0, 1): 2, (1, 1): 3, (0, 0): NO_ANSWER}
"""Code of (own, other) in uses.csv; neither is no answer."""
CODES = (MISSING_LEVEL + 1, *[MISSING + 1] * 3, 4, 4)
"""Number of codes of each of the six columns."""
CLOSE_AGE = 2026.39
"""Age of a work at the close of the evidence, from mid-year, less its year."""


@dataclass(frozen=True)
class RatingArrays:
    """Arrays ``cells`` and ``ratings``, ids of distinct rows, and each work's row and cell."""

    arrays: dict[str, dict[str, np.ndarray]]
    ids: tuple[str, ...]
    row_of_work: np.ndarray
    cell_of_work: np.ndarray


@dataclass(frozen=True)
class Collapsed:
    """Distinct rows of (cell, answers) in their order, and the row of each that was given.

    ``value`` (row, 6 x rater), ``cell`` and ``count`` (row,); ``row`` is -1 where nothing was
    rated.
    """

    value: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    row: np.ndarray


def answer_codes(tables: Tables, raters: tuple[str, ...]) -> np.ndarray:
    """Return every work's answers; dims (work, 6 x rater), coded as :mod:`models.ratings` reads.

    Answers of others than ``raters`` are left out.
    """
    n, keys = len(raters), tables.works.text("work")
    codes = np.tile(blank_answers(n), (len(tables.works), 1))
    rows = tables.ratings
    work, rater = rows.places("work", keys), rows.places("rater", raters)
    for column, name in enumerate(("level", "tracks", "cap_use", "ali_use")):
        answer = rows.whole(name)
        held = (answer >= 0) & (rater >= 0)
        codes[work[held], column * n + rater[held]] = answer[held]
    uses = tables.uses
    work, rater = uses.places("work", keys), uses.places("rater", raters)
    side = uses.places("side", ("cap", "ali"))
    whose = np.array([[WHOSE[own, other] for other in (0, 1)] for own in (0, 1)])
    answer, held = whose[uses.whole("own"), uses.whole("other")], rater >= 0
    codes[work[held], (4 + side[held]) * n + rater[held]] = answer[held]
    return codes


def rating_arrays(
    tables: Tables, agendas: tuple[str, ...], *, raters: tuple[str, ...]
) -> RatingArrays:
    """Collapse works to cells and their answers to distinct rows with counts.

    There is room for as many rows as any answers to the same questions can have
    (:func:`capacity`), so that simulated answers fit.
    """
    codes = answer_codes(tables, raters)
    _check_years(tables)
    works = tables.works
    triples = np.column_stack(
        [
            works.places("agenda", agendas),
            works.whole("year") - FIRST_YEAR,
            works.places("selection", ("sampled", "purposive")),
        ]
    )
    sizes = (len(agendas), LAST_YEAR - FIRST_YEAR + 1, 2)
    _, first, at = np.unique(ordered(triples, sizes), return_index=True, return_inverse=True)
    cells = triples[first] if len(first) else np.zeros((1, 3), dtype=np.int64)
    made = collapsed(codes, at)
    rows = padded_rows(made, room(codes, at))
    ids = joined_ids(works.text("work").to_pylist(), made)
    return RatingArrays({"cells": _cells(cells), "ratings": rows}, ids, made.row, at)


def collapsed(codes: np.ndarray, cell: np.ndarray) -> Collapsed:
    """Return the distinct rows of those that hold an answer, with their counts."""
    n = codes.shape[1] // 6
    rated = (codes != blank_answers(n)).any(axis=1)
    sizes = (int(cell.max(initial=0)) + 1, *np.repeat(CODES, n).tolist())
    keys = ordered(np.column_stack([cell, codes])[rated], sizes)
    _, first, inverse, count = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    row = np.full(len(codes), -1)
    row[rated] = inverse
    at = np.flatnonzero(rated)[first]
    return Collapsed(codes[at], cell[at], count, row)


def padded_rows(made: Collapsed, n: int) -> dict[str, Any]:
    """Return the arrays of a table with at least ``n`` rows; those beyond ``made`` weigh 0."""
    blank, held = blank_answers(made.value.shape[1] // 6), len(made.value)
    n = max(n, held)
    rows: dict[str, Any] = {
        "value": np.tile(blank, (n, 1)),
        "cell": np.zeros(n, dtype=np.int64),
        "asked": np.zeros((n, len(blank)), dtype=np.int64),
        "weight": np.zeros(n),
    }
    rows["value"][:held], rows["cell"][:held] = made.value, made.cell
    rows["asked"][:held], rows["weight"][:held] = made.value != blank, made.count
    return rows


def room(codes: np.ndarray, cell: np.ndarray) -> int:
    """Return how many distinct rows any answers to the questions asked can have, at least 1.

    A group of works of one cell that were asked the same has as many distinct rows as it has works,
    or as there are answers (:func:`patterns`), whichever is less. Rows there already are counted
    if they are more: evidence may leave out who used a work.
    """
    n = codes.shape[1] // 6
    blank = blank_answers(n)
    rated = (codes != blank).any(axis=1)
    asked = (codes != blank)[rated, : 4 * n].astype(np.int64)
    sizes = (int(cell.max(initial=0)) + 1, *(2 for _ in range(4 * n)))
    keys = ordered(np.column_stack([cell[rated], asked]), sizes)
    _, first, group, works = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    made = collapsed(codes, cell)
    _, one = np.unique(made.row[rated], return_index=True)
    there = np.bincount(group[one], minlength=len(first))
    possible = [patterns(asked[i].reshape(4, n).sum(axis=1)) for i in first]
    most = [max(min(w, p), k) for w, p, k in zip(works.tolist(), possible, there, strict=True)]
    return max(int(sum(most)), 1)


def patterns(asked: np.ndarray) -> int:
    r"""Return how many different answers there are, by the raters asked of each of four columns.

    A level has eight, tracking two; where any of m raters marks a use, each of them says whose,
    of three: :math:`1 + (2^m - 1)\,3^m`.
    """
    level, tracks, *sides = map(int, asked)
    return int(8**level * 2**tracks * np.prod([1 + (2**m - 1) * 3**m for m in sides], dtype=object))


def joined_ids(works: Sequence[str], made: Collapsed) -> tuple[str, ...]:
    """Return the id of each distinct row: its works in their order, joined by ``+``."""
    order = np.argsort(made.row, kind="stable")[np.count_nonzero(made.row < 0) :]
    ends = np.cumsum(made.count).tolist()
    names = [works[i] for i in order.tolist()]
    return tuple("+".join(names[i:j]) for i, j in zip([0, *ends], ends, strict=False))


def _check_years(tables: Tables) -> None:
    """Refuse works of years that the model does not have: no posterior of them could be told.

    Raises
    ------
    InputError
        With up to five of them.
    """
    year = tables.works.whole("year")
    out = np.flatnonzero((year < FIRST_YEAR) | (year > LAST_YEAR))
    if len(out):
        few = [f"{w.work} ({w.year})" for w in tables.works.take(out[:5])]
        shown = ", ".join(few) + (", ..." if len(out) > 5 else "")
        raise InputError(
            f"works.csv, column year: found {shown}; the model's years are "
            f"{FIRST_YEAR}-{LAST_YEAR}: correct the year, or leave the work out"
        )


def _cells(cells: np.ndarray) -> dict[str, np.ndarray]:
    agenda, year, purposive = np.ascontiguousarray(cells.T)
    age = CLOSE_AGE - (year + FIRST_YEAR)
    return {"agenda": agenda, "year": year, "purposive": purposive, "age": age}


def blank_answers(n_raters: int) -> np.ndarray:
    """Return the codes of a work that nobody rated; dims (6 x rater,)."""
    codes = np.full((6, n_raters), MISSING, dtype=np.int64)
    codes[0], codes[4:] = MISSING_LEVEL, NO_ANSWER
    return codes.reshape(6 * n_raters)
