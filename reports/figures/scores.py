"""Figures of scores: backtest, calibration of the inference, ledger."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from scipy import stats
from scipy.optimize import isotonic_regression

from reports.figures import drawing as d
from reports.figures.drawing import draw_all
from reports.words import INTERVAL, LOWER, UPPER

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
    pits = {
        "level": [r["pit"] for r in rows if r["target"] == "level" and r["horizon"] == 1],
        "workers": [r["pit"] for r in rows if r["target"] == "workers"],
    }
    pits = {target: u for target, u in pits.items() if len(u) > 1}
    fig = d.new(7.8, 3.4)
    axes = np.atleast_1d(fig.subplots(1, max(len(pits), 1)))
    p_values = [
        draw_pit(ax, np.asarray(u), title=f"{TITLES[target]} ({len(u)})")
        for ax, (target, u) in zip(axes, pits.items(), strict=False)
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
            for (t, u), p in zip(pits.items(), p_values, strict=True)
        ),
    )


def draw_pit(ax: Any, u: np.ndarray, *, title: str, named: bool = True) -> str:
    """Draw ArviZ's curve, the points it holds suspicious, and its p-value; return the last.

    ``named`` puts names on the axes.
    """
    dt = xr.DataTree.from_dict({"prior_sbc": xr.Dataset({"pit": ("sample", u)})})
    pc = az.plot_ecdf_pit(dt, sample_dims=["sample"], method="pot_c")
    figure = pc.viz["figure"].item()
    source = figure.axes[0]
    for line in source.lines:
        if not np.any(line.get_ydata()):
            continue  # the line at zero, drawn below
        ax.plot(line.get_xdata(), line.get_ydata(), color=d.BLUE, drawstyle=line.get_drawstyle())
    for points in source.collections:
        offsets = np.asarray(points.get_offsets())
        ax.plot(offsets[:, 0], offsets[:, 1], "o", color=d.RED, markersize=3)
    p_value = " ".join(text.get_text() for text in source.texts).split("(")[0].strip()
    plt.close(figure)
    ax.axhline(0.0, color=d.MUTED, linewidth=0.9, linestyle=":")
    ax.set_title(f"{title}, {p_value}", loc="left")
    if named:
        ax.set_xlabel("PIT value")
        ax.set_ylabel("share below, less uniform")
    return p_value


RELIABILITY_PANELS = {
    "tracking": "tracking",
    "capabilities": "capabilities use (hindsight)",
    "alignment": "alignment use (hindsight)",
}


def plot_reliability(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw the share of works recorded as yes against the chance forecast, one year ahead.

    The curve is the isotonic regression of what was recorded on the chance (CORP; Dimitriadis,
    Gneiting & Jordan 2021, doi:10.1073/pnas.2016191118), raters of a work averaged.

    Parameters
    ----------
    rows
        Chances with ``target``, ``item``, ``horizon``, ``chance`` and ``recorded``.
    path
        Without an ending.
    """
    fig = d.new(7.8, 3.2)
    curve, spoken = [], []
    for ax, (target, label) in zip(fig.subplots(1, 3), RELIABILITY_PANELS.items(), strict=True):
        x, y = _by_work([r for r in rows if r["target"] == target and r["horizon"] == 1])
        ax.plot([0, 1], [0, 1], color=d.MUTED, linewidth=0.9, linestyle=":")
        if len(x):
            order = np.argsort(x, kind="stable")
            fitted = isotonic_regression(y[order]).x
            ax.plot(x[order], fitted, color=d.BLUE)
            ax.plot(x, np.full(len(x), -0.03), "|", color=d.MUTED, markersize=5)
            curve += [
                {"target": target, "chance": a, "share": b}
                for a, b in zip(x[order], fitted, strict=True)
            ]
            spoken.append(f"{label}: mean chance {x.mean():.2f}, share recorded {y.mean():.2f}")
        ax.set_title(f"{label} ({len(x)})", loc="left", fontsize=9)
        ax.set_xlabel("chance forecast")
        ax.set_ylabel("share recorded" if target == "tracking" else "")
        ax.set_xlim(-0.02, 1.0)
        ax.set_ylim(-0.06, 1.03)
    d.save(fig, path, rows=curve)
    return d.Caption(
        "Backtest: reliability of chances",
        "Share of works recorded as yes, against the chance forecast from the year before; on the "
        "dotted line a chance is what it says. Ticks below mark the works. Use is rated with "
        "hindsight.",
        "; ".join(spoken) or "No work one year ahead.",
    )


