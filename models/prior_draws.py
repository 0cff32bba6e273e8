r"""Prior draws: exact independent draws of every sampled variable, in NumPy alone.

Each variable has its own stream, from the generator's root and the variable's name, and a prior's
draws are its quantile function at fixed uniforms. So a changed prior leaves all other draws as
they are, and draws under two priors are paired. Zero-sum effects are independent normals less
their mean, which is the projection that PyMC's ``ZeroSumNormal`` states. ``ease`` and the
elasticity are drawn from their own priors and

.. math:: \eta = \text{ease} + L\,\beta, \qquad
    z = \big(\beta - E(\beta \mid \eta)\big) / \mathrm{sd}(\beta \mid \eta),

the inverse of the change of variables in :mod:`models.components.spillover`. A test holds the
names and shapes against the built model, and each variable against its stated prior.
"""

from collections.abc import Mapping
from zlib import crc32

import numpy as np
from scipy import special, stats

from models.components.effects import CENTRING, DIM, SAMPLED
from models.components.spillover import EASE, conditional_elasticity
from models.dims import LOG_RATIO, Structure
from models.parameters import SLOTS
from models.priors import Array, Prior, find, ppf

DIMS: dict[str, tuple[str, ...]] = {
    "list_level": ("list",),
    "shared_level_scale": ("kind",),
    "shared_level_slip": ("kind",),
    "shared_sensitivity": ("kind", "column"),
    "shared_specificity": ("kind", "column"),
    "rater_level_scale": ("rater",),
    "rater_level_slip": ("rater",),
    "rater_sensitivity": ("column",),
    "rater_specificity": ("column",),
}
"""Dims of the priors that stand for one independent copy each; all others are scalars."""
NORMALS: dict[str, tuple[str, ...]] = {
    "worker_shock_z": ("group", "shock"),
    "effort_slope_z": ("agenda",),
    "diagnosis_world_z": ("world",),
    "diagnosis_task_z": ("task",),
    "agenda_share_z": ("agenda",),
    "rater_sensitivity_z": ("rater", "column"),
    "rater_specificity_z": ("rater", "column"),
}
"""Dims of the standard normal effects."""
ZERO_SUMS: dict[str, str] = {SAMPLED[name]: dim for name, dim in DIM.items()}
"""Dim of what is sampled for each effect that adds up to zero."""
OTHERS: dict[str, tuple[str, ...]] = {
    "maturity_agenda": ("agenda",),
    "maturity_agenda_own": ("agenda",),
    "tracking_agenda_z": ("agenda",),
    "definition_offset": ("definition",),
    "worker_growth": ("group",),
}
"""Dims of what is neither."""


def dims_of(name: str) -> tuple[str, ...]:
    """Return the dims of a variable; a belief that is not named is a scalar."""
    if name in ZERO_SUMS:
        return (ZERO_SUMS[name],)
    return DIMS.get(name) or NORMALS.get(name) or OTHERS.get(name) or ()


def uniforms(root: int, name: str, *, shape: tuple[int, ...]) -> Array:
    """Return uniforms in the open interval (0, 1) from the stream of ``name``."""
    rng = np.random.default_rng([root, crc32(name.encode())])
    return np.asarray((rng.integers(0, 2**52, size=shape) + 0.5) / 2.0**52, dtype=np.float64)


def prior_draws(
    priors: Mapping[str, Prior], structure: Structure, *, n: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Return ``n`` draws of every variable of the group ``posterior``, with a leading draw axis."""
    root = int(rng.integers(2**63))
    length = {dim: len(labels) for dim, labels in structure.coords().items()}

    def uniform(name: str, dims: tuple[str, ...] = ()) -> Array:
        return uniforms(root, name, shape=(n, *(length[d] for d in dims)))

    out = {name: ppf(find(name, priors), uniform(name, DIMS.get(name, ()))) for name in SLOTS}
    out |= {name: special.ndtri(uniform(name, dims)) for name, dims in NORMALS.items()}
    for name, w in CENTRING.items():
        z = special.ndtri(uniform(SAMPLED[name], (DIM[name],)))
        z = z - z.mean(axis=-1, keepdims=True)
        out[SAMPLED[name]] = out[f"{name}_sd"][:, None] ** w * z
    heavy = structure.tails != "normal"
    for name in ("tracking_agenda_z", "maturity_agenda_own"):
        u = uniform(name, ("agenda",))
        out[name] = np.asarray(stats.t.ppf(u, 4)) if heavy else special.ndtri(u)
    if not heavy:
        z = out["tracking_agenda_z"]
        out["tracking_agenda_z"] = z - z.mean(axis=-1, keepdims=True)
    offset = special.ndtri(uniform("definition_offset", ("definition",)))
    out["definition_offset"] = out["definition_sd"][:, None] * offset
    growth = special.ndtri(uniform("worker_growth", ("group",)))
    scaled = out["worker_growth_sd"][:, None] * growth
    out["worker_growth"] = out["worker_growth_mean"][:, None] + scaled
    return out | _agenda_draws(out, structure) | ratio_draws(out, priors)


def _agenda_draws(out: Mapping[str, Array], structure: Structure) -> dict[str, Array]:
    """Return agenda effects in maturity, own and with their family's, from standard ones."""
    own = out["maturity_agenda_own"]
    if structure.tails == "normal":
        own = own - own.mean(axis=-1, keepdims=True)
    own = out["maturity_agenda_sd"][:, None] * own
    total = out["maturity_family"][:, list(structure.family_of)] + own
    return {"maturity_agenda_own": own, "maturity_agenda": total}


def ratio_draws(draws: Mapping[str, Array], priors: Mapping[str, Prior]) -> dict[str, Array]:
    """Return ``use_ratio`` and ``worker_ratio_elasticity_z`` from draws of ease and elasticity."""
    e, b = (find(name, priors).values for name in EASE)
    (mean, _), weight, sd = conditional_elasticity((e["mu"], e["sigma"]), (b["mu"], b["sigma"]))
    elasticity = draws["worker_ratio_elasticity"]
    eta = draws["ease"] + LOG_RATIO * elasticity
    z = (elasticity - b["mu"] - weight * (eta - mean)) / sd
    return {"use_ratio": eta, "worker_ratio_elasticity_z": z}
