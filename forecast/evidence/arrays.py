"""Evidence tables to the model's arrays: values, indices, weights, row ids.

Every array of a table has the capacity of the structure; rows beyond the evidence have weight 0, so
that leaving out, masking and padding are all weights and an empty table is only zeros. Ratings are
collapsed to distinct rows of one cell (agenda, year, selection) with their count; first uses by
others are counted by side, year of the work and lag. Nothing here loops over works or ratings.
"""

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.evidence.frame import TEXT, places
from forecast.evidence.load import KEPT_HASHES, LONG, Tables, rater_kinds, rows_that_fit
from forecast.files import write_json
from forecast.runs.folder import copy_evidence
from models.dims import COLUMNS, FIRST_YEAR, GROUPS, LAST_YEAR, SIDES, TASKS, WORLDS
from models.errors import InputError
from models.ratings.formula import MISSING, MISSING_LEVEL, NO_ANSWER, ordered

WHOSE = {(1, 0): 1, (0, 1): 2, (1, 1): 3, (0, 0): NO_ANSWER}
"""Code of (own, other) in uses.csv; neither is no answer."""
ANSWER_CODES = (MISSING_LEVEL + 1, *[MISSING + 1] * 3, 4, 4)
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
    """Return every work's answers, coded; dims (work, 6 x rater).

    Answers of others than ``raters`` are left out.
    """
    n, keys = len(raters), tables.works.text("work")
    codes = np.tile(blank_answers(n), (len(tables.works), 1))
    rows = tables.ratings
    work, rater = rows.places("work", keys), rows.places("rater", raters)
    for column, name in enumerate(("level", "tracks", "cap_use", "ali_use")):
        answer = rows.whole(name)
        given = (answer >= 0) & (rater >= 0)
        codes[work[given], column * n + rater[given]] = answer[given]
    uses = tables.uses
    work, rater = uses.places("work", keys), uses.places("rater", raters)
    side = uses.places("side", ("cap", "ali"))
    whose = np.array([[WHOSE[own, other] for other in (0, 1)] for own in (0, 1)])
    answer, given = whose[uses.whole("own"), uses.whole("other")], rater >= 0
    codes[work[given], (4 + side[given]) * n + rater[given]] = answer[given]
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
    _, first, index = np.unique(ordered(triples, sizes), return_index=True, return_inverse=True)
    cells = triples[first] if len(first) else np.zeros((1, 3), dtype=np.int64)
    distinct = collapsed(codes, index)
    rows = padded_rows(distinct, room(codes, index))
    ids = joined_ids(works.text("work").to_pylist(), distinct)
    return RatingArrays({"cells": _cells(cells), "ratings": rows}, ids, distinct.row, index)


def collapsed(codes: np.ndarray, cell: np.ndarray) -> Collapsed:
    """Return the distinct rows of those that hold an answer, with their counts."""
    n = codes.shape[1] // 6
    rated = (codes != blank_answers(n)).any(axis=1)
    sizes = (int(cell.max(initial=0)) + 1, *np.repeat(ANSWER_CODES, n).tolist())
    keys = ordered(np.column_stack([cell, codes])[rated], sizes)
    _, first, inverse, count = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    row = np.full(len(codes), -1)
    row[rated] = inverse
    index = np.flatnonzero(rated)[first]
    return Collapsed(codes[index], cell[index], count, row)


