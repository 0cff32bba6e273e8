"""The figure of a crux: each claim's part of the gap."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.tables import label

PANELS = ("alignment_relevant", "alignment_used", "capabilities_relevant")


def plot_crux(pair: Mapping[str, Any], path: Path) -> d.Caption:
    """Draw each claim's part of the gap between two worldviews.

    Parameters
    ----------
    pair
        A member of ``pairs`` of crux.json.
    path
        Without an ending.
    """
    rows = [r for r in pair["parts"] if r["by"] == "claim" and r["quantity"] in PANELS]
    held = {r["group"]: r["beliefs"] for r in rows}
    groups = [g for g in held if g != "none" or held[g]][::-1]
    fig = d.new(8.8, 4.6)
    for ax, name in zip(fig.subplots(1, 3, sharey=True), PANELS, strict=True):
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
