"""The figure of scenarios by cohort.

The figure of a decision's options.

The figure of what information is worth.

The figure of a crux: each claim's part of the gap.

Figures of scenarios, decisions and disagreements, each beside its caption.

The figure of an elicitation: the stated quantiles and the densities that fit them.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports.figures import drawing as d
from reports.figures.drawing import Caption, style
from reports.view import label
from reports.words import INTERVAL, chance

SCENARIOS_PANELS = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "capabilities_first",
)
MARKS = ("o", "s", "^", "D", "v", "P")
MOST = len(d.SERIES)
"""Scenarios drawn: more lines than colours cannot be told apart."""


def plot_scenarios(summary: Mapping[str, Any], path: Path) -> d.Caption:
    """Draw each outcome by year of the works, under the forecast and under scenarios.

    Parameters
    ----------
    summary
        Content of whatif.json.
    path
        Without an ending.
    """
    names = [one["name"] for one in summary["scenarios"]]
    base, shown = names[0], names[1 : MOST + 1]
    rows = [r for r in summary["by_cohort"] if r["quantity"] in SCENARIOS_PANELS]
    rows = [r for r in rows if r["scenario"] in (base, *shown)]
    fig = d.new(8.4, 6.6)
    axes = fig.subplots(2, 2, sharex=True).ravel()
    for ax, name in zip(axes, SCENARIOS_PANELS, strict=True):
        found = {n: [r for r in rows if (r["scenario"], r["quantity"]) == (n, name)] for n in names}
        years = [r["cohort"] for r in found[base]]
        ends = [[r[key] for r in found[base]] for key in ("lower", "upper")]
        ax.fill_between(years, *ends, color=d.GREY, alpha=0.25, linewidth=0)
        ax.plot(years, [r["mean"] for r in found[base]], color=d.INK, label=base)
        for n, colour, mark in zip(shown, d.SERIES, MARKS, strict=False):
            means = [r["mean"] for r in found[n]]
            ax.plot(years, means, color=colour, marker=mark, markersize=4, label=d.short(n, 28))
        ax.set_title(label(name), loc="left")
        ax.yaxis.set_major_formatter(FuncFormatter(d.percent))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylim(bottom=0.0)
        ax.set_ylabel("probability for a work")
    for ax in axes[2:]:
        ax.set_xlabel("year of the works")
    handles, texts = axes[0].get_legend_handles_labels()
    fig.legend(handles, texts, loc="outside lower center", ncols=3)
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


def plot_options(summary: Mapping[str, Any], path: Path) -> d.Caption:
    """Draw how far each option's payoff lies from that of the choice, paired draw by draw.

    Parameters
    ----------
    summary
        Content of decide.json.
    path
        Without an ending.
    """
    rows = sorted(summary["options"], key=lambda row: row["mean"])
    fig = d.new(7.4, 1.4 + 0.5 * len(rows))
    ax = fig.subplots()
    for y, row in enumerate(rows):
        mine = row["option"] == summary["choice"]
        ends = [[row["behind"] - row["behind_lower"]], [row["behind_upper"] - row["behind"]]]
        colour = d.BLUE if mine else d.INK
        ax.errorbar(row["behind"], y, xerr=ends, fmt="o", color=colour, markersize=6)
        note = f"best in {chance(row['p_best'])}"
        at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
        ax.annotate(note, (1.02, y), color=d.MUTED, fontsize=9, annotation_clip=False, **at)
    ax.axvline(0.0, color=d.INK, linewidth=0.9)
    ax.set_yticks(range(len(rows)), [d.short(row["option"]) for row in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel(f"payoff less that of {summary['choice']} ({summary['unit']})")
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Options against the choice",
        f"Mean and {INTERVAL} of the paired difference in payoff from the choice, "
        f"{summary['choice']}; at the right, how often the option is best.",
        f"{len(rows)} options; each one's difference from {summary['choice']} as an interval.",
    )


TOP = 12


def plot_value(summary: Mapping[str, Any], path: Path) -> d.Caption:
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
    rows = [*studies, *beliefs[:TOP]][::-1]
    fig = d.new(7.6, 1.2 + 0.3 * len(rows))
    ax = fig.subplots()
    colours = [d.ORANGE if "study" in r else d.BLUE for r in rows]
    errors = [200.0 * r["share_se"] for r in rows]
    shares = [100.0 * r["share"] for r in rows]
    ax.barh(range(len(rows)), shares, xerr=errors, color=colours, ecolor=d.INK, height=0.6)
    ax.set_yticks(range(len(rows)), [d.short(r["label"]) for r in rows])
    ax.set_xlim(left=0.0)
    ax.set_xlabel("share of the variance taken off (%)")
    d.save(fig, path, rows=rows)
    quick = " Studies were not simulated (--quick)." if summary["quick"] else ""
    return d.Caption(
        f"Value of information on {label(summary['quantity'])}",
        f"What knowing a belief (the {min(TOP, len(beliefs))} largest) or having a study would "
        f"take off the variance, on average; lines are two standard errors either way.{quick}",
        f"Bars of {len(rows)} beliefs and studies by the share of variance they would take off.",
    )


CRUX_PANELS = ("alignment_relevant", "alignment_used", "capabilities_relevant")


def plot_crux(pair: Mapping[str, Any], path: Path) -> d.Caption:
    """Draw each claim's part of the gap between two worldviews.

    Parameters
    ----------
    pair
        A member of ``pairs`` of crux.json.
    path
        Without an ending.
    """
    rows = [r for r in pair["parts"] if r["by"] == "claim" and r["quantity"] in CRUX_PANELS]
    held = {r["group"]: r["beliefs"] for r in rows}
    groups = [g for g in held if g != "none" or held[g]][::-1]
    fig = d.new(8.8, 4.6)
    for ax, name in zip(fig.subplots(1, 3, sharey=True), CRUX_PANELS, strict=True):
        found = {r["group"]: r for r in rows if r["quantity"] == name}
        parts = [100.0 * found[g]["part"] for g in groups]
        errors = [200.0 * found[g]["mcse"] for g in groups]
        colours = [d.BLUE if x >= 0 else d.RED for x in parts]
        ax.barh(range(len(groups)), parts, xerr=errors, color=colours, ecolor=d.INK, height=0.6)
        ax.axvline(0.0, color=d.INK, linewidth=0.9)
        ax.set_yticks(range(len(groups)), ["no claim" if g == "none" else g for g in groups])
        ax.set_title(d.short(label(name), 30), loc="left")
        ax.set_xlabel("points of percentage")
    d.save(fig, path, rows=rows)
    return d.Caption(
        f"Gap between {pair['b']} and {pair['a']} by claim",
        f"What each claim adds to {pair['b']} less {pair['a']}, given the same evidence "
        f"(blue: {pair['b']} says more; orange: less); bars add up to the sum of parts, and "
        "lines are two Monte Carlo errors either way.",
        f"Three panels of bars: parts of the gap between {pair['b']} and {pair['a']} by claim.",
    )


def write_whatif_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw scenarios by cohort into ``folder``."""
    _write(folder, "by_cohort_figure", summary=summary, plot=plot_scenarios)


