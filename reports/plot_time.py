"""Figures over years: workers, their ratio, levels, milestones and tracking."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, PercentFormatter

from models.milestones import milestone_dates
from models.structure import GROUPS, LAST_YEAR, STEPS
from reports import drawing as d
from reports.summaries import Frames, flat, labels, names_of_agendas, row, summarise, summary
from reports.words import INTERVAL, LEVEL_NAMES, NO_EVIDENCE, filled, number

GROUP_COLOURS = {"alignment": d.BLUE, "capabilities": d.RED, "interpretability": d.GREEN}
TOP = 5
"""Agendas drawn by name in the figure on tracking."""


def by_year(found: Mapping[str, Any], years: Sequence[int], **names: Any) -> list[dict[str, Any]]:
    """Return a summary by year as rows, each with ``names`` before it."""
    return [{**names, "year": year, **row(found, i)} for i, year in enumerate(years)]


def band(ax: Any, rows: Sequence[Mapping[str, Any]], *, colour: str, label: str = "") -> None:
    """Draw the interval of each year, and a line through the medians."""
    years = [r["year"] for r in rows]
    ends = [[r[key] for r in rows] for key in ("lower", "upper")]
    ax.fill_between(years, *ends, color=colour, alpha=0.18, linewidth=0)
    ax.plot(years, [r["median"] for r in rows], color=colour, label=label)


def until_now(ax: Any, *, last: int = LAST_YEAR) -> None:
    """Mark the end of the evidence."""
    ax.axvline(last + 0.5, color=d.MUTED, linewidth=0.9, linestyle=":")


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
    ax.legend(loc="upper left", ncols=3)
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


def plot_worker_ratio(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw capabilities workers for each alignment worker, prior and posterior."""
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 3.6)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    groups = {"prior": ("prior_predictions", d.PRIOR), "posterior": ("predictions", d.POSTERIOR)}
    for word, (group, colour) in groups.items():
        if group not in dt.children or "worker_ratio" not in dt[group].data_vars:
            continue
        found = summarise(dt, group, name="worker_ratio")
        rows += by_year(found, years, draws=word)
        band(ax, rows[-len(years) :], colour=colour, label=word)
    until_now(ax)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x)))
    ax.set_ylabel("capabilities workers for each\nalignment worker (log scale)")
    ax.set_xlabel("year")
    ax.legend(loc="upper left", ncols=2)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Ratio of workers",
        "Capabilities workers (authors of a year at AI conferences) for each alignment worker "
        f"(technical, full-time): line, median; band, {INTERVAL}; dotted line, end of evidence.",
        "The ratio by year with its band, prior and posterior.",
    )


def plot_levels(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of each year's works at each level."""
    found = summarise(dt, "predictions", name="level_field")
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.2)
    ax = fig.subplots()
    names = [f"{k}: {name}" for k, name in enumerate(LEVEL_NAMES)]
    ax.stackplot(years, found["mean"].T, colors=d.LEVEL_COLOURS, labels=names)
    until_now(ax)
    ax.set_xlim(years[0], years[-1])
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel("share of the year's works (mean)")
    ax.set_xlabel("year of the works")
    handles, shown = ax.get_legend_handles_labels()
    fig.legend(
        handles[::-1],
        shown[::-1],
        loc="outside right upper",
        title="highest level shown",
        alignment="left",
    )
    rows = [
        r
        for k in range(len(LEVEL_NAMES))
        for r in by_year({key: x[:, k] for key, x in found.items()}, years, level=k)
    ]
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Maturity: levels of the works of each year",
        "Mean share of works whose highest level is each one, in the field. Shares of the two "
        f"highest levels are extrapolation. The file beside it has the {INTERVAL} of each.",
        "Stacked areas of the shares of eight levels by year.",
    )


def plot_milestones(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the chance that each level is established by the end of each year."""
    x = flat(dt, "predictions", name="established")
    years = labels(dt, "predictions", dim="forecast_year")
    found, dates = summary(x), milestone_dates(x, first_year=years[0])
    fig = d.new(7.4, 4.0)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    for i, step in enumerate(STEPS):
        part = {key: values[i] for key, values in found.items()}
        rows += by_year(part, years, level=step)
        means = part["mean"]
        colour, dash = d.LEVEL_COLOURS[step] if step > 2 else d.GREY, ":-"[step != 1]
        ax.plot(years, means, dash, color=colour, label=f"{step}: {LEVEL_NAMES[step]}")
        if step >= 5:
            ax.fill_between(
                years, part["lower"], part["upper"], color=colour, alpha=0.1, linewidth=0
            )
    until_now(ax)
    ax.set_xlim(years[0], years[-1])
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel("probability established")
    ax.set_xlabel("by the end of the year")
    fig.legend(loc="outside right upper", title="level", alignment="left")
    d.save(fig, path, rows=rows)
    late = "; ".join(f"level {k} {100 * dates[k]['p_by_horizon']:.0f}%" for k in STEPS[4:])
    return d.Caption(
        "Milestones: when each level is established",
        "Chance that the set number of works at each level or above exists and the field's "
        f"ceiling allows it: lines, means; bands (levels 5 to 7), {INTERVAL} over draws.",
        f"Curves that rise by year, one a level; by {years[-1]}: {late}.",
    )


def plot_tracking(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of works that name a milestone, by year; the top agendas by name."""
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.0)
    ax = fig.subplots()
    rows = by_year(summarise(dt, "predictions", name="tracking_field"), years, agenda="field")
    band(ax, rows, colour=d.INK, label="field")
    agendas = labels(dt, "predictions", dim="agenda")
    found = summarise(dt, "predictions", name="tracking_by_agenda")
    now = min(len(years) - 1, max(0, LAST_YEAR - years[0]))
    order = np.argsort(-found["mean"][:, now])
    palette = [d.BLUE, d.RED, d.GREEN, d.ORANGE, d.PURPLE]
    called = names_of_agendas(frames)
    for place, i in enumerate(order):
        part = {key: x[i] for key, x in found.items()}
        rows += by_year(part, years, agenda=agendas[i])
        if place < TOP:
            name = d.short(called.get(agendas[i], agendas[i]))
            ax.plot(years, part["median"], color=palette[place], linewidth=1.2, label=name)
    until_now(ax)
    ax.set_xlim(years[0], years[-1])
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel("share of works that name\na milestone of alignment")
    ax.set_xlabel("year of the works")
    fig.legend(loc="outside right upper", title="median of", alignment="left")
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Tracking",
        "Share of works that name the alignment milestone they work toward: black line and band, "
        f"the field's median and {INTERVAL}; coloured lines, medians of the {TOP} agendas that "
        f"track most in {years[now]}.",
        "The field's share with its band, and five agendas above it.",
    )


def _needs(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple(("predictions", name) for name in names)


PLOTS = (
    d.Plot("workers", plot_workers, _needs("workers")),
    d.Plot("worker_ratio", plot_worker_ratio, _needs("worker_ratio")),
    d.Plot("levels", plot_levels, _needs("level_field")),
    d.Plot("milestones", plot_milestones, _needs("established")),
    d.Plot("tracking", plot_tracking, _needs("tracking_field", "tracking_by_agenda")),
)
"""In the order of the page."""
