"""The figure of what the evidence moved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.slots import BLOCKS, SLOTS
from reports import drawing as d
from reports.summaries import Frames
from reports.words import filled

OTHER = "effects by unit"
"""What stands in place of a block for effects of agendas, years and raters."""
NEEDS = (("frames", "diagnostics"),)
"""What must be there: (group, variable) pairs."""


def plot_contraction(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the posterior's sd of each parameter against its prior's."""
    rows = [
        dict(r)
        for r in frames.get("diagnostics", ())
        if (filled(r.get("prior_sd")) or 0) > 0 and (filled(r.get("posterior_sd")) or 0) > 0
    ]
    for r in rows:
        r["ratio"] = float(r["posterior_sd"]) / float(r["prior_sd"])
    rows.sort(key=lambda r: r["ratio"])
    fig = d.new(7.4, 4.2)
    ax = fig.subplots()
    blocks = [b for b in (*BLOCKS, OTHER) if any(_block(r) == b for r in rows)]
    spread = dict.fromkeys(blocks, 0)
    for r in rows:
        block = _block(r)
        y = blocks.index(block) + (spread[block] % 5 - 2) * 0.12
        spread[block] += 1
        ax.plot(r["ratio"], y, "o", color=d.BLUE, markersize=4.5, alpha=0.75)
    ax.axvline(1.0, color=d.MUTED, linewidth=0.9, linestyle=":")
    ax.set_xlim(left=0.0)
    ax.set_yticks(range(len(blocks)), blocks)
    ax.set_ylim(max(1, len(blocks)) - 0.5, -0.5)
    ax.set_xlabel("posterior sd / prior sd (ratio without unit; 1 = not moved)")
    d.save(fig, path, rows=[{"block": _block(r), **r} for r in rows])
    moved = "; ".join(f"{r['parameter']} {r['ratio']:.2f}" for r in rows[:5])
    return d.Caption(
        "What the evidence moved",
        "Posterior sd over prior sd, one dot a parameter, by block of the model. Near 1 the "
        "parameter rests on its prior; above 1 the evidence made it less sure. Most moved: "
        f"{moved or 'none'}.",
        f"{len(rows)} parameters by block and ratio of sds, "
        f"{sum(r['ratio'] < 0.9 for r in rows)} of them below 0.9.",
    )


def _block(r: Mapping[str, Any]) -> str:
    slot = SLOTS.get(str(r["parameter"]).split("[")[0])
    return slot.block if slot else OTHER
