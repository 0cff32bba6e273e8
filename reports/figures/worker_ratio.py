"""The figure of the ratio of workers by year."""

from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter

from reports import drawing as d
from reports.series import band, by_year, until_now
from reports.summaries import Frames, labels, summarise
from reports.words import INTERVAL, interval, number

NEEDS = (("predictions", "worker_ratio"),)
"""What must be there: (group, variable) pairs."""


def plot_worker_ratio(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw capabilities workers for each alignment worker, prior and posterior."""
    years = labels(dt, "predictions", dim="forecast_year")
    fig = d.new(7.4, 3.6)
    ax = fig.subplots()
    rows: list[dict[str, Any]] = []
    groups = {"prior": ("prior_predictions", d.PRIOR), "posterior": ("predictions", d.POSTERIOR)}
    for word, (group, colour) in groups.items():
        if group not in dt.children or "worker_ratio" not in dt[group].data_vars:
            continue
        found = summarise(dt, group, name="worker_ratio")
        rows += by_year(found, years, draws=word)
        band(ax, rows[-len(years) :], colour=colour, label=word)
    until_now(ax)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x)))
    ax.set_ylabel("capabilities workers for each\nalignment worker (log scale)")
    ax.set_xlabel("year")
    ax.legend(loc="upper left", ncols=2)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Ratio of workers",
        "Capabilities workers (authors of a year at AI conferences) for each alignment worker "
        f"(technical, full-time): line, median; band, {INTERVAL}; dotted line, end of evidence.",
        "The ratio by year with its band, prior and posterior; at the end the posterior median is "
        f"{number(rows[-1]['median'])} ({interval(rows[-1], 'ratio')}).",
    )
