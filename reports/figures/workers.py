"""The figure of workers by year, with published figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter

from models.structure import GROUPS
from reports import drawing as d
from reports.series import band, by_year, until_now
from reports.summaries import Frames, labels, summarise
from reports.words import INTERVAL, NO_EVIDENCE, filled, number

GROUP_COLOURS = {"alignment": d.BLUE, "capabilities": d.RED, "interpretability": d.GREEN}
NEEDS = (("predictions", "workers"),)
"""What must be there: (group, variable) pairs."""


def plot_workers(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the workers of each group by year, with published figures."""
    found = summarise(dt, "predictions", name="workers")
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.6)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    for i, group in enumerate(GROUPS):
        part = {key: x[i] for key, x in found.items()}
        rows += by_year(part, years, group=group, kind="model")
        band(ax, rows[-len(years) :], colour=GROUP_COLOURS[group], label=group)
    points = [p for group in GROUPS for p in _points(frames, group)]
    for use, face in (("fit", None), ("compare", "none")):
        _draw_points(ax, [p for p in points if p["use"] == use], face=face)
    until_now(ax)
    ax.set_yscale("log")
    ax.set_ylim(bottom=1.0)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x)))
    ax.set_ylabel("people (log scale, from 1)")
    ax.set_xlabel("year")
    fig.legend(loc="outside upper center", ncols=3)
    d.save(fig, path, rows=[*rows, *points])
    said = f"{len([p for p in points if p['use'] == 'fit'])} filled points are in the fit"
    return d.Caption(
        "Workers",
        f"People in each group by year: line, median; band, {INTERVAL}; dotted line, end of the "
        f"evidence. Published figures: filled, in the fit; hollow, for comparison only; bars, "
        "published ranges; triangles, bounds. Figures of other definitions may lie off the line."
        + ("" if points else f" Here: {NO_EVIDENCE}."),
        f"Three bands over years on a log scale; {said}.",
    )


def _points(frames: Frames, group: str) -> list[dict[str, Any]]:
    out = []
    for r in frames.get("workers", ()):
        low, mid, high = (filled(r.get(key)) for key in ("low", "central", "high"))
        at = mid or (np.sqrt(low * high) if low and high else low or high)
        if r.get("group") != group or at is None or r.get("use") not in {"fit", "compare"}:
            continue
        out.append(
            {
                "group": group,
                "kind": str(r.get("kind", "point")),
                "year": int(r["year"]),
                "median": float(at),
                "lower": low,
                "upper": high,
                "use": str(r["use"]),
                "source": str(r.get("source", "")),
            }
        )
    return out


def _draw_points(ax: Any, points: Sequence[Mapping[str, Any]], *, face: str | None) -> None:
    marks = {"upper": "v", "lower": "^"}
    for p in points:
        colour = GROUP_COLOURS[p["group"]]
        if p["kind"] == "interval" and p["lower"] and p["upper"]:
            ends = [p["lower"], p["upper"]]
            ax.plot([p["year"]] * 2, ends, color=colour, linewidth=0.9, alpha=0.7)
        ax.plot(
            p["year"],
            p["median"],
            marks.get(p["kind"], "o"),
            color=colour,
            markerfacecolor=face or colour,
            markersize=4.5,
            markeredgewidth=0.9,
            alpha=0.9 if face is None else 0.7,
        )
