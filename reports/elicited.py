"""What an elicitation found, as a table for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from reports.text import render, told
from reports.words import number


def elicited_text(found: Mapping[str, Any], *, question: str) -> str:
    """Return the families that fit, the one chosen, and where it was written."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head, width in {"family": 16, "5%": 10, "50%": 10, "95%": 10, "misfit": 44}.items():
        table.add_column(head, width=width, overflow="fold")
    for row in found["fits"]:
        at = [number(x) for x in row["at"]] if row["params"] else ["-", "-", "-"]
        misfit = f"{row['misfit']:.1%} of the spread" if row["params"] else row["said"]
        mark = " *" if row["dist"] == found["dist"] else ""
        table.add_row(*map(told, (row["dist"] + mark, *at, misfit)))
    params = ", ".join(f"{key} = {x:.4g}" for key, x in found["params"].items())
    parts: list[RenderableType] = [told(f"{found['name']}: {question}", "bold"), table]
    parts.append(told(f"* {found['dist']}({params})"))
    if found["written"]:
        parts.append(told(f"written into {found['written']}"))
    return render(parts).rstrip()
