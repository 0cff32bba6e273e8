"""The claims as the page shows them: quantities, small interval plots, and what is left out."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from reports.words import CHANCES, LEAST, number

MANY = 16
"""Entries of one quantity above which the page folds them away."""


def claim_row(claim: Mapping[str, Any]) -> dict[str, Any]:
    """Return a claim with a small interval plot for each quantity; long ones under ``more``.

    ``sure`` counts the entries left out: chances above 99.9% in prior and posterior.
    """
    told = claim.get("quantities", [])
    every = [{**q, "plot": interval_plot(q)} for q in told if not is_sure(q)]
    entries = Counter(q["name"] for q in every)
    few = [q for q in every if entries[q["name"]] <= MANY]
    more = [q for q in every if entries[q["name"]] > MANY]
    return {**claim, "quantities": few, "more": more, "sure": len(told) - len(every)}


def is_sure(q: Mapping[str, Any]) -> bool:
    """Return whether a chance is above 99.9% throughout, before and after the evidence."""
    rows = [q.get("prior"), q.get("posterior")]
    ends = [r[key] for r in rows if r for key in ("lower", "mean")]
    return q.get("unit") in CHANCES and len(ends) == 4 and min(ends) > 1 - LEAST


def interval_plot(q: Mapping[str, Any]) -> dict[str, Any]:
    """Return positions (0 to 100) of prior and posterior on one axis, and its two ends as text.

    Chances lie on 0 to 1; others between the widest ends, on a log scale where all are positive.
    """
    rows = {key: q[key] for key in ("prior", "posterior") if q.get(key)}
    values = [r[key] for r in rows.values() for key in ("lower", "median", "upper")]
    values = [x for x in values if x is not None and np.isfinite(x)]
    if not values:
        return {}
    chances = q.get("unit") in CHANCES
    low, high = (0.0, 1.0) if chances else (min(values), max(values))
    scale = np.log if not chances and low > 0 else np.asarray
    width = float(scale(high) - scale(low)) or 1.0
    out: dict[str, Any] = {
        key: {
            name: round(100.0 * float(scale(r[name]) - scale(low)) / width, 1)
            for name in ("lower", "median", "upper")
        }
        for key, r in rows.items()
    }
    ends = ("0%", "100%") if chances else (number(low), number(high))
    return out | {"low": ends[0], "high": ends[1], "log": scale is np.log}
