"""The two charts of the page, as SVG and PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.figures import LABELS, present, refit_seconds, speeds
from reports.figures.drawing import BLUE, INK, ORANGE, STYLE

LOOKS = {"warm": (BLUE, "o", "warm caches", 0.17), "cold": (ORANGE, "s", "empty caches", -0.17)}
"""Colour, marker, label and offset of each kind of process."""


def draw_charts(results: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw both charts; return the names of those for which there are records."""
    drawn = []
    with mpl.rc_context(STYLE):
        for name, plot in (("speed", plot_speed), ("refit", plot_refit)):
            figure = plot(results)
            if figure is None:
                continue
            figure.savefig(folder / f"{name}.png", dpi=2 * figure.dpi, metadata={"Software": None})
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
            drawn.append(name)
    return drawn


def _axes(names: list[str], label: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(7.2, 0.9 + 0.5 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), [LABELS[name] for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(label)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    return figure, axes


def plot_speed(results: Mapping[str, Any]) -> Figure | None:
    """Draw least bulk ESS per whole-process second: a mark a seed, a bar at the median."""
    from statistics import median

    names = present(results)
    figure, axes = _axes(names, "least bulk ESS per second of the whole process (log scale)")
    for kind, (colour, marker, label, offset) in LOOKS.items():
        for i, name in enumerate(names):
            found = sorted(speeds(results, kind, entrant=name).values())
            if not found:
                continue
            y = i - offset
            axes.scatter(found, [y] * len(found), s=16, color=colour, marker=marker, alpha=0.55)
            axes.plot([median(found)] * 2, [y - 0.12, y + 0.12], color=colour, linewidth=2.6)
            text = f"{median(found):.2g}" if median(found) < 10 else f"{median(found):.0f}"
            axes.annotate(
                text, (found[-1], y), xytext=(7, 0), textcoords="offset points", va="center",
                color=INK, fontsize=8.5,
            )  # fmt: skip
        axes.scatter([], [], s=16, color=colour, marker=marker, label=label)
    axes.margins(x=0.12)
    axes.legend(loc="lower right")
    return figure if names else None


def plot_refit(results: Mapping[str, Any]) -> Figure | None:
    """Draw seconds per refit with changed priors."""
    found = {name: refit_seconds(results, name) for name in present(results)}
    known = {name: seconds for name, seconds in found.items() if seconds}
    if not known:
        return None
    figure, axes = _axes(list(known), "seconds per refit, of 50 in one process (log scale)")
    for i, seconds in enumerate(known.values()):
        axes.scatter([seconds], [i], s=42, color=BLUE)
        axes.annotate(
            f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s", (seconds, i),
            xytext=(9, 0), textcoords="offset points", va="center", color=INK, fontsize=8.5,
        )  # fmt: skip
    axes.margins(x=0.2)
    return figure