def write_decision_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw the options of a decision into ``folder``."""
    _write(folder, "options_figure", summary=summary, plot=plot_options)


def write_value_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw what information is worth into ``folder``."""
    _write(folder, "value_figure", summary=summary, plot=plot_value)


def write_crux_figures(folder: Path, summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """Draw the parts of each pair's gap into ``folder``; return the captions."""
    pairs = summary["pairs"]
    told = [
        _drawn(folder, f"crux_figure_{i + 1}", summary=pair, plot=plot_crux)
        for i, pair in enumerate(pairs)
    ]
    _write_captions(folder, told)
    return told


def _write(
    folder: Path, name: str, *, summary: Mapping[str, Any], plot: Callable[..., Caption]
) -> None:
    _write_captions(folder, [_drawn(folder, name, summary=summary, plot=plot)])


def _drawn(
    folder: Path, name: str, *, summary: Mapping[str, Any], plot: Callable[..., Caption]
) -> dict[str, str]:
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in another script
        return plot(summary, folder / name).described(name)


def _write_captions(folder: Path, told: list[dict[str, str]]) -> None:
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (folder / "captions.json").write_text(text + "\n", encoding="utf-8", newline="\n")


INNER = (0.001, 0.999)
"""Probabilities between which a density is drawn."""


def plot_elicited(found: Mapping[str, Any], path: Path, *, unit: str) -> d.Caption:
    """Draw distribution functions and densities, by PreliZ, of every family that fits.

    Parameters
    ----------
    found
        ``name``, ``dist``, ``quantiles`` and ``fits`` with ``dist`` and ``params``.
    path
        Without an ending.
    unit
        Of the belief.
    """
    import preliz

    fig = d.new(7.8, 3.4)
    left, right = fig.subplots(1, 2)
    good = [row for row in found["fits"] if row["params"] is not None]
    made = {row["dist"]: getattr(preliz, row["dist"])(**row["params"]) for row in good}
    ends = np.array([[float(one.ppf(p)) for p in INNER] for one in made.values()])
    chosen = list(made).index(found["dist"])
    x = np.linspace(ends[chosen, 0], ends[chosen, 1], 401)
    rows: list[dict[str, Any]] = []
    for i, (dist, one) in enumerate(made.items()):
        wide, shown = (2.4, d.BLUE) if dist == found["dist"] else (1.1, d.GREY)
        label = f"{dist}, chosen" if dist == found["dist"] else dist
        style = "-" if dist == found["dist"] else ("--", ":", "-.")[i % 3]
        density, below = np.asarray(one.pdf(x)), np.asarray(one.cdf(x))
        left.plot(x, density, color=shown, linewidth=wide, linestyle=style, label=label)
        right.plot(x, below, color=shown, linewidth=wide, linestyle=style)
        told = zip(x.tolist(), density.tolist(), below.tolist(), strict=True)
        rows += [{"dist": dist, "value": a, "density": b, "below": c} for a, b, c in told]
    p, v = np.array(found["quantiles"]).T
    right.plot(v, p, "o", color=d.RED, label="stated quantiles")
    left.set_ylabel("density")
    right.set_ylabel("probability to be at or below")
    for ax in (left, right):
        ax.set_xlabel(f"{found['name']} ({unit})")
        ax.legend(loc="best")
    d.save(fig, path, rows=rows)
    return d.Caption(
        f"Elicited: {found['name']}",
        "Left: the density of each family that fits. Right: its distribution function, with the "
        "quantiles that were stated.",
        f"{found['name']}: "
        + ", ".join(f"{100 * q:g}% below {value:g}" for q, value in found["quantiles"])
        + f"; chosen: {found['dist']}.",
    )
