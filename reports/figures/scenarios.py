"""The figure of scenarios by cohort."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import drawing as d
from reports.tables import label
from reports.words import INTERVAL

PANELS = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
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
    rows = [r for r in summary["by_cohort"] if r["quantity"] in PANELS]
    rows = [r for r in rows if r["scenario"] in (base, *shown)]
    fig = d.new(8.4, 6.6)
    axes = fig.subplots(2, 2, sharex=True).ravel()
    for ax, name in zip(axes, PANELS, strict=True):
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
