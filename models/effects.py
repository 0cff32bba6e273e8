r"""Effects that add up to zero: how far the members of a group differ.

.. math:: e_i = \sigma z_i, \qquad z \sim \mathrm{Normal}(0, I) \text{ given } \sum_i z_i = 0

with :math:`\sigma` the belief ``NAME_sd``. An effect is sampled either standard (``NAME_z``) or on
its own scale (``NAME``): the same prior, another geometry. On their own scale are those that the
data dominate or that a profile shares with another term; families, both profiles and the alignment
agendas were chosen by the least effective sample size on two or three seeds, the others by how
their draws depend on their scale (Betancourt & Girolami 2013, arXiv:1312.0906).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.prior import Array, Prior, add

STANDARD: dict[str, str] = {
    "tracking_level": "level",
    "capabilities_level": "level",
    "capabilities_year": "year",
    "alignment_year": "year",
    "alignment_agenda": "agenda",
}
"""Dim of each effect that is sampled standard."""
OWN_SCALE: dict[str, str] = {
    "maturity_family": "family",
    "alignment_level": "level",
    "capabilities_agenda": "agenda",
    "rater_bias": "rater",
}
"""Dim of each effect that is sampled on its own scale."""


def add_effect(name: str, priors: Mapping[str, Prior]) -> Any:
    """Add the effect ``name`` to the model in context; dims (its dim,)."""
    import pymc as pm

    spread = add(f"{name}_sd", priors)
    if name in OWN_SCALE:
        return pm.ZeroSumNormal(name, sigma=spread, dims=OWN_SCALE[name])
    return spread * pm.ZeroSumNormal(f"{name}_z", dims=STANDARD[name])


def effect(draws: Mapping[str, Array], name: str) -> Array:
    """Return the effect ``name`` from draws; dims (draw, its dim)."""
    if name in OWN_SCALE:
        return draws[name]
    return np.asarray(draws[f"{name}_sd"][:, None] * draws[f"{name}_z"])
