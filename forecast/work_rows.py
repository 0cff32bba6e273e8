"""Each work with the posterior of its level, tracking and documented uses, by column.

All works go to works.csv, block by block; the page and the terminal hold rows of at most
:data:`MOST_SHOWN`, evenly spaced, and those of any other work are read from that file.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forecast.columns.frames import BLOCK
from forecast.evidence import Tables
from models.structure import LEVELS, SIDES

MOST_SHOWN = 5000
"""Works that are rows of the report's data."""
TOLD = ("work", "title", "year", "agenda", "selection", "gist")
"""Columns of a work that are shown as they are."""
CHANCES = (*(f"p_level_{k}" for k in LEVELS), "p_tracks", *(f"p_{side}_used" for side in SIDES))
"""Columns of chances, in their order."""


def chances(states: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the columns :data:`CHANCES` of every work, from its states; dims (work, column)."""
    single = [states[name] for name in ("tracking", *SIDES)]
    return np.column_stack([states["level"], *single])


def save_works(path: Path, tables: Tables, *, states: Mapping[str, np.ndarray]) -> None:
    """Write works.csv, a block of works at a time."""
    found = chances(states)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*TOLD, *CHANCES))
        for start in range(0, len(tables.works), BLOCK):
            columns = [tables.works.columns[name].slice(start, BLOCK).to_pylist() for name in TOLD]
            columns += found[start : start + BLOCK].T.tolist()
            writer.writerows(zip(*columns, strict=True))


def work_rows(tables: Tables, states: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return works with their chances and ratings: all, or evenly spaced ones if there are many."""
    at = shown_places(len(tables.works))
    works, found = tables.works.take(at), chances(states)[at].tolist()
    answers = ratings_of(tables, works.text("work"))
    rows = []
    for work, p in zip(works, found, strict=True):
        row: dict[str, Any] = {name: getattr(work, name) for name in TOLD}
        row |= dict(zip(CHANCES, p, strict=True))
        rows.append(row | {"ratings": answers.get(work.work, [])})
    return rows


def shown_places(n: int) -> np.ndarray:
    """Return the places of the works shown."""
    return np.linspace(0, n - 1, min(n, MOST_SHOWN)).astype(int)


def ratings_of(tables: Tables, works: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the ratings of some works, in the order of the table, by work."""
    held = np.flatnonzero(tables.ratings.places("work", works) >= 0)
    answers: dict[str, list[dict[str, Any]]] = {}
    for r in tables.ratings.take(held):
        answers.setdefault(r.work, []).append(
            {"rater": r.rater, "level": r.level, "tracks": r.tracks}
            | {"cap_use": r.cap_use, "ali_use": r.ali_use, "confidence": r.confidence}
        )
    return answers


def read_work(path: Path, key: str) -> dict[str, Any] | None:
    """Return one work of a works.csv, without its ratings; None if it is not there."""
    with path.open(encoding="utf-8", newline="") as file:
        found = next((row for row in csv.DictReader(file) if row["work"] == key), None)
    if found is None:
        return None
    numbers: dict[str, Any] = {name: float(found[name]) for name in CHANCES}
    return {**found, "year": int(found["year"]), "ratings_kept": False, **numbers}
