"""What a calibration says: tables for the terminal and the page, and its figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from models.quantities import HEADLINE, QUANTITIES
from reports.figures.drawing import style
from reports.figures.scores import plot_faults, plot_ranks
from reports.html import write_template
from reports.terminal import render, told

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
    "three, and how many would by chance."
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
    out = [line]
    if lost:
        out.append(
            f"{len(lost)} of {summary['asked']} worlds could not be fitted, and have no rank: "
            f"{_some(list(lost))} ({next(iter(lost.values()))})."
        )
    base = summary["base"]
    if base is not None:
        met = "met the rule of a run" if base["converged"] else "DID NOT CONVERGE"
        out.append(
            f"Truths are draws of one fit of the evidence, {base['draws']} in all, which {met} "
            f"(largest R-hat {base['max_rhat']:.4f}, least effective draws {base['min_ess']:.0f})."
        )
    return out


def _some(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names[:MOST])) + (" ..." if len(names) > MOST else "")


def calibration_text(summary: Row) -> str:
    """Return the verdict and the tables that the terminal shows."""
    parts: list[RenderableType] = [told(line) for line in verdict_lines(summary)]
    for title, data in tables(summary).items():
        parts += [told(""), _grid(title, data)]
    return render([*parts, told(COVERAGE)])


def tables(summary: Row) -> dict[str, dict[str, list[Any]]]:
    """Return the tables of a calibration, as head and rows of text, by title."""
    heads = ["quantity", "shift", "width", "least p", "verdict"]
    out: dict[str, dict[str, list[Any]]] = {}
    if summary["failing"]:
        out["Not uniform"] = {"head": heads, "rows": [_judged(r) for r in summary["failing"]]}
    out["Headline quantities"] = {"head": heads, "rows": [_judged(r) for r in summary["headline"]]}
    within = [f"within {p:.0%}" for p in PROBS]
    rows = [_covered(row, row["group"]) for row in summary["coverage"]]
    rows += [[*_covered(row, _label(row["name"])), ""] for row in summary["headline_coverage"]]
    out["Coverage"] = {"head": ["quantity", *within, "outside (by chance)"], "rows": rows}
    return out


def _judged(row: Row) -> list[str]:
    verdict = "uniform" if row["passes"] else f"not uniform: {row['fails']}"
    numbers = (f"{row['shift']:+.2f}", f"{row['width']:.2f}", f"{least(row):.2g}")
    return [_label(row["name"]), *numbers, verdict]


def _covered(row: Row, name: str) -> list[str]:
    cells = [f"{row[f'within_{p:g}']:.3f} ± {row[f'se_{p:g}']:.3f}" for p in PROBS]
    if "quantities" not in row:
        return [name, *cells]
    seen, due = (sum(row[f"{key}_{p:g}"] for p in PROBS) for key in ("outside", "by_chance"))
    total = f"{seen} of {len(PROBS) * row['quantities']} ({due:.1f})"
    return [f"{name} ({row['quantities']})", *cells, total]


def _grid(title: str, data: Mapping[str, Sequence[Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for i, head in enumerate(data["head"]):
        table.add_column(head, justify="right" if i else "left", overflow="fold")
    for row in data["rows"]:
        table.add_row(*(told(cell) for cell in row))
    return table


def _label(name: str) -> str:
    return QUANTITIES[name].label if name in QUANTITIES else name


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
    captions = _figures(folder / "figures", rows, ranks=ranks)
    view = {
        "name": summary["name"],
        "converged": not summary["not_converged"],
        "lines": verdict_lines(summary),
        "tables": tables(summary),
        "coverage": COVERAGE,
        "captions": {caption["name"]: caption for caption in captions},
    }
    write_template(folder / "calibration.html", "calibration.html.j2", view=view)


def _figures(
    folder: Path, rows: Sequence[Row], *, ranks: Mapping[str, np.ndarray]
) -> list[dict[str, str]]:
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
    return captions
