"""The figure of workers by year, with published figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from models.structure import GROUPS
from reports import drawing as d
from reports.series import band, by_year, until_now
from reports.summaries import Frames, flat, has, labels, summarise
from reports.words import INTERVAL, NO_EVIDENCE, filled, number

GROUP_COLOURS = {"alignment": d.BLUE, "capabilities": d.RED, "interpretability": d.GREEN}
REFERENCE, COMPARED = "o", "x"
OTHERS = "sD^vPp<>"
"""Marks of a group's reference definition, of what is for comparison only, and of the rest."""
BOUNDS = {"upper": -1.0, "lower": 1.0}
"""Kinds of figure that are bounds, and on which side of them the truth lies."""
NEEDS = (("predictions", "workers"),)
"""What must be there: (group, variable) pairs."""


def plot_workers(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the workers of each group by year, with published figures."""
    found = summarise(dt, "predictions", name="workers")
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 5.6)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    for i, group in enumerate(GROUPS):
        part = {key: x[i] for key, x in found.items()}
        rows += by_year(part, years, group=group, kind="model")
        band(ax, rows[-len(years) :], colour=GROUP_COLOURS[group], label=group)
    points = [p for group in GROUPS for p in _points(frames, group)]
    looks = _looks(points, factors(dt))
    for p in points:
        _draw_point(ax, p, look=looks[p["group"], p["definition"], p["use"]])
    until_now(ax)
    ax.set_yscale("log")
    ax.set_ylim(bottom=1.0)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x)))
    ax.set_ylabel("people (log scale, from 1)")
    ax.set_xlabel("year")
    fig.legend(loc="outside upper center", ncols=3)
    shown = {str(look["label"]): look for look in looks.values()}
    handles = [Line2D([], [], **{"linestyle": "none", **look}) for look in shown.values()]
    fig.legend(handles=handles, loc="outside lower center", ncols=2)
    d.save(fig, path, rows=[*rows, *points])
    return _caption(points)


def factors(dt: Any) -> dict[str, float]:
    """Return by how much a definition's figures exceed its group's line: fitted median factors."""
    if not has(dt, "posterior", "definition_offset"):
        return {}
    names = labels(dt, "posterior", dim="definition")
    offsets = np.median(flat(dt, "posterior", name="definition_offset"), axis=0)
    return {str(name): float(np.exp(x)) for name, x in zip(names, offsets, strict=True)}


def _caption(points: Sequence[Mapping[str, Any]]) -> d.Caption:
    fitted = [p for p in points if p["use"] == "fit"]
    first = [f"{p['group']}: {p['definition']}" for p in fitted if p["reference"]]
    said = f"{len(fitted)} points are in the fit"
    return d.Caption(
        "Workers",
        f"People in each group by year: line, median; band, {INTERVAL}; dotted line, end of the "
        "evidence. A line counts people by its group's reference definition (filled circles; "
        f"{', '.join(dict.fromkeys(first)) or 'none here'}). Hollow marks are in the fit too, but "
        "count otherwise, so each such definition has a fitted factor against the line (in the "
        "legend, median) and its marks need not lie on it. Crosses are for comparison only, of any "
        "definition. Thin bars: published ranges; arrows: bounds, pointing to where the truth lies."
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
                "definition": str(r.get("definition", "")),
                "reference": bool(r.get("reference", False)),
                "source": str(r.get("source", "")),
            }
        )
    return out


def _looks(
    points: Sequence[Mapping[str, Any]], factor: Mapping[str, float]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the mark of each group, definition and use, and what the legend calls it."""
    out: dict[tuple[str, str, str], dict[str, Any]] = {}
    for p in sorted(points, key=lambda p: (p["use"] != "fit", not p["reference"])):
        group, name = p["group"], p["definition"]
        look: dict[str, Any] = {"color": GROUP_COLOURS[group], "markersize": 4.8}
        if p["use"] != "fit":
            look = {"color": d.GREY, "marker": COMPARED, "markersize": 4}
            look["label"] = "for comparison only"
        elif p["reference"]:
            look |= {"marker": REFERENCE, "label": f"{group}: {name} (reference)"}
        else:
            used = sum(key[0] == group and look["marker"] in OTHERS for key, look in out.items())
            times = factor.get(f"{group}/{name}")
            told = f" ({times:.2g} × the line)" if times else ""
            look |= {"marker": OTHERS[used % len(OTHERS)], "markerfacecolor": "none"}
            look["label"] = f"{group}: {d.short(name)}{told}"
        out.setdefault((group, name, p["use"]), look)
    return out


def _draw_point(ax: Any, p: Mapping[str, Any], *, look: Mapping[str, Any]) -> None:
    colour = GROUP_COLOURS[p["group"]]
    faint = 0.9 if p["use"] == "fit" else 0.6
    if p["kind"] == "interval" and p["lower"] and p["upper"]:
        ax.plot([p["year"]] * 2, [p["lower"], p["upper"]], color=colour, lw=0.9, alpha=faint / 2)
    if p["kind"] in BOUNDS:
        end = p["median"] * 2.0 ** BOUNDS[p["kind"]]
        arrow = {"arrowstyle": "->", "color": colour, "linewidth": 0.9, "alpha": faint}
        ax.annotate("", (p["year"], end), xytext=(p["year"], p["median"]), arrowprops=arrow)
    mark = {key: x for key, x in look.items() if key != "label"} | {"color": colour}
    ax.plot(p["year"], p["median"], alpha=faint, markeredgewidth=0.9, **mark)
