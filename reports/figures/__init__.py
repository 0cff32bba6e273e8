"""Every figure of a run, drawn into one folder as SVG, PNG and CSV."""

import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from reports.figures.drawing import style
from reports.summaries import Frames, has

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
"""Every figure and its module, which has ``plot_NAME`` and ``NAME_NEEDS``."""


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
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in another script
        for name, module_name in MODULES.items():
            module = import_module(f"reports.figures.{module_name}")
            needs = getattr(module, f"{name.upper()}_NEEDS")
            if not all(_there(dt, frames, need=need) for need in needs):
                continue
            if progress is not None:
                progress(name)
            caption = getattr(module, f"plot_{name}")(dt, folder / name, frames=frames)
            done.append(caption.described(name))
    return done


def _there(dt: Any, frames: Frames, *, need: tuple[str, str]) -> bool:
    group, name = need
    return bool(frames.get(name)) if group == "frames" else has(dt, group, name)
