"""Figures of the answer: headline, splits, agendas, race, claims."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from models.dims import FIRST_YEAR, LAST_YEAR, WORLDS
from models.quantities import CLAIMS, QUANTITIES
from reports.figures import drawing as d
from reports.figures.draws import (
    GROUPS,
    Array,
    Frames,
    flat,
    has,
    outcome_rows,
    ranked,
    row,
    summarise,
    summary,
)
from reports.figures.shapes import dots, name_rows, plot_forest
from reports.words import (
    CHANCES,
    CONSIDERED,
    INTERVAL,
    LOWER,
    UPPER,
    chance,
    interval,
    number,
    of_hundred,
)

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""The headline quantities that are drawn as densities."""


def plot_headline(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw prior and posterior densities of the headline's main quantities."""
    both = {w: {name: ranked(dt, g, name=name) for name in SHOWN} for g, w in GROUPS.items()}
    pc = az.plot_prior_posterior(
        az.from_dict(both),
        kind="ecdf",
        visuals={"title": False},
        color=[d.PRIOR, d.POSTERIOR],
        figure_kwargs={"figsize": (7.4, 5.4), "layout": "constrained"},
        col_wrap=2,
    )
    fig = pc.viz["figure"].item()
    for name in SHOWN:
        ax = pc.get_target(name, {})
        ax.set_title(QUANTITIES[name].label, loc="left")
        ax.set_xlabel("probability for a work")
        ax.set_ylabel("share of draws below")
        ax.set_xlim(left=0.0)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
        for end in (LOWER, UPPER):
            ax.axhline(end, color=d.MUTED, linewidth=0.8, linestyle=":")
    curve = _considered(dt, frames, pc=pc)
    for legend in fig.legends:
        legend.remove()
    words = {"prior": d.PRIOR, "posterior": d.POSTERIOR}
    words |= {CONSIDERED: d.ORANGE} if curve else {}
    lines = [Line2D([], [], color=colour, label=word) for word, colour in words.items()]
    pc.get_target(SHOWN[0], {}).legend(handles=lines, loc="center right")
    d.save(fig, path, rows=outcome_rows(dt, SHOWN) + curve)
    plt.close(fig)
    return d.Caption(
        "Headline: prior and posterior",
        "How far the evidence moves each probability: a curve gives the share of draws below a "
        f"value, so a steep curve is a sure one. Between the dotted lines lies the {INTERVAL}."
        + (" All things considered: with the forecast's outside view mixed in." if curve else ""),
        "Four panels with the distributions of the headline probabilities: "
        + "; ".join(_spoken(dt, name) for name in SHOWN)
        + "".join(f"; {CONSIDERED}, mean {chance(r['mean'])}, {interval(r)}" for r in curve),
    )


def _considered(dt: Any, frames: Frames, *, pc: Any) -> list[dict[str, Any]]:
    """Draw a quantity with the outside view mixed in; return its summary, nothing without one."""
    points = frames.get("outside_view") or ()
    name = points[0]["quantity"] if points else ""
    if name not in SHOWN:
        return []
    draws, w = flat(dt, "predictions", name=name), points[0]["weight"]
    x = np.concatenate([draws, [r["value"] for r in points]])
    weights = np.repeat([(1.0 - w) / len(draws), w / len(points)], [len(draws), len(points)])
    order = np.argsort(x)
    pc.get_target(name, {}).plot(x[order], np.cumsum(weights[order]), color=d.ORANGE)
    mixed = {key: frames["considered"][0][key] for key in ("mean", "median", "lower", "upper")}
    return [{"quantity": name, "draws": CONSIDERED, **mixed}]


def _spoken(dt: Any, name: str) -> str:
    mean = row(summarise(dt, "predictions", name=name))
    return f"{QUANTITIES[name].label}, mean {chance(mean['mean'])}, {interval(mean)}"


SPLITS = {
    "same bar": ("alignment_only", "both", "capabilities_only", "neither"),
    "strict": (
        "strict_alignment_only",
        "strict_both",
        "strict_capabilities_only",
        "strict_neither",
    ),
}
"""The two splits, each of which sums to 1."""

COLOURS = (d.ALIGNMENT, d.BOTH, d.CAPABILITIES, d.NEITHER)

INKS = {d.NEITHER: d.INK, d.BOTH: d.ON_PALE}
"""Text on a part, where white would not be read."""
NARROW = 0.06
"""Share below which a part's number stands under the bar."""
PARTS = ("alignment side only", "both", "capabilities side only", "neither")


def plot_splits(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw both four-way splits as stacked bars, posterior above prior."""
    fig = d.new(7.4, 4.2)
    axes = fig.subplots(2, 1, sharex=True)
    rows: list[dict[str, Any]] = []
    for ax, (split, names) in zip(axes, SPLITS.items(), strict=True):
        parts = outcome_rows(dt, names)
        rows += [{"split": split, **part} for part in parts]
        _stack(ax, parts, names=names)
        ax.set_title(
            "Same bar: documented use on each side"
            if split == "same bar"
            else "Strict: alignment relevance against any capabilities use",
            loc="left",
        )
    axes[0].legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.14), handlelength=1.2)
    axes[-1].set_xlabel("share of the cohort's works (means over draws)")
    axes[-1].xaxis.set_major_formatter(PercentFormatter(1.0))
    d.save(fig, path, rows=rows)
    means = {r["quantity"]: r["mean"] for r in rows if r["draws"] == "posterior"}
    return d.Caption(
        "Both splits",
        "What becomes of 100 works, posterior and prior means; parts of a bar add up to 100. "
        f"The file {path.name}.csv has the {INTERVAL} of each part.",
        "Stacked bars. On the same bar, of 100 works: "
        + "; ".join(f"{QUANTITIES[n].label} {of_hundred(means[n])}" for n in SPLITS["same bar"]),
    )


def _stack(ax: Any, rows: Sequence[dict[str, Any]], *, names: Sequence[str]) -> None:
    words = [w for w in ("posterior", "prior") if any(r["draws"] == w for r in rows)]
    mean = {(r["draws"], r["quantity"]): r["mean"] for r in rows}
    left = np.zeros(len(words))
    small: dict[int, list[str]] = {}
    for name, colour, part in zip(names, COLOURS, PARTS, strict=True):
        width = np.array([mean[w, name] for w in words])
        ax.barh(words, width, left=left, color=colour, label=part, height=0.62)
        for y, (start, size) in enumerate(zip(left, width, strict=True)):
            if size > NARROW:
                place = {"ha": "center", "va": "center", "color": INKS.get(colour, d.ON_COLOUR)}
                ax.text(start + size / 2, y, chance(size), **place)
            else:
                small.setdefault(y, []).append(f"{part} {chance(size)}")
        left = left + width
    for y, labels in small.items():
        look = {"ha": "left", "va": "top", "fontsize": 8, "color": d.MUTED}
        ax.text(0.004, y + 0.34, "too narrow to label: " + ", ".join(labels), **look)
    ax.set_ylim(len(words) - 0.35, -0.45)
    ax.set_xlim(0, 1)
    ax.grid(False)


def plot_agendas(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw strict relevance of a work by its agenda."""
    return plot_forest(
        dt,
        path,
        frames=frames,
        name="alignment_relevant",
        caption=d.Caption(
            "Strict relevance by agenda",
            "Chance that a work of the year asked about ends up alignment-relevant in the strict "
            "sense, by agenda, highest first. Dot: mean; thick line: middle half; thin line: "
            f"{INTERVAL}. "
            "Intervals that overlap do not say how surely one agenda is above another: agendas in "
            "pairs do (agenda_pairs.csv).",
            "Intervals of strict relevance, one agenda a row.",
        ),
    )


def plot_race(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw by agenda how likely capabilities work is the first to use a work."""
    return plot_forest(
        dt,
        path,
        frames=frames,
        name="capabilities_first",
        caption=d.Caption(
            "Race: capabilities first, by agenda",
            "Chance that the first use of a work is a capabilities use, by agenda, highest first. "
            f"Dot: mean; thick line: middle half; thin line: {INTERVAL}. The rest is first use by "
            "alignment work, or no use.",
            "Intervals of first use by capabilities work, one agenda a row.",
        ),
    )


NOW = LAST_YEAR - FIRST_YEAR

SINGLE: dict[str, tuple[int | slice, str]] = {
    "plateau": (slice(1, 4), "field ends at levels 1 to 3"),
    "level_share": (slice(1, 4), "works at levels 1 to 3"),
    "tracking_field": (NOW, f"works that track a milestone, {LAST_YEAR}"),
    "diagnosed": (3, "faults diagnosed by a work at level 3"),
    "worker_ratio": (NOW, f"capabilities per alignment worker, {LAST_YEAR}"),
}
"""Which entry of a quantity with dims is drawn (a slice is summed), and what it is called."""

DRAWS = {"prior": ("prior_predictions", d.PRIOR), "posterior": ("predictions", d.POSTERIOR)}


def _values(dt: Any, claim: str, *, group: str) -> dict[tuple[str, str], Array]:
    """Return the drawn quantities of a claim as (name, label) and draws."""
    draws: dict[tuple[str, str], Array] = {}
    for name in CLAIMS[claim].quantities:
        q = QUANTITIES[name]
        if not has(dt, group, name):
            continue
        if not q.dims:
            x = flat(dt, group, name=name)
            draws[name, q.label] = np.exp(x) if q.unit == "log ratio" else x
        elif name == "fault_shares":
            x = flat(dt, group, name=name)
            draws |= {
                (name, f"faults: {world.replace('-', ' ')}"): x[:, i]
                for i, world in enumerate(WORLDS)
            }
        elif name in SINGLE:
            entry, label = SINGLE[name]
            x = flat(dt, group, name=name)[:, entry]
            draws[name, label] = x if x.ndim == 1 else x.sum(axis=1)
    return draws


def claim_rows(dt: Any) -> list[dict[str, Any]]:
    """Return one row per claim, quantity and group of draws; log ratios as factors."""
    rows = []
    for claim in CLAIMS:
        for word, (group, _) in DRAWS.items():
            for (name, label), x in _values(dt, claim, group=group).items():
                unit = QUANTITIES[name].unit
                unit = "factor" if unit == "log ratio" else unit
                numbers = row(summary(x))
                keys = {"claim": claim, "quantity": name, "label": label, "unit": unit}
                rows.append({**keys, "draws": word, **numbers})
    return rows


def plot_claims(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw each claim's quantities, prior beside posterior: chances, then factors and counts."""
    rows = claim_rows(dt)
    parts = [[r for r in rows if (r["unit"] in CHANCES) == chances] for chances in (True, False)]
    heights = [max(1, len(_lines(part))) for part in parts]
    fig = d.new(7.4, 1.3 + 0.25 * sum(heights))
    axes = fig.subplots(2, 1, height_ratios=heights)
    for ax, part in zip(axes, parts, strict=True):
        _draw(ax, part)
    axes[0].set_xlim(0, 1)
    axes[0].xaxis.set_major_formatter(PercentFormatter(1.0))
    axes[0].set_xlabel("probability or share")
    axes[1].set_xscale("log")
    axes[1].axvline(1.0, color=d.MUTED, linewidth=0.9, linestyle=":")
    axes[1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x)))
    axes[1].set_xlabel("factor, ratio or number (log scale; dotted: 1)")
    handles, words = axes[0].get_legend_handles_labels()
    fig.legend(handles, words, loc="outside upper right", ncols=2)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "The claims C1 to C14",
        f"Prior and posterior of each claim's quantities: dot, median; line, {INTERVAL}. Where "
        "the two agree, the evidence says little on the claim.",
        "Intervals of the quantities of fourteen claims, prior above posterior.",
    )


def _lines(part: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((r["claim"], r["label"]) for r in part))


def _draw(ax: Any, part: Sequence[dict[str, Any]]) -> None:
    lines = _lines(part)
    for offset, (word, (_, colour)) in zip((-0.17, 0.17), DRAWS.items(), strict=True):
        rows = [r for r in part if r["draws"] == word]
        y = [lines.index((r["claim"], r["label"])) + offset for r in rows]
        dots(ax, rows, y, colour=colour, markersize=4, label=word, clip_on=False)
    name_rows(ax, [f"{label}  {claim}" for claim, label in lines])
    ax.grid(visible=False, axis="y")
