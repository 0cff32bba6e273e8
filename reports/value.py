"""What information is worth, as tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from reports.terminal import Cells, grid, render, told
from reports.view import label
from reports.words import NOT_CONVERGED, chance, interval, number

Row = Mapping[str, Any]
TOP = 12
"""Beliefs shown; the file holds all."""
ABOUT = (
    "Variance: the share of the variance that knowing this would take off, on average, with its "
    "standard error, by regression on draws left out of it; below two errors it is not told from "
    "nothing. Interval: by how much its width would shrink."
)
QUICK = "Not simulated (--quick)."


def value_text(s: Row) -> str:
    """Return blocks, beliefs and studies with what knowing them is worth."""
    head = f"Value of information on: {label(s['quantity'])}, run {s['run']}"
    now = f"Now {chance(s['now']['mean'])}, {interval(s['now'])}."
    parts: list[RenderableType] = [told(head, "bold"), told(now), told(ABOUT), Text("")]
    if not s["converged"]:
        parts.insert(0, told(f"{NOT_CONVERGED}: the run's draws are no result.", "bold red"))
    heads = ["", "variance", "interval", *([f"worth, {s['unit']}"] if s["unit"] else [])]
    for title, kind in (("Knowing a block", "block"), ("Knowing a belief", "belief")):
        rows = [r for r in s["beliefs"] if r["kind"] == kind][:TOP]
        named = [
            (f"{r['name']}{'' if r['reached'] else ' (no table reaches it)'}", r) for r in rows
        ]
        parts += [told(title, "bold"), grid(heads, _cells(named)), Text("")]
    parts.append(told("Having a study first", "bold"))
    studies = _cells([(r["told"], r) for r in s["studies"]])
    parts.append(told(QUICK) if s["quick"] else grid(heads, studies))
    return render(parts)


def _cells(named: list[tuple[str, Row]]) -> Cells:
    out: Cells = []
    for name, r in named:
        cells = [
            f"{100 * r['share']:.2g}% +- {100 * r['share_se']:.1g}",
            f"-{chance(r['shrinks'])}",
        ]
        cells[1] = "0" if r["shrinks"] == 0.0 else cells[1]
        if "worth" in r:
            cells.append(f"{number(r['worth'])} +- {number(r['worth_se'])}")
        out.append((name, *cells))
    return out


__all__ = ["value_text"]
