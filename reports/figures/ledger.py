"""The figure of a ledger: whether its probabilities and quantiles are what they say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import isotonic_regression

from reports import drawing as d
from reports.words import INTERVAL, LOWER, UPPER

Row = Mapping[str, Any]


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
    told = _chances(left, chances) + _quantiles(right, ranges)
    left.set_title(f"probabilities ({len(chances)} forecasts)", loc="left")
    left.set_xlabel("probability forecast")
    left.set_ylabel("share that resolved yes")
    right.set_title(f"quantiles ({len(ranges)} forecasts)", loc="left")
    right.set_xlabel("probability of the quantile")
    right.set_ylabel("share of outcomes at or below it")
    for ax, some in ((left, chances), (right, ranges)):
        ax.plot([0, 1], [0, 1], color=d.MUTED, linewidth=0.9, linestyle=":")
        ax.set_xlim(-0.04, 1.04)
        ax.set_ylim(-0.06, 1.06)
        if not some:
            ax.text(0.5, 0.5, "none resolved yet", ha="center", color=d.MUTED)
    d.save(fig, path, rows=told)
    return d.Caption(
        "Calibration of the ledger",
        "Left: each resolved probability as a dot, at 1 if yes and at 0 if no, and their share by "
        "isotonic regression. Right: how often the outcome lay at or below a stated quantile, with "
        f"an {INTERVAL} that takes forecasts to be independent (those of one run are not). On the "
        "dotted line a forecast is what it says.",
        _spoken(chances, told),
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
    told = []
    for p, got in sorted(below.items()):
        n, k = len(got), sum(got)
        low, high = stats.beta.ppf([LOWER, UPPER], k + 0.5, n - k + 0.5)
        low, high = min(low, k / n), max(high, k / n)  # Jeffreys excludes the ends
        ax.plot([p, p], [low, high], color=d.BLUE, linewidth=1.2)
        ax.plot([p], [k / n], "o", color=d.BLUE, markersize=5, clip_on=False)
        row: dict[str, Any] = {"panel": "quantiles", "probability": p, "share": k / n, "n": n}
        told.append(row | {"lower": float(low), "upper": float(high)})
    return told


def _spoken(chances: Sequence[Row], told: Sequence[Row]) -> str:
    said = []
    if chances:
        p, y = (np.mean([r[key] for r in chances]) for key in ("probability", "outcome"))
        said.append(f"{len(chances)} probabilities: mean {p:.2f}, share that resolved yes {y:.2f}")
    said += [
        f"quantile {r['probability']:g}: {r['share']:.2f} of {r['n']} outcomes at or below"
        for r in told
        if r["panel"] == "quantiles"
    ]
    return "; ".join(said) or "No forecast has resolved."
