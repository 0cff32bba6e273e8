"""The figure of a decision's options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.words import INTERVAL, chance


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
