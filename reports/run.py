"""What the terminal shows of a run, and of one of its works."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from models.dims import LEVELS
from models.errors import InputError
from reports import words
from reports.table import Table
from reports.terminal import Clean, render
from reports.view import make_view
from reports.words import LEVEL_NAMES, chance, clean

TOP = 5
"""Agendas shown."""
CHANCES = {
    "p_tracks": "names the milestone it works toward",
    "p_alignment_used": "already used by alignment work",
    "p_capabilities_used": "already used by capabilities work",
}
"""Columns of works.csv besides the levels, in words."""
ANSWERS = ("level", "tracks", "cap_use", "ali_use", "confidence")
"""A rater's answers, in the order shown."""
BAR = 30
"""Characters of the bar of a sure level."""


def terminal_table(context: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return a run's headline, splits, agendas and warnings.

    Parameters
    ----------
    context
        As of :func:`reports.view.make_view`.
    colour
        Whether to mark with the terminal's colours.
    """
    view = make_view(context)
    needed = [f"`forecast run {w['name']}`" for w in view["worldviews"] if not w.get("posterior")]
    names = ("alignment_relevant", "capabilities_first")
    rows = (
        [r["name"], *(x for n in names for x in words.mean_and_interval(r["found"].get(n)))]
        for r in view["agenda_rows"][:TOP]
    )
    title = f"Top {TOP} agendas: means (strict; cap. first)"
    agendas = Table.of("", (title, "strict", "interval", "cap. first", "interval"), rows)
    return render("run", colour=colour, **view, needed=needed, agendas_table=agendas) + "\n"


def work_text(context: Mapping[str, Any], key: str) -> str:
    """Return the posterior of one work: what its ratings say of it, and nothing about a rank.

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
    levels = {k: float(p) for k in LEVELS if (p := work.get(f"p_level_{k}")) is not None}
    chances = {text: work[name] for name, text in CHANCES.items() if work.get(name) is not None}
    lines = [
        f"  {k}  {LEVEL_NAMES[k]:<30}{chance(p):>6}  {'#' * round(BAR * p)}"
        for k, p in levels.items()
    ]
    ratings = work.get("ratings") or []
    rows = [
        [row.get("rater", ""), *("-" if row.get(x) in {None, ""} else row[x] for x in ANSWERS)]
        for row in ratings
    ]
    return render(
        "work",
        **view,
        key=key,
        work=work,
        levels=[Clean(line.rstrip()) for line in lines],
        chances=[Clean(f"  {text:<45}{chance(float(p)):>6}") for text, p in chances.items()],
        ratings=Table.of("", ("rater", *(x.replace("_", " ") for x in ANSWERS)), rows),
        outvoted=outvoted(levels, ratings),
        rated_by=words.rated_by(view["raters"]),
    )


def outvoted(
    levels: Mapping[int, float], ratings: Sequence[Mapping[str, Any]]
) -> tuple[str, int] | None:
    """Return the level that all raters gave and the likeliest one, None where the two agree."""
    rated = {str(r["level"]) for r in ratings if r.get("level") not in {None, ""}}
    best = max(levels, key=lambda k: levels[k], default=None)
    if best is None or len(rated) != 1 or rated == {str(best)}:
        return None
    return rated.pop(), best
