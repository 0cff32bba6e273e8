"""Series over years: rows, bands, and the end of the evidence."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import PercentFormatter

from models.structure import LAST_YEAR
from reports import drawing as d
from reports.summaries import row


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
    ax.axvline(last + 0.5, color=d.MUTED, linewidth=0.9, linestyle=":")
    at: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    look = {"ha": "center", "va": "bottom", "fontsize": 8, "color": d.MUTED}
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
