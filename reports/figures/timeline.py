"""The figure of milestones reached and dates foretold, on one axis of years."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.milestones import milestone_dates
from models.structure import STEPS
from reports import drawing as d
from reports.series import until_now
from reports.summaries import Frames, flat, labels
from reports.words import INTERVAL, LEVEL_NAMES

NEEDS = (("predictions", "established"), ("frames", "milestones"))
"""What must be there: (group, variable) pairs; ``backcast`` among the frames adds first works."""
REACHED, FIRST, ESTABLISHED = "reached", "first work", "established"
LANES = {FIRST: (d.POSTERIOR, 0.12), ESTABLISHED: (d.ORANGE, -0.16)}
"""Colour and height, beside its level's line, of what the model foretells."""
STACK = 0.11
"""Height of one milestone above another of the same level and year."""
Row = dict[str, Any]


def plot_timeline(dt: Any, path: Path, *, frames: Frames) -> d.Caption:
    """Draw, level by level, milestones as points and the model's dates as intervals."""
    years = [int(year) for year in labels(dt, "predictions", dim="forecast_year")]
    rows = [*_reached(frames, first=years[0]), *_foretold(dt, frames, first=years[0])]
    fig = d.new(7.4, 5.4)
    ax = fig.subplots()
    for row in rows:
        if row["kind"] != REACHED:
            _interval(ax, row, end=years[-1])
    some = [row for row in rows if row["kind"] == REACHED]
    heights = [row["level"] + 0.26 + STACK * _before(some, i) for i, row in enumerate(some)]
    ax.plot([row["median"] for row in some], heights, "D", color=d.INK, markersize=4.2, zorder=3)
    _finish(ax, years)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Milestones reached, and dates foretold",
        "Diamonds: feats of milestones.csv by the year they were reached. Blue: the model's year "
        "of a first work at the level or above in the field, rated or not. Orange: the year by "
        "which the level is established (enough such works, as its ceiling allows). Dot: median; "
        f"line: {INTERVAL} of the year; an arrow: it goes on beyond {years[-1]}.",
        _alt(rows, last=years[-1]),
    )


def _reached(frames: Frames, *, first: int) -> Iterator[Row]:
    """Yield the milestones reached, those before the axis at its first year."""
    for row in frames["milestones"]:
        if row.get("reached"):
            year = {"median": max(int(row["reached"]), first), "reached": int(row["reached"])}
            yield {"kind": REACHED, "level": int(row["level"]), "name": row["name"]} | year


def _foretold(dt: Any, frames: Frames, *, first: int) -> Iterator[Row]:
    """Yield the years of a first work and of establishment by level; None is beyond the axis."""
    keys = ("lower", "median", "upper")
    for row in frames.get("backcast") or ():
        yield {"kind": FIRST, "level": int(row["level"])} | {key: row[key] for key in keys}
    dates = milestone_dates(flat(dt, "predictions", name="established"), first_year=first)
    for step in STEPS:
        yield {"kind": ESTABLISHED, "level": step} | dates[step]["year"]


def _interval(ax: Any, row: Row, *, end: int) -> None:
    """Draw one interval of years; what is beyond the axis ends in an arrow."""
    colour, above = LANES[row["kind"]]
    y = row["level"] + above
    if row["lower"] is None:
        return
    upper = end if row["upper"] is None else row["upper"]
    ax.plot([row["lower"], upper], [y, y], color=colour, linewidth=2.6, solid_capstyle="butt")
    if row["upper"] is None:
        ax.plot(end, y, ">", color=colour, markersize=6, clip_on=False)
    if row["median"] is not None:
        look = {"color": colour, "markeredgecolor": d.PAPER, "markersize": 7}
        ax.plot(row["median"], y, "o", **look)


def _before(rows: list[Row], i: int) -> int:
    """Return how many rows before this one share its level and year."""
    here = (rows[i]["level"], rows[i]["median"])
    return sum((row["level"], row["median"]) == here for row in rows[:i])


def _finish(ax: Any, years: list[int]) -> None:
    """Label the axes; the legend stands above."""
    until_now(ax)
    levels = range(STEPS[-1] + 1)
    ax.set_yticks(levels, [f"{k}: {LEVEL_NAMES[k]}" for k in levels])
    ax.set_ylim(-0.5, STEPS[-1] + 0.8)
    ax.set_xlim(years[0] - 0.5, years[-1] + 0.5)
    ax.set_xlabel("year")
    ax.grid(visible=False, axis="y")
    ax.plot([], [], "D", color=d.INK, markersize=4.2, label="milestone reached")
    for kind, (colour, _) in LANES.items():
        ax.plot([], [], "o-", color=colour, label=f"{kind} (model)")
    ax.figure.legend(loc="outside upper right", ncols=3)


def _alt(rows: list[Row], *, last: int) -> str:
    """Return what the picture shows, level by level."""
    told = []
    for level in range(STEPS[-1] + 1):
        some = [row for row in rows if row["level"] == level]
        years = sorted(row["reached"] for row in some if row["kind"] == REACHED)
        parts = [f"reached {', '.join(map(str, years))}" if years else "no feat reached"]
        parts += [f"{r['kind']} {_years(r, last)}" for r in some if r["kind"] != REACHED]
        told.append(f"level {level}: {'; '.join(parts)}")
    return ". ".join(told) + "."


def _years(row: Mapping[str, Any], last: int) -> str:
    """Return median and interval of a date in words."""
    told = {key: row[key] or f"after {last}" for key in ("lower", "median", "upper")}
    return f"{told['median']} ({told['lower']} to {told['upper']})"
