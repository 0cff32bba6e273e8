"""One figure's looks and files: SVG, PNG and the numbers drawn, as CSV.

Colours are Okabe and Ito's, told apart by colour-blind readers (jfly.uni-koeln.de/color). The page
turns INK, MUTED, GRID and PAPER into those of a dark page, so no other colour may carry text.

Series over years: rows, bands, and the end of the evidence.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from models.dims import LAST_YEAR
from reports.summaries import row
from reports.words import clean

INK, MUTED, GRID, PAPER = "#1b1d1f", "#5b626b", "#dcdfe3", "#fffffe"
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


def style() -> Any:
    """Return the context in which every figure is drawn and saved."""
    return mpl.rc_context(STYLE)


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


def by_year(found: Mapping[str, Any], years: Sequence[int], **names: Any) -> list[dict[str, Any]]:
    """Return a summary by year as rows, each with ``names`` before it."""
    return [{**names, "year": year, **row(found, i)} for i, year in enumerate(years)]


def band(ax: Any, rows: Sequence[Mapping[str, Any]], *, colour: str, label: str = "") -> None:
    """Draw the interval of each year, and a line through the medians."""
    years = [r["year"] for r in rows]
    ends = [[r[key] for r in rows] for key in ("lower", "upper")]
    ax.fill_between(years, *ends, color=colour, alpha=0.18, linewidth=0)
    ax.plot(years, [r["median"] for r in rows], color=colour, label=label)


def until_now(ax: Any, *, last: int = LAST_YEAR) -> None:
    """Mark the end of the evidence, and say so above the line."""
    ax.axvline(last + 0.5, color=MUTED, linewidth=0.9, linestyle=":")
    at: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    look = {"ha": "center", "va": "bottom", "fontsize": 8, "color": MUTED}
    ax.annotate("evidence ends", (last + 0.5, 1.0), xytext=(0, 2), **at, **look)


def finish_shares(
    ax: Any, years: Sequence[int], *, ylabel: str, xlabel: str, legend: str, stacked: bool = False
) -> None:
    """Label axes of years and of chances from 0 to 1; the legend, so titled, stands beside."""
    until_now(ax)
    ax.set_xlim(years[0], years[-1])
    ax.set_ylim(0, 1.0 if stacked else 1.03)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_ylabel(ylabel)
    ax.set_xlabel(xlabel)
    at = {"loc": "outside right upper", "alignment": "left", "reverse": stacked}
    ax.figure.legend(title=legend, **at)
