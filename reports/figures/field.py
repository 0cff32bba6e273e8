"""Figures of the field over the years: workers, levels, milestones, tracking."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from models.dims import GROUPS, LAST_YEAR, STEPS
from models.outcomes.milestones import milestone_dates
from reports.figures import drawing as d
from reports.figures.draws import Frames, flat, has, labels, names_of_agendas, summarise, summary
from reports.figures.shapes import band, by_year, finish_shares, until_now
from reports.words import INTERVAL, LEVEL_NAMES, NO_EVIDENCE, chance, filled, interval, number

GROUP_COLOURS = {"alignment": d.BLUE, "capabilities": d.RED, "interpretability": d.GREEN}
REFERENCE, COMPARED = "o", "x"
OTHERS = "sD^vPp<>"
"""Marks of a group's reference definition, of what is for comparison only, and of the rest."""
BOUNDS = {"upper": -1.0, "lower": 1.0}
"""Kinds of figure that are bounds, and on which side of them the truth lies."""


def plot_workers(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the workers of each group by year, with published figures."""
    workers = summarise(dt, "predictions", name="workers")
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 5.6)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    for i, group in enumerate(GROUPS):
        part = {key: x[i] for key, x in workers.items()}
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
    count = f"{len(fitted)} points are in the fit"
    return d.Caption(
        "Workers",
        f"People in each group by year: line, median; band, {INTERVAL}; dotted line, end of the "
        "evidence. A line counts people by its group's reference definition (filled circles; "
        f"{', '.join(dict.fromkeys(first)) or 'none here'}). Hollow marks are in the fit too, but "
        "count otherwise, so each such definition has a fitted factor against the line (in the "
        "legend, median) and its marks need not lie on it. Crosses are for comparison only, of any "
        "definition. Thin bars: published ranges; arrows: bounds, pointing to where the truth lies."
        + ("" if points else f" Here: {NO_EVIDENCE}."),
        f"Three bands over years on a log scale; {count}.",
    )


def _points(frames: Frames, group: str) -> list[dict[str, Any]]:
    points = []
    for r in frames.get("workers", ()):
        low, mid, high = (filled(r.get(key)) for key in ("low", "central", "high"))
        centre = mid or (np.sqrt(low * high) if low and high else low or high)
        if r.get("group") != group or centre is None or r.get("use") not in {"fit", "compare"}:
            continue
        points.append(
            {
                "group": group,
                "kind": str(r.get("kind", "point")),
                "year": int(r["year"]),
                "median": float(centre),
                "lower": low,
                "upper": high,
                "use": str(r["use"]),
                "definition": str(r.get("definition", "")),
                "reference": bool(r.get("reference", False)),
                "source": str(r.get("source", "")),
            }
        )
    return points


def _looks(
    points: Sequence[Mapping[str, Any]], factor: Mapping[str, float]
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the mark of each group, definition and use, and what the legend calls it."""
    looks: dict[tuple[str, str, str], dict[str, Any]] = {}
    for p in sorted(points, key=lambda p: (p["use"] != "fit", not p["reference"])):
        group, name = p["group"], p["definition"]
        look: dict[str, Any] = {"color": GROUP_COLOURS[group], "markersize": 4.8}
        if p["use"] != "fit":
            look = {"color": d.GREY, "marker": COMPARED, "markersize": 4}
            look["label"] = "for comparison only"
        elif p["reference"]:
            look |= {"marker": REFERENCE, "label": f"{group}: {name} (reference)"}
        else:
            used = sum(key[0] == group and look["marker"] in OTHERS for key, look in looks.items())
            times = factor.get(f"{group}/{name}")
            note = f" ({times:.2g} × the line)" if times else ""
            look |= {"marker": OTHERS[used % len(OTHERS)], "markerfacecolor": "none"}
            look["label"] = f"{group}: {d.short(name)}{note}"
        looks.setdefault((group, name, p["use"]), look)
    return looks


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
        ratio = summarise(dt, group, name="worker_ratio")
        rows += by_year(ratio, years, draws=word)
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
        "The ratio by year with its band, prior and posterior; at the end the posterior median is "
        f"{number(rows[-1]['median'])} ({interval(rows[-1], 'ratio')}).",
    )


