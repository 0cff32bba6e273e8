"""The figure of gains over baselines, by origin."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.words import INTERVAL

PANELS = {
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
Row = Mapping[str, Any]


def plot_skill(rows: Sequence[Row], path: Path) -> d.Caption:
    """Draw the model's gain in log score a work over each baseline, by origin.

    Parameters
    ----------
    rows
        Comparisons over all horizons, as of ``scores.csv``.
    path
        Without an ending.
    """
    some = [r for r in rows if r["horizon"] == "all" and r["method"] in METHODS]
    some = [r for r in some if r["target"] in PANELS and r.get("gain_lower") is not None]
    origins = sorted({r["origin"] for r in some})
    fig = d.new(7.8, 6.4)
    axes = fig.subplots(3, 2).ravel()
    for ax, (target, label) in zip(axes, PANELS.items(), strict=False):
        ax.axhline(0.0, color=d.INK, linewidth=0.9)
        for i, (method, (_, colour, mark)) in enumerate(METHODS.items()):
            found = [r for r in some if (r["target"], r["method"]) == (target, method)]
            x = [r["origin"] + 0.12 * (i - 1.5) for r in found]
            y = [r["gain"] / r["items"] for r in found]
            low = [(r["gain"] - r["gain_lower"]) / r["items"] for r in found]
            high = [(r["gain_upper"] - r["gain"]) / r["items"] for r in found]
            ax.errorbar(x, y, yerr=[low, high], fmt=mark, color=colour, markersize=4, linewidth=1.2)
        ax.set_title(label, loc="left")
        ax.set_xticks(origins)
        ax.set_ylabel("gain (nats a work)" if target != "workers" else "gain (nats a figure)")
        ax.set_xlabel("known until the end of")
    axes[-1].axis("off")
    for label, colour, mark in METHODS.values():
        axes[-1].plot([], [], mark, color=colour, label=label)
    axes[-1].legend(loc="center left", title="gain over")
    d.save(fig, path, rows=some)
    below = [r for r in some if r["gain"] < 0]
    return d.Caption(
        "Backtest: gain over the baselines",
        "Mean gain of the model in log score over each baseline, for all works and figures of the "
        f"years after the origin, with the {INTERVAL} over works. Above 0 the model is better.",
        f"Five panels by target; {len(below)} of {len(some)} gains lie below 0.",
    )
