"""The checks that every run makes of itself.

Replicated evidence, PSIS-LOO, influence of rows, a backcast of milestones, forecasts by others, and
near predictions that can turn out wrong.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.analyses import loo as leaving_out
from forecast.analyses import near, predictive
from forecast.analyses import near as dated
from forecast.analyses.predictive import Pair, Replicates
from forecast.evidence.load import Tables
from forecast.inference.forward import taken
from forecast.inference.pointwise import kept_draws
from forecast.inference.sampling import Fit

MOST = 2000
"""Draws from which rows are left out: half of a default run's, at half of its time."""
TOLD = 12
"""Rows of a long table that the report shows."""


@dataclass(frozen=True)
class RunChecks:
    """Rows by table, and the test quantities from which figures are drawn.

    ``levels`` are all answers on levels, observed (answer,) and replicated (draw, answer).
    """

    tables: dict[str, list[dict[str, Any]]]
    pairs: list[Pair]
    levels: tuple[np.ndarray, np.ndarray] | None = None

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
            "backcast": found["backcast"],
            "others": found["others"],
            "clusters": dated.cluster_counts(found["others"]),
            "near": found["near"],
        }


def run_checks(
    fit: Fit,
    found: dict[str, np.ndarray],
    *,
    tables: Tables,
    loglik: dict[str, np.ndarray],
    again: dict[str, Replicates],
) -> RunChecks:
    """Return the checks of a fit.

    Parameters
    ----------
    found
        Quantities by draw.
    tables
        Milestones and forecasts by others are read here.
    loglik
        Log probability of each row, dims (draw, row), of the draws
        :func:`forecast.inference.pointwise.kept_draws`.
    again
        Evidence replicated from ``posterior`` and ``prior``.
    """
    made, before = (predictive.pairs(fit.case, again[key]) for key in ("posterior", "prior"))
    kept = kept_draws(fit)
    at = np.linspace(0, len(kept) - 1, min(len(kept), MOST)).astype(int)
    thin, loglik = taken(fit, kept[at]), {name: x[at] for name, x in loglik.items()}
    some = {name: found[name][kept[at]] for name in leaving_out.HEADLINES}
    loo, left = leaving_out.loo_rows(thin, loglik)
    rows = {
        "predictive": predictive.check_rows(made, prior=before),
        "loo": loo,
        "influence": leaving_out.influence_rows(thin, loglik, found=some, left=left),
        "agenda_influence": leaving_out.agenda_rows(thin, loglik, found=some),
        "backcast": dated.backcast_rows(dated.first_curve(fit), tables),
        "others": dated.other_rows(fit, tables),
        "near": near.near_rows(fit),
    }
    return RunChecks(rows, made, predictive.level_answers(fit.case, again["posterior"]))


def statistics_groups(checked: RunChecks) -> dict[str, Any]:
    """Return the test quantities as groups of a tree: observed, and replicated.

    Variables bear the names of the statistics, each with a dim of its own for its elements;
    ``level answers`` are all answers on levels, of all raters and works.
    """
    import xarray as xr

    seen: dict[str, Any] = {}
    new: dict[str, Any] = {}
    coords: dict[str, list[str]] = {}
    for pair in checked.pairs:
        dim = f"{pair.name}: element"
        coords[dim] = list(pair.elements)
        seen[pair.name] = ((dim,), pair.observed)
        new[pair.name] = (("chain", "draw", dim), pair.replicated[None])
    if checked.levels is not None:
        observed, replicated = checked.levels
        seen["level answers"] = (("answer of a rater",), observed)
        new["level answers"] = (("chain", "draw", "answer of a rater"), replicated[None])
    return {
        "observed_statistics": xr.Dataset(seen, coords),
        "replicated_statistics": xr.Dataset(new, coords),
    }
