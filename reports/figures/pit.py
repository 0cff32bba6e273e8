"""The figure of calibration: PIT values against uniform ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from reports import drawing as d

TITLES = {"level": "levels of works", "workers": "figures on workers"}
Row = Mapping[str, Any]


def plot_pit(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw how far the distribution of PIT values is from a uniform one.

    Parameters
    ----------
    rows
        PIT values with ``target``, ``origin`` and ``horizon``: levels one year ahead, each work
        once; workers of all horizons.
    path
        Without an ending.
    """
    found = {
        "level": [r["pit"] for r in rows if r["target"] == "level" and r["horizon"] == 1],
        "workers": [r["pit"] for r in rows if r["target"] == "workers"],
    }
    found = {target: u for target, u in found.items() if len(u) > 1}
    fig = d.new(7.8, 3.4)
    axes = np.atleast_1d(fig.subplots(1, max(len(found), 1)))
    said = [
        draw_pit(ax, np.asarray(u), title=f"{TITLES[target]} ({len(u)})")
        for ax, (target, u) in zip(axes, found.items(), strict=False)
    ]
    d.save(fig, path, rows=[dict(r) for r in rows])
    return d.Caption(
        "Backtest: are the forecasts calibrated?",
        "Share of PIT values below each value less what it would be under perfect calibration "
        "(the dotted line), with the p-value of a test of uniformity that allows for dependence "
        "(ArviZ's pot_c) and, in red, the points it holds suspicious. Levels one year ahead, "
        "randomised, one rater a work; figures of all horizons.",
        "; ".join(
            f"{TITLES[t]}: mean PIT {np.mean(u):.2f}, {p}"
            for (t, u), p in zip(found.items(), said, strict=True)
        ),
    )


def draw_pit(ax: Any, u: np.ndarray, *, title: str, named: bool = True) -> str:
    """Draw ArviZ's curve, the points it holds suspicious, and its p-value; return the last.

    ``named`` puts names on the axes.
    """
    dt = xr.DataTree.from_dict({"prior_sbc": xr.Dataset({"pit": ("sample", u)})})
    pc = az.plot_ecdf_pit(dt, sample_dims=["sample"], method="pot_c")
    other = pc.viz["figure"].item()
    source = other.axes[0]
    for line in source.lines:
        if not np.any(line.get_ydata()):
            continue  # the line at zero, drawn below
        ax.plot(line.get_xdata(), line.get_ydata(), color=d.BLUE, drawstyle=line.get_drawstyle())
    for points in source.collections:
        at = np.asarray(points.get_offsets())
        ax.plot(at[:, 0], at[:, 1], "o", color=d.RED, markersize=3)
    said = " ".join(text.get_text() for text in source.texts).split("(")[0].strip()
    plt.close(other)
    ax.axhline(0.0, color=d.MUTED, linewidth=0.9, linestyle=":")
    ax.set_title(f"{title}, {said}", loc="left")
    if named:
        ax.set_xlabel("PIT value")
        ax.set_ylabel("share below, less uniform")
    return said
