"""What moved between two runs, as tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from reports.crux import with_error
from reports.terminal import grid, render, told
from reports.view import label
from reports.whatif import points
from reports.words import HOW, NOT_CONVERGED, outside_opening

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant")


def diff_text(s: Mapping[str, Any]) -> str:
    """Return what changed, and the part of each quantity's move that each change explains."""
    parts: list[RenderableType] = [told(f"From {s['runs'][0]} to {s['runs'][1]}", "bold")]
    if not s["converged"]:
        parts.insert(0, told(f"{NOT_CONVERGED}: this is no result.", "bold red"))
    for name, one in zip(s["runs"], s["considered"], strict=True):
        parts += [told(f"{name}: {line}") for line in outside_opening(one)]
    changed = [(r["change"], r["told"]) for r in s["changes"]] or [("nothing", "")]
    parts += [Text(""), told("What changed", "bold"), *(told(": ".join(r)) for r in changed)]
    for name in SHOWN:
        rows = [r for r in s["parts"] if r["quantity"] == name]
        title = f"{label(name)}: moved by {points(rows[0]['move'])} points of percentage"
        cells = [
            (r["change"], with_error(r["part"], r["mcse"]), points(r["in_order"])) for r in rows
        ]
        parts += [Text(""), told(title, "bold"), grid(["", "Shapley", "in this order"], cells)]
    ways = ", ".join(f"{r['changes']}: {HOW.get(r['how'], r['how'])}" for r in s["how"])
    return render([*parts, Text(""), told(f"How subsets of changes were answered: {ways}.")])
