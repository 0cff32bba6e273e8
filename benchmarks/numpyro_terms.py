"""The terms of the sub-models from NumPyro's values: what the ``add_`` functions give in PyMC."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import special

from models.components import faults, workers
from models.components.effects import CENTRING, SAMPLED
from models.components.maturity import DISCRIMINATION
from models.dims import GROUPS, SIDES, STEPS, Structure

JAX = SimpleNamespace(
    exp=jnp.exp,
    log=jnp.log,
    log1p=jnp.log1p,
    sqrt=jnp.sqrt,
    sigmoid=jax.nn.sigmoid,
    logit=lambda p: jnp.log(p) - jnp.log1p(-p),
    gammaln=special.gammaln,
    where=jnp.where,
    eq=jnp.equal,
    concatenate=jnp.concatenate,
    stack=jnp.stack,
    asarray=jnp.asarray,
    normal_cdf=special.ndtr,
    normal_quantile=special.ndtri,
    cumsum=lambda x: jnp.cumsum(x, axis=-1),
)
"""The operations of :mod:`models.ops` on JAX arrays."""


def all_terms(
    x: Mapping[str, Any], elasticity: Mapping[str, Any], *, structure: Structure
) -> dict[str, dict[str, Any]]:
    """Return the terms by sub-model.

    Parameters
    ----------
    x
        Values by name (:mod:`benchmarks.latents`).
    elasticity
        Regression of the elasticity on ``use_ratio``: ``base``, ``weight`` and ``sd``.
    structure
        Of the Case.
    """
    return {
        "workers": _workers(x),
        "output": _output(x),
        "maturity": _maturity(x, structure),
        "tracking": _tracking(x),
        "faults": _faults(x),
        "spillover": _spillover(x, elasticity),
        "raters": _raters(x),
    }


def _effect(x: Mapping[str, Any], name: str) -> Any:
    return x[f"{name}_sd"] ** (1.0 - CENTRING[name]) * x[SAMPLED[name]]


def _workers(x: Mapping[str, Any]) -> dict[str, Any]:
    level = jnp.log(jnp.stack([x[f"workers_{group}"] for group in GROUPS]))
    shocks = x["worker_shock_sd"] * x["worker_shock_z"]
    return {
        "log_workers": workers.log_workers(JAX, level, x["worker_growth"], shocks=shocks),
        "offsets": jnp.concatenate([x["definition_offset"], jnp.zeros(1)]),
        "error": x["worker_error"],
    }


def _output(x: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "elasticity": x["output_elasticity"],
        "level": x["list_level"],
        "dispersion": x["list_dispersion"],
        "size": x["agenda_share_sd"] * x["agenda_share_z"],
        "fte_level": x["fte_level"],
        "fte_error": x["fte_error"],
    }


def _maturity(x: Mapping[str, Any], structure: Structure) -> dict[str, Any]:
    family = _effect(x, "maturity_family")[jnp.array(structure.family_of)]
    return {
        "agenda": family + x["maturity_agenda_own"],
        "slope": x["effort_slope"] + x["effort_slope_sd"] * x["effort_slope_z"],
        "step": jnp.stack([x[f"step_{k}"] for k in STEPS]),
        "upper": jnp.stack([x[name] for name in DISCRIMINATION]),
        "purposive": x["maturity_purposive"],
    }


def _tracking(x: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "mean": JAX.logit(x["tracking_share"]),
        "agenda": x["tracking_agenda_sd"] * x["tracking_agenda_z"],
        "trend": x["tracking_trend"],
        "level": _effect(x, "tracking_level"),
        "purposive": x["tracking_purposive"],
    }


def _faults(x: Mapping[str, Any]) -> dict[str, Any]:
    diagnosis = {
        "mean": JAX.logit(x["diagnosis_rate"]),
        "world": x["diagnosis_world_sd"] * x["diagnosis_world_z"],
        "task": x["diagnosis_task_sd"] * x["diagnosis_task_z"],
        "practice": x["diagnosis_practice"],
    }
    share = x["fault_no_learning"]
    shares = faults.world_shares(JAX, x["fault_learned_share"], share)
    return {
        "mixed": faults.mixed_probability(share, x["fault_mixed_chance"]),
        "study": x["fault_concentration"],
        "diagnosis": diagnosis,
        "concentration": x["diagnosis_concentration"],
        "diagnosed": faults.diagnosed(JAX, shares, faults.rates(JAX, diagnosis)),
    }


def _spillover(x: Mapping[str, Any], elasticity: Mapping[str, Any]) -> dict[str, Any]:
    slope = elasticity["base"] + elasticity["weight"] * x["use_ratio"]
    terms = {
        "rate": jnp.log(x["use_rate"]),
        "eta": x["use_ratio"],
        "elasticity": slope + elasticity["sd"] * x["worker_ratio_elasticity_z"],
        "bottleneck": x["bottleneck"],
        "delay": x["reporting_delay"],
        "slip": x["lag_slip"],
        "lag": jnp.stack([x[f"{side}_lag"] for side in SIDES]),
    }
    for side in SIDES:
        for name in (f"{side}_level", f"{side}_agenda", f"{side}_year"):
            terms[name] = _effect(x, name)
        for name in (f"{side}_purposive", f"tracking_{side}", f"{side}_own"):
            terms[name] = x[name]
    return terms


def _raters(x: Mapping[str, Any]) -> dict[str, Any]:
    terms = {
        "shared_scale": x["shared_level_scale"],
        "shared_slip": x["shared_level_slip"],
        "shared_sensitivity": x["shared_sensitivity"],
        "shared_specificity": x["shared_specificity"],
        "shared_own": x["shared_own_error"],
        "lean": _effect(x, "rater_lean"),
        "scale": x["rater_level_scale"],
        "slip": x["rater_level_slip"],
        "own": x["rater_own_error"],
        "halo": x["halo"],
    }
    for name in ("sensitivity", "specificity"):
        z = x["rater_spread_sd"] * x[f"rater_{name}_z"]
        terms[name] = JAX.sigmoid(JAX.logit(x[f"rater_{name}"]) + z)
    return terms
