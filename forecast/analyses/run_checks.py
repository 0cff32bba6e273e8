"""The checks that every run makes of itself: replicated evidence, PSIS-LOO, influence of rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.analyses import leaving_out, predictive
from forecast.analyses.predictive import Pair, Replicates
from forecast.sampling import Fit

SAVED = ("predictive", "loo", "influence", "agenda_influence")
"""Tables that become files of a run."""
TOLD = 12
"""Rows of a long table that the report shows."""


@dataclass(frozen=True)
class RunChecks:
    """Rows by table, and the test quantities from which figures are drawn."""

    tables: dict[str, list[dict[str, Any]]]
    pairs: list[Pair]

    def context(self) -> dict[str, Any]:
        """Return what the report reads: short tables, and counts of the long ones."""
        rows, found = self.tables["predictive"], self.tables
        flagged = sorted((row for row in rows if row["flag"]), key=lambda row: row["p"])
        return {
            "summary": predictive.summary_rows(rows),
            "flagged": flagged,
            "loo": found["loo"],
            "influence": found["influence"][:TOLD],
            "agenda_influence": found["agenda_influence"],
        }


def run_checks(
    fit: Fit,
    found: dict[str, np.ndarray],
    *,
    loglik: dict[str, np.ndarray],
    again: dict[str, Replicates],
) -> RunChecks:
    """Return the checks of a fit.

    Parameters
    ----------
    found
        Quantities by draw.
    loglik
        Log probability of each row, dims (draw, row).
    again
        Evidence replicated from ``posterior`` and ``prior``.
    """
    made, before = (predictive.pairs(fit.case, again[key]) for key in ("posterior", "prior"))
    loo, left = leaving_out.loo_rows(fit, loglik)
    tables = {
        "predictive": predictive.check_rows(made, prior=before),
        "loo": loo,
        "influence": leaving_out.influence_rows(fit, loglik, found=found, left=left),
        "agenda_influence": leaving_out.agenda_rows(fit, loglik, found=found),
    }
    return RunChecks(tables, made)


def statistics_groups(made: list[Pair]) -> dict[str, Any]:
    """Return the test quantities as groups of a tree: observed, and replicated.

    Variables bear the names of the statistics, each with a dim of its own for its elements.
    """
    import xarray as xr

    seen, new = {}, {}
    coords: dict[str, list[str]] = {}
    for pair in made:
        dim = f"{pair.name}: element"
        coords[dim] = list(pair.elements)
        seen[pair.name] = ((dim,), pair.observed)
        new[pair.name] = (("chain", "draw", dim), pair.replicated[None])
    return {
        "observed_statistics": xr.Dataset(seen, coords),
        "replicated_statistics": xr.Dataset(new, coords),
    }
