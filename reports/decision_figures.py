"""Figures of scenarios, decisions and disagreements, each beside its caption."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reports.drawing import Caption, style
from reports.figures.crux import plot_crux
from reports.figures.options import plot_options
from reports.figures.scenarios import plot_scenarios
from reports.figures.value import plot_value


def write_whatif_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw scenarios by cohort into ``folder``."""
    _write(folder, "by_cohort_figure", summary=summary, plot=plot_scenarios)


def write_decision_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw the options of a decision into ``folder``."""
    _write(folder, "options_figure", summary=summary, plot=plot_options)


def write_value_figure(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw what information is worth into ``folder``."""
    _write(folder, "value_figure", summary=summary, plot=plot_value)


def write_crux_figures(folder: Path, summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """Draw the parts of each pair's gap into ``folder``; return the captions."""
    pairs = summary["pairs"]
    told = [
        _drawn(folder, f"crux_figure_{i + 1}", summary=pair, plot=plot_crux)
        for i, pair in enumerate(pairs)
    ]
    _write_captions(folder, told)
    return told


def _write(
    folder: Path, name: str, *, summary: Mapping[str, Any], plot: Callable[..., Caption]
) -> None:
    _write_captions(folder, [_drawn(folder, name, summary=summary, plot=plot)])


def _drawn(
    folder: Path, name: str, *, summary: Mapping[str, Any], plot: Callable[..., Caption]
) -> dict[str, str]:
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in another script
        return plot(summary, folder / name).described(name)


def _write_captions(folder: Path, told: list[dict[str, str]]) -> None:
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (folder / "captions.json").write_text(text + "\n", encoding="utf-8", newline="\n")
