"""The figure of reliability: chances of yes or no against how often it was yes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from reports import drawing as d

PANELS = {
    "tracking": "tracking",
    "capabilities": "capabilities use (hindsight)",
    "alignment": "alignment use (hindsight)",
}
Row = Mapping[str, Any]


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
    told, spoken = [], []
    for ax, (target, label) in zip(fig.subplots(1, 3), PANELS.items(), strict=True):
        x, y = _by_work([r for r in rows if r["target"] == target and r["horizon"] == 1])
        ax.plot([0, 1], [0, 1], color=d.MUTED, linewidth=0.9, linestyle=":")
        if len(x):
            order = np.argsort(x, kind="stable")
            fitted = isotonic_regression(y[order]).x
            ax.plot(x[order], fitted, color=d.BLUE)
            ax.plot(x, np.full(len(x), -0.03), "|", color=d.MUTED, markersize=5)
            told += [
                {"target": target, "chance": a, "share": b}
                for a, b in zip(x[order], fitted, strict=True)
            ]
            spoken.append(f"{label}: mean chance {x.mean():.2f}, share recorded {y.mean():.2f}")
        ax.set_title(f"{label} ({len(x)})", loc="left", fontsize=9)
        ax.set_xlabel("chance forecast")
        ax.set_ylabel("share recorded" if target == "tracking" else "")
        ax.set_xlim(-0.02, 1.0)
        ax.set_ylim(-0.06, 1.03)
    d.save(fig, path, rows=told)
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
