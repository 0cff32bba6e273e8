"""Figures of raters and of the sampler: raters, contraction, energy, ranks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.ticker import MaxNLocator, PercentFormatter

from models import ratings
from models.quantities import QUANTITIES
from models.slots import BLOCKS, SLOTS
from models.structure import COLUMNS
from reports import drawing as d
from reports.summaries import Array, Frames, flat, labels, row, summary
from reports.words import INTERVAL, filled

RANKED = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
RATER_TERMS = (
    "rater_bias_sd",
    "rater_bias_z",
    "rater_level_scale",
    "rater_level_slip",
    "rater_own_error",
    "rater_spread_sd",
    "rater_sensitivity",
    "rater_sensitivity_z",
    "rater_specificity",
    "rater_specificity_z",
    "shared_level_scale",
    "shared_level_slip",
    "shared_sensitivity",
    "shared_specificity",
    "shared_own_error",
    "halo",
)
OTHER = "effects by unit"
"""What stands in place of a block for effects of agendas, years and raters."""
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
PALETTE = (d.BLUE, d.RED, d.GREEN, d.ORANGE, d.PURPLE, d.SKY)


def plot_raters(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw each rater's sensitivity and specificity, its kind's, and its lean in level."""
    draws: Mapping[str, Array] = {n: flat(dt, "posterior", name=n) for n in RATER_TERMS}
    terms = ratings.from_draws(draws)
    raters, kinds = (labels(dt, "posterior", dim=dim) for dim in ("rater", "kind"))
    rows = []
    for what in ("sensitivity", "specificity"):
        for who, names in ((f"shared_{what}", kinds), (what, raters)):
            found = summary(np.asarray(terms[who]))
            rows += [
                {"what": what, "who": name, "column": column, **row(found, i, j)}
                for i, name in enumerate(names)
                for j, column in enumerate(COLUMNS)
            ]
    bias = summary(np.asarray(terms["bias"]))
    rows += [{"what": "bias", "who": r, **row(bias, i)} for i, r in enumerate(raters)]
    fig = d.new(7.4, 2.6 + 0.35 * len([*kinds, *raters]))
    axes = fig.subplots(1, 3)
    for ax, what in zip(axes, ("sensitivity", "specificity", "bias"), strict=True):
        _rater_panel(ax, [r for r in rows if r["what"] == what], who=[*kinds, *raters])
    for ax in axes[1:]:
        ax.set_yticklabels([])
    for ax in axes[:2]:
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes[0].set_xlabel("sensitivity\n(recorded when there)")
    axes[1].set_xlabel("specificity\n(not recorded when absent)")
    axes[2].set_xlabel("bias\n(levels above the others)")
    axes[2].axvline(0.0, color=d.MUTED, linewidth=0.9)
    handles, shown = axes[0].get_legend_handles_labels()
    fig.legend(handles, shown, loc="outside upper center", ncols=3)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Raters",
        "How well the raters of a kind read in common (first rows), and each rater given that "
        f"reading: dot, median; line, {INTERVAL}. The common part rests mostly on its prior.",
        "Three panels with intervals of sensitivity, specificity and bias, one rater a row.",
    )


def _rater_panel(ax: Any, rows: Sequence[Mapping[str, Any]], *, who: Sequence[str]) -> None:
    groups = list(dict.fromkeys(r.get("column", "") for r in rows))
    step = 0.2 if len(groups) > 1 else 0.0
    for place, column in enumerate(groups):
        some = [r for r in rows if r.get("column", "") == column]
        y = [who.index(r["who"]) + step * (place - 1 if step else 0) for r in some]
        colour = PALETTE[place] if column else d.INK
        ax.hlines(y, [r["lower"] for r in some], [r["upper"] for r in some], color=colour)
        label = {"tracking": "tracking", "": "level"}.get(column, f"{column} use")
        x = [r["median"] for r in some]
        ax.plot(x, y, MARKS[place], color=colour, markersize=4.5, label=label)
    ax.set_yticks(range(len(who)), [d.short(name, 18) for name in who])
    ax.set_ylim(len(who) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def plot_contraction(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the posterior's sd of each parameter against its prior's."""
    rows = [
        dict(r)
        for r in frames.get("diagnostics", ())
        if (filled(r.get("prior_sd")) or 0) > 0 and (filled(r.get("posterior_sd")) or 0) > 0
    ]
    for r in rows:
        r["ratio"] = float(r["posterior_sd"]) / float(r["prior_sd"])
    rows.sort(key=lambda r: r["ratio"])
    fig = d.new(7.4, 4.2)
    ax = fig.subplots()
    blocks = [b for b in (*BLOCKS, OTHER) if any(_block(r) == b for r in rows)]
    spread = dict.fromkeys(blocks, 0)
    for r in rows:
        block = _block(r)
        y = blocks.index(block) + (spread[block] % 5 - 2) * 0.12
        spread[block] += 1
        ax.plot(r["ratio"], y, "o", color=d.BLUE, markersize=4.5, alpha=0.75)
    ax.axvline(1.0, color=d.MUTED, linewidth=0.9, linestyle=":")
    ax.set_xlim(left=0.0)
    ax.set_yticks(range(len(blocks)), blocks)
    ax.set_ylim(len(blocks) - 0.5, -0.5)
    ax.set_xlabel("posterior sd / prior sd (ratio without unit; 1 = not moved)")
    d.save(fig, path, rows=[{"block": _block(r), **r} for r in rows])
    moved = "; ".join(f"{r['parameter']} {r['ratio']:.2f}" for r in rows[:5])
    return d.Caption(
        "What the evidence moved",
        "Posterior sd over prior sd, one dot a parameter, by block of the model. Near 1 the "
        "parameter rests on its prior; above 1 the evidence made it less sure. Most moved: "
        f"{moved or 'none'}.",
        f"{len(rows)} parameters by block and ratio of sds, "
        f"{sum(r['ratio'] < 0.9 for r in rows)} of them below 0.9.",
    )


def _block(r: Mapping[str, Any]) -> str:
    slot = SLOTS.get(str(r["parameter"]).split("[")[0])
    return slot.block if slot else OTHER


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
    density.set_xlabel("energy less its mean (nats)")
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
        "freely. E-BFMI per chain below 0.3 would be a warning.",
        "Densities of energy and of its steps, and E-BFMI per chain.",
    )


def plot_ranks(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the ranks of each chain's headline draws."""
    ds = dt["predictions"].ds[list(RANKED)]
    pc = az.plot_rank(
        xr.DataTree.from_dict({"posterior": ds}),
        visuals={"title": False},
        color=list(PALETTE),
        figure_kwargs={"figsize": (7.4, 4.8), "layout": "constrained"},
        col_wrap=2,
    )
    fig = pc.viz["figure"].item()
    for name in RANKED:
        ax = pc.get_target(name, {})
        ax.set_title(QUANTITIES[name].label, loc="left")
        ax.set_xlabel("rank among all draws (share)", color=d.INK)
        ax.set_ylabel("difference from even")
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


PLOTS = (
    d.Plot("raters", plot_raters, tuple(("posterior", name) for name in RATER_TERMS)),
    d.Plot("contraction", plot_contraction, ()),
    d.Plot("energy", plot_energy, (("sample_stats", "energy"),)),
    d.Plot("ranks", plot_ranks, tuple(("predictions", name) for name in RANKED)),
)
"""In the order of the page."""
