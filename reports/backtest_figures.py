"""Every figure of a backtest, as SVG, PNG and CSV, with a list of captions beside them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.drawing import style
from reports.figures.pit import plot_pit
from reports.figures.reliability import plot_reliability
from reports.figures.skill import plot_skill


def write_backtest_figures(
    folder: Path,
    summary: Mapping[str, Any],
    *,
    pits: Sequence[Mapping[str, Any]],
    chances: Sequence[Mapping[str, Any]],
) -> None:
    """Draw gains by origin, calibration and reliability into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with style():
        captions = [
            plot_skill(summary["scores"], folder / "skill").described("skill"),
            plot_pit(pits, folder / "pit").described("pit"),
            plot_reliability(chances, folder / "reliability").described("reliability"),
        ]
    text = json.dumps(captions, indent=2, ensure_ascii=False)
    (folder / "captions.json").write_text(text + "\n", encoding="utf-8", newline="\n")
