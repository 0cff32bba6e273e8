"""The figure of the headline: prior and posterior."""

from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models.quantities import QUANTITIES
from reports import drawing as d
from reports.outside import CONSIDERED
from reports.summaries import (
    GROUPS,
    Frames,
    flat,
    outcome_rows,
    ranked,
    row,
    summarise,
)
from reports.words import INTERVAL, LOWER, UPPER, chance, interval

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""The headline quantities that are drawn as densities."""

NEEDS = tuple((group, name) for group in GROUPS for name in SHOWN)
"""What must be there: (group, variable) pairs."""


def plot_headline(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw prior and posterior densities of the headline's main quantities."""
    both = {w: {name: ranked(dt, g, name=name) for name in SHOWN} for g, w in GROUPS.items()}
    pc = az.plot_prior_posterior(
        az.from_dict(both),
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
    curve = _considered(dt, frames, pc=pc)
    for legend in fig.legends:
        legend.remove()
    words = {"prior": d.PRIOR, "posterior": d.POSTERIOR}
    words |= {CONSIDERED: d.ORANGE} if curve else {}
    lines = [Line2D([], [], color=colour, label=word) for word, colour in words.items()]
    pc.get_target(SHOWN[0], {}).legend(handles=lines, loc="center right")
    d.save(fig, path, rows=outcome_rows(dt, SHOWN) + curve)
    plt.close(fig)
    return d.Caption(
        "Headline: prior and posterior",
        "How far the evidence moves each probability: a curve gives the share of draws below a "
        f"value, so a steep curve is a sure one. Between the dotted lines lies the {INTERVAL}."
        + (" All things considered: with the forecast's outside view mixed in." if curve else ""),
        "Four panels with the distributions of the headline probabilities: "
        + "; ".join(_spoken(dt, name) for name in SHOWN)
        + "".join(f"; {CONSIDERED}, mean {chance(r['mean'])}, {interval(r)}" for r in curve),
    )


def _considered(dt: Any, frames: Frames, *, pc: Any) -> list[dict[str, Any]]:
    """Draw a quantity with the outside view mixed in; return its summary, nothing without one."""
    points = frames.get("outside_view") or ()
    name = points[0]["quantity"] if points else ""
    if name not in SHOWN:
        return []
    draws, w = flat(dt, "predictions", name=name), points[0]["weight"]
    x = np.concatenate([draws, [r["value"] for r in points]])
    weights = np.repeat([(1.0 - w) / len(draws), w / len(points)], [len(draws), len(points)])
    order = np.argsort(x)
    pc.get_target(name, {}).plot(x[order], np.cumsum(weights[order]), color=d.ORANGE)
    found = {key: frames["considered"][0][key] for key in ("mean", "median", "lower", "upper")}
    return [{"quantity": name, "draws": CONSIDERED, **found}]


def _spoken(dt: Any, name: str) -> str:
    found = row(summarise(dt, "predictions", name=name))
    return f"{QUANTITIES[name].label}, mean {chance(found['mean'])}, {interval(found)}"
