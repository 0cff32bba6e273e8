"""Evidence tables to the model's arrays: values, indices, weights, row ids.

Every array of a table has the capacity of the structure; rows beyond the evidence have weight 0, so
that leaving out, masking and padding are all weights and an empty table is only zeros. Ratings are
collapsed to distinct rows of one cell (agenda, year, selection) with their count.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from forecast.evidence import Tables, rater_kinds
from forecast.lags import lag_room, lag_weights
from forecast.rating_rows import rating_arrays
from models.errors import InputError
from models.structure import FIRST_YEAR, GROUPS, LAST_YEAR, SIDES, TASKS, WORLDS

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
        whole = hashlib.sha256(repr((self.ids, self.labels, self.family_of)).encode())
        for table in sorted(self.arrays):
            for name in sorted(self.arrays[table]):
                column = np.ascontiguousarray(self.arrays[table][name])
                whole.update(f"{table}.{name}{column.shape}{column.dtype.kind}".encode())
                whole.update(column.tobytes())
        return whole.hexdigest()

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


def _fit(rows: Sequence[Any]) -> list[Any]:
    return [row for row in rows if row.use == "fit"]


def _table(
    rows: Sequence[dict[str, float]],
    ids: Sequence[str],
    *,
    blank: Mapping[str, float],
    whole: Sequence[str] = (),
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return columns of a table; an empty one becomes a single row of weight 0."""
    filled = [row | {"weight": row.get("weight", 1.0)} for row in rows] or [
        {**blank, "weight": 0.0}
    ]
    columns = {name: np.array([row[name] for row in filled]) for name in filled[0]}
    return {
        name: column.astype(np.int64 if name in whole else np.float64)
        for name, column in columns.items()
    }, tuple(ids)


def _definitions(tables: Tables) -> tuple[str, ...]:
    pairs = {
        f"{row.group}/{row.definition}"
        for row in _fit(tables.workers)
        if row.definition != REFERENCE[row.group]
    }
    return tuple(sorted(pairs))


def _workers(tables: Tables) -> Any:
    names = _definitions(tables)
    rows = _fit(tables.workers)
    blank = _figure("point", 100.0) | {"group": 0, "year": 0}
    blank |= {"definition": len(names or "x"), "unverified": 0}
    out = []
    for row in rows:
        key = f"{row.group}/{row.definition}"
        out.append(
            _figure(row.kind, row.central, low=row.low, high=row.high)
            | {
                "group": GROUPS.index(row.group),
                "year": year_index(row.year, f"workers.csv {row.row}"),
                "definition": names.index(key) if key in names else len(names or "x"),
                "unverified": int(row.verified != "yes"),
            }
        )
    whole = ("group", "year", "definition", "unverified", "bound")
    return _table(out, [row.row for row in rows], blank=blank, whole=whole)


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
    return tuple(sorted({row.definition for row in _fit(tables.paper_counts)}))


def _lists(tables: Tables) -> Any:
    names, rows = _list_names(tables), _fit(tables.paper_counts)
    out = [
        {
            "value": row.count,
            "list": names.index(row.definition),
            "year": year_index(row.year, f"paper_counts.csv {row.row}"),
        }
        for row in rows
    ]
    blank = {"value": 0, "list": 0, "year": 0}
    return _table(out, [row.row for row in rows], blank=blank, whole=("list", "year"))


def _fte(tables: Tables, agendas: tuple[str, ...]) -> Any:
    """Rows of one year and agenda add up; an open-ended range counts as its floor doubled."""
    total: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in _fit(tables.agenda_fte):
        ends = total[row.agenda, row.year]
        ends[0] += row.low
        ends[1] += 2.0 * row.low if row.high is None else row.high
    out = [
        {
            "value": 0.5 * (np.log(low) + np.log(high)),
            "agenda": agendas.index(agenda),
            "spread": (np.log(high) - np.log(low)) / RANGE,
        }
        for (agenda, _), (low, high) in total.items()
    ]
    ids = [f"{agenda}/{year}" for agenda, year in total]
    blank = {"value": 0.0, "agenda": 0, "spread": 1.0}
    return _table(out, ids, blank=blank, whole=("agenda",))


def _studies(tables: Tables) -> Any:
    rows = tables.fault_counts
    out = [
        {
            "value": row.mixed,
            "total": row.mixed + (row.wrong_code or 0),
            "weight": float(row.wrong_code is not None),
        }
        for row in rows
    ]
    return _table(out, [row.study for row in rows], blank={"value": 0, "total": 1})


def _diagnosis(tables: Tables) -> Any:
    rows = _fit(tables.diagnosis)
    rows = [row for row in rows if row.task in TASKS and row.world in WORLDS]
    out = [
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
    whole = ("world", "task", "production")
    return _table(out, [row.row for row in rows], blank=blank, whole=whole)


def lag_rows(tables: Tables, *, close: float = CLOSE, last: int = LAST_YEAR) -> Any:
    """First uses by others, each event once: its raters share its weight.

    A sourced use (spillovers.csv, alignment_uses.csv) enters where no rater dated the event.
    ``close`` is the date at which the evidence was read and ``last`` its last year, which the lags
    are truncated at. Rows of weight 0 are room for the lags that a simulation may give.
    """
    weight = lag_weights(tables, last=last)
    room = lag_room(weight, last=last)
    out = [
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
    return _table(out, ids, blank=blank, whole=("side",))
