"""Intervals by agenda: the shape that two figures share."""

from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.ticker import FuncFormatter

from models.quantities import QUANTITIES
from reports import drawing as d
from reports.summaries import Frames, labels, names_of_agendas, row, summarise
from reports.words import LOWER, UPPER


def plot_forest(dt: Any, path: Path, *, frames: Frames, name: str, caption: d.Caption) -> d.Caption:
    """Draw the predictions of ``name`` by agenda, and return ``caption``."""
    variable, group = f"agenda_{name}", "predictions"
    found = summarise(dt, group, name=variable)
    keys, called = labels(dt, group, dim="agenda"), names_of_agendas(frames)
    order = np.argsort(-found["mean"])
    shown = [d.short(called.get(keys[i], keys[i]), 38) for i in order]
    shown = [text if shown.count(text) == 1 else f"{text} {i}" for i, text in enumerate(shown)]
    ds = dt[group].ds[[variable]].isel(agenda=order).assign_coords(agenda=shown)
    ds = ds.rename({variable: name})
    pc = az.plot_forest(
        xr.DataTree.from_dict({"posterior": ds}),
        combined=True,
        point_estimate="mean",
        ci_kind="eti",
        ci_probs=(0.5, UPPER - LOWER),
        labels=["agenda"],
        visuals={
            "trunk": {"color": d.POSTERIOR, "width": 3.2},
            "twig": {"color": d.POSTERIOR, "width": 1.2},
            "point_estimate": {"color": d.INK},
        },
        figure_kwargs={"figsize": (7.4, 1.1 + 0.27 * len(keys)), "width_ratios": [1, 2]},
    )
    fig = pc.viz["figure"].item()
    height = fig.get_size_inches()[1]
    fig.subplots_adjust(left=0.02, right=0.97, top=1 - 0.1 / height, bottom=0.6 / height)
    pc.viz["plot"].sel(column="labels").item().set_axis_off()
    ax = pc.viz["plot"].sel(column="forest").item()
    ax.set_xlabel(f"{QUANTITIES[name].label}: probability for a work")
    ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    ax.set_xlim(left=0.0)
    rows = [{"agenda": keys[i], "quantity": name, **row(found, i)} for i in order]
    d.save(fig, path, rows=rows)
    plt.close(fig)
    return caption
