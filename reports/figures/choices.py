"""Figures of scenarios, decisions, worldviews, sensitivity, value of information, elicitation."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.figures import drawing as d
from reports.figures.drawing import draw_all
from reports.figures.shapes import dots, name_rows
from reports.words import CONFLICT, INTERVAL, UNTOUCHED, chance, filled, label

Row = Mapping[str, Any]
SCENARIO_PANELS = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "capabilities_first",
)
MARKS = ("o", "s", "^", "D", "v", "P")
MOST_SCENARIOS = len(d.SERIES)
"""Scenarios drawn: more lines than colours cannot be told apart."""
TOP = 12
"""Beliefs in the figure of the value of information."""
CRUX_PANELS = SCENARIO_PANELS[:3]
MOST = 16
"""Beliefs in the tornado."""
MOVES = {
    "low": ("centre at 5%", d.BLUE, 0.18),
    "high": ("centre at 95%", d.RED, 0.18),
    "narrow": ("spread / 2", d.SKY, -0.2),
    "wide": ("spread x 2", d.ORANGE, -0.2),
}
"""Words, colour and place of a bar beside its belief's line, by move."""
INNER = (0.001, 0.999)
"""Probabilities between which a density is drawn."""


def write_whatif_figure(folder: Path, summary: Row) -> None:
    """Draw scenarios by cohort into ``folder``."""
    draw_all(folder, {"by_cohort_figure": partial(plot_scenarios, summary)})


def write_decision_figure(folder: Path, summary: Row) -> None:
    """Draw the options of a decision into ``folder``."""
    draw_all(folder, {"options_figure": partial(plot_options, summary)})


def write_value_figure(folder: Path, summary: Row) -> None:
    """Draw what information is worth into ``folder``."""
    draw_all(folder, {"value_figure": partial(plot_value, summary)})


def write_crux_figures(folder: Path, summary: Row) -> list[dict[str, str]]:
    """Draw the parts of each pair's gap into ``folder``; return the captions."""
    pairs = enumerate(summary["pairs"], start=1)
    return draw_all(folder, {f"crux_figure_{i}": partial(plot_crux, pair) for i, pair in pairs})


def plot_scenarios(summary: Row, path: Path) -> d.Caption:
    """Draw each outcome by year of the works, under the forecast and under scenarios.

    Parameters
    ----------
    summary
        Content of whatif.json.
    path
        Without an ending.
    """
    names = [scenario["name"] for scenario in summary["scenarios"]]
    base, shown = names[0], names[1 : MOST_SCENARIOS + 1]
    rows = [
        r
        for r in summary["by_cohort"]
        if r["quantity"] in SCENARIO_PANELS and r["scenario"] in (base, *shown)
    ]
    fig = d.new(8.4, 6.6)
    axes = fig.subplots(2, 2, sharex=True).ravel()
    for ax, quantity in zip(axes, SCENARIO_PANELS, strict=True):
        series = {
            name: [r for r in rows if (r["scenario"], r["quantity"]) == (name, quantity)]
            for name in (base, *shown)
        }
        years = [r["cohort"] for r in series[base]]
        ends = [[r[key] for r in series[base]] for key in ("lower", "upper")]
        ax.fill_between(years, *ends, color=d.GREY, alpha=0.25, linewidth=0)
        ax.plot(years, [r["mean"] for r in series[base]], color=d.INK, label=base)
        for name, colour, mark in zip(shown, d.SERIES, MARKS, strict=False):
            look = {"color": colour, "marker": mark, "markersize": 4, "label": d.short(name, 28)}
            ax.plot(years, [r["mean"] for r in series[name]], **look)
        ax.set_title(label(quantity), loc="left")
        ax.yaxis.set_major_formatter(FuncFormatter(d.percent))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylim(bottom=0.0)
        ax.set_ylabel("probability for a work")
    for ax in axes[2:]:
        ax.set_xlabel("year of the works")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    d.save(fig, path, rows=rows)
    left = len(names) - 1 - len(shown)
    more = f" {left} further scenarios are in the tables alone." if left else ""
    return d.Caption(
        "Scenarios by year of the works",
        f"Means by the end of {summary['horizon']}; the grey band is the forecast's own "
        f"{INTERVAL}. A scenario leaves earlier years as they are.{more}",
        f"Four panels of outcomes by year of the works, under {len(shown)} scenarios and the "
        "forecast.",
    )


