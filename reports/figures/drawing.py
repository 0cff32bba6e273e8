"""One figure's looks and files: SVG, PNG and the numbers drawn, as CSV.

Colours are Okabe and Ito's, told apart by colour-blind readers (jfly.uni-koeln.de/color). The page
turns INK, MUTED, GRID and PAPER into those of a dark page, so no other colour may carry text.
"""

import csv
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports import html
from reports.words import clean

INK, MUTED, GRID, PAPER = html.INK, html.MUTED, html.GRID, html.PAPER
ON_COLOUR, ON_PALE = "#ffffff", "#111111"
"""Text on a coloured area, dark or pale: the same on every page."""
FONT = "'DejaVu Sans'"
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, GREY = "#56b4e9", "#cc79a7", "#9aa0a8"
PRIOR, POSTERIOR = GREY, BLUE
ALIGNMENT, CAPABILITIES, BOTH, NEITHER = BLUE, RED, PURPLE, GRID
SERIES = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY)
"""Colours of several series, in order."""
LEVEL_COLOURS = (
    "#d9d9d9",
    "#c7dcef",
    "#9cc4e4",
    "#63a5d3",
    "#2f7fb9",
    "#e69f00",
    "#d55e00",
    "#8f2d56",
)
STYLE: Any = {
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10.0,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "figure.dpi": 110,
    "figure.facecolor": PAPER,
    "figure.max_open_warning": 0,
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "savefig.facecolor": "auto",
    "svg.fonttype": "none",
    "svg.hashsalt": "forecast",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9.0,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9.0,
}
"""Settings of every figure; names from a user's files are never read as mathematics."""


@dataclass(frozen=True)
class Caption:
    """What a reader is told of a figure: its title, what to see, and a text in its place."""

    title: str
    caption: str
    alt: str

    def described(self, name: str) -> dict[str, str]:
        """Return name, title, caption and alt."""
        return {"name": name, **asdict(self)}


def new(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that fits its parts when drawn."""
    fig = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(fig)
    return fig


@contextmanager
def style() -> Iterator[None]:
    """Enter the context in which every figure is drawn and saved."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a name in another script
        yield


def draw_all(folder: Path, plots: Mapping[str, Callable[[Path], Caption]]) -> list[dict[str, str]]:
    """Draw figures into a folder, and write their captions into ``captions.json``.

    Parameters
    ----------
    folder
        Made if missing.
    plots
        Draws a figure, given its path without an ending, by name.

    Returns
    -------
    list of dict
        ``name``, ``title``, ``caption`` and ``alt`` of each figure, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with style():
        captions = [plot(folder / name).described(name) for name, plot in plots.items()]
    text = json.dumps(captions, indent=2, ensure_ascii=False)
    (folder / "captions.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return captions


def save(fig: Figure, path: Path, *, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``path`` + .png, .svg and .csv; the parts are laid out once, for both pictures.

    The canvases are asked themselves: ``savefig`` would draw each picture twice, once unseen.
    """
    engine = fig.get_layout_engine()
    if engine is not None:
        engine.execute(fig)
        fig.set_layout_engine("none")
    FigureCanvasAgg(fig).print_png(_with(path, "png"))
    text = StringIO()
    FigureCanvasSVG(fig).print_svg(text, metadata={"Date": None, "Creator": None})
    svg = text.getvalue().replace(FONT, f"{FONT}, Verdana, sans-serif")
    _with(path, "svg").write_text(svg, encoding="utf-8", newline="\n")
    fig.clear()
    write_rows(_with(path, "csv"), rows)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the numbers of a figure."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def percent(x: float, _: object = None) -> str:
    """Return the label of a tick: a percentage with no more digits than it needs."""
    return f"{100 * x:.6g}%"


def short(text: str, most: int = 34) -> str:
    """Return a label that fits beside an axis."""
    line = clean(text)
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _with(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")
