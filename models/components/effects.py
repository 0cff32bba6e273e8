r"""Effects that add up to zero: how far the members of a group differ.

.. math:: e_i = \sigma^{1 - w} y_i, \qquad y \sim \mathrm{Normal}(0, \sigma^{2w} I)
    \text{ given } \sum_i y_i = 0,

with :math:`\sigma` the belief ``NAME_sd``; y is what is sampled. The prior of e is the same for
every *centring* w, the geometry is not: w = 1 (y is e, called ``NAME``) suits effects that data
dominate, w = 0 (y is standard) those on which data say little, and w between where :math:`\sigma`
reaches into both; for w below 1, y is called ``NAME_z`` (Papaspiliopoulos, Roberts & Skold 2007,
Statistical Science 22:59; Betancourt & Girolami 2013, arXiv:1312.0906). Families, the alignment
profile and agendas in both uses were chosen by the least effective sample size on two or three
seeds; half for the capabilities profile and raters since whole and none diverged once each in
twenty fits, at a large and a small :math:`\sigma`.
"""

from collections.abc import Mapping
from typing import Any

from models.priors import Prior, add

DIM: dict[str, str] = {
    "maturity_family": "family",
    "tracking_level": "level",
    "capabilities_level": "level",
    "alignment_level": "level",
    "capabilities_agenda": "agenda",
    "alignment_agenda": "agenda",
    "capabilities_year": "year",
    "alignment_year": "year",
    "rater_lean": "rater",
}
"""Dim of each effect."""
CENTRING: dict[str, float] = {
    "maturity_family": 1.0,
    "tracking_level": 0.0,
    "capabilities_level": 0.5,
    "alignment_level": 1.0,
    "capabilities_agenda": 1.0,
    "alignment_agenda": 0.0,
    "capabilities_year": 0.0,
    "alignment_year": 0.0,
    "rater_lean": 0.5,
}
"""w of each effect."""
SAMPLED: dict[str, str] = {name: name if w == 1.0 else f"{name}_z" for name, w in CENTRING.items()}
"""Name of what is sampled for each effect."""


def add_effect(name: str, priors: Mapping[str, Prior]) -> None:
    """Add the scale and y of the effect ``name`` to the model in context."""
    import pymc as pm

    scale = add(f"{name}_sd", priors)
    pm.ZeroSumNormal(SAMPLED[name], sigma=scale ** CENTRING[name], dims=DIM[name])


def effect(v: Mapping[str, Any], name: str) -> Any:
    """Return the effect ``name`` from the variables by name; dims (..., its dim)."""
    w, y = CENTRING[name], v[SAMPLED[name]]
    return y if w == 1.0 else v[f"{name}_sd"][..., None] ** (1.0 - w) * y
