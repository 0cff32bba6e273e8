"""The figure of the race: which side is first, by agenda."""

from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.forest import plot_forest
from reports.summaries import Frames
from reports.words import INTERVAL

NEEDS = (("predictions", "agenda_capabilities_first"),)
"""What must be there: (group, variable) pairs."""


def plot_race(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw by agenda how likely capabilities work is the first to use a work."""
    return plot_forest(
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
