"""Every figure of a run, one a file, drawn into one folder as SVG, PNG and CSV."""

import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from reports.drawing import style
from reports.summaries import Frames, has

NAMES = (
    "headline",
    "splits",
    "agendas",
    "race",
    "claims",
    "workers",
    "worker_ratio",
    "levels",
    "milestones",
    "timeline",
    "tracking",
    "raters",
    "contraction",
    "energy",
    "ranks",
    "ppc_levels",
    "ppc_agendas",
    "ppc_uses",
    "ppc_agreement",
    "ppc_figures",
)
"""Every figure: module ``reports.figures.NAME`` has ``plot_NAME`` and ``NEEDS``."""


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
        for name in NAMES:
            module = import_module(f"reports.figures.{name}")
            if not all(_there(dt, frames, need=need) for need in module.NEEDS):
                continue
            if progress is not None:
                progress(name)
            caption = getattr(module, f"plot_{name}")(dt, folder / name, frames=frames)
            done.append(caption.described(name))
    return done


def _there(dt: Any, frames: Frames, *, need: tuple[str, str]) -> bool:
    group, name = need
    return bool(frames.get(name)) if group == "frames" else has(dt, group, name)
