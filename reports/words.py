"""Numbers, names and standing sentences in the words that every surface uses."""

import unicodedata
from collections.abc import Mapping
from typing import Any

INTERVAL = "89% equal-tailed interval"
"""Kind and probability of every interval shown."""
INTERVAL_OF_CHANCE = "89% equal-tailed interval of a probability"
LOWER, UPPER = 0.055, 0.945
"""Its ends, as quantiles."""
LEVEL_NAMES = (
    "nothing about its working",
    "that something is off",
    "where it is",
    "what causes it",
    "structure looked for",
    "structure nobody looked for",
    "values read",
    "reflection predicted",
)
"""What a work at each level shows, in few words (evidence/RUBRIC.md)."""
NOT_CONVERGED = "NOT CONVERGED"
NOT_CONVERGED_TEXT = (
    "The sampler did not meet its own rule, so no number here is a result. "
    "Look at the diagnostics, then run again with more draws or tuning."
)
NO_EVIDENCE = "no evidence in this table: the prior speaks"
USE_NOT_BENEFIT = (
    "Use, not benefit: a use counts the same however much it helps. "
    "How much a use is worth enters only through payoffs that a reader states."
)
SAME_BAR = (
    "Both sides on the same bar: documented use by alignment work is held against documented "
    "use by capabilities work. The strict sense, in which a work also helps reach the required "
    "milestone, stands beside it."
)
RATED = (
    "Rated by language models from short gists: ratings are measurements with error, "
    "and raters of one kind share part of it."
)
CHANCES = ("probability", "share")
"""Units that are printed as chances."""
FORBIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Kinds of character that never reach a terminal: controls, direction marks, no characters."""


def chance(p: float | None) -> str:
    """Return a probability in words: '<2%', '24%', '>98%'."""
    if p is None or p != p:
        return "none"
    if p < 0.02:
        return "<2%"
    return ">98%" if p > 0.98 else f"{100 * p:.0f}%"


def of_hundred(p: float) -> str:
    """Return a probability as a number of works of a hundred."""
    if p < 0.02:
        return "fewer than 2"
    return "more than 98" if p > 0.98 else f"{100 * p:.0f}"


def number(x: float | None) -> str:
    """Return a number to three figures, with thousands apart."""
    if x is None or x != x:
        return "none"
    if abs(x) >= 100:
        return f"{float(f'{x:.3g}'):,.0f}"
    return f"{x:.3g}"


def value(x: float | None, unit: str) -> str:
    """Return a number as its unit asks: chances as percentages, others to three figures."""
    return chance(x) if unit in CHANCES else number(x)


def interval(row: Mapping[str, Any], unit: str = "probability") -> str:
    """Return 'lower to upper' of a summary; one word where both ends read alike."""
    lower, upper = value(row.get("lower"), unit), value(row.get("upper"), unit)
    return lower if lower == upper else f"{lower} to {upper}"


def clean(text: object) -> str:
    """Return text fit for a terminal: one line, without control characters."""
    spaced = " ".join(str(text).split())
    return "".join(c for c in spaced if unicodedata.category(c) not in FORBIDDEN)


def filled(x: object) -> float | None:
    """Return a cell as a number, None where it is empty."""
    if x is None or x == "":
        return None
    return float(str(x))
