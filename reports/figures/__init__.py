"""Every figure of a run, drawn into one folder as SVG, PNG and CSV."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from reports.figures.drawing import style
from reports.figures.draws import Frames, has

MODULES = {
    "headline": "answer",
    "splits": "answer",
    "agendas": "answer",
    "race": "answer",
    "claims": "answer",
    "workers": "field",
    "worker_ratio": "field",
    "levels": "field",
    "milestones": "field",
    "timeline": "field",
    "tracking": "field",
    "raters": "fit",
    "contraction": "fit",
    "energy": "fit",
    "ranks": "fit",
    "ppc_levels": "fit",
    "ppc_agendas": "fit",
    "ppc_uses": "fit",
    "ppc_agreement": "fit",
    "ppc_figures": "fit",
}
"""Every figure and its module, which has ``plot_NAME``."""
NEEDS = {
    "headline": ("prior_predictions/alignment_relevant", "predictions/alignment_relevant"),
    "splits": ("predictions/alignment_only", "predictions/strict_neither"),
    "agendas": ("predictions/agenda_alignment_relevant",),
    "race": ("predictions/agenda_capabilities_first",),
    "claims": ("predictions/alignment_relevant",),
    "workers": ("predictions/workers",),
    "worker_ratio": ("predictions/worker_ratio",),
    "levels": ("predictions/level_field",),
    "milestones": ("predictions/established",),
    "timeline": ("predictions/established", "frames/milestones"),
    "tracking": ("predictions/tracking_field", "predictions/tracking_by_agenda"),
    "raters": ("posterior/rater_lean_sd", "posterior/shared_own_error", "posterior/halo"),
    "contraction": ("frames/diagnostics",),
    "energy": ("sample_stats/energy",),
    "ranks": ("predictions/alignment_relevant",),
    "ppc_levels": ("replicated_statistics/level answers",),
    "ppc_agendas": ("replicated_statistics/levels by agenda",),
    "ppc_uses": ("replicated_statistics/capabilities use by age",),
    "ppc_agreement": ("replicated_statistics/kappa of two raters",),
    "ppc_figures": ("replicated_statistics/faults found",),
}
"""What must be there for each figure, as GROUP/VARIABLE; ``frames`` stands for the rows beside."""


def write_figures(
    dt: Any,
    frames: Frames,
    *,
    folder: Path,
    progress: Callable[[str], None] | None = None,
) -> list[dict[str, str]]:
    """Draw every figure whose variables are there.

    Parameters
    ----------
    dt
        DataTree with ``predictions``, ``prior_predictions``, ``posterior``, ``prior`` and
        ``sample_stats``; a figure without its variables is left out.
    frames
        Evidence and diagnostics as lists of rows, by name; a missing or empty one is no fault.
    folder
        Where ``NAME.svg``, ``NAME.png`` and ``NAME.csv`` go; made if missing.
    progress
        Called with each figure's name before it is drawn.

    Returns
    -------
    list of dict
        ``name``, ``title``, ``caption`` and ``alt`` of each figure, in order.
    """

    def there(need: str) -> bool:
        group, name = need.split("/")
        return bool(frames.get(name)) if group == "frames" else has(dt, group, name)

    folder.mkdir(parents=True, exist_ok=True)
    captions = []
    with style():
        for name, module in MODULES.items():
            if not all(map(there, NEEDS[name])):
                continue
            if progress is not None:
                progress(name)
            plot = getattr(import_module(f"reports.figures.{module}"), f"plot_{name}")
            captions.append(plot(dt, folder / name, frames=frames).described(name))
    return captions
