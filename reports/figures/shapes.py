"""Shapes that figures share: series over years, dots with intervals, replicates, forests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.ticker import FuncFormatter, PercentFormatter

from models.dims import LAST_YEAR
from models.quantities import QUANTITIES
from reports.figures import drawing as d
from reports.figures.draws import Frames, labels, names_of_agendas, row, summarise, variable
from reports.words import INTERVAL, LOWER, UPPER


def by_year(summary: Mapping[str, Any], years: Sequence[int], **names: Any) -> list[dict[str, Any]]:
    """Return a summary by year as rows, each with ``names`` before it."""
    return [{**names, "year": year, **row(summary, i)} for i, year in enumerate(years)]


def band(ax: Any, rows: Sequence[Mapping[str, Any]], *, colour: str, label: str = "") -> None:
    """Draw the interval of each year, and a line through the medians."""
    years = [r["year"] for r in rows]
    ends = [[r[key] for r in rows] for key in ("lower", "upper")]
    ax.fill_between(years, *ends, color=colour, alpha=0.18, linewidth=0)
    ax.plot(years, [r["median"] for r in rows], color=colour, label=label)


def until_now(ax: Any, *, last: int = LAST_YEAR) -> None:
    """Mark the end of the evidence, and say so above the line."""
    ax.axvline(last + 0.5, color=d.MUTED, linewidth=0.9, linestyle=":")
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    look = {"ha": "center", "va": "bottom", "fontsize": 8, "color": d.MUTED}
    ax.annotate("evidence ends", (last + 0.5, 1.0), xytext=(0, 2), **place, **look)


def finish_shares(
    ax: Any, years: Sequence[int], *, ylabel: str, xlabel: str, legend: str, stacked: bool = False
) -> None:
    """Label axes of years and of chances from 0 to 1; the legend, so titled, stands beside."""
    until_now(ax)
    ax.set_xlim(years[0], years[-1])
    ax.set_ylim(0, 1.0 if stacked else 1.03)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel(ylabel)
    ax.set_xlabel(xlabel)
    place = {"loc": "outside right upper", "alignment": "left", "reverse": stacked}
    ax.figure.legend(title=legend, **place)


def dots(
    ax: Any,
    rows: Sequence[Mapping[str, Any]],
    y: Sequence[float],
    *,
    colour: str,
    centre: str = "median",
    **look: Any,
) -> None:
    """Draw a dot at ``centre`` and a line from lower to upper for each row, at heights ``y``."""
    ax.hlines(y, [r["lower"] for r in rows], [r["upper"] for r in rows], color=colour)
    style = {"marker": "o", "linestyle": "none", "markersize": 4.5, "color": colour} | look
    ax.plot([r[centre] for r in rows], y, **style)


def name_rows(ax: Any, names: Sequence[str], *, below: float = 0.4) -> None:
    """Name the rows of a figure, the first on top, without lines between them."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(max(len(names), 1) - below, -0.6)


TAIL = 0.5 - 0.5 * (UPPER - LOWER)


@dataclass(frozen=True)
class Panel:
    """One panel: title, labels of its points, observed (point,) and replicated (draw, point)."""

    title: str
    labels: Sequence[str]
    observed: np.ndarray
    replicated: np.ndarray


def panel_of(dt: Any, name: str, *, title: str) -> Panel:
    """Return the panel of one statistic of a tree."""
    seen, new = dt["observed_statistics"][name], dt["replicated_statistics"][name]
    labels = [str(x) for x in seen.coords[seen.dims[0]].values]
    return Panel(title, labels, seen.values, new.values.reshape(-1, len(labels)))


def plot_panels(
    panels: Sequence[Panel],
    path: Path,
    *,
    ylabel: str,
    percent: bool = False,
    size: tuple[float, float] = (7.4, 3.4),
    cols: int = 2,
) -> None:
    """Draw each panel by ArviZ's predictive intervals, and write the figure."""
    tree: dict[str, dict[str, Any]] = {
        "posterior_predictive": {
            p.title: (("chain", "draw", p.title + " i"), p.replicated[None]) for p in panels
        },
        "observed_data": {p.title: ((p.title + " i",), p.observed) for p in panels},
    }
    pc = az.plot_ppc_interval(
        xr.DataTree.from_dict({name: xr.Dataset(group) for name, group in tree.items()}),
        point_estimate="median",
        ci_kind="eti",
        ci_probs=(0.5, UPPER - LOWER),
        visuals={
            "trunk": {"color": d.POSTERIOR, "alpha": 0.35, "width": 2.2},
            "twig": {"color": d.POSTERIOR, "width": 2.6},
            "prediction_markers": {"color": d.POSTERIOR, "marker": "_"},
            "observed_markers": {"color": d.RED, "marker": "o"},
            "xlabel": False,
            "ylabel": False,
        },
        col_wrap=cols,
        figure_kwargs={"figsize": size, "layout": "constrained"},
    )
    fig = pc.viz["figure"].item()
    axes = [ax for ax in fig.axes if ax.has_data()]
    for ax, panel in zip(axes, panels, strict=True):
        _finish(ax, panel, percent=percent)
    axes[0].set_ylabel(ylabel)
    d.save(fig, path, rows=[row for panel in panels for row in rows_of(panel)])
    plt.close(fig)


