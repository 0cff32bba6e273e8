"""What scenarios change, for the terminal."""

from collections.abc import Mapping
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import chance, interval, label, points

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


def whatif_text(summary: Mapping[str, Any]) -> str:
    """Return the scenarios side by side, a table for each quantity."""
    return render(
        "whatif",
        **summary,
        later=[
            (scenario["name"], min(act["since"] for act in scenario["do"]))
            for scenario in summary["scenarios"]
            if scenario["do"] and all(act["since"] > summary["cohort"] for act in scenario["do"])
        ],
        outcome_tables=[_outcome(summary, name) for name in SHOWN],
    )


def _outcome(summary: Mapping[str, Any], name: str) -> Table:
    """Return a quantity under each scenario, and the change from the forecast itself."""
    base = summary["scenarios"][0]["name"]
    rows = [
        (
            row["scenario"],
            chance(row["mean"]),
            interval(row),
            *(("", "", "") if row["scenario"] == base else _change(row)),
        )
        for row in summary["rows"]
        if row["quantity"] == name
    ]
    return Table.of("", (label(name), "mean", "interval", "change", "interval", "error"), rows)


def _change(row: Mapping[str, Any]) -> tuple[str, str, str]:
    ends = f"{points(row['change_lower'])} to {points(row['change_upper'])}"
    if not row["noise"]:
        return points(row["change"]), ends, "none"
    times = row["noise_unpaired"] / row["noise"]
    return points(row["change"]), ends, f"{100 * row['noise']:.2g} (x {times:.2g})"
