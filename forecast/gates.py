"""Prior predictive gates: what a set of priors says before it meets evidence.

A prior that is nearly certain before any evidence has decided the question, most often by a thin
tail of the link; so most of its mass must not lie within 0.01 of 0 or 1. Gated are the chance that
levels 6 and 7 are established by the horizon (in the unit chosen) and use on both sides by then.
Chances per work at levels 6 and 7 are small by nature and shown, not gated.
"""

from typing import Any

import numpy as np

from forecast.case import Case, structure_of
from forecast.forward import future_normals
from forecast.seeds import stream
from models.errors import InputError
from models.prior_draws import prior_draws
from models.relevance import predict

EDGE = 0.01
"""Distance from 0 or 1 within which a chance counts as decided."""
MOST = 0.5
"""Share of prior mass near an edge above which the priors are refused."""
DRAWS = 1000
READ = ("established", "alignment_used", "capabilities_relevant")
"""Quantities that the gates read."""
GATED = {
    "established 6": "level 6 established by the horizon",
    "established 7": "level 7 established by the horizon",
    "alignment_used": "alignment use by the horizon",
    "capabilities_relevant": "capabilities use by the horizon",
}
"""What is gated, in words."""


def prior_predictions(
    case: Case, n: int = DRAWS, *, names: tuple[str, ...] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``n`` prior draws of every variable, and of the quantities ``names`` (all if None)."""
    structure = structure_of(case)
    draws = prior_draws(case.by_name, structure, n=n, rng=stream(case.seed, "prior"))
    found = predict(
        draws, future_normals(case, n), structure=structure, question=case.asked, names=names
    )
    return draws, found


def gated_values(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the draws of what is gated."""
    reached = found["established"][..., -1]
    return {
        "established 6": reached[:, 5],
        "established 7": reached[:, 6],
        "alignment_used": found["alignment_used"],
        "capabilities_relevant": found["capabilities_relevant"],
    }


def gate_faults(found: dict[str, np.ndarray]) -> list[str]:
    """Return, in sentences, which chances the priors have decided."""
    faults = []
    for name, x in gated_values(found).items():
        for edge, near in ((0, x < EDGE), (1, x > 1.0 - EDGE)):
            if near.mean() > MOST:
                faults.append(
                    f"priors: {GATED[name]}: {100 * near.mean():.0f}% of the prior lies within "
                    f"{EDGE} of {edge}; widen the steps, ceilings, works_2025 or use rates"
                )
    return faults


def check_gates(case: Case) -> None:
    """Refuse priors that have decided the question before any evidence.

    Raises
    ------
    InputError
        With one sentence per gate.
    """
    faults = gate_faults(prior_predictions(case, names=READ)[1])
    if faults:
        raise InputError("\n".join(faults))
