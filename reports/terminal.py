"""The table that the terminal prints after a run.

A table of texts for the terminal.

One work's posterior, as text: what the ratings say of it, and nothing about its rank.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from io import StringIO
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from models.dims import LEVELS
from models.errors import InputError
from reports.view import (
    MAIN,
    MAIN_TITLE,
    SAME_BAR_SPLIT,
    SAME_BAR_TITLE,
    STRICT_SPLIT,
    label,
    make_view,
)
from reports.words import (
    INTERVAL_OF_CHANCE,
    LEVEL_NAMES,
    NO_EVIDENCE,
    NO_TABLE,
    NOT_CONVERGED,
    NOT_CONVERGED_TEXT,
    chance,
    clean,
    interval,
    number,
    rated_by,
    view_notes,
)

WIDTH = 100
TOP = 5
"""Agendas shown."""


def terminal_table(context: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return a run's headline, splits, agendas and warnings as plain text, 100 wide.

    Parameters
    ----------
    context
        As of :func:`reports.view.make_view`.
    colour
        Whether to mark with the terminal's colours.
    """
    view = make_view(context)
    parts = [*_head(view), *_tables(view), *_foot(view)]
    return render(parts, colour=colour)


def render(parts: Sequence[RenderableType], *, colour: bool = False) -> str:
    """Return parts as text; lines carry no spaces at their end."""
    console = Console(
        file=StringIO(),
        width=WIDTH,
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def told(text: str, style: str = "") -> Text:
    """Return text from anywhere as one line of plain text."""
    return Text(clean(text), style=style)


def _head(view: Mapping[str, Any]) -> list[RenderableType]:
    out: list[RenderableType] = []
    if not view["converged"]:
        out += [told(f"{NOT_CONVERGED}. {NOT_CONVERGED_TEXT}", "bold red"), Text("")]
        out += [told(f"- {one}") for one in view["diagnostics"].get("failures", [])]
    out.append(told(f"{view['name']}: means, each with the {INTERVAL_OF_CHANCE}", "bold"))
    out += [told(sentence) for sentence in view["opening"]]
    if not view["opening"]:
        out.append(told("This run holds no headline."))
    return [*out, Text("")]


def _tables(view: Mapping[str, Any]) -> list[RenderableType]:
    out: list[RenderableType] = []
    for title, names in (
        (SAME_BAR_TITLE, SAME_BAR_SPLIT),
        (MAIN_TITLE, MAIN),
        ("Strict split", STRICT_SPLIT),
    ):
        if any(name in view["found"] for name in names):
            out += [_quantities(view, names, title=title), Text("")]
    if view["outside"]:
        out += [_outside(view["outside"]), Text("")]
    if view["worldviews"]:
        out += [_worldviews(view), *map(told, view_notes(view["worldviews"]))]
        out += [*_missing(view), Text("")]
    if view["agenda_rows"]:
        out += [_agendas(view), Text("")]
    return out


def _quantities(view: Mapping[str, Any], names: Sequence[str], *, title: str) -> Table:
    table = _grid(title, ["mean", "interval", "prior alone", "interval"])
    for name in names:
        found, prior = view["found"].get(name), view["prior"].get(name)
        if found:
            table.add_row(told(label(name)), *_cells(found), *_cells(prior))
    return table


def _outside(outside: Mapping[str, Any]) -> Table:
    table = _grid(f"With an outside view: {outside['label']}", ["mean", "interval", "", ""])
    for name, found in outside["rows"]:
        table.add_row(told(name), *_cells(found), "", "")
    return table


def _worldviews(view: Mapping[str, Any]) -> Table:
    table = _grid(
        "Strictly alignment-relevant under", ["mean", "interval", "prior alone", "interval"]
    )
    for w in view["worldviews"]:
        posterior, prior = (
            (w.get(key) or {}).get("alignment_relevant") for key in ("posterior", "prior_only")
        )
        mark = f" ({NOT_CONVERGED})" if w.get("converged") is False else ""
        table.add_row(told(w["name"] + mark), *_cells(posterior), *_cells(prior))
    return table


def _missing(view: Mapping[str, Any]) -> list[RenderableType]:
    """Return one line on how to get the worldviews that are not given the evidence."""
    needed = [f"`forecast run {w['name']}`" for w in view["worldviews"] if not w.get("posterior")]
    return [told(f"-: too far from this run; needs {', '.join(needed)}.")] if needed else []


def _agendas(view: Mapping[str, Any]) -> Table:
    heads = ["strict", "interval", "cap. first", "interval"]
    table = _grid(f"Top {TOP} agendas: means (strict; cap. first)", heads)
    for r in view["agenda_rows"][:TOP]:
        strict, first = (r["found"].get(n) for n in ("alignment_relevant", "capabilities_first"))
        table.add_row(told(r["name"]), *_cells(strict), *_cells(first))
    return table


def _grid(title: str, heads: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column(title, width=44, overflow="fold")
    for head, width in zip(heads, (6, 15, 11, 15), strict=True):
        table.add_column(head, width=width, overflow="fold")
    return table


def _cells(found: Mapping[str, Any] | None) -> tuple[str, str]:
    return (chance(found["mean"]), interval(found)) if found else ("-", "-")


def _foot(view: Mapping[str, Any]) -> list[RenderableType]:
    out: list[RenderableType] = [told(sentence) for sentence, _ in view["standing"]]
    share = view["variance_share"].get("untouched")
    if share == 1.0:
        out.append(told(NO_TABLE))
    elif share is not None:
        where = "in beliefs no evidence touches"
        out.append(told(f"Share of the strict headline's variance {where}: {chance(share)}."))
    if view["by_side"]:
        said = "; ".join(f"{word} {' '.join(ids)}" for word, ids in view["by_side"])
        out.append(told(f"Claims: {said}."))
    empty = view["evidence"].get("empty") or []
    out += [told(f"{one}: {NO_EVIDENCE}.") for one in empty]
    if view["conflicts"]:
        names = ", ".join(r["parameter"] for r in view["conflicts"])
        out.append(told(f"In conflict with their prior: {names}."))
    checks = view["diagnostics"]
    if checks.get("retried"):
        out.append(told(f"Fitted twice: {checks['retried']}."))
    if checks.get("max_rhat") is not None:
        out.append(
            told(
                f"{'Converged' if view['converged'] else NOT_CONVERGED}: largest R-hat "
                f"{checks['max_rhat']:.4f}, least effective draws {number(checks['min_ess_bulk'])} "
                f"(bulk), {number(checks['min_ess_tail'])} (tail), "
                f"{checks['divergences']} divergences."
            )
        )
    return out


Cells = list[tuple[str, ...]]


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of texts; the first column is that of names."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(
            told(head), overflow="fold", justify="left", max_width=44 if i == 0 else 30
        )
    for row in rows:
        table.add_row(*(told(cell) if cell.strip() == cell else told(f"- {cell}") for cell in row))
    return table


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
