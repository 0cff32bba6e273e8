"""What a calibration says: tables for the terminal, and its figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from models.quantities import HEADLINE, QUANTITIES
from reports.drawing import style
from reports.figures.calibration import plot_faults, plot_ranks
from reports.text import render, told

Row = Mapping[str, Any]
PLACES = {
    "prior": "truths drawn from the priors",
    "posterior": "truths drawn from the posterior, its evidence kept beside the simulated",
}
WORST = 12
"""Quantities with the smallest p-values, which have a figure of their own."""


def least(row: Row) -> float:
    """Return the smallest p-value of a quantity."""
    return float(min(value for name, value in row.items() if name.startswith("p_")))


def verdict_lines(summary: Row) -> list[str]:
    """Return the verdict in sentences."""
    n, failing, about = summary["simulations"], summary["failing"], summary["seen"]
    first = (
        f"{n} simulations at the real design, {PLACES[summary['around']]}: the ranks of "
        f"{summary['quantities'] - len(failing)} of {summary['quantities']} quantities are uniform "
        f"at family-wise {summary['level']:.0%} (least corrected p "
        f"{summary['least_p_corrected']:.2g})."
    )
    seen = (
        f"So many could have seen, in any one quantity and with probability 80%, a posterior "
        f"shifted by {about['shift']:.2f} of its standard deviations, or too narrow by a factor "
        f"of {about['narrow']:.2f}, or too wide by {1 / about['wide']:.2f}."
    )
    bad = summary["not_converged"]
    fits = f"Rule of the fits: {summary['rule']}. "
    fits += (
        f"Not met by {len(bad)} of {n}, whose ranks count all the same: "
        f"{', '.join(map(str, bad[:20]))}{' ...' if len(bad) > 20 else ''}."
        if bad
        else f"Met by all {n}."
    )
    if summary["retried"]:
        fits += f" {len(summary['retried'])} were fitted a second time, with longer tuning."
    return [first, seen, fits]


def calibration_text(summary: Row) -> str:
    """Return the verdict and the tables that the terminal shows."""
    parts: list[RenderableType] = [told(line) for line in verdict_lines(summary)]
    if summary["failing"]:
        parts += [told(""), _table("Not uniform", summary["failing"])]
    return render([*parts, told(""), _table("Headline quantities", summary["headline"])])


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("quantity", overflow="fold")
    for head in ("shift", "width", "least p", "verdict"):
        table.add_column(head, justify="right")
    for row in rows:
        verdict = "uniform" if row["passes"] else f"not uniform: {row['fails']}"
        numbers = (f"{row['shift']:+.2f}", f"{row['width']:.2f}", f"{least(row):.2g}")
        table.add_row(_label(row["name"]), *numbers, verdict)
    return table


def _label(name: str) -> str:
    return QUANTITIES[name].label if name in QUANTITIES else name


def write_calibration_figures(
    folder: Path, rows: Sequence[Row], *, ranks: Mapping[str, np.ndarray]
) -> None:
    """Draw ranks of headline quantities and of the worst ones, and faults beside what is seen."""
    folder.mkdir(parents=True, exist_ok=True)
    worst = [row["name"] for row in sorted(rows, key=least)[:WORST]]
    headline = {_label(name): ranks[name] for name in HEADLINE if name in ranks}
    some = {_label(name): ranks[name] for name in worst}
    with style():
        captions = [
            plot_ranks(headline, folder / "headline", which="headline quantities").described(
                "headline"
            ),
            plot_ranks(some, folder / "worst", which="the least uniform quantities").described(
                "worst"
            ),
            plot_faults(rows, folder / "faults").described("faults"),
        ]
    text = json.dumps(captions, indent=2, ensure_ascii=False)
    (folder / "captions.json").write_text(text + "\n", encoding="utf-8", newline="\n")
