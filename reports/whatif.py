"""What scenarios change, as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports.terminal import render, told
from reports.view import label
from reports.words import INTERVAL, NOT_CONVERGED, chance, interval

SHOWN = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "capabilities_first",
    "alignment_only",
    "both",
    "capabilities_only",
    "neither",
)
"""Quantities of the terminal's tables; the files hold all."""
ABOUT = (
    f"Means, each with the {INTERVAL} of the probability itself; changes are paired draw by draw, "
    "and their intervals are of the change. Monte Carlo error: of the mean change, and how many "
    "times larger that of two separate runs would be. Done, not observed: beliefs and the years "
    "before stay as they are."
)
LEAST = 5e-6


def whatif_text(summary: Mapping[str, Any]) -> str:
    """Return the scenarios side by side, a table for each quantity."""
    head = f"Works of {summary['cohort']} by the end of {summary['horizon']}, run {summary['run']}"
    parts: list[RenderableType] = [told(head, "bold"), told(ABOUT), Text("")]
    if not summary["converged"]:
        parts.insert(0, told(f"{NOT_CONVERGED}: the run's draws are no result.", "bold red"))
    for one in summary["scenarios"]:
        later = [act for act in one["do"] if act["since"] > summary["cohort"]]
        if later and len(later) == len(one["do"]):
            year = min(act["since"] for act in later)
            parts.append(told(f"{one['name']} holds from {year} on: see later works by --out."))
    for name in SHOWN:
        parts += [_table(summary, name), Text("")]
    return render(parts)


def _table(summary: Mapping[str, Any], name: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column(label(name), width=30, overflow="fold")
    heads = (("mean", 6), ("interval", 15), ("change", 8), ("interval", 17), ("error", 15))
    for head, width in heads:
        table.add_column(head, width=width, overflow="fold")
    for row in (r for r in summary["rows"] if r["quantity"] == name):
        base = row["scenario"] == summary["scenarios"][0]["name"]
        cells = ("", "", "") if base else _change(row)
        table.add_row(told(row["scenario"]), chance(row["mean"]), interval(row), *cells)
    return table


def _change(row: Mapping[str, Any]) -> tuple[str, str, str]:
    ends = f"{points(row['change_lower'])} to {points(row['change_upper'])}"
    if not row["noise"]:
        return points(row["change"]), ends, "none"
    times = row["noise_unpaired"] / row["noise"]
    return points(row["change"]), ends, f"{100 * row['noise']:.2g} (x {times:.2g})"


def points(x: float) -> str:
    """Return a difference of chances in points of percentage, to two figures."""
    return "0" if abs(x) < LEAST else f"{100 * x:+.2g}"
