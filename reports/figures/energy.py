"""The figure of the sampler's energy."""

from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from reports import drawing as d
from reports.summaries import Frames, flat, row, summary

NEEDS = (("sample_stats", "energy"),)
"""What must be there: (group, variable) pairs."""


def plot_energy(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the energy of the sampler, and of its moves."""
    pc = az.plot_energy(
        dt,
        visuals={"title": False},
        color=[d.BLUE, d.ORANGE],
        figure_kwargs={"figsize": (7.4, 3.4), "layout": "constrained"},
    )
    fig = pc.viz["figure"].item()
    score, density = fig.axes[:2]
    score.yaxis.set_major_locator(MaxNLocator(integer=True))
    score.set_ylabel("chain")
    score.set_xlabel("E-BFMI (ratio)")
    score.set_title("dashed: 0.3", loc="left", fontsize=8, color=d.MUTED)
    density.set_xlabel("energy less its mean (nats)")
    density.set_ylabel("density (per nat)")
    for legend in fig.legends:
        legend.remove()
    words = {"energy": d.BLUE, "step to the next draw": d.ORANGE}
    lines = [Line2D([], [], color=colour, label=word) for word, colour in words.items()]
    density.legend(handles=lines, loc="upper right")
    energy = flat(dt, "sample_stats", name="energy")
    steps = np.diff(dt["sample_stats"]["energy"].transpose("chain", "draw").values, axis=1)
    rows = [
        {"what": "energy", "unit": "nats", **row(summary(energy))},
        {"what": "energy transition", "unit": "nats", **row(summary(steps.ravel()))},
    ]
    d.save(fig, path, rows=rows)
    plt.close(fig)
    return d.Caption(
        "Energy",
        "Density of the energy (nats) and of its steps; like widths mean that the sampler moves "
        "freely. E-BFMI per chain below 0.3 (dashed) would be a warning.",
        "Densities of energy and of its steps, and E-BFMI per chain.",
    )
