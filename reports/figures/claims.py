"""The figure of the claims C1 to C14: prior and posterior of each named quantity."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, PercentFormatter

from models.quantities import CLAIMS, QUANTITIES
from models.structure import FIRST_YEAR, LAST_YEAR, WORLDS
from reports import drawing as d
from reports.summaries import Array, Frames, flat, has, row, summary
from reports.words import CHANCES, INTERVAL, number

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
NEEDS = (("predictions", "alignment_relevant"),)
"""What must be there: (group, variable) pairs."""


def _values(dt: Any, claim: str, *, group: str) -> dict[tuple[str, str], Array]:
    """Return the drawn quantities of a claim as (name, label) and draws."""
    out: dict[tuple[str, str], Array] = {}
    for name in CLAIMS[claim].quantities:
        q = QUANTITIES[name]
        if not has(dt, group, name):
            continue
        if not q.dims:
            x = flat(dt, group, name=name)
            out[name, q.label] = np.exp(x) if q.unit == "log ratio" else x
        elif name == "fault_shares":
            x = flat(dt, group, name=name)
            out |= {
                (name, f"faults: {world.replace('-', ' ')}"): x[:, i]
                for i, world in enumerate(WORLDS)
            }
        elif name in SINGLE:
            at, label = SINGLE[name]
            x = flat(dt, group, name=name)[:, at]
            out[name, label] = x if x.ndim == 1 else x.sum(axis=1)
    return out


def claim_rows(dt: Any) -> list[dict[str, Any]]:
    """Return one row per claim, quantity and group of draws; log ratios as factors."""
    out = []
    for claim in CLAIMS:
        for word, (group, _) in DRAWS.items():
            for (name, label), x in _values(dt, claim, group=group).items():
                unit = QUANTITIES[name].unit
                unit = "factor" if unit == "log ratio" else unit
                found = row(summary(x))
                keys = {"claim": claim, "quantity": name, "label": label, "unit": unit}
                out.append({**keys, "draws": word, **found})
    return out


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
        some = [r for r in part if r["draws"] == word]
        y = [lines.index((r["claim"], r["label"])) + offset for r in some]
        look = {"color": colour, "markersize": 4, "label": word}
        ax.hlines(y, [r["lower"] for r in some], [r["upper"] for r in some], color=colour)
        ax.plot([r["median"] for r in some], y, "o", clip_on=False, **look)
    ax.set_yticks(range(len(lines)), [f"{label}  {claim}" for claim, label in lines])
    ax.set_ylim(len(lines) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
