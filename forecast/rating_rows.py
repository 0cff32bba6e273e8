"""Works and ratings to cells and distinct rows with weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.evidence import Tables
from models.errors import InputError
from models.ratings import MISSING, MISSING_LEVEL, NO_ANSWER
from models.structure import FIRST_YEAR, LAST_YEAR

WHOSE = {(1, 0): 1, (0, 1): 2, (1, 1): 3, (0, 0): NO_ANSWER}
"""Code of (own, other) in uses.csv; neither is no answer."""
CLOSE_AGE = 2026.39
"""Age of a work at the close of the evidence, from mid-year, less its year."""


@dataclass(frozen=True)
class RatingArrays:
    """Arrays ``cells`` and ``ratings``, the works of each distinct row, and each work's row."""

    arrays: dict[str, dict[str, np.ndarray]]
    ids: tuple[str, ...]
    row_of_work: np.ndarray


def answer_codes(tables: Tables, raters: tuple[str, ...]) -> np.ndarray:
    """Return every work's answers; dims (work, 6 x rater), coded as :mod:`models.ratings` reads."""
    n, works = len(raters), {row.work: i for i, row in enumerate(tables.works)}
    codes = np.full((len(works), 6, n), MISSING, dtype=np.int64)
    codes[:, 0], codes[:, 4:] = MISSING_LEVEL, NO_ANSWER
    for row in tables.ratings:
        at = works[row.work], raters.index(row.rater)
        answers = (row.level, row.tracks, row.cap_use, row.ali_use)
        for column, answer in enumerate(answers):
            if answer is not None:
                codes[at[0], column, at[1]] = answer
    for use in tables.uses:
        if use.rater in raters:
            column = 4 if use.side == "cap" else 5
            answer = WHOSE[int(use.own), int(use.other)]
            codes[works[use.work], column, raters.index(use.rater)] = answer
    return codes.reshape(len(works), 6 * n)


def rating_arrays(
    tables: Tables, agendas: tuple[str, ...], *, raters: tuple[str, ...]
) -> RatingArrays:
    """Collapse works to cells and their answers to distinct rows with counts.

    The capacity of rows is the number of works, so that any simulated answers fit.
    """
    codes = answer_codes(tables, raters)
    triples = [
        (agendas.index(w.agenda), w.year - FIRST_YEAR, int(w.selection == "purposive"))
        for w in tables.works
    ]
    _check_years(tables)
    cells = sorted(set(triples)) or [(0, 0, 0)]
    place = {cell: i for i, cell in enumerate(cells)}
    rated = (codes != blank_answers(len(raters))).any(axis=1)
    at = np.array([place[t] for t in triples], dtype=np.int64)
    keys = np.column_stack([at, codes])
    row_of_work = np.full(len(codes), -1)
    capacity = max(len(codes), 1)
    rows: dict[str, Any] = {
        "value": np.tile(blank_answers(len(raters)), (capacity, 1)),
        "cell": np.zeros(capacity, dtype=np.int64),
        "asked": np.zeros((capacity, 6 * len(raters)), dtype=np.int64),
        "weight": np.zeros(capacity),
    }
    ids: tuple[str, ...] = ()
    if rated.any():
        distinct, inverse, count = np.unique(
            keys[rated], axis=0, return_inverse=True, return_counts=True
        )
        n = len(distinct)
        row_of_work[rated] = inverse.ravel()
        rows["value"][:n], rows["cell"][:n] = distinct[:, 1:], distinct[:, 0]
        rows["asked"][:n] = distinct[:, 1:] != blank_answers(len(raters))
        rows["weight"][:n] = count
        ids = tuple(
            "+".join(tables.works[int(i)].work for i in np.flatnonzero(row_of_work == row))
            for row in range(n)
        )
    return RatingArrays({"cells": _cells(cells), "ratings": rows}, ids, row_of_work)


def _check_years(tables: Tables) -> None:
    """Refuse works of years that the model does not have: no posterior of them could be told.

    Raises
    ------
    InputError
        With up to five of them.
    """
    out = [f"{w.work} ({w.year})" for w in tables.works if not FIRST_YEAR <= w.year <= LAST_YEAR]
    if out:
        shown = ", ".join(out[:5]) + (", ..." if len(out) > 5 else "")
        raise InputError(
            f"works.csv, column year: found {shown}; the model's years are "
            f"{FIRST_YEAR}-{LAST_YEAR}: correct the year, or leave the work out"
        )


def _cells(cells: list[tuple[int, int, int]]) -> dict[str, np.ndarray]:
    agenda, year, purposive = np.array(cells, dtype=np.int64).T
    age = CLOSE_AGE - (year + FIRST_YEAR)
    return {"agenda": agenda, "year": year, "purposive": purposive, "age": age}


def blank_answers(n_raters: int) -> np.ndarray:
    """Return the codes of a work that nobody rated; dims (6 x rater,)."""
    codes = np.full((6, n_raters), MISSING, dtype=np.int64)
    codes[0], codes[4:] = MISSING_LEVEL, NO_ANSWER
    return codes.reshape(6 * n_raters)
