"""What was knowable at the end of a year: the tables as they stood, and the Case that holds them.

Leaving out is a weight of 0: the design (works, agendas, years, raters) keeps its shape, so that
nothing compiles, and every value that was not known is blank. A row counts as known by its own
year, else by the year of its source, else not at all; forecasts by others count by their date.

Ratings carry no date. A rater's level and tracking of a work are taken as known once the work is
there. A *use* that was marked counts as known where it is the work's own, or where a separate use
has been dated by then (uses.csv, spillovers.csv, alignment_uses.csv); else the answer is missing.
A recorded absence of use stays: what has no use by the close of the evidence had none before. Ages
run to the end of the year: YEAR + 1 less mid-year.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forecast.arrays import Arrays, lag_rows
from forecast.case import Case
from forecast.columns.frames import frame
from forecast.evidence import Tables
from forecast.rating_rows import (
    answer_codes,
    blank_answers,
    collapsed,
    joined_ids,
    padded_rows,
)
from forecast.work_tables import Rating, UseDate
from models.structure import FIRST_YEAR

SIDE_COLUMN = {"cap": "cap_use", "ali": "ali_use"}
ONE = ("total", "spread", "cells", "age")
"""Columns that are 1 where a row is blank, so that its density stays finite; the others are 0."""
BY_ROW = {
    "workers": "workers",
    "paper_counts": "lists",
    "diagnosis": "diagnosis",
}
"""Tables whose rows are rows of arrays under another name, by id."""


def tables_at(tables: Tables, year: int) -> Tables:
    """Return the tables as they stood at the end of ``year``; works stay, as the design."""
    source_year = {row.source: row.year for row in tables.sources}
    study_year = {row.study: row.year or source_year.get(row.source) for row in tables.faults}

    def dated(rows: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(r for r in rows if (r.year or source_year.get(r.source) or year + 1) <= year)

    studies = (r for r in tables.fault_counts if (study_year.get(r.study) or year + 1) <= year)
    made = (row for row in tables.forecasts if row.date and int(row.date[:4]) <= year)
    known = replace(
        tables,
        workers=dated(tables.workers),
        agenda_fte=dated(tables.agenda_fte),
        paper_counts=dated(tables.paper_counts),
        faults=dated(tables.faults),
        diagnosis=dated(tables.diagnosis),
        fault_counts=tuple(studies),
        forecasts=tuple(made),
        milestones=tuple(_milestone_at(row, year) for row in tables.milestones),
        spillovers=tuple(r for r in tables.spillovers if r.capability_year <= year),
        alignment_uses=tuple(r for r in tables.alignment_uses if r.alignment_year <= year),
    )
    return _ratings_at(known, year)


def _milestone_at(row: Any, year: int) -> Any:
    if row.reached is None or row.reached <= year:
        return row
    return row.model_copy(update={"reached": None, "work": None})


def _ratings_at(tables: Tables, year: int) -> Tables:
    """Return the tables with ratings of works up to ``year``, and the uses known by then."""
    there = {row.work for row in tables.works if row.year <= year}
    sourced = _sourced(tables)
    uses, known = [], set(sourced)
    for row in tables.uses:
        if row.work not in there:
            continue
        own_date = row.first_year if row.other else None
        dates = [t for t in (own_date, sourced.get((row.work, row.side))) if t is not None]
        first = next((t for t in dates if t <= year), None) if row.other else None
        if row.own or first is not None:
            known.add((row.work, row.side, row.rater))
            uses.append(
                row.model_copy(update={"other": int(first is not None), "first_year": first})
            )
    ratings = [_rating_at(r, known) for r in tables.ratings if r.work in there]
    return replace(tables, uses=frame(UseDate, uses), ratings=frame(Rating, ratings))


def _sourced(tables: Tables) -> dict[tuple[str, ...], int]:
    """Return the year of the first separate use that a source dates, by work and side."""
    first: dict[tuple[str, ...], int] = {}
    for side, rows, column in (
        ("cap", tables.spillovers, "capability_year"),
        ("ali", tables.alignment_uses, "alignment_year"),
    ):
        for row in rows:
            if row.use != "none" and not row.same_work:
                key, when = (row.mi_work, side), int(getattr(row, column))
                first[key] = min(when, first.get(key, when))
    return first


def _rating_at(row: Any, known: set[tuple[str, ...]]) -> Any:
    """Return a rating whose marks of use that were not known yet are missing."""
    unknown = {
        column: None
        for side, column in SIDE_COLUMN.items()
        if getattr(row, column) == 1 and not {(row.work, side), (row.work, side, row.rater)} & known
    }
    return row.model_copy(update=unknown) if unknown else row


def case_at(case: Case, tables: Tables, *, year: int) -> Case:
    """Return the Case of what was knowable at the end of ``year``: same structure, other weights.

    Parameters
    ----------
    case
        Of all the evidence; its structure is kept.
    tables
        The tables that ``case`` was made from.
    year
        The origin.
    """
    known = tables_at(tables, year)
    arrays = {name: dict(columns) for name, columns in case.evidence.arrays.items()}
    ids = dict(case.evidence.ids)
    for table, name in BY_ROW.items():
        rows = {row.row for row in getattr(known, table)}
        arrays[name] = blanked(arrays[name], [i in rows for i in ids[name]])
    studies = {row.study for row in known.fault_counts}
    arrays["studies"] = blanked(arrays["studies"], [i in studies for i in ids["studies"]])
    fte = [int(i.rsplit("/", 1)[1]) <= year for i in ids["fte"]]
    arrays["fte"] = blanked(arrays["fte"], fte)
    lags, ids["lags"] = lag_rows(known, close=year + 1.0, last=year)
    arrays["lags"] = padded(lags, len(arrays["lags"]["weight"]))
    arrays["cells"] = _cells_at(arrays["cells"], year)
    codes = _codes_at(known, case.evidence.labels["rater"], year=year)
    made = collapsed(codes, case.evidence.cell_of_work)
    arrays["ratings"] = padded_rows(made, len(arrays["ratings"]["weight"]))
    ids["ratings"] = joined_ids(case.evidence.works, made)
    evidence = replace(case.evidence, arrays=arrays, ids=ids, row_of_work=made.row)
    soft = {row.row for row in known.forecasts}
    experts = tuple(expert for expert in case.experts if expert.row in soft)
    return replace(case, evidence=evidence, experts=experts)


def blanked(columns: dict[str, np.ndarray], keep: Sequence[bool]) -> dict[str, np.ndarray]:
    """Return the columns of a table with the rows not kept blank, and of weight 0."""
    n = len(columns["weight"])
    kept = np.array([*keep, *[False] * (n - len(keep))], dtype=bool)
    return {
        name: np.where(kept, values, np.asarray(float(name in ONE), dtype=values.dtype))
        for name, values in columns.items()
    }


def padded(columns: dict[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """Return the columns of a table with blank rows added up to ``n``."""
    some = {name: np.resize(values, n) for name, values in columns.items()}
    return blanked(some, [True] * len(columns["weight"]))


def _cells_at(cells: dict[str, np.ndarray], year: int) -> dict[str, np.ndarray]:
    """Return the cells with ages at the end of ``year``; those of later years keep theirs."""
    born = cells["year"] + FIRST_YEAR
    return cells | {"age": np.where(born <= year, year + 0.5 - born, cells["age"])}


def _codes_at(known: Tables, raters: tuple[str, ...], *, year: int) -> np.ndarray:
    """Return every work's answers, none of works after ``year``; dims (work, 6 x rater)."""
    there = known.works.whole("year") <= year
    return np.where(there[:, None], answer_codes(known, raters), blank_answers(len(raters)))


def cell_of_works(
    arrays: Arrays, labels: dict[str, tuple[str, ...]], *, works: Sequence[Any]
) -> np.ndarray:
    """Return each work's place among the cells (agenda, year, selection)."""
    cells = arrays["cells"]
    triples = zip(cells["agenda"], cells["year"], cells["purposive"], strict=True)
    place = {tuple(map(int, triple)): i for i, triple in enumerate(triples)}
    agenda = {name: i for i, name in enumerate(labels["agenda"])}
    return np.array(
        [
            place[agenda[w.agenda], w.year - FIRST_YEAR, int(w.selection == "purposive")]
            for w in works
        ],
        dtype=np.int64,
    )


__all__ = ["blanked", "case_at", "cell_of_works", "padded", "tables_at"]
