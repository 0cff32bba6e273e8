"""What moved between two runs, for the terminal."""

from collections.abc import Mapping
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import HOW, label, outside_opening, points

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant")


def diff_text(s: Mapping[str, Any]) -> str:
    """Return what changed, and the part of each quantity's move that each change explains."""
    return render(
        "diff",
        **s,
        outside=[
            f"{name}: {line}"
            for name, one in zip(s["runs"], s["considered"], strict=True)
            for line in outside_opening(one)
        ],
        part_tables=[_parts(s, name) for name in SHOWN],
        ways=[f"{r['changes']}: {HOW.get(r['how'], r['how'])}" for r in s["how"]],
    )


def _parts(s: Mapping[str, Any], name: str) -> Table:
    rows = [r for r in s["parts"] if r["quantity"] == name]
    return Table.by_column(
        f"{label(name)}: moved by {points(rows[0]['move'])} points of percentage",
        {
            "": lambda r: r["change"],
            "Shapley": lambda r: points(r["part"], r["mcse"]),
            "in this order": lambda r: points(r["in_order"]),
        },
        rows,
    )
