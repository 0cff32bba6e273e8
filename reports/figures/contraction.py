"""The figure of what the evidence moved."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from models.slots import BLOCKS, SLOTS
from reports import drawing as d
from reports.learned import CONFLICT, FAR, GREW, LEARNED, SOMEWHAT, UNTOUCHED, conflicts
from reports.summaries import Frames
from reports.words import filled

OTHER = "effects by unit"
"""What stands in place of a block for effects of agendas, years and raters."""
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
NEEDS = (("frames", "diagnostics"),)
"""What must be there: (group, variable) pairs."""


def plot_contraction(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the posterior's sd of each parameter against its prior's, on a log scale."""
    rows = [
        dict(r)
        for r in frames.get("diagnostics", ())
        if (filled(r.get("prior_sd")) or 0) > 0 and (filled(r.get("posterior_sd")) or 0) > 0
    ]
    for r in rows:
        r["ratio"] = float(r["posterior_sd"]) / float(r["prior_sd"])
    rows.sort(key=lambda r: r["ratio"])
    fig = d.new(7.4, 4.6)
    ax = fig.subplots()
    blocks = [b for b in (*BLOCKS, OTHER) if any(_block(r) == b for r in rows)]
    _draw(ax, rows, blocks=blocks)
    looks = {str(look["label"]): look for look in map(_look, rows)}
    handles = [Line2D([], [], **look) for look in looks.values()]
    fig.legend(handles=handles, loc="outside upper right", ncols=3)
    d.save(fig, path, rows=[{"block": _block(r), **r} for r in rows])
    moved = "; ".join(f"{r['parameter']} {r['ratio']:.2f}" for r in rows[:5])
    odd = ", ".join(str(r["parameter"]) for r in conflicts(rows))
    return d.Caption(
        "What the evidence moved",
        "Posterior sd over prior sd, one mark a belief, by block of the model. Near 1 the "
        "belief rests on its prior; hollow ones no evidence touches at all. A diamond is in "
        f"conflict with its prior: its mean moved by {FAR:.0f} or more prior sds, or its sd is "
        f"{GREW} times the prior's or more. Smallest ratios: {moved or 'none'}.",
        f"{len(rows)} beliefs by block and ratio of sds, "
        f"{sum(r['ratio'] < SOMEWHAT for r in rows)} of them below {SOMEWHAT}; in conflict with "
        f"their prior: {odd or 'none'}.",
    )


def _draw(ax: Any, rows: Sequence[Mapping[str, Any]], *, blocks: Sequence[str]) -> None:
    """Draw a mark a row, name what is in conflict, and mark the thresholds."""
    spread = dict.fromkeys(blocks, 0)
    for r in rows:
        block = _block(r)
        y = blocks.index(block) + (spread[block] % 5 - 2) * 0.12
        spread[block] += 1
        ax.plot(r["ratio"], y, **_look(r))
        if r.get("learned") == CONFLICT:
            at = {"xytext": (-4, 5), "textcoords": "offset points", "fontsize": 8}
            ax.annotate(d.short(str(r["parameter"])), (r["ratio"], y), **at)
    for x, style in ((LEARNED, ":"), (SOMEWHAT, ":"), (1.0, "-")):
        ax.axvline(x, color=d.MUTED, linewidth=0.9, linestyle=style, zorder=0.5)
    ratios = [r["ratio"] for r in rows] or [1.0]
    ax.set_xscale("log")
    ax.set_xlim(min(0.1, *ratios) / 1.7, max(2.0, *ratios) * 2.6)
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.set_yticks(range(len(blocks)), blocks)
    ax.set_ylim(max(1, len(blocks)) - 0.5, -0.6)
    ax.set_xlabel("posterior sd / prior sd (ratio, log scale; 1 = not moved; dotted: 0.5 and 0.9)")


def _look(r: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a belief's mark looks, and what the legend calls it."""
    status = r.get("learned")
    look = {"color": d.BLUE, "alpha": 0.75, "marker": "o", "markersize": 4.5, "linestyle": "none"}
    if status == CONFLICT:
        return look | {"color": d.RED, "alpha": 1, "marker": "D", "label": "conflict with prior"}
    if status == UNTOUCHED:
        return look | {"markerfacecolor": "none", "label": "untouched by evidence"}
    return look | {"label": "touched by evidence"}


def _block(r: Mapping[str, Any]) -> str:
    slot = SLOTS.get(str(r["parameter"]).split("[")[0])
    return slot.block if slot else OTHER
