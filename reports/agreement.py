"""How raters agree and how the model reads them, as tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from reports.terminal import render, told
from reports.words import chance, clean

COLUMNS = {"level": "level", "tracks": "tracking", "cap_use": "cap. use", "ali_use": "ali. use"}
BINARY = {"tracking": "tracking", "capabilities": "cap. use", "alignment": "ali. use"}
ABOUT = (
    "Alpha: 1 is full agreement, 0 what chance gives (levels ordinal, else nominal). Kappa: the "
    "same by pair, linear weights for levels; -: not defined. Agreement is not proof: raters of "
    "one kind share their misreadings."
)


def agreement_text(found: Mapping[str, Any]) -> str:
    """Return the tables of alpha, kappa, and of a run's confusion if it is there."""
    parts: list[RenderableType] = []
    rows = [((r["raters"], str(r["n"])), r) for r in found["alpha"]]
    parts += [_table(("Krippendorff's alpha", "raters"), rows), told("")]
    rows = [((f"{clean(r['a'])}, {clean(r['b'])}", str(r["works"])), r) for r in found["kappa"]]
    parts += [_table(("Cohen's kappa", "works"), rows), told(""), told(ABOUT)]
    if found.get("confusion"):
        parts += [told(""), *_confusion(found["confusion"])]
    return render(parts).rstrip()


def _table(heads: tuple[str, str], rows: Sequence[Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head in (*heads, *COLUMNS.values()):
        table.add_column(head, overflow="fold")
    for names, row in rows:
        cells = [_number(row[name]) for name in COLUMNS]
        table.add_row(*map(told, (*names, *cells)))
    return table


def _number(x: float) -> str:
    return "-" if np.isnan(x) else f"{x:.2f}"


def _confusion(found: Mapping[str, Any]) -> list[RenderableType]:
    out: list[RenderableType] = []
    for r, name in enumerate(found["raters"]):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
        for head in (f"{clean(name)} answers", *map(str, range(8))):
            table.add_column(head)
        for k, row in enumerate(found["level"][r]):
            table.add_row(*map(told, (f"of true level {k}", *(chance(p) for p in row))))
        out.append(table)
        said = [
            f"{word} {chance(found[key][r][1])} if there, {chance(found[key][r][0])} if not"
            for key, word in BINARY.items()
        ]
        out += [told(f"{clean(name)} says yes: {'; '.join(said)}."), told("")]
    return [*out, told("As the model sees it: means over draws, with the halo off.")]
