"""The terms of every sub-model from the variables by name: of the graph, or of draws."""

from collections.abc import Mapping
from typing import Any

from models.components import faults, maturity, output, spillover, tracking, workers
from models.ops import NumPy
from models.ratings import formula as ratings

SUB_MODELS = {
    "workers": workers.terms,
    "output": output.terms,
    "maturity": maturity.terms,
    "tracking": tracking.terms,
    "faults": faults.terms,
    "spillover": spillover.terms,
    "raters": ratings.terms,
}


def all_terms(xp: Any, v: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the terms by sub-model of variables by name: of a graph, or of draws.

    Parameters
    ----------
    xp
        Operations (:mod:`models.ops`).
    v
        Variables by name; draws have a leading axis.
    """
    return {name: terms(xp, v) for name, terms in SUB_MODELS.items()}


def terms_from_draws(draws: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the terms by sub-model from draws, with a leading draw axis."""
    return all_terms(NumPy, draws)
