"""The table that the terminal prints after a run."""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from reports.obtained import view_notes
from reports.tables import (
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
    NO_EVIDENCE,
    NO_TABLE,
    NOT_CONVERGED,
    NOT_CONVERGED_TEXT,
    chance,
    clean,
    interval,
    number,
)

WIDTH = 100
TOP = 5
"""Agendas shown."""


def terminal_table(context: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return a run's headline, splits, agendas and warnings as plain text, 100 wide.

    Parameters
    ----------
    context
        As of :func:`reports.tables.make_view`.
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
