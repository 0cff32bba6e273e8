"""Where numbers come from: each belief with its source and reason, each source with its rows."""

import csv
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.slots import SLOTS


def belief_rows(folder: Path) -> list[dict[str, Any]]:
    """Return every belief of a run's priors.toml, in the order of the model; empty without one.

    Returns
    -------
    list of dict
        ``name``, ``question``, ``unit``, ``stated`` (the distribution), ``claims``, ``source``,
        ``why``, and ``known``: whether the source is a key of sources.csv.
    """
    path = folder / "priors.toml"
    if not path.is_file():
        return []
    stated = tomllib.loads(path.read_text(encoding="utf-8")).get("priors", {})
    sources = {row["source"] for row in read_table(folder, "sources")}
    return [_belief(name, stated[name], sources=sources) for name in SLOTS if name in stated]


def _belief(name: str, table: Mapping[str, Any], *, sources: set[str]) -> dict[str, Any]:
    numbers = ", ".join(
        f"{key} = {x:g}"
        for key, x in table.items()
        if isinstance(x, int | float) and not isinstance(x, bool)
    )
    told = {"name": name, "question": SLOTS[name].question, "unit": SLOTS[name].unit}
    told |= {key: str(table.get(key, "")) for key in ("source", "why")}
    stated = {"stated": f"{table.get('dist', '')}({numbers})", "claims": table.get("claims", [])}
    return told | stated | {"known": told["source"] in sources}


def source_rows(folder: Path) -> list[dict[str, Any]]:
    """Return every source of a run, with the rows of evidence and the beliefs that cite it."""
    cited: dict[str, list[str]] = {}
    for path in sorted((folder / "evidence").glob("*.csv")):
        rows = read_table(folder, path.stem) if path.stem != "sources" else []
        by_source: dict[str, int] = {}
        for row in rows:
            key = row.get("source")
            if key:
                by_source[key] = by_source.get(key, 0) + 1
        for key, n in by_source.items():
            cited.setdefault(key, []).append(f"{path.stem}.csv: {n} {'row' if n == 1 else 'rows'}")
    beliefs: dict[str, list[str]] = {}
    for belief in belief_rows(folder):
        beliefs.setdefault(belief["source"], []).append(belief["name"])
    return [
        {key: row.get(key) or "" for key in ("source", "title", "year", "where")}
        | {"rows": cited.get(row["source"], []), "beliefs": beliefs.get(row["source"], [])}
        for row in read_table(folder, "sources")
    ]


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a table of a run's evidence, none where it is not there."""
    path = folder / "evidence" / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if any(row.values())]
