"""What an elicitation found, as a table for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from reports.terminal import render, told
from reports.words import number

ROUNDING = 1e-12
"""Part of the largest number of a row below which another is what rounding left of zero."""


def elicited_text(found: Mapping[str, Any], *, question: str) -> str:
    """Return the families that fit, the one chosen, and where it was written."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head, width in {"family": 16, "5%": 10, "50%": 10, "95%": 10, "misfit": 44}.items():
        table.add_column(head, width=width, overflow="fold")
    for row in found["fits"]:
        at = [number(x) for x in rounded(row["at"])] if row["params"] else ["-", "-", "-"]
        misfit = f"{row['misfit']:.1%} of the spread" if row["params"] else row["said"]
        mark = " *" if row["dist"] == found["dist"] else ""
        table.add_row(*map(told, (row["dist"] + mark, *at, misfit)))
    parts: list[RenderableType] = [told(f"{found['name']}: {question}", "bold"), table]
    parts.append(told(f"* {_stated(found)}"))
    if found.get("before"):
        word = "replaces" if found["written"] else "before"
        parts.append(told(f"{word}: {_stated(found['before'])}"))
    if found["written"]:
        parts.append(told(f"written into {found['written']}"))
    return render(parts).rstrip()


def rounded(numbers: Sequence[float]) -> list[float]:
    """Return numbers with 0 in place of what rounding left of it beside the largest."""
    least = ROUNDING * max((abs(x) for x in numbers), default=0.0)
    return [0.0 if abs(x) < least else x for x in numbers]


def _stated(belief: Mapping[str, Any]) -> str:
    """Return a distribution as 'Normal(mu = 0, sigma = 1)'."""
    numbers = zip(belief["params"], rounded([*belief["params"].values()]), strict=True)
    return f"{belief['dist']}({', '.join(f'{key} = {x:.4g}' for key, x in numbers)})"
