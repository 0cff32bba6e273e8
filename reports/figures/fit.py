"""Figures of the fit: raters, what was learned, the sampler, evidence and its replicates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from models.dims import COLUMNS, LEVELS
from models.ops import NumPy
from models.parameters import BLOCKS, SLOTS
from models.quantities import QUANTITIES
from models.ratings import formula as ratings
from reports.figures import drawing as d
from reports.figures.draws import (
    Array,
    Frames,
    flat,
    labels,
    names_of_agendas,
    row,
    summary,
    variable,
)
from reports.figures.shapes import Panel, counted, dots, name_rows, panel_of, plot_panels
from reports.view import conflicts
from reports.words import (
    CONFLICT,
    FAR,
    GREW,
    INTERVAL,
    LEARNED,
    LOWER,
    SOMEWHAT,
    UNTOUCHED,
    UPPER,
    filled,
)

RATER_TERMS = (
    "rater_lean_sd",
    "rater_lean_z",
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

MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")


def plot_raters(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw each rater's sensitivity and specificity, its kind's, and its lean in level."""
    raters, kinds = (labels(dt, "posterior", dim=dim) for dim in ("rater", "kind"))
    rows = _rows(dt, raters=raters, kinds=kinds)
    fig = d.new(7.4, 2.6 + 0.35 * len([*kinds, *raters]))
    axes = fig.subplots(1, 3)
    for ax, what in zip(axes, ("sensitivity", "specificity", "lean"), strict=True):
        _rater_panel(ax, [r for r in rows if r["what"] == what], who=[*kinds, *raters])
    names = [
        *(f"{d.short(kind, 18)}\n(in common)" for kind in kinds),
        *(d.short(r, 18) for r in raters),
    ]
    axes[0].set_yticklabels(names)
    for ax in axes[:2]:
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    axes[0].set_xlabel("sensitivity\n(recorded when there)")
    axes[1].set_xlabel("specificity\n(not recorded when absent)")
    axes[2].set_xlabel("lean of errors in level\n(log odds, up against down, per level)")
    axes[2].axvline(0.0, color=d.MUTED, linewidth=0.9)
    handles, shown = axes[0].get_legend_handles_labels()
    fig.legend(handles, shown, loc="outside upper center", ncols=3)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Raters",
        "How well the raters of a kind read in common (first rows), and each rater given that "
        f"reading: dot, median; line, {INTERVAL}. The common part rests mostly on its prior.",
        "Three panels with intervals of sensitivity, specificity and lean, one rater a row.",
    )


