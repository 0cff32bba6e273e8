"""Figures of what becomes of works: the headline, both splits, agendas and the race."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from models.quantities import QUANTITIES
from reports import drawing as d
from reports.summaries import Frames, has, labels, names_of_agendas, row, summarise, thinned
from reports.words import INTERVAL, LOWER, UPPER, chance, interval, of_hundred

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""The headline quantities that are drawn as densities."""
SPLITS = {
    "same bar": ("alignment_only", "both", "capabilities_only", "neither"),
    "strict": (
        "strict_alignment_only",
        "strict_both",
        "strict_capabilities_only",
        "strict_neither",
    ),
}
"""The two splits, each of which sums to 1."""
COLOURS = (d.ALIGNMENT, d.BOTH, d.CAPABILITIES, d.NEITHER)
PARTS = ("alignment side only", "both", "capabilities side only", "neither")
GROUPS = {"prior_predictions": "prior", "predictions": "posterior"}
"""The groups that hold predictions, and the word for each."""


def outcome_rows(dt: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return prior and posterior summaries of scalar predictions, one row each."""
    return [
        {"quantity": name, "draws": word, **row(summarise(dt, group, name=name))}
        for name in names
        for group, word in GROUPS.items()
        if has(dt, group, name)
    ]


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
        ax.set_xlabel("probability of a work")
        ax.set_ylabel("share of draws below")
        ax.set_xlim(left=0.0)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
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


def plot_splits(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw both four-way splits as stacked bars, posterior above prior."""
    fig = d.new(7.4, 4.2)
    axes = fig.subplots(2, 1, sharex=True)
    rows: list[dict[str, Any]] = []
    for ax, (split, names) in zip(axes, SPLITS.items(), strict=True):
        found = outcome_rows(dt, names)
        rows += [{"split": split, **one} for one in found]
        _stack(ax, found, names)
        ax.set_title(
            "Same bar: documented use on each side"
            if split == "same bar"
            else "Strict: alignment relevance against any capabilities use",
            loc="left",
        )
    axes[0].legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.14), handlelength=1.2)
    axes[-1].set_xlabel("share of the cohort's works (means over draws)")
    axes[-1].xaxis.set_major_formatter(PercentFormatter(1.0))
    d.save(fig, path, rows=rows)
    means = {r["quantity"]: r["mean"] for r in rows if r["draws"] == "posterior"}
    return d.Caption(
        "Both splits",
        "What becomes of 100 works, posterior and prior means; parts of a bar add up to 100. "
        f"The file beside it has the {INTERVAL} of each part.",
        "Stacked bars. On the same bar, of 100 works: "
        + "; ".join(f"{QUANTITIES[n].label} {of_hundred(means[n])}" for n in SPLITS["same bar"]),
    )


def _stack(ax: Any, found: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    words = [w for w in ("posterior", "prior") if any(r["draws"] == w for r in found)]
    mean = {(r["draws"], r["quantity"]): r["mean"] for r in found}
    left = np.zeros(len(words))
    for name, colour, part in zip(names, COLOURS, PARTS, strict=True):
        width = np.array([mean[w, name] for w in words])
        ax.barh(words, width, left=left, color=colour, label=part, height=0.62)
        for y, (start, size) in enumerate(zip(left, width, strict=True)):
            if size > 0.045:
                ink = d.INK if colour == d.NEITHER else d.ON_COLOUR
                at = {"ha": "center", "va": "center", "color": ink}
                ax.text(start + size / 2, y, f"{100 * size:.0f}", **at)
        left = left + width
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.grid(False)


def plot_agendas(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw strict relevance of a work by its agenda."""
    return _forest(
        dt,
        path,
        frames=frames,
        name="alignment_relevant",
        caption=d.Caption(
            "Strict relevance by agenda",
            "Chance that a work of the cohort ends up alignment-relevant in the strict sense, by "
            f"agenda, highest first. Dot: mean; thick line: middle half; thin line: {INTERVAL}. "
            "Where intervals overlap, the order says little.",
            "Intervals of strict relevance, one agenda a row.",
        ),
    )


def plot_race(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw by agenda how likely capabilities work is the first to use a work."""
    return _forest(
        dt,
        path,
        frames=frames,
        name="capabilities_first",
        caption=d.Caption(
            "Race: capabilities first, by agenda",
            "Chance that the first use of a work is a capabilities use, by agenda, highest first. "
            f"Dot: mean; thick line: middle half; thin line: {INTERVAL}. The rest is first use by "
            "alignment work, or no use.",
            "Intervals of first use by capabilities work, one agenda a row.",
        ),
    )


def _forest(dt: Any, path: Path, *, frames: Frames, name: str, caption: d.Caption) -> d.Caption:
    variable, group = f"agenda_{name}", "predictions"
    found = summarise(dt, group, name=variable)
    keys, called = labels(dt, group, dim="agenda"), names_of_agendas(frames)
    order = np.argsort(-found["mean"])
    shown = [d.short(called.get(keys[i], keys[i])) for i in order]
    shown = [text if shown.count(text) == 1 else f"{text} {i}" for i, text in enumerate(shown)]
    ds = thinned(dt[group].ds[[variable]]).isel(agenda=order).assign_coords(agenda=shown)
    ds = ds.rename({variable: name})
    pc = az.plot_forest(
        xr.DataTree.from_dict({"posterior": ds}),
        combined=True,
        point_estimate="mean",
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
    ax.set_xlabel(f"{QUANTITIES[name].label}: probability of a work")
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_xlim(left=0.0)
    rows = [{"agenda": keys[i], "quantity": name, **row(found, i)} for i in order]
    d.save(fig, path, rows=rows)
    plt.close(fig)
    return caption


PLOTS = (
    d.Plot("headline", plot_headline, tuple((group, name) for group in GROUPS for name in SHOWN)),
    d.Plot(
        "splits",
        plot_splits,
        tuple(("predictions", name) for names in SPLITS.values() for name in names),
    ),
    d.Plot("agendas", plot_agendas, (("predictions", "agenda_alignment_relevant"),)),
    d.Plot("race", plot_race, (("predictions", "agenda_capabilities_first"),)),
)
"""In the order of the page."""
