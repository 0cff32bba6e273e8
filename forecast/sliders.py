r"""What the page's sliders need: compact draws, beliefs and presets, as plain data.

The page answers a moved belief as :func:`forecast.engine.evaluate` does. A belief that enters last
and that no likelihood touches is exact: its fixed uniforms go through the new quantile function.
Any other is reweighted by :math:`p_{new}(x) / p_{old}(x)` at the draws, smoothed, and withheld by
the rule of :mod:`forecast.reweighting`. What of each draw is held: :mod:`forecast.slider_draws`;
numbers are 32-bit floats, column by column. A shipped view that these draws cannot be weighed to
has draws of its own: :mod:`forecast.slider_bases`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from forecast.case import Case
from forecast.config import Config, load_config
from forecast.evidence import Tables, find_evidence, hash_tables, load_tables
from forecast.near_fits import NearFit
from forecast.reweighting import LEAST_ESS, LEAST_SHARE, MAX_PARETO_K
from forecast.sampling import Fit
from forecast.slider_bases import bases
from forecast.slider_draws import EXACT, columns, experts_of, packed, years
from forecast.variants import WORLDVIEWS
from models.prior import Prior
from models.relevance import cohorts
from models.slots import SLOTS

REWEIGHTED = (
    "step_6",
    "step_7",
    "ease",
    "bottleneck",
    "tracking_capabilities",
    "capabilities_documented",
)
"""Beliefs that move by weights: at home in the claims that the exact ones leave out."""
MOST = 4000
"""Most draws that a page holds, evenly spaced among all."""
BESIDE = ("paths",)
"""Beliefs that no headline quantity reads: a preset states them, and nothing is computed."""


def slider_data(
    fit: Fit,
    config: Config,
    *,
    tables: Tables,
    near: Mapping[Any, NearFit] = MappingProxyType({}),
    beside: Path | None = None,
    found: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any] | None:
    """Return the content of sliders.json; None where levels count elsewhere than in the field.

    Parameters
    ----------
    fit, config, tables
        The run's own.
    near
        Draws of Cases that the run answered already, by their priors.
    beside
        Folder of finished runs, which may be of shipped views; None where there is none.
    found
        The fit's quantities by draw, where they are at hand.
    """
    case = fit.case
    if case.model.established_in != "field":
        return None
    at = np.unique(np.linspace(0, fit.n - 1, min(MOST, fit.n)).astype(int))
    names = embedded(fit)
    made = columns(fit, names, found=found)
    views = presets(case, names)
    return {
        "schema": 1,
        "n": len(at),
        "drawn": fit.n,
        "seed": case.seed,
        "ess": float(min(fit.diagnosis.min_ess_bulk, fit.diagnosis.min_ess_tail)),
        "rule": {"pareto_k": MAX_PARETO_K, "ess": LEAST_ESS, "share": LEAST_SHARE},
        "cohort": case.question.cohort,
        "horizon": case.question.horizon,
        "cohorts": list(cohorts(case.asked)),
        "years": years(case),
        "experts": experts_of(case),
        "beliefs": [_belief(case.by_name[name], fit) for name in _ordered(names)],
        "beside": [_belief(case.by_name[name], fit) for name in BESIDE],
        "presets": views,
        "bases": bases(fit, list(views), made=made, near=near, beside=beside),
        "toml": toml_head(case, config, tables=tables),
        "columns": list(made),
        "draws": packed({name: x[at] for name, x in made.items()}),
    }


def save_sliders(folder: Path, data: Mapping[str, Any] | None) -> None:
    """Write sliders.json into the folder of a run, on one line: it is draws above all."""
    if data is not None:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        (folder / "sliders.json").write_text(text, encoding="utf-8", newline="\n")


def embedded(fit: Fit) -> list[str]:
    """Return the beliefs whose draws the page needs: those that sliders or presets move."""
    moved = {name for view in presets(fit.case, None).values() for name in view}
    names = {*EXACT, *REWEIGHTED, *moved} - {*BESIDE}
    return [name for name in SLOTS if name in names and fit.draws.get(name, np.zeros(1)).ndim == 1]


def _ordered(names: list[str]) -> list[str]:
    """Return beliefs with those of the sliders first."""
    shown = [name for name in (*EXACT, *REWEIGHTED) if name in names]
    return [*shown, *(name for name in names if name not in shown)]


def _belief(prior: Prior, fit: Fit) -> dict[str, Any]:
    exact = prior.name in EXACT and prior.name in fit.compiled.alone
    slot = SLOTS[prior.name]
    return {
        "name": prior.name,
        "dist": prior.dist,
        "params": [name for name, _ in prior.params],
        "values": [value for _, value in prior.params],
        "unit": slot.unit,
        "block": slot.block,
        "question": slot.question,
        "claims": list(prior.claims),
        "source": prior.source,
        "why": prior.why,
        "exact": exact,
        "slider": prior.name in (*EXACT, *REWEIGHTED),
    }


def presets(case: Case, names: list[str] | None) -> dict[str, dict[str, Any]]:
    """Return each shipped worldview as the beliefs that it states otherwise than the Case.

    With ``names``, a view that moves another belief than these is left out: it needs a run.
    """
    out = {}
    for view in WORLDVIEWS:
        stated = {prior.name: prior for prior in load_config(view).priors}
        other = {
            p.name: {"dist": q.dist, "values": [x for _, x in q.params]}
            for p in case.priors
            for q in [stated[p.name]]
            if (p.dist, p.params) != (q.dist, q.params)
        }
        same = all(case.by_name[name].dist == found["dist"] for name, found in other.items())
        if other and same and (names is None or {*other} <= {*names, *BESIDE}):
            out[view] = other
    return out


def toml_head(case: Case, config: Config, *, tables: Tables) -> dict[str, Any]:
    """Return what a copied priors file begins with, and where it has to lie.

    It extends the shipped file that the run is of, else the priors.toml of the run's folder.
    """
    shipped = config.name in WORLDVIEWS and _as_shipped(case, config.name, tables=tables)
    return {
        "extends": f"{config.name}.toml" if shipped else "priors.toml",
        "shipped": shipped,
        "name": f"{config.name[:34]}-moved",
        "author": config.author,
    }


def _as_shipped(case: Case, view: str, *, tables: Tables) -> bool:
    """Return whether a Case is, but for its seed, that of a shipped file and the shipped tables."""
    shipped = load_config(view)
    told = (case.priors, case.question, case.model, case.sampler)
    same = told == (shipped.priors, shipped.question, shipped.model, shipped.sampler)
    return same and _same_tables(tables)


def _same_tables(tables: Tables) -> bool:
    return hash_tables(tables) == hash_tables(load_tables(find_evidence(None)))
