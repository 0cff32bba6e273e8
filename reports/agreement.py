"""How raters agree and how the model reads them, for the terminal."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from reports.table import Table
from reports.terminal import render
from reports.words import chance

COLUMNS = {"level": "level", "tracks": "tracking", "cap_use": "cap. use", "ali_use": "ali. use"}
BINARY = {"tracking": "tracking", "capabilities": "cap. use", "alignment": "ali. use"}


def agreement_text(agreement: Mapping[str, Any]) -> str:
    """Return the tables of alpha, kappa, and of a run's confusion if it is there."""
    confusion = agreement.get("confusion") or {"raters": []}
    return render(
        "agreement",
        alpha_table=_table(
            ("Krippendorff's alpha", "raters"),
            [((r["raters"], r["n"]), r) for r in agreement["alpha"]],
        ),
        kappa_table=_table(
            ("Cohen's kappa", "works"),
            [((f"{r['a']}, {r['b']}", r["works"]), r) for r in agreement["kappa"]],
        ),
        raters=[_confusion(confusion, i) for i in range(len(confusion["raters"]))],
    )


def _table(heads: tuple[str, str], rows: list[tuple[tuple[Any, Any], Mapping[str, Any]]]) -> Table:
    cells = (
        (*names, *("-" if np.isnan(row[x]) else f"{row[x]:.2f}" for x in COLUMNS))
        for names, row in rows
    )
    return Table.of("", (*heads, *COLUMNS.values()), cells)


def _confusion(confusion: Mapping[str, Any], rater: int) -> tuple[Table, str]:
    """Return how a rater answers by true level, and what it says of the three questions."""
    name = confusion["raters"][rater]
    rows = [
        (f"of true level {k}", *map(chance, row)) for k, row in enumerate(confusion["level"][rater])
    ]
    answers = "; ".join(
        f"{word} {chance(confusion[key][rater][1])} if there, "
        f"{chance(confusion[key][rater][0])} if not"
        for key, word in BINARY.items()
    )
    table = Table.of("", (f"{name} answers", *map(str, range(8))), rows)
    return table, f"{name} says yes: {answers}."
