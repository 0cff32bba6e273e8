"""The figure of levels by year."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.series import by_year, finish_shares
from reports.summaries import Frames, labels, summarise
from reports.words import INTERVAL, LEVEL_NAMES, chance

NEEDS = (("predictions", "level_field"),)
"""What must be there: (group, variable) pairs."""


def plot_levels(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of each year's works at each level."""
    found = summarise(dt, "predictions", name="level_field")
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 4.2)
    ax = fig.subplots()
    names = [f"{k}: {name}" for k, name in enumerate(LEVEL_NAMES)]
    ax.stackplot(years, found["mean"].T, colors=d.LEVEL_COLOURS, labels=names)
    finish_shares(
        ax,
        years,
        ylabel="share of the year's works (mean)",
        xlabel="year of the works",
        legend="highest level shown",
        stacked=True,
    )
    rows = [
        r
        for k in range(len(LEVEL_NAMES))
        for r in by_year({key: x[:, k] for key, x in found.items()}, years, level=k)
    ]
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Maturity: levels of the works of each year",
        "Mean share of works whose highest level is each one, in the field. Above level 5 the "
        "shares are led by priors: hardly any work is rated there." + _top(found, years) + " The "
        f"file {path.name}.csv has the {INTERVAL} of each.",
        f"Stacked areas of the shares of eight levels by year; in {years[-1]}: "
        + "; ".join(f"level {k} {chance(x)}" for k, x in enumerate(found["mean"][-1]))
        + ".",
    )


def _top(found: Mapping[str, Any], years: Sequence[int]) -> str:
    """Return what to make of a last level that is commoner than those below it."""
    mean = found["mean"][-1]
    if mean[-1] <= max(mean[5:-1]):
        return ""
    return (
        f" That level 7 exceeds levels 5 and 6 by {years[-1]} (mean {chance(mean[-1])}, median "
        f"{chance(found['median'][-1][-1])}) is an assumption and no finding: one shared number "
        "says how maturity raises each step above level 4, so a draw in which the field matures "
        "far passes 5 and 6 and gathers at 7, the last."
    )
