"""What an elicitation found, for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import number

ROUNDING = 1e-12
"""Part of the largest number of a row below which another is what rounding left of zero."""


def elicited_text(elicited: Mapping[str, Any], *, question: str) -> str:
    """Return the families that fit, the one chosen, and where it was written."""
    rows = []
    for fit in elicited["fits"]:
        name = fit["dist"] + (" *" if fit["dist"] == elicited["dist"] else "")
        if fit["params"]:
            misfit = f"{fit['misfit']:.1%} of the spread"
            rows.append((name, *map(number, rounded(fit["at"])), misfit))
        else:
            rows.append((name, "-", "-", "-", fit["said"]))
    before = elicited.get("before")
    return render(
        "elicit",
        **elicited,
        question=question,
        fit_table=Table.of("", ("family", "5%", "50%", "95%", "misfit"), rows),
        chosen=_stated(elicited),
        replaced=_stated(before) if before else "",
    )


def rounded(numbers: Sequence[float]) -> list[float]:
    """Return numbers with 0 in place of what rounding left of it beside the largest."""
    least = ROUNDING * max((abs(x) for x in numbers), default=0.0)
    return [0.0 if abs(x) < least else x for x in numbers]


def _stated(belief: Mapping[str, Any]) -> str:
    """Return a distribution as 'Normal(mu = 0, sigma = 1)'."""
    numbers = zip(belief["params"], rounded([*belief["params"].values()]), strict=True)
    return f"{belief['dist']}({', '.join(f'{key} = {x:.4g}' for key, x in numbers)})"