def _rows(dt: Any, *, raters: Sequence[str], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return summaries of sensitivity and specificity by column, and of the lean in level."""
    draws: Mapping[str, Array] = {n: flat(dt, "posterior", name=n) for n in RATER_TERMS}
    terms = ratings.terms(NumPy, draws)
    rows: list[dict[str, Any]] = []
    for what in ("sensitivity", "specificity"):
        for who, names in ((f"shared_{what}", kinds), (what, raters)):
            means = summary(np.asarray(terms[who]))
            rows += [
                {"what": what, "who": name, "column": column, **row(means, i, j)}
                for i, name in enumerate(names)
                for j, column in enumerate(COLUMNS)
            ]
    lean = summary(np.asarray(terms["lean"]))
    return rows + [{"what": "lean", "who": r, **row(lean, i)} for i, r in enumerate(raters)]


def _rater_panel(ax: Any, rows: Sequence[Mapping[str, Any]], *, who: Sequence[str]) -> None:
    groups = list(dict.fromkeys(r.get("column", "") for r in rows))
    step = 0.2 if len(groups) > 1 else 0.0
    for place, column in enumerate(groups):
        column_rows = [r for r in rows if r.get("column", "") == column]
        y = [who.index(r["who"]) + step * (place - 1 if step else 0) for r in column_rows]
        colour = d.SERIES[place] if column else d.INK
        label = {"tracking": "tracking", "": "level"}.get(column, f"{column} use")
        dots(ax, column_rows, y, colour=colour, marker=MARKS[place], label=label)
    name_rows(ax, ["" for _ in who])
    ax.grid(visible=False, axis="y")


OTHER = "effects by unit"
"""What stands in place of a block for effects of agendas, years and raters."""
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def plot_contraction(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the posterior's sd of each parameter against its prior's, on a log scale."""
    rows = [
        dict(r)
        for r in frames.get("diagnostics", ())
        if (filled(r.get("prior_sd")) or 0) > 0 and (filled(r.get("posterior_sd")) or 0) > 0
    ]
    for r in rows:
        r["ratio"] = float(r["posterior_sd"]) / float(r["prior_sd"])
    rows.sort(key=lambda r: r["ratio"])
    fig = d.new(7.4, 4.6)
    ax = fig.subplots()
    blocks = [b for b in (*BLOCKS, OTHER) if any(_block(r) == b for r in rows)]
    _draw(ax, rows, blocks=blocks)
    looks = {str(look["label"]): look for look in map(_look, rows)}
    handles = [Line2D([], [], **look) for look in looks.values()]
    fig.legend(handles=handles, loc="outside upper right", ncols=3)
    d.save(fig, path, rows=[{"block": _block(r), **r} for r in rows])
    moved = "; ".join(f"{r['parameter']} {r['ratio']:.2f}" for r in rows[:5])
    odd = ", ".join(str(r["parameter"]) for r in conflicts(rows))
    return d.Caption(
        "What the evidence moved",
        "Posterior sd over prior sd, one mark a belief, by block of the model. Near 1 the "
        "belief rests on its prior; hollow ones no evidence touches at all. A diamond is in "
        f"conflict with its prior: its mean moved by {FAR:.0f} or more prior sds, or its sd is "
        f"{GREW} times the prior's or more. Smallest ratios: {moved or 'none'}.",
        f"{len(rows)} beliefs by block and ratio of sds, "
        f"{sum(r['ratio'] < SOMEWHAT for r in rows)} of them below {SOMEWHAT}; in conflict with "
        f"their prior: {odd or 'none'}.",
    )


def _draw(ax: Any, rows: Sequence[Mapping[str, Any]], *, blocks: Sequence[str]) -> None:
    """Draw a mark a row, name what is in conflict, and mark the thresholds."""
    spread = dict.fromkeys(blocks, 0)
    for r in rows:
        block = _block(r)
        y = blocks.index(block) + (spread[block] % 5 - 2) * 0.12
        spread[block] += 1
        ax.plot(r["ratio"], y, **_look(r))
        if r.get("learned") == CONFLICT:
            place = {"xytext": (-4, 5), "textcoords": "offset points", "fontsize": 8}
            ax.annotate(d.short(str(r["parameter"])), (r["ratio"], y), **place)
    for x, style in ((LEARNED, ":"), (SOMEWHAT, ":"), (1.0, "-")):
        ax.axvline(x, color=d.MUTED, linewidth=0.9, linestyle=style, zorder=0.5)
    ratios = [r["ratio"] for r in rows] or [1.0]
    ax.set_xscale("log")
    ax.set_xlim(min(0.1, *ratios) / 1.7, max(2.0, *ratios) * 2.6)
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.set_yticks(range(len(blocks)), blocks)
    ax.set_ylim(max(1, len(blocks)) - 0.5, -0.6)
    ax.set_xlabel("posterior sd / prior sd (ratio, log scale; 1 = not moved; dotted: 0.5 and 0.9)")


def _look(r: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a belief's mark looks, and what the legend calls it."""
    status = r.get("learned")
    look = {"color": d.BLUE, "alpha": 0.75, "marker": "o", "markersize": 4.5, "linestyle": "none"}
    if status == CONFLICT:
        return look | {"color": d.RED, "alpha": 1, "marker": "D", "label": "conflict with prior"}
    if status == UNTOUCHED:
        return look | {"markerfacecolor": "none", "label": "untouched by evidence"}
    return look | {"label": "touched by evidence"}


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


RANKED = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")


def plot_ranks(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the ranks of each chain's headline draws."""
    ds = xr.Dataset({name: variable(dt, "predictions", name=name) for name in RANKED})
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
        for note in ax.texts:
            note.set_text(note.get_text().replace("(", " ("))
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
    rows = []
    for level in LEVELS:
        lower, median, upper = np.quantile((new == level).sum(axis=1), (LOWER, 0.5, UPPER))
        row: dict[str, Any] = {"level": level, "observed": int((seen == level).sum())}
        rows.append(row | {"lower": float(lower), "median": float(median), "upper": float(upper)})
    return rows


def plot_ppc_agendas(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of answers in each band of levels, by agenda."""
    every, called = panel_of(dt, "levels by agenda", title=""), names_of_agendas(frames)
    panels = [replace(p, labels=[called.get(x, x) for x in p.labels]) for p in by_band(every)]
    plot_panels(panels, path, ylabel="share of answers", percent=True, size=(9.4, 7.2))
    return d.Caption(
        "Levels as rated, by agenda",
        counted(panels),
        "Four panels, one a band of levels: shares by agenda, observed over intervals.",
    )


def by_band(every: Panel) -> list[Panel]:
    """Return one panel for each band of levels from one whose labels are 'agenda, level band'."""
    pairs = [label.rsplit(", ", 1) for label in every.labels]
    panels = []
    for band in dict.fromkeys(band for _, band in pairs):
        places = [i for i, (_, one) in enumerate(pairs) if one == band]
        names = [pairs[i][0] for i in places]
        panels.append(Panel(band, names, every.observed[places], every.replicated[:, places]))
    return panels


USES = ("capabilities use by age", "alignment use by age")


def plot_ppc_uses(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of answers that mark a use, by age of the work (sampled works)."""
    panels = [panel_of(dt, name, title=name.replace(" by age", "")) for name in USES]
    ylabel = "share of answers that mark a use"
    plot_panels(panels, path, ylabel=ylabel, percent=True, size=(7.4, 3.2))
    return d.Caption(
        "Uses as rated, by age of the work",
        "Sampled works, by whole years from their year to 2026. " + counted(panels),
        "Two panels of shares by age, observed over intervals of replicates.",
    )


def plot_ppc_agreement(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw Cohen's kappa of each pair of raters, by column."""
    panels = [panel_of(dt, "kappa of two raters", title="agreement of each pair, by question")]
    plot_panels(panels, path, ylabel="Cohen's kappa", size=(7.4, 4.4), cols=1)
    return d.Caption(
        "Agreement of raters",
        "Cohen's kappa (levels: linear weights): 1 is full agreement, 0 that of chance. "
        + counted(panels),
        "Kappa of each pair of raters and question, observed over intervals of replicates.",
    )


WORKERS = "figure (log people; of a bound: whether it holds)"


def plot_ppc_figures(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw each figure of workers, less its replicated median, and the share of faults found."""
    panels = [centred(panel_of(dt, WORKERS, title="figures of workers (log10, less the median)"))]
    panels.append(
        centred(panel_of(dt, "faults found", title="faults found, less the median"), base=1.0)
    )
    plot_panels(panels, path, ylabel="less the median (log10 people; faults)", size=(9.4, 4.6))
    return d.Caption(
        "Figures of workers and faults found",
        "Each row of the tables, less the median of its replicates: figures of workers in powers "
        "of ten, faults as counts. " + counted(panels),
        "Two panels of rows of evidence, observed over intervals of replicates.",
    )


def centred(panel: Panel, *, base: float = float(np.log(10.0))) -> Panel:
    """Return a panel less the median of its replicates, in units of ``base``; bounds left out."""
    bound = np.isin(panel.replicated, (0.0, 1.0)).all(axis=0) & (base != 1.0)
    middle = np.median(panel.replicated, axis=0)
    labels = [label for label, left_out in zip(panel.labels, bound, strict=True) if not left_out]
    seen, new = ((x - middle) / base for x in (panel.observed, panel.replicated))
    return Panel(panel.title, labels, seen[~bound], new[:, ~bound])
