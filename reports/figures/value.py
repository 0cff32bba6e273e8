"""The figure of what information is worth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.tables import label

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
