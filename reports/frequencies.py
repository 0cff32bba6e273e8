"""Chances as a picture of frequencies: a hundred works, each an icon of what becomes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.quantities import QUANTITIES
from reports.words import SAME_BAR_NAMES, of_hundred

ICONS = 100
ACROSS = 20
"""Icons in a row."""
STEP_X, STEP_Y = 14, 18
"""Distances between icons; an icon is 10 wide and 14 high."""


def whole_icons(shares: Sequence[float], total: int = ICONS) -> list[int]:
    """Return whole numbers that add up to ``total``, by largest remainder.

    Raises
    ------
    ZeroDivisionError
        If the shares add up to nothing.
    """
    scale = total / sum(shares)
    exact = [share * scale for share in shares]
    counts = [int(x) for x in exact]
    left = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in left[: total - sum(counts)]:
        counts[i] += 1
    return counts


def frequencies(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the two pictures of the first screen; empty where the run has no such numbers.

    Returns
    -------
    dict
        ``split``: a class for each icon, and ``legend`` rows (class, words, number as text) with
        ``split_alt``; ``strict``: how full each icon is (0 to 10), with ``strict_alt``.
    """
    if not {*SAME_BAR_NAMES, "alignment_relevant"} <= {*found}:
        return {}
    means = [found[name]["mean"] for name in SAME_BAR_NAMES]
    kinds = zip(SAME_BAR_NAMES, whole_icons(means), strict=True)
    legend = [(n, QUANTITIES[n].label, of_hundred(found[n]["mean"])) for n in SAME_BAR_NAMES]
    strict = found["alignment_relevant"]["mean"]
    told = "; ".join(f"{words} {number}" for _, words, number in legend)
    return {
        "split": [
            (name, *place(i)) for i, name in enumerate(n for n, k in kinds for _ in range(k))
        ],
        "legend": legend,
        "split_alt": f"Of 100 works, by documented use: {told}.",
        "strict": [(fill(strict, i), *place(i)) for i in range(ICONS)],
        "strict_number": of_hundred(strict),
        "strict_alt": f"Of 100 works, strictly alignment-relevant: {of_hundred(strict)}.",
        "width": ACROSS * STEP_X,
        "height": ICONS // ACROSS * STEP_Y,
    }


def place(i: int) -> tuple[int, int]:
    """Return the corner of icon ``i``."""
    return i % ACROSS * STEP_X + 2, i // ACROSS * STEP_Y + 2


def fill(p: float, i: int) -> float:
    """Return how far icon ``i`` of a hundred is filled, as a width from 0 to 10."""
    return round(10.0 * min(max(ICONS * p - i, 0.0), 1.0), 1)
