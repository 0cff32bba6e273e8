"""The headline under nearby beliefs, from the draws at hand: no variant costs a fit.

Each is reweighted; where Pareto k exceeds 0.7 the figures are withheld and the row says that it
needs a fit of its own.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.case import Case, with_prior
from forecast.config import load_config
from forecast.engine import MAX_PARETO_K, answer, future_normals
from forecast.folder import read_manifest
from forecast.identity import code_hash
from forecast.reweighting import importance
from forecast.sampling import Fit
from forecast.seeds import stream
from forecast.summaries import spread
from models.prior import FAMILIES, Prior
from models.prior_draws import prior_draws
from models.quantities import HEADLINE
from models.relevance import predict

DRAWS = 1000
"""Draws of a variant: its interval is read to two digits."""
WORLDVIEWS = ("doubter", "questioner")
HALO = {"off": ("Normal", (0.0, 0.05)), "large": ("Normal", (-1.5, 0.3))}
"""Halo priors beside the stated one: none, and one that hides four uses in five."""
SHARED = {
    "none": {"shared_sensitivity": (200.0, 1.0), "shared_specificity": (800.0, 1.0)}
    | {"shared_level_slip": (1.0, 400.0)},
    "high": {"shared_sensitivity": (6.0, 3.0), "shared_specificity": (20.0, 3.0)}
    | {"shared_level_slip": (2.0, 20.0)},
}
"""Beta numbers of the error that raters of one kind share: none to speak of, and high."""
SHOWN = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "capabilities_first",
    "tracking_effect_capabilities",
    "capabilities_only_tracked",
    "capabilities_only_untracked",
    "relevant_tracked",
    "relevant_untracked",
)
"""Quantities that a variant of the raters reports."""


def reweighted(fit: Fit, case: Case) -> tuple[float, dict[str, np.ndarray] | None]:
    """Return Pareto k and, if it is at most 0.7, the quantities of ``case``."""
    weights = importance(fit, case)
    if weights is None:
        return float("inf"), None
    if not weights.pareto_k <= MAX_PARETO_K:
        return weights.pareto_k, None
    chosen = replace(fit, draws=weights.resample(fit.draws, case.seed, n=DRAWS))
    return weights.pareto_k, answer(chosen, case)


def restated(prior: Prior, dist: str, *, numbers: tuple[float, ...]) -> Prior:
    """Return a prior with another distribution's numbers."""
    params = tuple(zip(FAMILIES[dist].params, numbers, strict=True))
    return replace(prior, dist=dist, params=params, quantiles=None)


def variant_rows(
    fit: Fit, cases: dict[str, Case], *, stated: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return one row per setting: Pareto k, and the shown quantities or None.

    The fit's own Case shows ``stated``, the run's own quantities.
    """
    rows = []
    for setting, case in cases.items():
        k, found = (0.0, stated) if case is fit.case else reweighted(fit, case)
        row: dict[str, Any] = {"setting": setting, "pareto_k": k}
        for name in SHOWN:
            row[name] = None if found is None else spread(found[name])
        rows.append(row)
    return rows


def halo_cases(case: Case) -> dict[str, Case]:
    """Return the Case with the halo off, as stated, and large."""
    stated = case.by_name["halo"]
    made = {
        key: with_prior(case, restated(stated, dist, numbers=pair))
        for key, (dist, pair) in HALO.items()
    }
    return {"off": made["off"], "as stated": case, "large": made["large"]}


def shared_cases(case: Case) -> dict[str, Case]:
    """Return the Case with no shared error of raters, as stated, and high."""
    out = {}
    for setting, numbers in SHARED.items():
        made = case
        for name, pair in numbers.items():
            made = with_prior(made, restated(case.by_name[name], "Beta", numbers=pair))
        out[setting] = made
    return {"none": out["none"], "as stated": case, "high": out["high"]}


def worldview_rows(fit: Fit, beside: Path, *, evidence_hash: str) -> list[dict[str, Any]]:
    """Return each shipped worldview: its headline under priors alone, and given the evidence.

    The latter is reweighted, else read from a finished run of that worldview in the folder
    ``beside``, on the same evidence and code, else left out.
    """
    rows = [_worldview(fit, name) for name in WORLDVIEWS]
    for row in rows:
        if row["posterior"] is None:
            row["posterior"] = _finished(beside, row["name"], evidence_hash=evidence_hash)
    return rows


def _finished(beside: Path, name: str, *, evidence_hash: str) -> dict[str, Any] | None:
    """Return the headline of a converged run of the worldview, if there is one."""
    code = code_hash()
    for folder in sorted(beside.glob(f"{name}-????????")):
        made = read_manifest(folder) or {}
        same = made.get("evidence_hash") == evidence_hash and made.get("code_hash") == code
        if same and made.get("complete") and made.get("checks", {}).get("converged"):
            head = json.loads((folder / "headline.json").read_text(encoding="utf-8"))
            return dict(head["quantities"])
    return None


def _worldview(fit: Fit, name: str) -> dict[str, Any]:
    config = load_config(name)
    case = replace(fit.case, priors=config.priors)
    k, found = reweighted(fit, case)
    alone = prior_headline(case, fit)
    return {
        "name": name,
        "summary": config.summary,
        "pareto_k": k,
        "prior_only": {n: spread(alone[n]) for n in HEADLINE},
        "posterior": None if found is None else {n: spread(found[n]) for n in HEADLINE},
    }


def prior_headline(case: Case, fit: Fit) -> dict[str, np.ndarray]:
    """Return the quantities of a Case under its priors alone."""
    structure = fit.compiled.structure
    rng = stream(case.seed, "prior")
    draws = prior_draws(case.by_name, structure, n=DRAWS, rng=rng)
    future = future_normals(case, DRAWS)
    return predict(draws, future, structure=structure, question=case.asked)
