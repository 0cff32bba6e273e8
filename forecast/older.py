"""What an older run did not say of itself, read off the tables that it did write."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.verdicts import side

Claims = Sequence[Mapping[str, Any]]


def with_sides(claims: Claims, folder: Path) -> list[dict[str, Any]]:
    """Return a run's claims, each with its ``side``, from claims.csv where it has none yet.

    They stay as they are where that table cannot say it.
    """
    stated = [dict(claim) for claim in claims]
    path = folder / "claims.csv"
    if all("side" in claim for claim in stated) or not path.is_file():
        return stated
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [_numbers(row) for row in csv.DictReader(file)]
        return [
            {"side": side(row for row in rows if row["claim"] == claim["id"])} | claim
            for claim in stated
        ]
    except (KeyError, TypeError, ValueError):  # other columns, or quantities: an older table
        return stated


def _numbers(row: Mapping[str, str]) -> dict[str, Any]:
    """Return a row of the table, what is a number as one."""
    words = ("claim", "who", "quantity", "element", "unit", "evidence")
    return {key: x if key in words else float(x) for key, x in row.items()}
