"""Figures of scenarios, decisions and disagreements, each beside its caption."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reports.drawing import Caption, style
from reports.figures.options import plot_options
from reports.figures.scenarios import plot_scenarios


def write_whatif_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw scenarios by cohort into ``folder``."""
    _write(folder, "by_cohort_figure", summary=summary, plot=plot_scenarios)


def write_decision_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw the options of a decision into ``folder``."""
    _write(folder, "options_figure", summary=summary, plot=plot_options)


def _write(
    folder: Path, name: str, *, summary: Mapping[str, Any], plot: Callable[..., Caption]
) -> None:
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in another script
        told = plot(summary, folder / name).described(name)
    text = json.dumps([told], indent=2, ensure_ascii=False)
    (folder / "captions.json").write_text(text + "\n", encoding="utf-8", newline="\n")