def _finish(ax: Any, panel: Panel, *, percent: bool) -> None:
    ax.set_title(panel.title, loc="left")
    tilt = {"rotation": 60, "ha": "right"} if max(map(len, panel.labels)) > 8 else {}
    ax.set_xticks(range(len(panel.labels)), [d.short(x, 24) for x in panel.labels], **tilt)
    ax.tick_params(axis="x", labelsize=8)
    if percent:
        ax.yaxis.set_major_formatter(FuncFormatter(d.percent))


def rows_of(panel: Panel) -> list[Mapping[str, Any]]:
    """Return the numbers of a panel."""
    q = np.nanquantile(panel.replicated, (TAIL, 0.25, 0.5, 0.75, 1.0 - TAIL), axis=0)
    names = ("lower", "lower_50", "median", "upper_50", "upper")
    return [
        {"panel": panel.title, "element": label, "observed": float(panel.observed[i])}
        | {name: float(x) for name, x in zip(names, q[:, i], strict=True)}
        for i, label in enumerate(panel.labels)
    ]


def outside(panels: Sequence[Panel]) -> tuple[int, int]:
    """Return how many observed points lie outside their 89% interval, and how many points."""
    rows = [row for panel in panels for row in rows_of(panel)]
    return sum(not row["lower"] <= row["observed"] <= row["upper"] for row in rows), len(rows)


def counted(panels: Sequence[Panel]) -> str:
    """Return the sentence on what lies outside."""
    bad, n = outside(panels)
    return (
        f"Red: observed; bars: median, 50% and {INTERVAL} of replicates. {bad} of {n} lie outside "
        f"it; about {0.11 * n:.0f} would by chance."
    )


def plot_forest(dt: Any, path: Path, *, frames: Frames, name: str, caption: d.Caption) -> d.Caption:
    """Draw the predictions of ``name`` by agenda, and return ``caption``."""
    quantity, group = f"agenda_{name}", "predictions"
    means = summarise(dt, group, name=quantity)
    keys, called = labels(dt, group, dim="agenda"), names_of_agendas(frames)
    order = np.argsort(-means["mean"])
    shown = [d.short(called.get(keys[i], keys[i]), 38) for i in order]
    shown = [text if shown.count(text) == 1 else f"{text} {i}" for i, text in enumerate(shown)]
    draws = variable(dt, group, name=quantity).isel(agenda=order).assign_coords(agenda=shown)
    ds = xr.Dataset({name: draws})
    pc = az.plot_forest(
        xr.DataTree.from_dict({"posterior": ds}),
        combined=True,
        point_estimate="mean",
        ci_kind="eti",
        ci_probs=(0.5, UPPER - LOWER),
        labels=["agenda"],
        visuals={
            "trunk": {"color": d.POSTERIOR, "width": 3.2},
            "twig": {"color": d.POSTERIOR, "width": 1.2},
            "point_estimate": {"color": d.INK},
        },
        figure_kwargs={"figsize": (7.4, 1.1 + 0.27 * len(keys)), "width_ratios": [1, 2]},
    )
    fig = pc.viz["figure"].item()
    height = fig.get_size_inches()[1]
    fig.subplots_adjust(left=0.02, right=0.97, top=1 - 0.1 / height, bottom=0.6 / height)
    pc.viz["plot"].sel(column="labels").item().set_axis_off()
    ax = pc.viz["plot"].sel(column="forest").item()
    ax.set_xlabel(f"{QUANTITIES[name].label}: probability for a work")
    ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    ax.set_xlim(left=0.0)
    rows = [{"agenda": keys[i], "quantity": name, **row(means, i)} for i in order]
    d.save(fig, path, rows=rows)
    plt.close(fig)
    return caption
