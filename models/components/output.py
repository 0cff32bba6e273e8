r"""Output: how many works appear, and how they are shared among agendas.

.. math::

    N(t) &= N_{2025}\, (W_{int}(t) / W_{int}(2025))^e \\
    \text{count}_i &\sim \mathrm{NegBinomial}\big(
        \Lambda_l (W_{int}(t_i) / W_{int}(2025))^e, \phi\big) \\
    \log \text{fte}_a &\sim \mathrm{Normal}(c + \sigma z_a, \epsilon_a), \qquad
    \text{share}_a = \mathrm{softmax}_a(\sigma z_a)

Hand-made lists have free scales :math:`\Lambda_l`, so they inform the elasticity e alone; the level
:math:`N_{2025}` is a belief that no likelihood touches. The review's ranges give shares of agendas,
not sums, since people sit in several; an agenda without a row comes from the pool. Sources:
evidence/paper_counts.csv, agenda_fte.csv and their cards.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.dims import YEARS
from models.ops import graph
from models.priors import Prior, add, variables

REFERENCE = YEARS.index(2025)


def relative_output(xp: Any, log_interpretability: Any, elasticity: Any) -> Any:
    """Return N(t) / N(2025) by year from log workers (..., year)."""
    change = log_interpretability - log_interpretability[..., REFERENCE][..., None]
    return xp.exp(elasticity[..., None] * change)


def negative_binomial_logp(xp: Any, value: Any, mean: Any, size: Any) -> Any:
    """Return the negative binomial log probability with variance mean + mean^2 / size."""
    ways = xp.gammaln(value + size) - xp.gammaln(size) - xp.gammaln(value + 1.0)
    total = xp.log(size + mean)
    return ways + size * (xp.log(size) - total) + value * (xp.log(mean) - total)


def normal_logp(xp: Any, value: Any, mean: Any, sd: Any) -> Any:
    """Return the normal log density."""
    return -0.5 * ((value - mean) / sd) ** 2 - xp.log(sd) - 0.5 * np.log(2.0 * np.pi)


def fte_scale(xp: Any, error: Any, spread: Any) -> Any:
    """Return the scale of each log FTE figure: common error plus its own range (90%)."""
    return xp.sqrt((error * error)[..., None] + spread**2)


def list_mean(relative: Any, level: Any, *, data: Mapping[str, Any]) -> Any:
    """Return the mean of each list count from relative output (..., year)."""
    return level[..., data["list"]] * relative[..., data["year"]]


def add_output(priors: Mapping[str, Prior]) -> dict[str, Any]:
    """Add elasticity, list levels and agenda sizes to the model; return :func:`terms`."""
    import pymc as pm

    pm.Normal("agenda_share_z", dims="agenda")
    add("output_elasticity", priors)
    add("list_level", priors, dims="list")
    for name in ("list_dispersion", "agenda_share_sd", "fte_level", "fte_error"):
        add(name, priors)
    return terms(graph(), variables())


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of output from the variables by name."""
    return {
        "elasticity": v["output_elasticity"],
        "level": v["list_level"],
        "dispersion": v["list_dispersion"],
        "size": v["agenda_share_sd"][..., None] * v["agenda_share_z"],
        "fte_level": v["fte_level"],
        "fte_error": v["fte_error"],
    }
