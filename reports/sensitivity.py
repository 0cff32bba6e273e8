"""What a sensitivity analysis says: the terminal's summary, the page and its figures."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from reports import words
from reports.drawing import style
from reports.figures.sensitivity import plot_blocks, plot_ladder, plot_learned, plot_tornado
from reports.page import write_template
from reports.sensitivity_tables import tables
from reports.sensitivity_words import differ_line, reach_line, surrogate_line
from reports.text import render, told

Row = Mapping[str, Any]
FIGURES = {
    "tornado": plot_tornado,
    "blocks": plot_blocks,
    "ladder": plot_ladder,
    "learned": plot_learned,
}
WHOLE = ("table", "rater", "selection")
"""Kinds of evidence left out that the terminal shows; the page has all."""


def sensitivity_text(s: Row) -> str:
    """Return the summary and the tables that the terminal shows."""
    parts: list[RenderableType] = []
    if not s["converged"]:
        text = f"{words.NOT_CONVERGED}: the run's draws are no result."
        parts.append(told(text, "bold red"))
    for line in s["lines"]:
        parts += [told(line), told("")]
    some = dict(s) | {"left_out": [r for r in s["left_out"] if r["kind"] in WHOLE]}
    made = tables(some)
    side = made["disagreement"]
    short = {"head": side["head"][:-1], "rows": [row[:-1] for row in side["rows"]]}
    parts += [_table("Block by block, method by method", short), told(""), told(differ_line(s))]
    parts += [told(f"{row[0]}: {row[-1]}") for row in side["rows"] if row[-1] != "They agree."]
    for name, title in (("left_out", "Evidence left out"), ("tipping", "Tipping points")):
        if made[name]["rows"]:
            parts += [told(""), _table(title, made[name])]
    parts.append(told(reach_line(s)))
    return render(parts)


def _table(title: str, data: Row) -> Table:
    out = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in data["head"]:
        out.add_column(str(head), overflow="fold")
    for row in data["rows"]:
        out.add_row(*(told(cell) for cell in row))
    return out


def write_sensitivity(folder: Path, s: Row) -> Path:
    """Draw the figures and write ``sensitivity.html``; return the page."""
    (folder / "figures").mkdir(exist_ok=True)
    captions = []
    with style():
        for name, plot in FIGURES.items():
            captions.append(plot(s, folder / "figures" / name).described(name))
    text = json.dumps(captions, indent=2, ensure_ascii=False)
    path = folder / "figures" / "captions.json"
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    view = {
        "s": s,
        "converged": s["converged"],
        "lines": s["lines"],
        "differ": differ_line(s),
        "reach": reach_line(s),
        "surrogate": surrogate_line(s) if s["factors"] else "",
        "tables": tables(s),
        "captions": {one["name"]: one for one in captions},
    }
    return write_template(folder / "sensitivity.html", "sensitivity.html.j2", view=view)