def _by_work(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Return each work's mean chance and mean record over its raters."""
    items: dict[tuple[Any, Any], list[tuple[float, float]]] = {}
    for r in rows:
        items.setdefault((r["origin"], r["item"]), []).append((r["chance"], r["recorded"]))
    mean = np.array([np.mean(v, axis=0) for v in items.values()]).reshape(-1, 2)
    return mean[:, 0], mean[:, 1]


SKILL_PANELS = {
    "level": "levels",
    "tracking": "tracking",
    "workers": "figures on workers",
    "capabilities": "capabilities use (hindsight)",
    "alignment": "alignment use (hindsight)",
}
METHODS = {
    "carry": ("last carried forward", d.BLUE, "o"),
    "pooled": ("pooled shares", d.ORANGE, "s"),
    "ordinal": ("ordinal regression", d.RED, "D"),
    "trend": ("log-linear trend", d.GREEN, "^"),
}


def plot_skill(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw the model's gain in log score a work over each baseline, by origin.

    Parameters
    ----------
    rows
        Comparisons over all horizons, as of ``scores.csv``.
    path
        Without an ending.
    """
    gains = [r for r in rows if r["horizon"] == "all" and r["method"] in METHODS]
    gains = [r for r in gains if r["target"] in SKILL_PANELS and r.get("gain_lower") is not None]
    origins = sorted({r["origin"] for r in gains})
    fig = d.new(7.8, 6.4)
    axes = fig.subplots(3, 2).ravel()
    for ax, (target, label) in zip(axes, SKILL_PANELS.items(), strict=False):
        ax.axhline(0.0, color=d.INK, linewidth=0.9)
        for i, (method, (_, colour, mark)) in enumerate(METHODS.items()):
            shown = [r for r in gains if (r["target"], r["method"]) == (target, method)]
            x = [r["origin"] + 0.12 * (i - 1.5) for r in shown]
            y = [r["gain"] / r["items"] for r in shown]
            low = [(r["gain"] - r["gain_lower"]) / r["items"] for r in shown]
            high = [(r["gain_upper"] - r["gain"]) / r["items"] for r in shown]
            ax.errorbar(x, y, yerr=[low, high], fmt=mark, color=colour, markersize=4, linewidth=1.2)
        ax.set_title(label, loc="left")
        ax.set_xticks(origins)
        ax.set_ylabel("gain (nats a work)" if target != "workers" else "gain (nats a figure)")
        ax.set_xlabel("known until the end of")
    axes[-1].axis("off")
    for label, colour, mark in METHODS.values():
        axes[-1].plot([], [], mark, color=colour, label=label)
    axes[-1].legend(loc="center left", title="gain over")
    d.save(fig, path, rows=gains)
    below = [r for r in gains if r["gain"] < 0]
    return d.Caption(
        "Backtest: gain over the baselines",
        "Mean gain of the model in log score over each baseline, for all works and figures of the "
        f"years after the origin, with the {INTERVAL} over works. Above 0 the model is better.",
        f"Five panels by target; {len(below)} of {len(gains)} gains lie below 0.",
    )


COLUMNS = 4


def plot_ranks(ranks: Mapping[str, np.ndarray], path: Path, *, which: str) -> d.Caption:
    """Draw the ECDF of each quantity's ranks less the uniform one, with ArviZ's envelope.

    Parameters
    ----------
    ranks
        Uniform numbers if all is well, dims (simulation,), by label.
    path
        Without an ending.
    which
        What the quantities are, in words.
    """
    rows = -(-len(ranks) // COLUMNS)
    fig = d.new(10.0, 1.9 * rows + 0.5)
    axes = np.atleast_1d(fig.subplots(rows, COLUMNS, sharex=True, sharey=True)).ravel()
    for ax, (label, u) in zip(axes, ranks.items(), strict=False):
        draw_pit(ax, u, title=d.short(label, 30), named=False)
        ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=8)
    for ax in axes[len(ranks) :]:
        ax.set_visible(False)
    fig.supxlabel("rank of the truth among the draws, 0 to 1", fontsize=9.5)
    fig.supylabel("share below, less uniform", fontsize=9.5)
    data = [{"quantity": k, "rank": float(x)} for k, u in ranks.items() for x in np.sort(u)]
    d.save(fig, path, rows=data)
    n = len(next(iter(ranks.values()))) if ranks else 0
    return d.Caption(
        f"Calibration: ranks of the truth, {which}",
        f"Of {n} simulated worlds, with the p-value of ArviZ's test of uniformity (pot_c) of each "
        "quantity by itself, and in red the points it holds suspicious. A hump says that the "
        "posterior lies too high, a trough too low, a wave that it is too narrow or too wide.",
        f"{len(ranks)} curves of {which}.",
    )


def plot_faults(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw shift and width of each quantity's ranks; those that fail are named."""
    fig = d.new(7.2, 4.2)
    ax = fig.subplots()
    good = [row for row in rows if row["passes"]]
    bad = [row for row in rows if not row["passes"]]
    for part, colour, label in ((good, d.BLUE, "uniform"), (bad, d.RED, "not uniform")):
        if part:
            x, y = [row["shift"] for row in part], [row["width"] for row in part]
            ax.plot(x, y, "o", color=colour, markersize=3.5, alpha=0.7, label=label)
    for row in bad:
        ax.annotate(
            d.short(row["name"]),
            (row["shift"], row["width"]),
            fontsize=8,
            xytext=(4, 3),
            textcoords="offset points",
        )
    ax.axvline(0.0, color=d.MUTED, linewidth=0.8, linestyle=":")
    ax.axhline(1.0, color=d.MUTED, linewidth=0.8, linestyle=":")
    ax.set_xlabel("shift: mean normal score of the truth (posterior standard deviations)")
    ax.set_ylabel("width: root mean square score (1 is right)")
    ax.legend(loc="upper right")
    keep = ("name", "shift", "width", "passes")
    d.save(fig, path, rows=[{name: row[name] for name in keep} for row in rows])
    return d.Caption(
        "Calibration: every quantity at once",
        "Each point is a parameter or headline quantity: right of the line the truth lies above "
        "the posterior more often than it should, above the line the posterior is too narrow. "
        "Points scatter around the crossing by chance.",
        f"{len(good)} of {len(rows)} quantities are uniform.",
    )


def plot_ledger(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw outcomes against probabilities, and shares of outcomes against quantiles.

    The curve is the isotonic regression of outcomes on probabilities (CORP; Dimitriadis, Gneiting &
    Jordan 2021, doi:10.1073/pnas.2016191118); bars are Jeffreys intervals, which take forecasts to
    be independent.

    Parameters
    ----------
    rows
        Scored forecasts: ``kind``, ``outcome``, and ``probability`` or ``quantiles``.
    path
        Without an ending.
    """
    fig = d.new(7.8, 3.6)
    left, right = fig.subplots(1, 2)
    chances = [r for r in rows if r["kind"] == "probability"]
    ranges = [r for r in rows if r["kind"] == "quantiles"]
    shares = _chances(left, chances) + _quantiles(right, ranges)
    left.set_title(f"probabilities ({len(chances)} forecasts)", loc="left")
    left.set_xlabel("probability forecast")
    left.set_ylabel("share that resolved yes")
    right.set_title(f"quantiles ({len(ranges)} forecasts)", loc="left")
    right.set_xlabel("probability of the quantile")
    right.set_ylabel("share of outcomes at or below it")
    for ax, part in ((left, chances), (right, ranges)):
        ax.plot([0, 1], [0, 1], color=d.MUTED, linewidth=0.9, linestyle=":")
        ax.set_xlim(-0.04, 1.04)
        ax.set_ylim(-0.06, 1.06)
        if not part:
            ax.text(0.5, 0.5, "none resolved yet", ha="center", color=d.MUTED)
    d.save(fig, path, rows=shares)
    return d.Caption(
        "Calibration of the ledger",
        "Left: each resolved probability as a dot, at 1 if yes and at 0 if no, and their share by "
        "isotonic regression. Right: how often the outcome lay at or below a stated quantile, with "
        f"an {INTERVAL} that takes forecasts to be independent (those of one run are not). On the "
        "dotted line a forecast is what it says.",
        _spoken(chances, shares),
    )


def _chances(ax: Any, rows: Sequence[Row]) -> list[dict[str, Any]]:
    if not rows:
        return []
    p, y = (np.array([r[key] for r in rows], dtype=float) for key in ("probability", "outcome"))
    values, place, count = np.unique(p, return_inverse=True, return_counts=True)
    share = np.bincount(place, weights=y) / count
    fitted = isotonic_regression(share, weights=count).x
    ax.plot(values, fitted, color=d.BLUE)
    ax.scatter(p, y, s=22, color=d.BLUE, alpha=0.55, linewidths=0, clip_on=False)
    return [
        {"panel": "probabilities", "probability": a, "share": b, "n": int(n)}
        for a, b, n in zip(values, fitted, count, strict=True)
    ]


def _quantiles(ax: Any, rows: Sequence[Row]) -> list[dict[str, Any]]:
    below: dict[float, list[bool]] = {}
    for r in rows:
        for p, value in r["quantiles"]:
            below.setdefault(round(float(p), 6), []).append(r["outcome"] <= value)
    shares = []
    for p, outcomes in sorted(below.items()):
        n, k = len(outcomes), sum(outcomes)
        low, high = stats.beta.ppf([LOWER, UPPER], k + 0.5, n - k + 0.5)
        low, high = min(low, k / n), max(high, k / n)  # Jeffreys excludes the ends
        ax.plot([p, p], [low, high], color=d.BLUE, linewidth=1.2)
        ax.plot([p], [k / n], "o", color=d.BLUE, markersize=5, clip_on=False)
        row: dict[str, Any] = {"panel": "quantiles", "probability": p, "share": k / n, "n": n}
        shares.append(row | {"lower": float(low), "upper": float(high)})
    return shares


def _spoken(chances: Sequence[Row], shares: Sequence[Row]) -> str:
    sentences = []
    if chances:
        p, y = (np.mean([r[key] for r in chances]) for key in ("probability", "outcome"))
        sentences.append(
            f"{len(chances)} probabilities: mean {p:.2f}, share that resolved yes {y:.2f}"
        )
    sentences += [
        f"quantile {r['probability']:g}: {r['share']:.2f} of {r['n']} outcomes at or below"
        for r in shares
        if r["panel"] == "quantiles"
    ]
    return "; ".join(sentences) or "No forecast has resolved."


def write_backtest_figures(
    folder: Path, summary: Row, *, pits: Sequence[Row], chances: Sequence[Row]
) -> None:
    """Draw gains by origin, calibration and reliability into ``folder``."""
    plots = {
        "skill": partial(plot_skill, summary["scores"]),
        "pit": partial(plot_pit, pits),
        "reliability": partial(plot_reliability, chances),
    }
    draw_all(folder, plots)