def plot_options(summary: Row, path: Path) -> d.Caption:
    """Draw how far each option's payoff lies from that of the choice, paired draw by draw.

    Parameters
    ----------
    summary
        Content of decide.json.
    path
        Without an ending.
    """
    rows = sorted(summary["options"], key=lambda row: -row["mean"])
    choice = summary["choice"]
    fig = d.new(7.4, 1.4 + 0.5 * len(rows))
    ax = fig.subplots()
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
    for y, row in enumerate(rows):
        ends = {"lower": row["behind_lower"], "upper": row["behind_upper"]}
        colour = d.BLUE if row["option"] == choice else d.INK
        dots(ax, [row | ends], [y], colour=colour, centre="behind", markersize=6)
        note = f"best in {chance(row['p_best'])}"
        ax.annotate(note, (1.02, y), color=d.MUTED, fontsize=9, annotation_clip=False, **place)
    ax.axvline(0.0, color=d.INK, linewidth=0.9)
    name_rows(ax, [d.short(row["option"]) for row in rows])
    ax.set_xlabel(f"payoff less that of {choice} ({summary['unit']})")
    d.save(fig, path, rows=rows[::-1])
    return d.Caption(
        "Options against the choice",
        f"Mean and {INTERVAL} of the paired difference in payoff from the choice, {choice}; at the "
        "right, how often the option is best.",
        f"{len(rows)} options; each one's difference from {choice} as an interval.",
    )


def plot_value(summary: Row, path: Path) -> d.Caption:
    """Draw the share of variance that beliefs and studies would take off.

    Parameters
    ----------
    summary
        Content of value.json.
    path
        Without an ending.
    """
    beliefs = [r | {"label": r["name"]} for r in summary["beliefs"] if r["kind"] == "belief"]
    studies = [r | {"label": f"study: {r['study']}"} for r in summary["studies"]]
    rows = [*studies, *beliefs[:TOP]]
    fig = d.new(7.6, 1.2 + 0.3 * len(rows))
    ax = fig.subplots()
    colours = [d.ORANGE if "study" in r else d.BLUE for r in rows]
    bars(ax, rows, key="share", error="share_se", color=colours)
    name_rows(ax, [d.short(r["label"]) for r in rows])
    ax.set_xlim(left=0.0)
    ax.set_xlabel("share of the variance taken off (%)")
    d.save(fig, path, rows=rows[::-1])
    quick = " Studies were not simulated (--quick)." if summary["quick"] else ""
    return d.Caption(
        f"Value of information on {label(summary['quantity'])}",
        f"What knowing a belief (the {min(TOP, len(beliefs))} largest) or having a study would "
        f"take off the variance, on average; lines are two standard errors either way.{quick}",
        f"Bars of {len(rows)} beliefs and studies by the share of variance they would take off.",
    )


def bars(ax: Any, rows: Sequence[Row], *, key: str, error: str, color: Sequence[str]) -> None:
    """Draw a bar a row, in hundredths, with two standard errors either way."""
    errors = [200.0 * r[error] for r in rows]
    widths = [100.0 * r[key] for r in rows]
    ax.barh(range(len(rows)), widths, xerr=errors, color=color, ecolor=d.INK, height=0.6)


def plot_crux(pair: Row, path: Path) -> d.Caption:
    """Draw each claim's part of the gap between two worldviews.

    Parameters
    ----------
    pair
        A member of ``pairs`` of crux.json.
    path
        Without an ending.
    """
    rows = [r for r in pair["parts"] if r["by"] == "claim" and r["quantity"] in CRUX_PANELS]
    beliefs = {r["group"]: r["beliefs"] for r in rows}
    groups = [group for group in beliefs if group != "none" or beliefs[group]]
    fig = d.new(8.8, 4.6)
    for ax, name in zip(fig.subplots(1, 3, sharey=True), CRUX_PANELS, strict=True):
        by_group = {r["group"]: r for r in rows if r["quantity"] == name}
        parts = [by_group[group] for group in groups]
        colours = [d.BLUE if r["part"] >= 0 else d.RED for r in parts]
        bars(ax, parts, key="part", error="mcse", color=colours)
        ax.axvline(0.0, color=d.INK, linewidth=0.9)
        name_rows(ax, ["no claim" if group == "none" else group for group in groups])
        ax.set_title(d.short(label(name), 30), loc="left")
        ax.set_xlabel("points of percentage")
    d.save(fig, path, rows=rows)
    a, b = pair["a"], pair["b"]
    return d.Caption(
        f"Gap between {b} and {a} by claim",
        f"What each claim adds to {b} less {a}, given the same evidence (blue: {b} says more; "
        "orange: less); bars add up to the sum of parts, and lines are two Monte Carlo errors "
        "either way.",
        f"Three panels of bars: parts of the gap between {b} and {a} by claim.",
    )


