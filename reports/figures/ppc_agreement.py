"""The figure of the raters' agreement, over what the fit replicates."""

from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.intervals import counted, panel_of, plot_panels
from reports.summaries import Frames

NEEDS = (("replicated_statistics", "kappa of two raters"),)
"""What must be there: (group, variable) pairs."""


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
