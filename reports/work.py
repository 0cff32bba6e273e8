"""One work's posterior, as text: what the ratings say of it, and nothing about its rank."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.errors import InputError
from models.structure import LEVELS
from reports.tables import make_view
from reports.text import render, told
from reports.words import LEVEL_NAMES, NOT_CONVERGED, chance, clean, rated_by

CHANCES = {
    "p_tracks": "names the milestone it works toward",
    "p_alignment_used": "already used by alignment work",
    "p_capabilities_used": "already used by capabilities work",
}
"""Columns of works.csv besides the levels, in words."""
ANSWERS = ("level", "tracks", "cap_use", "ali_use", "confidence")
"""A rater's answers, in the order shown."""
BAR = 30


def work_text(context: Mapping[str, Any], key: str) -> str:
    """Return the posterior of one work.

    Raises
    ------
    InputError
        If no work has that key.
    """
    view = make_view(context)
    works = {str(w["work"]): w for w in view["works"]}
    if key not in works:
        near = get_close_matches(key, works, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "keys stand in works.csv of the run."
        raise InputError(f"work: no work {clean(key)!r} in this run; {remedy}")
    work = works[key]
    parts: list[RenderableType] = []
    if not view["converged"]:
        parts.append(told(NOT_CONVERGED, "bold red"))
    where = f"{work.get('year', '')}, {work.get('agenda', '')}, {work.get('selection', '')}"
    parts += [
        told(f"{key}: {work.get('title', '')} ({where})", "bold"),
        told(str(work.get("gist", ""))),
        Text(""),
        *_levels(work),
        Text(""),
        *_chances(work),
        Text(""),
        *_ratings(work),
        *_against(work),
        told(rated_by(view["raters"])),
        told("A posterior given these ratings, not a forecast of this work and not a rank."),
    ]
    return render(parts)


def _levels(work: Mapping[str, Any]) -> list[RenderableType]:
    out: list[RenderableType] = [told("Probability of each level (highest shown):")]
    for k in LEVELS:
        p = work.get(f"p_level_{k}")
        if p is not None:
            bar = "#" * round(BAR * float(p))
            out.append(Text(f"  {k}  {LEVEL_NAMES[k]:<30}{chance(float(p)):>6}  {bar}"))
    return out


def _chances(work: Mapping[str, Any]) -> list[RenderableType]:
    return [
        Text(f"  {text:<45}{chance(float(work[name])):>6}")
        for name, text in CHANCES.items()
        if work.get(name) is not None
    ]


def _ratings(work: Mapping[str, Any]) -> list[RenderableType]:
    rows = work.get("ratings") or []
    if not work.get("ratings_kept", True):
        return [told("Its ratings stand in the tables: of so many works the run shows some alone.")]
    if not rows:
        return [told("No rating: the prior speaks.")]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("rater", *ANSWERS):
        table.add_column(head.replace("_", " "))
    for r in rows:
        answers = ["-" if r.get(name) in {None, ""} else str(r[name]) for name in ANSWERS]
        table.add_row(told(r.get("rater", "")), *map(told, answers))
    return [table]


def _against(work: Mapping[str, Any]) -> list[RenderableType]:
    """Return why the likeliest level may differ from what all raters said, where it does."""
    levels = {
        k: float(work[f"p_level_{k}"]) for k in LEVELS if work.get(f"p_level_{k}") is not None
    }
    ratings = work.get("ratings") or []
    said = {str(r["level"]) for r in ratings if r.get("level") not in {None, ""}}
    best = max(levels, key=lambda k: levels[k], default=None)
    if best is None or len(said) != 1 or said == {str(best)}:
        return []
    return [
        told(
            f"Every rating says level {said.pop()}, yet {best} is likeliest: raters of a kind "
            "share part of their errors, and the model weighs how rare each level is in the agenda."
        )
    ]
