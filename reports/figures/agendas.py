"""The figure of strict relevance by agenda."""

from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.forest import plot_forest
from reports.summaries import Frames
from reports.words import INTERVAL

NEEDS = (("predictions", "agenda_alignment_relevant"),)
"""What must be there: (group, variable) pairs."""


def plot_agendas(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw strict relevance of a work by its agenda."""
    return plot_forest(
        dt,
        path,
        frames=frames,
        name="alignment_relevant",
        caption=d.Caption(
            "Strict relevance by agenda",
            "Chance that a work of the year asked about ends up alignment-relevant in the strict "
            "sense, by agenda, highest first. Dot: mean; thick line: middle half; thin line: "
            f"{INTERVAL}. "
            "Intervals that overlap do not say how surely one agenda is above another: agendas in "
            "pairs do (agenda_pairs.csv).",
            "Intervals of strict relevance, one agenda a row.",
        ),
    )
