"""A saved run as a fit: draws from the DataTree, no compilation."""

from typing import Any

from forecast.case import Case, structure_of
from forecast.convergence import Diagnosis, Moves
from forecast.sampling import Compiled, Fit, flat
from models.slots import SLOTS


def stored_fit(case: Case, tree: Any, *, diagnostics: dict[str, Any]) -> Fit:
    """Return the fit that a run's tree and diagnostics describe."""
    draws = flat(tree["posterior"])
    touched = {str(name) for name in tree["log_prior"].data_vars}
    alone = tuple(sorted(set(SLOTS) - touched))
    compiled = Compiled(structure_of(case), None, alone, {}, 0.0)
    names = ("parameter", "r_hat", "ess_bulk", "ess_tail")
    verdict = Diagnosis(
        converged=diagnostics["converged"],
        failures=tuple(diagnostics["failures"]),
        max_rhat=diagnostics["max_rhat"],
        min_ess_bulk=diagnostics["min_ess_bulk"],
        min_ess_tail=diagnostics["min_ess_tail"],
        moves=Moves(diagnostics["divergences"], diagnostics["bfmi"], diagnostics["leapfrog_steps"]),
        rows=tuple(tuple(row[n] for n in names) for row in diagnostics["parameters"]),
        retried=diagnostics.get("retried", ""),
    )
    stats = tree["sample_stats"]
    chosen = stats["chosen"].to_numpy().ravel() if "chosen" in stats else None
    return Fit(case, compiled, tree, draws, verdict, chosen=chosen)
