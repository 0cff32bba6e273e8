"""Every figure of a run, drawn into one folder as SVG, PNG and CSV."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from reports.drawing import Plot, style
from reports.summaries import Frames, has

MODULES = ("plot_outcomes", "plot_claims", "plot_time", "plot_checks")


def plots() -> tuple[Plot, ...]:
    """Return every figure, in order."""
    return tuple(p for module in MODULES for p in import_module(f"reports.{module}").PLOTS)


def write_figures(
    dt: Any,
    frames: Frames,
    folder: Path,
    *,
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
    with style():
        for plot in plots():
            if not all(has(dt, group, name) for group, name in plot.needs):
                continue
            if progress is not None:
                progress(plot.name)
            done.append(plot.described(plot.draw(dt, folder / plot.name, frames=frames)))
    return done
