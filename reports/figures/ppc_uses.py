"""The figure of recorded uses by age, over what the fit replicates."""

from pathlib import Path
from typing import Any

from reports import drawing as d
from reports.intervals import counted, panel_of, plot_panels
from reports.summaries import Frames

NEEDS = tuple(
    ("replicated_statistics", f"{side} use by age") for side in ("capabilities", "alignment")
)
"""What must be there: (group, variable) pairs."""


def plot_ppc_uses(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw the share of answers that mark a use, by age of the work (sampled works)."""
    panels = [panel_of(dt, name, title=name.replace(" by age", "")) for _, name in NEEDS]
    ylabel = "share of answers that mark a use"
    plot_panels(panels, path, ylabel=ylabel, percent=True, size=(7.4, 3.2))
    return d.Caption(
        "Uses as rated, by age of the work",
        "Sampled works, by whole years from their year to 2026. " + counted(panels),
        "Two panels of shares by age, observed over intervals of replicates.",
    )
