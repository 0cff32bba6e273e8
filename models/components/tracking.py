r"""Tracking: whether a work names the milestone it works toward.

.. math:: \mathrm{logit}\, \pi_{a,t,k} = \mu + \alpha_a + \tau\, h(t) + \lambda_k + \pi_c c,
    \qquad \mu = \mathrm{logit}(\text{tracking\_share})

with agenda effects :math:`\alpha_a = \sigma z_a` and level effects :math:`\lambda_k` that each add
up to zero (a typical agenda is the average one; under heavy tails :math:`z_a` are independent
Student t), and :math:`h(t) = t - 2023` in the window, damped after it:
:math:`h(T + n) = h(T) + \sum_{i=1}^{n} \delta^i`. Tracking and level are not independent given the
agenda, hence :math:`\lambda_k`. The rubric's ``tracks`` is any named milestone; the end goal is
that times ``on_target``. Source: evidence/ratings.csv, RUBRIC.md.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.components.effects import add_effect, effect
from models.dims import CENTRE_YEAR, YEARS
from models.ops import graph
from models.priors import Prior, add, variables

YEARS_FROM_CENTRE = np.array([t - CENTRE_YEAR for t in YEARS], dtype=float)
"""Trend regressor h(t) of the fixed axis, in years."""


def future_trend(xp: Any, damping: Any, n: int) -> Any:
    """Return h(t) after the axis: the last value plus damped years; dims (..., future year)."""
    years, total, power = [], YEARS_FROM_CENTRE[-1], 1.0
    for _ in range(n):
        power = power * damping
        total = total + power
        years.append(total)
    return xp.stack(years, axis=-1) if years else 0.0 * damping[..., None][..., :0]


def tracking_probability(xp: Any, level: Any, base: Any) -> Any:
    """Return the chance that a work tracks, by level; ``base`` (...) to (..., level)."""
    return xp.sigmoid(base[..., None] + level)


def cell_base(tracking: Mapping[str, Any], h: Any, *, cells: Mapping[str, Any]) -> Any:
    """Return the log-odds of tracking of each cell but for the level's part."""
    return (
        tracking["mean"][..., None]
        + tracking["agenda"][..., cells["agenda"]]
        + tracking["trend"][..., None] * h[..., cells["year"]]
        + tracking["purposive"][..., None] * cells["purposive"]
    )


def add_tracking(priors: Mapping[str, Prior], tails: str) -> dict[str, Any]:
    """Add tracking to the model in context; return :func:`terms`."""
    import pymc as pm

    add("tracking_share", priors)
    if tails == "normal":
        pm.ZeroSumNormal("tracking_agenda_z", dims="agenda")
    else:
        pm.StudentT("tracking_agenda_z", nu=4, dims="agenda")
    for name in ("tracking_agenda_sd", "tracking_trend"):
        add(name, priors)
    add_effect("tracking_level", priors)
    add("tracking_purposive", priors)
    return terms(graph(), variables())


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of tracking from the variables by name.

    Returns
    -------
    dict
        ``mean``, ``trend`` and ``purposive`` (...), ``agenda`` (..., agenda), ``level``
        (..., level).
    """
    share = v["tracking_share"]
    return {
        "mean": xp.log(share) - xp.log1p(-share),
        "agenda": v["tracking_agenda_sd"][..., None] * v["tracking_agenda_z"],
        "trend": v["tracking_trend"],
        "level": effect(v, "tracking_level"),
        "purposive": v["tracking_purposive"],
    }
