"""The figure of the headline: prior and posterior."""

from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models.quantities import QUANTITIES
from reports import drawing as d
from reports.summaries import GROUPS, Frames, outcome_rows, row, summarise, thinned
from reports.words import INTERVAL, LOWER, UPPER, chance, interval

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""The headline quantities that are drawn as densities."""

NEEDS = tuple((group, name) for group in GROUPS for name in SHOWN)
"""What must be there: (group, variable) pairs."""


def plot_headline(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw prior and posterior densities of the headline's main quantities."""
    both = {word: thinned(dt[group].ds[list(SHOWN)]) for group, word in GROUPS.items()}
    pc = az.plot_prior_posterior(
        xr.DataTree.from_dict(both),
        kind="ecdf",
        visuals={"title": False},
        color=[d.PRIOR, d.POSTERIOR],
        figure_kwargs={"figsize": (7.4, 5.4), "layout": "constrained"},
        col_wrap=2,
    )
    fig = pc.viz["figure"].item()
    for name in SHOWN:
        ax = pc.get_target(name, {})
        ax.set_title(QUANTITIES[name].label, loc="left")
        ax.set_xlabel("probability for a work")
        ax.set_ylabel("share of draws below")
        ax.set_xlim(left=0.0)
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
        for end in (LOWER, UPPER):
            ax.axhline(end, color=d.MUTED, linewidth=0.8, linestyle=":")
    for legend in fig.legends:
        legend.remove()
    words = {"prior": d.PRIOR, "posterior": d.POSTERIOR}
    lines = [Line2D([], [], color=colour, label=word) for word, colour in words.items()]
    pc.get_target(SHOWN[0], {}).legend(handles=lines, loc="lower right")
    d.save(fig, path, rows=outcome_rows(dt, SHOWN))
    plt.close(fig)
    return d.Caption(
        "Headline: prior and posterior",
        "How far the evidence moves each probability: a curve gives the share of draws below a "
        f"value, so a steep curve is a sure one. Between the dotted lines lies the {INTERVAL}.",
        "Four panels with the distributions of the headline probabilities: "
        + "; ".join(_spoken(dt, name) for name in SHOWN),
    )


def _spoken(dt: Any, name: str) -> str:
    found = row(summarise(dt, "predictions", name=name))
    return f"{QUANTITIES[name].label}, mean {chance(found['mean'])}, {interval(found)}"
