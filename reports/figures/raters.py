"""The figure of raters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models import ratings
from models.structure import COLUMNS
from reports import drawing as d
from reports.summaries import Array, Frames, flat, labels, row, summary
from reports.words import INTERVAL

RATER_TERMS = (
    "rater_lean_sd",
    "rater_lean_z",
    "rater_level_scale",
    "rater_level_slip",
    "rater_own_error",
    "rater_spread_sd",
    "rater_sensitivity",
    "rater_sensitivity_z",
    "rater_specificity",
    "rater_specificity_z",
    "shared_level_scale",
    "shared_level_slip",
    "shared_sensitivity",
    "shared_specificity",
    "shared_own_error",
    "halo",
)

MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")

NEEDS = tuple(("posterior", name) for name in RATER_TERMS)
"""What must be there: (group, variable) pairs."""


def plot_raters(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw each rater's sensitivity and specificity, its kind's, and its lean in level."""
    raters, kinds = (labels(dt, "posterior", dim=dim) for dim in ("rater", "kind"))
    rows = _rows(dt, raters=raters, kinds=kinds)
    fig = d.new(7.4, 2.6 + 0.35 * len([*kinds, *raters]))
    axes = fig.subplots(1, 3)
    for ax, what in zip(axes, ("sensitivity", "specificity", "lean"), strict=True):
        _rater_panel(ax, [r for r in rows if r["what"] == what], who=[*kinds, *raters])
        ax.set_yticklabels([])
    names = [
        *(f"{d.short(kind, 18)}\n(in common)" for kind in kinds),
        *(d.short(r, 18) for r in raters),
    ]
    axes[0].set_yticklabels(names)
    for ax in axes[:2]:
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    axes[0].set_xlabel("sensitivity\n(recorded when there)")
    axes[1].set_xlabel("specificity\n(not recorded when absent)")
    axes[2].set_xlabel("lean of errors in level\n(log odds, up against down, per level)")
    axes[2].axvline(0.0, color=d.MUTED, linewidth=0.9)
    handles, shown = axes[0].get_legend_handles_labels()
    fig.legend(handles, shown, loc="outside upper center", ncols=3)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Raters",
        "How well the raters of a kind read in common (first rows), and each rater given that "
        f"reading: dot, median; line, {INTERVAL}. The common part rests mostly on its prior.",
        "Three panels with intervals of sensitivity, specificity and lean, one rater a row.",
    )


def _rows(dt: Any, *, raters: Sequence[str], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return summaries of sensitivity and specificity by column, and of the lean in level."""
    draws: Mapping[str, Array] = {n: flat(dt, "posterior", name=n) for n in RATER_TERMS}
    terms = ratings.from_draws(draws)
    rows: list[dict[str, Any]] = []
    for what in ("sensitivity", "specificity"):
        for who, names in ((f"shared_{what}", kinds), (what, raters)):
            found = summary(np.asarray(terms[who]))
            rows += [
                {"what": what, "who": name, "column": column, **row(found, i, j)}
                for i, name in enumerate(names)
                for j, column in enumerate(COLUMNS)
            ]
    lean = summary(np.asarray(terms["lean"]))
    return rows + [{"what": "lean", "who": r, **row(lean, i)} for i, r in enumerate(raters)]


def _rater_panel(ax: Any, rows: Sequence[Mapping[str, Any]], *, who: Sequence[str]) -> None:
    groups = list(dict.fromkeys(r.get("column", "") for r in rows))
    step = 0.2 if len(groups) > 1 else 0.0
    for place, column in enumerate(groups):
        some = [r for r in rows if r.get("column", "") == column]
        y = [who.index(r["who"]) + step * (place - 1 if step else 0) for r in some]
        colour = d.SERIES[place] if column else d.INK
        ax.hlines(y, [r["lower"] for r in some], [r["upper"] for r in some], color=colour)
        label = {"tracking": "tracking", "": "level"}.get(column, f"{column} use")
        x = [r["median"] for r in some]
        ax.plot(x, y, MARKS[place], color=colour, markersize=4.5, label=label)
    ax.set_yticks(range(len(who)))
    ax.set_ylim(len(who) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
