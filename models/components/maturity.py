r"""Maturity: how far a work of an agenda and year gets on the ladder of levels 0 to 7.

.. math::

    x(t) &= \log\Big(1 + \sum_{s \le t} W_{int}(s)\Big) - (\text{the same at } t_0 = 2023) \\
    \theta_{a,t} &= \phi_{f(a)} + \epsilon_a + (\beta + \sigma_\beta z_a)\, x(t), \\
    \phi_f &\sim \mathrm{Normal}(0, \sigma_f), \qquad
        \epsilon_a \sim \mathrm{Normal}(0, \sigma_a) \\
    P(\text{level} \ge k \mid \text{level} \ge k - 1) &= F(d_k + u_k (\theta_{a,t} + \pi\, c)),
        \qquad d_k = F^{-1}(\text{step}_k)

with :math:`F` the logistic (or normal) distribution function, :math:`u_k` = 1 up to level 3, a
positive :math:`u_4` of its own at level 4 and one shared positive :math:`u` above, and
:math:`c` = 1 for works taken as known cases. The ladder changes kind twice: level 4 asks what was
sought, the rungs above for what nobody had in mind. Agendas that seek deception reach level 4 far
more often than others and none of their works got further; with one :math:`u` for both, ``step_5``
had to make up for it. Effort (log cumulative worker-years
since 2013) and not the calendar moves maturity. ``step_k`` answers "of works of 2023 that reach
level k - 1 in a typical agenda, what share reaches k?", so each is elicited as a share.
Agenda effects are sampled on their own scale: with about 25 works each the data dominate them
(Betancourt & Girolami 2013, arXiv:1312.0906). They and the families' add up to zero, so that a
typical agenda is the average one and the steps do not trade places with the effects' mean (under
heavy tails an agenda's own are independent Student t). Source: evidence/ratings.csv, RUBRIC.md.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.components.effects import add_effect, effect
from models.dims import CENTRE_YEAR, GROUPS, STEPS, YEARS
from models.ops import graph
from models.priors import Prior, add, variables

INTERPRETABILITY = GROUPS.index("interpretability")
CENTRE = YEARS.index(CENTRE_YEAR)
UPPER = (tuple(k == 4 for k in STEPS), tuple(k > 4 for k in STEPS))
"""Which steps each discrimination moves; the others have 1."""
DISCRIMINATION = ("step_4_discrimination", "upper_discrimination")


def effort(xp: Any, log_interpretability: Any) -> Any:
    """Return log cumulative worker-years, zero in the centre year; dims (..., year)."""
    total = xp.log1p(xp.cumsum(xp.exp(log_interpretability)))
    return total - total[..., CENTRE][..., None]


def link(xp: Any, name: str, x: Any) -> Any:
    """Return the probability of a step at ``x`` under the ``logit`` or ``probit`` link."""
    return xp.sigmoid(x) if name == "logit" else xp.normal_cdf(x)


def inverse_link(xp: Any, name: str, p: Any) -> Any:
    """Return the value at which the link gives ``p``."""
    return xp.logit(p) if name == "logit" else xp.normal_quantile(p)


def step_probabilities(xp: Any, theta: Any, step: Any, *, upper: Any, name: str) -> Any:
    """Return the chance of each step.

    Parameters
    ----------
    theta
        Maturity, dims (...).
    step
        Chance of each step at maturity zero, broadcastable to (..., step).
    upper
        Discrimination at level 4, and above it, broadcastable to (..., 2).
    name
        ``logit`` or ``probit``.

    Returns
    -------
    array, dims (..., step)
    """
    at_4, above = np.array(UPPER, dtype=float)
    slope = 1.0 + (upper[..., :1] - 1.0) * at_4 + (upper[..., 1:] - 1.0) * above
    return link(xp, name, inverse_link(xp, name, step) + slope * theta[..., None])


def level_probabilities(xp: Any, steps: Any) -> Any:
    """Return P(level = 0..7) from the chances of the seven steps; dims (..., level)."""
    levels, reach = [], 1.0
    for k in range(len(STEPS)):
        levels.append(reach * (1.0 - steps[..., k]))
        reach = reach * steps[..., k]
    return xp.stack([*levels, reach], axis=-1)


def reach_probabilities(xp: Any, steps: Any) -> Any:
    """Return P(level >= 1..7) from the chances of the steps; dims (..., step)."""
    reach = [steps[..., 0]]
    for k in range(1, len(STEPS)):
        reach.append(reach[-1] * steps[..., k])
    return xp.stack(reach, axis=-1)


def add_maturity(
    priors: Mapping[str, Prior], family_of: tuple[int, ...], *, tails: str
) -> dict[str, Any]:
    """Add steps, agenda effects and the slope on effort to the model; return :func:`terms`."""
    import pymc as pm

    for k in STEPS:
        add(f"step_{k}", priors)
    add_effect("maturity_family", priors)
    scale = add("maturity_agenda_sd", priors)
    if tails == "normal":
        own = pm.ZeroSumNormal("maturity_agenda_own", sigma=scale, dims="agenda")
    else:
        own = pm.StudentT("maturity_agenda_own", nu=4, sigma=scale, dims="agenda")
    family = effect(variables(), "maturity_family")
    pm.Deterministic("maturity_agenda", family[np.array(family_of)] + own, dims="agenda")
    pm.Normal("effort_slope_z", dims="agenda")
    for name in ("effort_slope", "effort_slope_sd", *DISCRIMINATION, "maturity_purposive"):
        add(name, priors)
    return terms(graph(), variables())


def cell_theta(maturity: Mapping[str, Any], x: Any, *, cells: Mapping[str, Any]) -> Any:
    """Return theta of each cell (agenda, year, selection) from effort ``x``, dims (..., year)."""
    agenda = cells["agenda"]
    return (
        maturity["agenda"][..., agenda]
        + maturity["slope"][..., agenda] * x[..., cells["year"]]
        + maturity["purposive"][..., None] * cells["purposive"]
    )


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of maturity from the variables by name.

    Returns
    -------
    dict
        ``agenda`` and ``slope`` with dims (..., agenda), ``step`` (..., step), ``upper`` (..., 2)
        and ``purposive`` (...).
    """
    return {
        "agenda": v["maturity_agenda"],
        "slope": v["effort_slope"][..., None]
        + v["effort_slope_sd"][..., None] * v["effort_slope_z"],
        "step": xp.stack([v[f"step_{k}"] for k in STEPS], axis=-1),
        "upper": xp.stack([v[name] for name in DISCRIMINATION], axis=-1),
        "purposive": v["maturity_purposive"],
    }
