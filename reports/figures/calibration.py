"""Figures of simulation-based calibration: ranks of truths, and the faults they speak of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reports import drawing as d
from reports.figures.pit import draw_pit

COLUMNS = 4
Row = Mapping[str, Any]


def plot_ranks(ranks: Mapping[str, np.ndarray], path: Path, *, which: str) -> d.Caption:
    """Draw the ECDF of each quantity's ranks less the uniform one, with ArviZ's envelope.

    Parameters
    ----------
    ranks
        Uniform numbers if all is well, dims (simulation,), by label.
    path
        Without an ending.
    which
        What the quantities are, in words.
    """
    rows = -(-len(ranks) // COLUMNS)
    fig = d.new(10.0, 1.9 * rows + 0.5)
    axes = np.atleast_1d(fig.subplots(rows, COLUMNS, sharex=True, sharey=True)).ravel()
    for ax, (label, u) in zip(axes, ranks.items(), strict=False):
        draw_pit(ax, u, title=d.short(label, 30), named=False)
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=8)
    for ax in axes[len(ranks) :]:
        ax.set_visible(False)
    fig.supxlabel("rank of the truth among the draws, 0 to 1", fontsize=9.5)
    fig.supylabel("share below, less uniform", fontsize=9.5)
    data = [{"quantity": k, "rank": float(x)} for k, u in ranks.items() for x in np.sort(u)]
    d.save(fig, path, rows=data)
    n = len(next(iter(ranks.values()))) if ranks else 0
    return d.Caption(
        f"Calibration: ranks of the truth, {which}",
        f"Of {n} simulated worlds, with the p-value of ArviZ's test of uniformity (pot_c) of each "
        "quantity by itself, and in red the points it holds suspicious. A hump says that the "
        "posterior lies too high, a trough too low, a wave that it is too narrow or too wide.",
        f"{len(ranks)} curves of {which}.",
    )


def plot_faults(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw shift and width of each quantity's ranks; those that fail are named."""
    fig = d.new(7.2, 4.2)
    ax = fig.subplots()
    good = [row for row in rows if row["passes"]]
    bad = [row for row in rows if not row["passes"]]
    for some, colour, label in ((good, d.BLUE, "uniform"), (bad, d.RED, "not uniform")):
        if some:
            x, y = [row["shift"] for row in some], [row["width"] for row in some]
            ax.plot(x, y, "o", color=colour, markersize=3.5, alpha=0.7, label=label)
    for row in bad:
        ax.annotate(
            d.short(row["name"]),
            (row["shift"], row["width"]),
            fontsize=8,
            xytext=(4, 3),
            textcoords="offset points",
        )
    ax.axvline(0.0, color=d.MUTED, linewidth=0.8, linestyle=":")
    ax.axhline(1.0, color=d.MUTED, linewidth=0.8, linestyle=":")
    ax.set_xlabel("shift: mean normal score of the truth (posterior standard deviations)")
    ax.set_ylabel("width: root mean square score (1 is right)")
    ax.legend(loc="upper right")
    keep = ("name", "shift", "width", "passes")
    d.save(fig, path, rows=[{name: row[name] for name in keep} for row in rows])
    return d.Caption(
        "Calibration: every quantity at once",
        "Each point is a parameter or headline quantity: right of the line the truth lies above "
        "the posterior more often than it should, above the line the posterior is too narrow. "
        "Points scatter around the crossing by chance.",
        f"{len(good)} of {len(rows)} quantities are uniform.",
    )