def padded_rows(distinct: Collapsed, n: int) -> dict[str, Any]:
    """Return the arrays of a table with at least ``n`` rows; those beyond ``distinct`` weigh 0."""
    blank, n_rows = blank_answers(distinct.value.shape[1] // 6), len(distinct.value)
    n = max(n, n_rows)
    rows: dict[str, Any] = {
        "value": np.tile(blank, (n, 1)),
        "cell": np.zeros(n, dtype=np.int64),
        "asked": np.zeros((n, len(blank)), dtype=np.int64),
        "weight": np.zeros(n),
    }
    rows["value"][:n_rows], rows["cell"][:n_rows] = distinct.value, distinct.cell
    rows["asked"][:n_rows], rows["weight"][:n_rows] = distinct.value != blank, distinct.count
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
    distinct = collapsed(codes, cell)
    _, one = np.unique(distinct.row[rated], return_index=True)
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


def joined_ids(works: Sequence[str], distinct: Collapsed) -> tuple[str, ...]:
    """Return the id of each distinct row: its works in their order, joined by ``+``."""
    order = np.argsort(distinct.row, kind="stable")[np.count_nonzero(distinct.row < 0) :]
    ends = np.cumsum(distinct.count).tolist()
    names = [works[i] for i in order.tolist()]
    return tuple("+".join(names[i:j]) for i, j in zip([0, *ends], ends, strict=False))


def _check_years(tables: Tables) -> None:
    """Refuse works of years that the model does not have: they would have no posterior.

    Raises
    ------
    InputError
        With up to five of them.
    """
    year = tables.works.whole("year")
    outside = np.flatnonzero((year < FIRST_YEAR) | (year > LAST_YEAR))
    if len(outside):
        few = [f"{w.work} ({w.year})" for w in tables.works.take(outside[:5])]
        shown = ", ".join(few) + (", ..." if len(outside) > 5 else "")
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


LAG_CODES = {"capabilities": "cap", "alignment": "ali"}
"""How uses.csv writes a side."""


def lag_weights(tables: Tables, *, last: int) -> dict[tuple[str, int, int], float]:
    """Return the weight of each (side, year, lag), sorted: an event weighs 1, shared by its raters.

    A sourced use enters where no rater dated the event, the first of a work and side. Lags are
    truncated at ``last``.
    """
    year = tables.works.whole("year")
    event, lag = dated_events(tables)
    more = sourced_events(tables)
    new = ~np.isin(more[0], event)
    event, lag = np.append(event, more[0][new]), np.append(lag, more[1][new])
    _, first, index, count = np.unique(
        event, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first[index], kind="stable")  # sums run event by event, as they stand
    event, lag, weight = event[order], lag[order], 1 / count[index[order]]
    born = year[event // 2]
    lag = np.minimum(np.maximum(lag, 0), last - born)
    names = np.array(sorted(range(len(SIDES)), key=lambda i: SIDES[i]))
    keys = np.column_stack([np.argsort(names)[event % 2], born, lag])
    keys_present, inverse = np.unique(keys, axis=0, return_inverse=True)
    total = np.bincount(inverse.ravel(), weights=weight, minlength=len(keys_present))
    return {
        (SIDES[names[side]], int(born), int(lag)): float(w)
        for (side, born, lag), w in zip(keys_present.tolist(), total, strict=True)
    }


def lag_room(
    weight: dict[tuple[str, int, int], float], *, last: int
) -> list[tuple[tuple[str, int, int], float]]:
    """Return the rows of weight 0 that make room for every lag that as many events may have."""
    by_year: dict[tuple[str, int], list[float]] = {}
    for (side, year, _), w in weight.items():
        by_year.setdefault((side, year), []).append(w)
    return [
        ((side, year, 0), 0.0)
        for (side, year), weights in by_year.items()
        for _ in range(min(round(sum(weights)), last - year + 1) - len(weights))
    ]


def dated_events(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return the event (2 x work + side) and the lag of each first use that a rater dates."""
    uses, years = tables.uses, tables.works.whole("year")
    first = uses.whole("first_year")
    given = first >= 0
    work = uses.places("work", tables.works.text("work"))[given]
    side = uses.places("side", [LAG_CODES[side] for side in SIDES])[given]
    return 2 * work + side, first[given] - years[work]


def sourced_events(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return event and lag of the uses of a known work that a source dates, one of each event."""
    lag_of: dict[int, int] = {}
    sourced = {"capabilities": tables.spillovers, "alignment": tables.alignment_uses}
    for side, rows in sourced.items():
        fit = rows_that_fit(rows)
        keys = pa.array([row.mi_work for row in fit], TEXT)
        index = places(keys, tables.works.text("work"))
        for row, work in zip(fit, index.tolist(), strict=True):
            if work >= 0:
                lag_of.setdefault(2 * work + SIDES.index(side), row.lag)
    return np.array(list(lag_of), dtype=np.int64), np.array(list(lag_of.values()), dtype=np.int64)


CLOSE = 2026.89
"""The date at which the evidence closes, 22 November 2026, as a year."""
REFERENCE = {
    "alignment": "technical-fte",
    "capabilities": "author-pool",
    "interpretability": "mech-interp",
}
"""Each group's definition without an offset (evidence/README.md)."""
RANGE = 2.0 * 1.645
"""Standard deviations that a 90% range spans."""
Arrays = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Arrays by table, the ids of their rows, and the labels that become coordinates.

    ``row_of_work`` gives each work's distinct rating row, -1 where it has no rating, and
    ``cell_of_work`` its cell. Two are equal if their arrays and labels are.
    """

    arrays: Arrays
    ids: dict[str, tuple[str, ...]]
    labels: dict[str, tuple[str, ...]]
    family_of: tuple[int, ...]
    kind_of: tuple[int, ...]
    works: tuple[str, ...]
    row_of_work: np.ndarray
    cell_of_work: np.ndarray

    @cached_property
    def key(self) -> str:
        """SHA-256 of the content."""
        digest = hashlib.sha256(repr((self.ids, self.labels, self.family_of)).encode())
        for table in sorted(self.arrays):
            for name in sorted(self.arrays[table]):
                column = np.ascontiguousarray(self.arrays[table][name])
                digest.update(f"{table}.{name}{column.shape}{column.dtype.kind}".encode())
                digest.update(column.tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evidence) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def to_arrays(tables: Tables) -> Evidence:
    """Return the model's arrays of all tables.

    Raises
    ------
    InputError
        If a fit row lies outside the fixed axis of years.
    """
    agendas = tuple(row.agenda for row in tables.agendas)
    lines = tuple(dict.fromkeys(row.family for row in tables.agendas))
    raters = tuple(tables.ratings.distinct("rater"))
    raters += tuple(f"absent-{i + 1}" for i in range(max(0, 2 - len(raters))))
    kinds_by_rater = rater_kinds(tables)
    kind = [kinds_by_rater.get(rater, "language-model") for rater in raters]
    kinds = tuple(dict.fromkeys(kind))
    parts = {
        "workers": _workers(tables),
        "lists": _lists(tables),
        "fte": _fte(tables, agendas),
        "studies": _studies(tables),
        "diagnosis": _diagnosis(tables),
        "lags": lag_rows(tables),
    }
    ratings = rating_arrays(tables, agendas, raters=raters)
    return Evidence(
        arrays={name: part[0] for name, part in parts.items()} | ratings.arrays,
        ids={name: part[1] for name, part in parts.items()} | {"ratings": ratings.ids},
        labels={
            "agenda": agendas,
            "family": lines,
            "definition": _definitions(tables) or ("none",),
            "list": _list_names(tables) or ("none",),
            "study": parts["studies"][1] or ("none",),
            "rater": raters,
            "kind": kinds,
        },
        family_of=tuple(lines.index(row.family) for row in tables.agendas),
        kind_of=tuple(kinds.index(k) for k in kind),
        works=tuple(tables.works.text("work").to_pylist()),
        row_of_work=ratings.row_of_work,
        cell_of_work=ratings.cell_of_work,
    )


def year_index(year: int, what: str) -> int:
    """Return the place of a year on the fixed axis, or refuse it."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InputError(
            f"{what}: found year {year}; a row that enters the fit must lie in "
            f"{FIRST_YEAR}-{LAST_YEAR}: set its use to compare"
        )
    return year - FIRST_YEAR


def _table(
    rows: Sequence[dict[str, Any]],
    ids: Sequence[str],
    *,
    blank: Mapping[str, float],
    integers: Sequence[str] = (),
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return columns of a table; an empty one becomes a single row of weight 0."""
    filled = [row | {"weight": row.get("weight", 1.0)} for row in rows] or [
        {**blank, "weight": 0.0}
    ]
    columns = {name: np.array([row[name] for row in filled]) for name in filled[0]}
    return {
        name: column.astype(np.int64 if name in integers else np.float64)
        for name, column in columns.items()
    }, tuple(ids)


def _definitions(tables: Tables) -> tuple[str, ...]:
    pairs = {
        f"{row.group}/{row.definition}"
        for row in rows_that_fit(tables.workers)
        if row.definition != REFERENCE[row.group]
    }
    return tuple(sorted(pairs))


def _workers(tables: Tables) -> Any:
    names = _definitions(tables)
    rows = rows_that_fit(tables.workers)
    blank = _figure("point", 100.0) | {"group": 0, "year": 0}
    blank |= {"definition": len(names or "x"), "unverified": 0}
    records = []
    for row in rows:
        key = f"{row.group}/{row.definition}"
        records.append(
            _figure(row.kind, row.central, low=row.low, high=row.high)
            | {
                "group": GROUPS.index(row.group),
                "year": year_index(row.year, f"workers.csv {row.row}"),
                "definition": names.index(key) if key in names else len(names or "x"),
                "unverified": int(row.verified != "yes"),
            }
        )
    integers = ("group", "year", "definition", "unverified", "bound")
    return _table(records, [row.row for row in rows], blank=blank, integers=integers)


def _figure(kind: str, central: Any, *, low: Any = None, high: Any = None) -> dict[str, float]:
    figure = {"value": 0.0, "bound": 0, "threshold": 0.0, "spread": 0.0}
    if kind == "point":
        return figure | {"value": float(np.log(central))}
    if kind == "interval":
        middle = 0.5 * (np.log(low) + np.log(high))
        return figure | {"value": middle, "spread": (np.log(high) - np.log(low)) / RANGE}
    below = kind == "upper"
    return figure | {"value": float(below), "bound": 1, "threshold": np.log(high if below else low)}


def _list_names(tables: Tables) -> tuple[str, ...]:
    return tuple(sorted({row.definition for row in rows_that_fit(tables.paper_counts)}))


def _lists(tables: Tables) -> Any:
    names, rows = _list_names(tables), rows_that_fit(tables.paper_counts)
    records = [
        {
            "value": row.count,
            "list": names.index(row.definition),
            "year": year_index(row.year, f"paper_counts.csv {row.row}"),
        }
        for row in rows
    ]
    blank = {"value": 0, "list": 0, "year": 0}
    return _table(records, [row.row for row in rows], blank=blank, integers=("list", "year"))


def _fte(tables: Tables, agendas: tuple[str, ...]) -> Any:
    """Rows of one year and agenda add up; an open-ended range counts as its floor doubled."""
    total: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows_that_fit(tables.agenda_fte):
        ends = total[row.agenda, row.year]
        ends[0] += row.low
        ends[1] += 2.0 * row.low if row.high is None else row.high
    records = [
        {
            "value": 0.5 * (np.log(low) + np.log(high)),
            "agenda": agendas.index(agenda),
            "spread": (np.log(high) - np.log(low)) / RANGE,
        }
        for (agenda, _), (low, high) in total.items()
    ]
    ids = [f"{agenda}/{year}" for agenda, year in total]
    blank = {"value": 0.0, "agenda": 0, "spread": 1.0}
    return _table(records, ids, blank=blank, integers=("agenda",))


def _studies(tables: Tables) -> Any:
    rows = tables.fault_counts
    records = [
        {
            "value": row.mixed,
            "total": row.mixed + (row.wrong_code or 0),
            "weight": float(row.wrong_code is not None),
        }
        for row in rows
    ]
    return _table(records, [row.study for row in rows], blank={"value": 0, "total": 1})


def _diagnosis(tables: Tables) -> Any:
    rows = [row for row in rows_that_fit(tables.diagnosis) if row.task in TASKS]
    rows = [row for row in rows if row.world in WORLDS]
    records = [
        {
            "value": row.found,
            "total": row.total,
            "world": WORLDS.index(row.world),
            "task": TASKS.index(row.task),
            "production": int(row.setting == "production"),
        }
        for row in rows
    ]
    blank = {"value": 0, "total": 1, "world": 0, "task": 0, "production": 0}
    integers = ("world", "task", "production")
    return _table(records, [row.row for row in rows], blank=blank, integers=integers)


def lag_rows(tables: Tables, *, close: float = CLOSE, last: int = LAST_YEAR) -> Any:
    """First uses by others, each event once: its raters share its weight.

    A sourced use (spillovers.csv, alignment_uses.csv) enters where no rater dated the event.
    ``close`` is the date at which the evidence was read and ``last`` its last year, which the lags
    are truncated at. Rows of weight 0 are room for the lags that a simulation may give.
    """
    weight = lag_weights(tables, last=last)
    room = lag_room(weight, last=last)
    records = [
        {
            "value": lag,
            "side": SIDES.index(side),
            "age": close - (year + 0.5),
            "cells": last - year + 1,
            "weight": w,
        }
        for (side, year, lag), w in (*weight.items(), *room)
    ]
    ids = [f"{side}/{year}/{lag}" for side, year, lag in weight]
    blank = {"value": 0, "side": 0, "age": 1.0, "cells": 1}
    return _table(records, ids, blank=blank, integers=("side",))


MOST_BYTES = 20_000_000
"""Size of all tables together above which the long ones are not copied."""


def table_files(folder: Path) -> list[Path]:
    """Return the files of a folder of tables."""
    return sorted((*folder.glob("*.csv"), *folder.glob("*.parquet")))


def keep_evidence(tables: Tables, evidence: Evidence, *, target: Path) -> None:
    """Copy the tables used into the run.

    Above :data:`MOST_BYTES` the long ones are left out: ``rating_rows.parquet`` holds the distinct
    rows with their counts, ``work_ids.parquet`` each work's row, and ``hashes.json`` size and
    SHA-256 of every file that was read.
    """
    files = table_files(tables.folder)
    if sum(file.stat().st_size for file in files) <= MOST_BYTES:
        copy_evidence(tables.folder, target)
        return
    target.mkdir()
    for file in files:
        if file.stem not in LONG:
            shutil.copyfile(file, target / file.name)
    pq.write_table(distinct_rows(evidence), target / "rating_rows.parquet")
    ids = {"work": pa.array(evidence.works, TEXT)}
    ids |= {"row": pa.array(evidence.row_of_work, pa.int32())}
    pq.write_table(pa.table(ids), target / "work_ids.parquet")
    write_json(target / KEPT_HASHES, {file.name: _file_record(file) for file in files})


def _file_record(file: Path) -> dict[str, Any]:
    with file.open("rb") as source:
        return {
            "bytes": file.stat().st_size,
            "sha256": hashlib.file_digest(source, "sha256").hexdigest(),
        }


def distinct_rows(evidence: Evidence) -> pa.Table:
    """Return the distinct rows: agenda, year, selection, count, and the code of each answer."""
    rows, cells, labels = evidence.arrays["ratings"], evidence.arrays["cells"], evidence.labels
    n = len(evidence.ids["ratings"])
    cell = rows["cell"][:n]
    columns_of_cells: dict[str, Any] = {
        "agenda": pa.array(labels["agenda"]).take(pa.array(cells["agenda"][cell])),
        "year": pa.array(cells["year"][cell] + FIRST_YEAR, pa.int32()),
        "selection": pa.array(["sampled", "purposive"]).take(pa.array(cells["purposive"][cell])),
        "works": pa.array(rows["weight"][:n].astype(int), pa.int32()),
    }
    columns = ("level", *COLUMNS, "capabilities_whose", "alignment_whose")
    names = [f"{column}/{rater}" for column in columns for rater in labels["rater"]]
    codes = zip(names, rows["value"][:n].T, strict=True)
    return pa.table(columns_of_cells | {name: pa.array(x, pa.int8()) for name, x in codes})