def plot_tornado(s: Row, path: Path) -> d.Caption:
    """Draw how far each move of a prior moves the target's mean, the largest first."""
    names = [r["parameter"] for r in s["largest"]][:MOST]
    rows = [r for r in s["tornado"] if r["parameter"] in names]
    fig, ax = _rows_of(len(names), 1.2, 0.34)
    mean = s["headline"]["mean"]
    for move, (text, colour, away) in MOVES.items():
        moved = [r for r in rows if r["move"] == move and r["how"] != "withheld"]
        y = [names.index(r["parameter"]) - away for r in moved]
        x, errors = ([r[key] for r in moved] for key in ("shift", "mcse"))
        look = {"color": colour, "label": text, "ecolor": d.INK, "error_kw": {"elinewidth": 0.8}}
        ax.barh(y, x, left=mean, height=0.34, xerr=errors, **look)
    withheld = [names.index(r["parameter"]) for r in rows if r["how"] == "withheld"]
    ax.plot([mean] * len(withheld), withheld, "x", color=d.MUTED)
    ax.axvline(mean, color=d.INK, linewidth=0.9)
    name_rows(ax, [d.short(name) for name in names])
    ax.set_xlabel(f"mean of {s['label']} (probability)")
    fig.legend(loc="outside upper right", ncols=4)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Priors moved",
        "Mean of the target with each prior's centre at its own 5 or 95%, and with its spread "
        "halved or doubled; whiskers are one Monte Carlo error. A cross: some move is withheld.",
        f"Bars of {len(names)} beliefs; the largest is {names[0] if names else 'none'}.",
    )


def plot_blocks(s: Row, path: Path) -> d.Caption:
    """Draw the shares of variance by block: of factors, and on posterior draws."""
    names = [r["block"] for r in s["blocks"]]
    factors = {r["block"]: r for r in s["factors"]}
    rows: list[dict[str, Any]] = []
    for r in s["blocks"]:
        share = {key: r[key] for key in ("share", "lower", "upper")}
        rows.append({"block": r["block"], "what": "explained on posterior draws"} | share)
        if f := factors.get(r["block"]):
            share = {"share": f["shapley"], "lower": f["shapley_lower"]}
            share |= {"upper": f["shapley_upper"]}
            rows.append({"block": r["block"], "what": "Shapley effect of its factor"} | share)
    fig, ax = _rows_of(len(names), 1.0, 0.4)
    for i, what in enumerate(dict.fromkeys(r["what"] for r in rows)):
        shares = [r for r in rows if r["what"] == what]
        y = [names.index(r["block"]) + (i - 0.5) * 0.36 for r in shares]
        ends = [
            [max(r["share"] - r["lower"], 0.0) for r in shares],
            [max(r["upper"] - r["share"], 0.0) for r in shares],
        ]
        look = {"color": d.SERIES[i], "label": what, "xerr": ends, "ecolor": d.INK}
        ax.barh(y, [r["share"] for r in shares], height=0.34, **look)
    name_rows(ax, names)
    ax.set_xlabel("share of variance")
    fig.legend(loc="outside upper right", ncols=2)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Which blocks matter",
        "First bar: the part of the target's variance that what is left uncertain about a block "
        "explains. Second: its part in the variance that one factor a block gives, which moves "
        f"where its priors stand. Lines: {INTERVAL}.",
        f"Two bars for each of {len(names)} blocks.",
    )


def plot_ladder(s: Row, path: Path) -> d.Caption:
    """Draw the target as evidence is added."""
    rows = [r for r in s["ladder"] if r["how"] != "withheld"]
    names = [r["evidence"] for r in s["ladder"]]
    fig, ax = _rows_of(len(names), 1.0, 0.34)
    y = [names.index(r["evidence"]) for r in rows]
    dots(ax, rows, y, colour=d.BLUE, centre="mean", markersize=5)
    name_rows(ax, [d.short(name) for name in names])
    ax.set_xlabel(f"{s['label']} (probability)")
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Evidence added",
        f"Mean and {INTERVAL} of the target under the priors alone, then with each table added to "
        f"those above. {len(names) - len(rows)} steps are withheld.",
        f"{len(rows)} intervals, one below the other.",
    )


