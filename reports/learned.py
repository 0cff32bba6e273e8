"""What the evidence did to a belief: the one place of its thresholds, and the words for them.

Two numbers say it. ``sd_ratio`` is the posterior's sd over the prior's, in the belief's own unit.
``shift`` is how far the posterior mean lies from the prior's, in prior sds, on the scale where the
belief is unbounded (the log of what is positive, the logit of a share): on its own scale a share
near 0 can never lie many sds below its prior. The two are the axes of Betancourt's plot of
contraction and z-score ("Towards a principled Bayesian workflow", 2020), with the prior in place
of a known truth.
"""

from collections.abc import Mapping, Sequence
from typing import Any

LEARNED, SOMEWHAT = 0.5, 0.9
"""Ratios of sds below which a belief counts as learned, and as somewhat learned."""
GREW = 1.2
"""Ratio from which the sd grew: five standard errors above 1 at 400 effective draws."""
FAR = 2.0
"""Prior sds from which the posterior mean lies outside what the prior expected."""
CONFLICT, UNTOUCHED = "conflict", "untouched"
STATUSES = {
    "learned": f"learned (posterior sd below {LEARNED} of the prior's)",
    "somewhat": f"somewhat learned (below {SOMEWHAT})",
    "hardly": f"hardly learned ({SOMEWHAT} or more)",
    CONFLICT: (
        f"in conflict with the prior (posterior mean {FAR:.0f} or more prior sds away, or sd "
        f"{GREW} times the prior's or more)"
    ),
    UNTOUCHED: "untouched (no evidence bears on it)",
}
"""Every status, in words."""


def status(sd_ratio: float, shift: float, *, untouched: bool = False) -> str:
    """Return what the evidence did to a belief: a key of :data:`STATUSES`."""
    if untouched:
        return UNTOUCHED
    if abs(shift) >= FAR or sd_ratio >= GREW:
        return CONFLICT
    if sd_ratio < LEARNED:
        return "learned"
    return "somewhat" if sd_ratio < SOMEWHAT else "hardly"


def conflicts(parameters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the beliefs in conflict with their prior, the farthest shifted first."""
    found = [r for r in parameters if r.get("learned") == CONFLICT]
    return sorted(found, key=lambda r: -abs(float(r["shift"])))
