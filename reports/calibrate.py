"""What a calibration says: tables for the terminal and the page, and its figures."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.quantities import HEADLINE
from reports.figures.drawing import draw_all
from reports.figures.scores import plot_faults, plot_ranks
from reports.html import write_plain
from reports.table import Table
from reports.terminal import render
from reports.words import label

Row = Mapping[str, Any]
PLACES = {
    "prior": "truths drawn from the priors",
    "posterior": "truths drawn from the posterior, its evidence kept beside the simulated",
}
MOST = 20
"""Simulations that are named one by one."""
PROBS = (0.5, 0.8, 0.95)
"""Central intervals whose coverage is shown."""
COVERAGE = (
    "Share of truths inside the central interval. Of one quantity the error is binomial; over "
    "several it is over simulations, since quantities of one simulation depend on each other. "
    "Outside: quantities whose count lies outside the central 99% of its binomial at any of the "
    "three, and how many would by chance. coverage.csv has every quantity."
)
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
    return [first, seen, *fit_lines(summary)]


def fit_lines(summary: Row) -> list[str]:
    """Return how the fits did, and what could not be fitted, in sentences."""
    n, lost = summary["simulations"], summary["not_fitted"]
    bad = [i for i in summary["not_converged"] if str(i) not in lost]
    line = f"Rule of the fits: {summary['rule']}. "
    line += (
        f"Not met by {len(bad)} of {n}, whose ranks count all the same: {_some(bad)}."
        if bad
        else f"Met by all {n}."
    )
    if summary["retried"]:
        line += f" {len(summary['retried'])} were fitted a second time, with longer tuning."
    lines = [line]
    if lost:
        lines.append(
            f"{len(lost)} of {summary['asked']} worlds could not be fitted, and have no rank: "
            f"{_some(list(lost))} ({next(iter(lost.values()))})."
        )
    base = summary["base"]
    if base is not None:
        met = "met the rule of a run" if base["converged"] else "DID NOT CONVERGE"
        lines.append(
            f"Truths are draws of one fit of the evidence, {base['draws']} in all, which {met} "
            f"(largest R-hat {base['max_rhat']:.4f}, least effective draws {base['min_ess']:.0f})."
        )
    return lines


def _some(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names[:MOST])) + (" ..." if len(names) > MOST else "")


def calibration_text(summary: Row) -> str:
    """Return the verdict and the tables that the terminal shows."""
    return render("calibrate", lines=verdict_lines(summary), calibration_tables=tables(summary))


JUDGED = {
    "quantity": lambda r: label(r["name"]),
    "shift": lambda r: f"{r['shift']:+.2f}",
    "width": lambda r: f"{r['width']:.2f}",
    "least p": lambda r: f"{least(r):.2g}",
    "verdict": lambda r: "uniform" if r["passes"] else f"not uniform: {r['fails']}",
}


def tables(summary: Row) -> list[Table]:
    """Return the tables of a calibration: what fails, the headline quantities, coverage."""
    failing = Table.by_column("Not uniform", JUDGED, summary["failing"])
    headline = Table.by_column("Headline quantities", JUDGED, summary["headline"])
    rows = [_covered(row, row["group"]) for row in summary["coverage"]]
    rows += [[*_covered(row, label(row["name"])), ""] for row in summary["headline_coverage"]]
    heads = ["quantity", *(f"within {p:.0%}" for p in PROBS), "outside (by chance)"]
    coverage = Table.of("Coverage", heads, rows, COVERAGE)
    return [*([failing] if failing.rows else []), headline, coverage]


def _covered(row: Row, name: str) -> list[str]:
    cells = [f"{row[f'within_{p:g}']:.3f} ± {row[f'se_{p:g}']:.3f}" for p in PROBS]
    if "quantities" not in row:
        return [name, *cells]
    outside, expected = (sum(row[f"{k}_{p:g}"] for p in PROBS) for k in ("outside", "by_chance"))
    total = f"{outside} of {len(PROBS) * row['quantities']} ({expected:.1f})"
    return [f"{name} ({row['quantities']})", *cells, total]


def write_calibration(
    folder: Path, summary: Row, *, rows: Sequence[Row], ranks: Mapping[str, np.ndarray]
) -> None:
    """Draw the figures, and write ``calibration.html``, one offline page that holds them.

    Parameters
    ----------
    summary
        The content of calibration.json.
    rows
        The verdict on each quantity.
    ranks
        Uniform numbers if all is well, by quantity, dims (simulation,).
    """
    worst = [row["name"] for row in sorted(rows, key=least)[:WORST]]
    groups = {
        "headline": ("headline quantities", [name for name in HEADLINE if name in ranks]),
        "worst": ("the least uniform quantities", worst),
    }
    plots = {
        name: partial(plot_ranks, {label(x): ranks[x] for x in names}, which=which)
        for name, (which, names) in groups.items()
    }
    captions = draw_all(folder / "figures", plots | {"faults": partial(plot_faults, rows)})
    write_plain(
        folder / "calibration.html",
        f"{summary['name']}: is the inference itself right?",
        lines=verdict_lines(summary),
        tables=tables(summary),
        captions=captions,
    )
