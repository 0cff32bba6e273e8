"""The figure of both four-way splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import PercentFormatter

from models.quantities import QUANTITIES
from reports import drawing as d
from reports.summaries import Frames, outcome_rows
from reports.words import INTERVAL, chance, of_hundred

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
NEEDS = tuple(("predictions", name) for names in SPLITS.values() for name in names)
"""What must be there: (group, variable) pairs."""


def plot_splits(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw both four-way splits as stacked bars, posterior above prior."""
    fig = d.new(7.4, 4.2)
    axes = fig.subplots(2, 1, sharex=True)
    rows: list[dict[str, Any]] = []
    for ax, (split, names) in zip(axes, SPLITS.items(), strict=True):
        found = outcome_rows(dt, names)
        rows += [{"split": split, **one} for one in found]
        _stack(ax, found, names=names)
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


def _stack(ax: Any, found: Sequence[dict[str, Any]], *, names: Sequence[str]) -> None:
    words = [w for w in ("posterior", "prior") if any(r["draws"] == w for r in found)]
    mean = {(r["draws"], r["quantity"]): r["mean"] for r in found}
    left = np.zeros(len(words))
    small: dict[int, list[str]] = {}
    for name, colour, part in zip(names, COLOURS, PARTS, strict=True):
        width = np.array([mean[w, name] for w in words])
        ax.barh(words, width, left=left, color=colour, label=part, height=0.62)
        for y, (start, size) in enumerate(zip(left, width, strict=True)):
            if size > NARROW:
                at = {"ha": "center", "va": "center", "color": INKS.get(colour, d.ON_COLOUR)}
                ax.text(start + size / 2, y, chance(size), **at)
            else:
                small.setdefault(y, []).append(f"{part} {chance(size)}")
        left = left + width
    for y, told in small.items():
        look = {"ha": "left", "va": "top", "fontsize": 8, "color": d.MUTED}
        ax.text(0.004, y + 0.34, "too narrow to label: " + ", ".join(told), **look)
    ax.set_ylim(len(words) - 0.35, -0.45)
    ax.set_xlim(0, 1)
    ax.grid(False)
