"""The figure of the chains' ranks."""

from itertools import cycle
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.lines import Line2D

from models.quantities import QUANTITIES
from reports import drawing as d
from reports.summaries import Frames, labels

RANKED = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")

NEEDS = tuple(("predictions", name) for name in RANKED)
"""What must be there: (group, variable) pairs."""


def plot_ranks(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the ranks of each chain's headline draws."""
    ds = dt["predictions"].ds[list(RANKED)]
    pc = az.plot_rank(
        xr.DataTree.from_dict({"posterior": ds}),
        visuals={"title": False, "remove_axis": False},
        color=list(d.SERIES),
        figure_kwargs={"figsize": (7.4, 4.8), "layout": "constrained"},
        col_wrap=2,
    )
    fig = pc.viz["figure"].item()
    for name in RANKED:
        ax = pc.get_target(name, {})
        ax.set_title(QUANTITIES[name].label, loc="left")
        ax.set_xlabel("rank among all draws (share)", color=d.INK)
        ax.set_ylabel("excess over even")
        for told in ax.texts:
            told.set_text(told.get_text().replace("(", " ("))
    chains = [str(c) for c in labels(dt, "predictions", dim="chain")]
    lines = [Line2D([], [], color=c, label=w) for c, w in zip(cycle(d.SERIES), chains)]
    fig.legend(handles=lines, title="chain", loc="outside upper center", ncols=max(1, len(chains)))
    x = {name: ds[name].transpose("chain", "draw").values for name in RANKED}
    rows = [
        {"quantity": name, "chain": c, "mean": float(v[c].mean()), "sd": float(v[c].std(ddof=1))}
        for name, v in x.items()
        for c in range(v.shape[0])
    ]
    d.save(fig, path, rows=rows)
    plt.close(fig)
    return d.Caption(
        "Ranks",
        "Whether the chains agree: distribution of each chain's ranks among all draws, less an "
        "even one (without unit). p tests an even spread: below α the chains differ. The file "
        "beside it has each chain's mean.",
        "Four panels with one line a chain around zero.",
    )