def plot_levels(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of each year's works at each level."""
    shares = summarise(dt, "predictions", name="level_field")
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.2)
    ax = fig.subplots()
    names = [f"{k}: {name}" for k, name in enumerate(LEVEL_NAMES)]
    ax.stackplot(years, shares["mean"].T, colors=d.LEVEL_COLOURS, labels=names)
    finish_shares(
        ax,
        years,
        ylabel="share of the year's works (mean)",
        xlabel="year of the works",
        legend="highest level shown",
        stacked=True,
    )
    rows = [
        r
        for k in range(len(LEVEL_NAMES))
        for r in by_year({key: x[:, k] for key, x in shares.items()}, years, level=k)
    ]
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Maturity: levels of the works of each year",
        "Mean share of works whose highest level is each one, in the field. Above level 5 the "
        "shares are led by priors: hardly any work is rated there." + _top(shares, years) + " The "
        f"file {path.name}.csv has the {INTERVAL} of each.",
        f"Stacked areas of the shares of eight levels by year; in {years[-1]}: "
        + "; ".join(f"level {k} {chance(x)}" for k, x in enumerate(shares["mean"][-1]))
        + ".",
    )


def _top(shares: Mapping[str, Any], years: Sequence[int]) -> str:
    """Return what to make of a last level that is commoner than those below it."""
    mean = shares["mean"][-1]
    if mean[-1] <= max(mean[5:-1]):
        return ""
    return (
        f" That level 7 exceeds levels 5 and 6 by {years[-1]} (mean {chance(mean[-1])}, median "
        f"{chance(shares['median'][-1][-1])}) is an assumption and no finding: one shared number "
        "says how maturity raises each step above level 4, so a draw in which the field matures "
        "far passes 5 and 6 and gathers at 7, the last."
    )


