"""The figure of levels by agenda, over what the fit replicates."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.intervals import Panel, counted, panel_of, plot_panels
from reports.summaries import Frames, names_of_agendas

NEEDS = (("replicated_statistics", "levels by agenda"),)
"""What must be there: (group, variable) pairs."""


def plot_ppc_agendas(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of answers in each band of levels, by agenda."""
    whole, called = panel_of(dt, "levels by agenda", title=""), names_of_agendas(frames)
    panels = [replace(p, labels=[called.get(x, x) for x in p.labels]) for p in by_band(whole)]
    plot_panels(panels, path, ylabel="share of answers", percent=True, size=(9.4, 7.2))
    return d.Caption(
        "Levels as rated, by agenda",
        counted(panels),
        "Four panels, one a band of levels: shares by agenda, observed over intervals.",
    )


def by_band(whole: Panel) -> list[Panel]:
    """Return one panel for each band of levels from one whose labels are 'agenda, level band'."""
    pairs = [label.rsplit(", ", 1) for label in whole.labels]
    out = []
    for band in dict.fromkeys(band for _, band in pairs):
        at = [i for i, (_, one) in enumerate(pairs) if one == band]
        names = [pairs[i][0] for i in at]
        out.append(Panel(band, names, whole.observed[at], whole.replicated[:, at]))
    return out
