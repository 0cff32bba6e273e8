"""The figure of figures of workers and faults found, over what the fit replicates."""

from pathlib import Path
from typing import Any

import numpy as np

from reports import drawing as d
from reports.intervals import Panel, counted, panel_of, plot_panels
from reports.summaries import Frames

WORKERS = "figure (log people; of a bound: whether it holds)"
NEEDS = (("replicated_statistics", WORKERS), ("replicated_statistics", "faults found"))
"""What must be there: (group, variable) pairs."""


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
    labels = [label for label, out in zip(panel.labels, bound, strict=True) if not out]
    seen, new = ((x - middle) / base for x in (panel.observed, panel.replicated))
    return Panel(panel.title, labels, seen[~bound], new[:, ~bound])
