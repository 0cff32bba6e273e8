"""The figure of levels as rated, over what the fit replicates."""

from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from models.structure import LEVELS
from reports import drawing as d
from reports.summaries import Frames
from reports.words import INTERVAL, LOWER, UPPER

NEEDS = (("replicated_statistics", "level answers"),)
"""What must be there: (group, variable) pairs."""


def plot_ppc_levels(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw ArviZ's rootogram of the answers on levels."""
    name = "level answers"
    groups = {"posterior_predictive": "replicated", "observed_data": "observed"}
    tree = {
        key: dt[f"{kind}_statistics"].to_dataset()[[name]].astype(int)
        for key, kind in groups.items()
    }
    pc = az.plot_ppc_rootogram(
        xr.DataTree.from_dict(tree),
        ci_prob=UPPER - LOWER,
        visuals={
            "predictive_markers": {"color": d.POSTERIOR},
            "credible_interval": {"color": d.POSTERIOR},
            "observed_markers": {"color": d.RED},
            "title": False,
        },
        figure_kwargs={"figsize": (7.4, 3.4), "layout": "constrained"},
    )
    fig = pc.viz["figure"].item()
    (ax,) = fig.axes
    ax.set_xlabel("level that a rater gives")
    ax.set_ylabel("answers (scale of square roots)")
    ax.set_xticks(list(LEVELS))
    rows = counts(dt)
    d.save(fig, path, rows=rows)
    plt.close(fig)
    bad = [r["level"] for r in rows if not r["lower"] <= r["observed"] <= r["upper"]]
    where = f"levels {', '.join(map(str, bad))}" if bad else "none"
    return d.Caption(
        "Levels as rated, and as replicated",
        f"Answers of all raters at each level. Red: observed; blue: median and {INTERVAL} "
        f"of what the fit replicates. Outside it: {where}.",
        "Counts of answers by level, observed over intervals of replicates: "
        + "; ".join(
            f"level {r['level']} {r['observed']} ({r['lower']:.0f} to {r['upper']:.0f})"
            for r in rows
        ),
    )


def counts(dt: Any) -> list[dict[str, Any]]:
    """Return, by level, how many answers were given, and the interval of replicates."""
    name = "level answers"
    seen = dt["observed_statistics"][name].values
    new = dt["replicated_statistics"][name].values.reshape(-1, len(seen))
    out = []
    for level in LEVELS:
        lower, median, upper = np.quantile((new == level).sum(axis=1), (LOWER, 0.5, UPPER))
        row: dict[str, Any] = {"level": level, "observed": int((seen == level).sum())}
        out.append(row | {"lower": float(lower), "median": float(median), "upper": float(upper)})
    return out
