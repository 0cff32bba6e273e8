"""What information is worth, for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import chance, label, number

Row = Mapping[str, Any]
TOP = 12
"""Beliefs shown; the file holds all."""


def value_text(s: Row) -> str:
    """Return blocks, beliefs and studies with what knowing them is worth."""
    groups = {
        f"Knowing a {kind}": [
            (f"{r['name']}{'' if r['reached'] else ' (no table reaches it)'}", r)
            for r in s["beliefs"]
            if r["kind"] == kind
        ][:TOP]
        for kind in ("block", "belief")
    }
    if not s["quick"]:
        groups["Having a study first"] = [(r["told"], r) for r in s["studies"]]
    value_tables = [_worth(title, rows, unit=s["unit"]) for title, rows in groups.items()]
    return render("value", **s, label=label(s["quantity"]), value_tables=value_tables)


def _worth(title: str, rows: Sequence[tuple[str, Row]], *, unit: str | None) -> Table:
    columns = {
        "": lambda pair: pair[0],
        "variance": lambda pair: f"{100 * pair[1]['share']:.2g}% ± {100 * pair[1]['share_se']:.1g}",
        "interval": lambda pair: (
            "0" if pair[1]["shrinks"] == 0.0 else f"-{chance(pair[1]['shrinks'])}"
        ),
    }
    if unit:
        columns[f"worth, {unit}"] = lambda pair: (
            f"{number(pair[1]['worth'])} ± {number(pair[1]['worth_se'])}"
        )
    return Table.by_column(title, columns, rows)
