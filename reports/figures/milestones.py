"""The figure of when each level is established."""

from pathlib import Path
from typing import Any

from models.milestones import milestone_dates
from models.structure import STEPS
from reports import drawing as d
from reports.series import by_year, finish_shares
from reports.summaries import Frames, flat, labels, summary
from reports.words import INTERVAL, LEVEL_NAMES

NEEDS = (("predictions", "established"),)
"""What must be there: (group, variable) pairs."""


def plot_milestones(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the chance that each level is established by the end of each year."""
    x = flat(dt, "predictions", name="established")
    years = labels(dt, "predictions", dim="forecast_year")
    found, dates = summary(x), milestone_dates(x, first_year=years[0])
    fig = d.new(7.4, 4.0)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    for i, step in enumerate(STEPS):
        part = {key: values[i] for key, values in found.items()}
        rows += by_year(part, years, level=step)
        means = part["mean"]
        colour, dash = d.LEVEL_COLOURS[step] if step > 2 else d.GREY, ":-"[step != 1]
        ax.plot(years, means, dash, color=colour, label=f"{step}: {LEVEL_NAMES[step]}")
        if step >= 5:
            ax.fill_between(
                years, part["lower"], part["upper"], color=colour, alpha=0.1, linewidth=0
            )
    finish_shares(
        ax,
        years,
        ylabel="probability established",
        xlabel="by the end of the year",
        legend="level",
    )
    d.save(fig, path, rows=rows)
    late = "; ".join(f"level {k} {100 * dates[k]['p_by_horizon']:.0f}%" for k in STEPS[4:])
    return d.Caption(
        "Milestones: when each level is established",
        "Chance that enough works at each level or above exist (three, unless set otherwise) and "
        f"the field's ceiling allows it: lines, means; bands (levels 5 to 7), {INTERVAL} of a "
        "probability. Levels 6 and 7 are led by priors: no evidence bears on their ceilings.",
        f"Curves that rise by year, one a level; by {years[-1]}: {late}.",
    )