def plot_milestones(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the chance that each level is established by the end of each year."""
    x = flat(dt, "predictions", name="established")
    years = labels(dt, "predictions", dim="forecast_year")
    chances, dates = summary(x), milestone_dates(x, first_year=years[0])
    fig = d.new(7.4, 4.0)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    for i, step in enumerate(STEPS):
        part = {key: values[i] for key, values in chances.items()}
        rows += by_year(part, years, level=step)
        means = part["mean"]
        colour, dash = d.LEVEL_COLOURS[step] if step > 2 else d.GREY, ":-"[step != 1]
        ax.plot(years, means, dash, color=colour, label=f"{step}: {LEVEL_NAMES[step]}")
        if step >= 5:
            ax.fill_between(
                years, part["lower"], part["upper"], color=colour, alpha=0.1, linewidth=0
            )
    finish_shares(
        ax,
        years,
        ylabel="probability established",
        xlabel="by the end of the year",
        legend="level",
    )
    d.save(fig, path, rows=rows)
    late = "; ".join(f"level {k} {100 * dates[k]['p_by_horizon']:.0f}%" for k in STEPS[4:])
    return d.Caption(
        "Milestones: when each level is established",
        "Chance that enough works at each level or above exist (three, unless set otherwise) and "
        f"the field's ceiling allows it: lines, means; bands (levels 5 to 7), {INTERVAL} of a "
        "probability. Levels 6 and 7 are led by priors: no evidence bears on their ceilings.",
        f"Curves that rise by year, one a level; by {years[-1]}: {late}.",
    )


REACHED, FIRST, ESTABLISHED = "reached", "first work", "established"
LANES = {FIRST: (d.POSTERIOR, 0.12), ESTABLISHED: (d.ORANGE, -0.16)}
"""Colour and height, beside its level's line, of what the model foretells."""
STACK = 0.11
"""Height of one milestone above another of the same level and year."""
Row = dict[str, Any]


def plot_timeline(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw, level by level, milestones as points and the model's dates as intervals."""
    years = [int(year) for year in labels(dt, "predictions", dim="forecast_year")]
    rows = [*_reached(frames, first=years[0]), *_foretold(dt, frames, first=years[0])]
    fig = d.new(7.4, 5.4)
    ax = fig.subplots()
    for row in rows:
        if row["kind"] != REACHED:
            _interval(ax, row, end=years[-1])
    reached = [row for row in rows if row["kind"] == REACHED]
    heights = [row["level"] + 0.26 + STACK * _before(reached, i) for i, row in enumerate(reached)]
    ax.plot([row["median"] for row in reached], heights, "D", color=d.INK, markersize=4.2, zorder=3)
    _finish(ax, years)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Milestones reached, and dates foretold",
        "Diamonds: feats of milestones.csv by the year they were reached. Blue: the model's year "
        "of a first work at the level or above in the field, rated or not. Orange: the year by "
        "which the level is established (enough such works, as its ceiling allows). Dot: median; "
        f"line: {INTERVAL} of the year; an arrow: it goes on beyond {years[-1]}.",
        _alt(rows, last=years[-1]),
    )


def _reached(frames: Frames, *, first: int) -> Iterator[Row]:
    """Yield the milestones reached, those before the axis at its first year."""
    for row in frames["milestones"]:
        if row.get("reached"):
            year = {"median": max(int(row["reached"]), first), "reached": int(row["reached"])}
            yield {"kind": REACHED, "level": int(row["level"]), "name": row["name"]} | year


def _foretold(dt: Any, frames: Frames, *, first: int) -> Iterator[Row]:
    """Yield the years of a first work and of establishment by level; None is beyond the axis."""
    keys = ("lower", "median", "upper")
    for row in frames.get("backcast") or ():
        yield {"kind": FIRST, "level": int(row["level"])} | {key: row[key] for key in keys}
    dates = milestone_dates(flat(dt, "predictions", name="established"), first_year=first)
    for step in STEPS:
        yield {"kind": ESTABLISHED, "level": step} | dates[step]["year"]


def _interval(ax: Any, row: Row, *, end: int) -> None:
    """Draw one interval of years; what is beyond the axis ends in an arrow."""
    colour, above = LANES[row["kind"]]
    y = row["level"] + above
    if row["lower"] is None:
        return
    upper = end if row["upper"] is None else row["upper"]
    ax.plot([row["lower"], upper], [y, y], color=colour, linewidth=2.6, solid_capstyle="butt")
    if row["upper"] is None:
        ax.plot(end, y, ">", color=colour, markersize=6, clip_on=False)
    if row["median"] is not None:
        look = {"color": colour, "markeredgecolor": d.PAPER, "markersize": 7}
        ax.plot(row["median"], y, "o", **look)


def _before(rows: list[Row], i: int) -> int:
    """Return how many rows before this one share its level and year."""
    here = (rows[i]["level"], rows[i]["median"])
    return sum((row["level"], row["median"]) == here for row in rows[:i])


def _finish(ax: Any, years: list[int]) -> None:
    """Label the axes; the legend stands above."""
    until_now(ax)
    levels = range(STEPS[-1] + 1)
    ax.set_yticks(levels, [f"{k}: {LEVEL_NAMES[k]}" for k in levels])
    ax.set_ylim(-0.5, STEPS[-1] + 0.8)
    ax.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    ax.set_xlabel("year")
    ax.grid(visible=False, axis="y")
    ax.plot([], [], "D", color=d.INK, markersize=4.2, label="milestone reached")
    for kind, (colour, _) in LANES.items():
        ax.plot([], [], "o-", color=colour, label=f"{kind} (model)")
    ax.figure.legend(loc="outside upper right", ncols=3)


def _alt(rows: list[Row], *, last: int) -> str:
    """Return what the picture shows, level by level."""
    sentences = []
    for level in range(STEPS[-1] + 1):
        lanes = [row for row in rows if row["level"] == level]
        years = sorted(row["reached"] for row in lanes if row["kind"] == REACHED)
        parts = [f"reached {', '.join(map(str, years))}" if years else "no feat reached"]
        parts += [f"{r['kind']} {_years(r, last)}" for r in lanes if r["kind"] != REACHED]
        sentences.append(f"level {level}: {'; '.join(parts)}")
    return ". ".join(sentences) + "."


def _years(row: Mapping[str, Any], last: int) -> str:
    """Return median and interval of a date in words."""
    texts = {key: row[key] or f"after {last}" for key in ("lower", "median", "upper")}
    return f"{texts['median']} ({texts['lower']} to {texts['upper']})"


TOP = 5
"""Agendas drawn by name in the figure on tracking."""


def plot_tracking(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of works that name a milestone, by year; the top agendas by name."""
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.0)
    ax = fig.subplots()
    rows = by_year(summarise(dt, "predictions", name="tracking_field"), years, agenda="field")
    band(ax, rows, colour=d.INK, label="field")
    agendas = labels(dt, "predictions", dim="agenda")
    shares = summarise(dt, "predictions", name="tracking_by_agenda")
    now = min(len(years) - 1, max(0, LAST_YEAR - years[0]))
    order = np.argsort(-shares["mean"][:, now])
    palette = [d.BLUE, d.RED, d.GREEN, d.ORANGE, d.PURPLE]
    called = names_of_agendas(frames)
    for place, i in enumerate(order):
        part = {key: x[i] for key, x in shares.items()}
        rows += by_year(part, years, agenda=agendas[i])
        if place < TOP:
            name = d.short(called.get(agendas[i], agendas[i]))
            ax.plot(years, part["median"], color=palette[place], linewidth=1.2, label=name)
    finish_shares(
        ax,
        years,
        ylabel="share of works that name\na milestone of alignment",
        xlabel="year of the works",
        legend="median of",
    )
    d.save(fig, path, rows=rows)
    last = rows[len(years) - 1]
    return d.Caption(
        "Tracking",
        "Share of works that name the alignment milestone they work toward: black line and band, "
        f"the field's median and {INTERVAL}; coloured lines, medians of the {TOP} agendas that "
        f"track most in {years[now]}.",
        f"The field's share with its band, and {TOP} agendas; the field's median is "
        f"{chance(rows[now]['median'])} in {years[now]} and {chance(last['median'])} "
        f"({interval(last)}) in {years[-1]}.",
    )