def _rows_of(n: int, height: float, row: float) -> tuple[Any, Any]:
    """Return a figure of ``n`` rows, and its axes with percentages."""
    fig = d.new(7.4, height + row * max(n, 3))
    ax = fig.subplots()
    ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    return fig, ax


def plot_learned(s: Row, path: Path) -> d.Caption:
    """Draw contraction against the shift of the mean, for each belief that evidence touches."""
    rows = [
        r
        for r in s["learned"]
        if r.get("learned") != UNTOUCHED and filled(r.get("contraction")) is not None
    ]
    fig = d.new(7.4, 4.4)
    ax = fig.subplots()
    for r in rows:
        conflict = r.get("learned") == CONFLICT
        x, y = max(float(r["contraction"]), -0.5), float(r["shift"])
        ax.plot(x, y, "D" if conflict else "o", color=d.RED if conflict else d.BLUE, ms=4.5)
        if conflict:
            place: Any = {"xytext": (4, 4), "textcoords": "offset points", "fontsize": 8}
            ax.annotate(d.short(str(r["parameter"])), (x, y), **place)
    ax.axhline(0.0, color=d.MUTED, linewidth=0.9)
    ax.set_xlabel("contraction: 1 less the ratio of variances (0: nothing learned; 1: all)")
    ax.set_ylabel("shift of the mean (prior sds)")
    keys = ("parameter", "block", "contraction", "shift", "learned")
    d.save(fig, path, rows=[{key: r.get(key) for key in keys} for r in rows])
    return d.Caption(
        "Prior against posterior",
        "Each mark a belief on which evidence bears: how much narrower it became, and how far its "
        "mean moved, where it is unbounded. Red: in conflict with its prior.",
        f"{len(rows)} beliefs by contraction and shift.",
    )


def plot_elicited(elicited: Row, path: Path, *, unit: str) -> d.Caption:
    """Draw distribution functions and densities, by PreliZ, of every family that fits.

    Parameters
    ----------
    elicited
        ``name``, ``dist``, ``quantiles`` and ``fits`` with ``dist`` and ``params``.
    path
        Without an ending.
    unit
        Of the belief.
    """
    import preliz

    fig = d.new(7.8, 3.4)
    left, right = fig.subplots(1, 2)
    families = {
        fit["dist"]: getattr(preliz, fit["dist"])(**fit["params"])
        for fit in elicited["fits"]
        if fit["params"] is not None
    }
    chosen = elicited["dist"]
    low, high = (float(families[chosen].ppf(p)) for p in INNER)
    x = np.linspace(low, high, 401)
    rows: list[dict[str, Any]] = []
    for i, (dist, family) in enumerate(families.items()):
        look = {"color": d.GREY, "linewidth": 1.1, "linestyle": ("--", ":", "-.")[i % 3]}
        if dist == chosen:
            look = {"color": d.BLUE, "linewidth": 2.4, "linestyle": "-"}
        density, below = np.asarray(family.pdf(x)), np.asarray(family.cdf(x))
        left.plot(x, density, label=f"{dist}, chosen" if dist == chosen else dist, **look)
        right.plot(x, below, **look)
        rows += [
            {"dist": dist, "value": value, "density": height, "below": p}
            for value, height, p in zip(x.tolist(), density.tolist(), below.tolist(), strict=True)
        ]
    p, v = np.array(elicited["quantiles"]).T
    right.plot(v, p, "o", color=d.RED, label="stated quantiles")
    left.set_ylabel("density")
    right.set_ylabel("probability to be at or below")
    for ax in (left, right):
        ax.set_xlabel(f"{elicited['name']} ({unit})")
        ax.legend(loc="best")
    d.save(fig, path, rows=rows)
    return d.Caption(
        f"Elicited: {elicited['name']}",
        "Left: the density of each family that fits. Right: its distribution function, with the "
        "quantiles that were stated.",
        f"{elicited['name']}: "
        + ", ".join(f"{100 * q:g}% below {value:g}" for q, value in elicited["quantiles"])
        + f"; chosen: {chosen}.",
    )
