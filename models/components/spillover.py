r"""Spillover: many paths, two races.

By age :math:`x` a work has a Poisson number of documented uses by others on side :math:`g` with
mean :math:`M_g G_g(x)`, :math:`G_g(x) = 1 - e^{-x/\text{lag}_g}`, and is its own use with chance
:math:`1 - e^{-\rho_g M_g}` (no delay), so that

.. math:: P(\text{used}_g) = 1 - (1 - \text{own}_g)\, e^{-M_g G_g(x)}.

.. math::

    \log M_{cap} &= \kappa + \tfrac12(\eta + \beta\, l(t)) + \log(1 + b\, D(k)) + p_k
        + \alpha^{cap}_a + c\,\gamma_{cap} - \tau_{cap} z \\
    \log M_{ali} &= \kappa - \tfrac12(\eta + \beta\, l(t)) + q_k
        + \alpha^{ali}_a + c\,\gamma_{ali} + \tau_{ali} z

with :math:`l(t) = \log W_{cap}(t)/W_{ali}(t) - L`. The data see :math:`\eta`, the log ratio of uses
at the usual ratio of workers; ``ease`` :math:`= \eta - \beta L` and :math:`\beta` (the elasticity)
have Normal priors, so :math:`\eta` is sampled and then :math:`\beta` given :math:`\eta`, an exact
change of variables (:func:`conditional_elasticity`).

Agenda effects, profiles over levels and year effects add up to zero
(:mod:`models.components.effects`).

Uses here are *documented* ones. Actual uses are :math:`M_g / \text{documented}_g`: with that
share stated as a belief about the forecast and not in the likelihood, it is exact, paired and free
to change, and it cannot trade places with :math:`\kappa` and :math:`\eta` in the sampler.
A reporting delay :math:`D \sim \mathrm{Exponential}` of mean :math:`\bar D` shortens the age seen
by raters to its expected excess :math:`E(x - D)^+ = x - \bar D (1 - e^{-x / \bar D})`.

The lag of a first use by others, given that there is one by age :math:`X`, falls in a year's cell

.. math:: P(\text{lag} = n) = (1 - \epsilon)\, \frac{G(n + \frac12) - G(n - \frac12)}{G(X)}
    + \frac{\epsilon}{N}

(:math:`\epsilon`: the date is plainly wrong, anywhere among the N cells), with G in place of the
first-passage law since M is small. Sources: evidence/ratings.csv, uses.csv, spillovers.csv,
alignment_uses.csv.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.components.effects import add_effect, effect
from models.dims import GROUPS, LOG_RATIO, SIDES
from models.ops import graph
from models.priors import Array, Prior, add, find, numbers, variables

ALIGNMENT = GROUPS.index("alignment")
CAPABILITIES = GROUPS.index("capabilities")
EASE = ("ease", "worker_ratio_elasticity")
"""Beliefs that enter the model by their exact change of variables."""


def log_ratio(log_workers: Any) -> Any:
    """Return l(t), the centred log ratio of workers; dims (..., year)."""
    return log_workers[..., CAPABILITIES, :] - log_workers[..., ALIGNMENT, :] - LOG_RATIO


def conditional_elasticity(ease: Any, elasticity: Any) -> tuple[Any, Any, Any]:
    r"""Return mean and variance of eta, and the regression of the elasticity on it.

    ``ease`` and ``elasticity`` are (mean, sd) pairs of independent Normal priors. With
    :math:`\eta = \text{ease} + L \beta`:
    :math:`\eta \sim N(\mu_e + L\mu_b, \sigma_e^2 + L^2\sigma_b^2)` and
    :math:`\beta \mid \eta \sim N(\mu_b + w(\eta - E\eta), \sigma_b^2 \sigma_e^2 / Var\,\eta)`,
    :math:`w = L\sigma_b^2 / Var\,\eta`.

    Returns
    -------
    tuple
        ``(mean, variance)`` of eta, ``w``, and the conditional sd of the elasticity.
    """
    variance = ease[1] ** 2 + LOG_RATIO**2 * elasticity[1] ** 2
    moments = (ease[0] + LOG_RATIO * elasticity[0], variance)
    weight = LOG_RATIO * elasticity[1] ** 2 / variance
    return moments, weight, elasticity[1] * ease[1] / variance**0.5


def reached(xp: Any, age: Any, lag: Any) -> Any:
    """Return G(x), the share of uses that come by age ``age`` (years)."""
    return 1.0 - xp.exp(-age / lag)


def seen_age(xp: Any, age: Any, delay: Any) -> Any:
    """Return the age in years that a reporting delay of mean ``delay`` leaves to be seen."""
    return age - delay * (1.0 - xp.exp(-age / delay))


def log_use(side: str, terms: Mapping[str, Any], *, ratio: Any) -> Any:
    """Return log M of a side but for agenda, level and tracking; ``ratio`` is l(t)."""
    sign = 0.5 if side == "capabilities" else -0.5
    return terms["rate"] + sign * (terms["eta"] + terms["elasticity"] * ratio)


def level_factor(xp: Any, side: str, terms: Mapping[str, Any], *, diagnosed: Any) -> Any:
    """Return the factor on M by level; dims (..., level)."""
    profile = xp.exp(terms[f"{side}_level"])
    if side == "alignment":
        return profile
    return profile * (1.0 + terms["bottleneck"][..., None] * diagnosed)


def tracking_factor(xp: Any, side: str, terms: Mapping[str, Any]) -> Any:
    """Return the factor on M of a work that tracks; dims (...)."""
    sign = -1.0 if side == "capabilities" else 1.0
    return xp.exp(sign * terms[f"tracking_{side}"])


def use_means(xp: Any, base: Any, level: Any, *, tracked: Any) -> Any:
    """Return M by level and tracking; ``base`` (..., cell), out (..., cell, level, tracking)."""
    m = xp.exp(base)[..., None] * level[..., None, :]
    return xp.stack([m, m * tracked[..., None, None]], axis=-1)


def lag_logp(xp: Any, value: Any, lag: Any, slip: Any, *row: Any) -> Any:
    """Return the log probability of each lag, in whole years, given a use by the row's age.

    ``row`` is the pair (age in years, number of lags that were possible).
    """
    age, cells = row
    low = xp.where(value > 0, value - 0.5, 0.0)
    high = xp.where(value + 0.5 < age, value + 0.5, age)
    share = (xp.exp(-low / lag) - xp.exp(-high / lag)) / reached(xp, age, lag)
    return xp.log((1.0 - slip) * share + slip / cells)


def lag_random(rng: np.random.Generator, lag: Array, slip: Array, *row: Array) -> Array:
    """Simulate the lag of each first use in whole years, given a use by the row's age."""
    age, cells = row
    u = rng.uniform(size=np.shape(lag)) * -np.expm1(-age / lag)
    drawn = np.minimum(np.floor(-lag * np.log1p(-u) + 0.5), cells - 1)
    wrong = rng.uniform(size=np.shape(lag)) < slip
    return np.where(wrong, np.floor(rng.uniform(size=np.shape(lag)) * cells), drawn)


def add_spillover(priors: Mapping[str, Prior]) -> dict[str, Any]:
    """Add the use rates of both sides to the model in context; return :func:`terms`."""
    import pymc as pm

    for name in EASE:
        find(name, priors)
    prior = {name: tuple(numbers(name, priors).values()) for name in EASE}
    (mean, variance), *_ = conditional_elasticity(*prior.values())
    pm.Normal("use_ratio", mean, variance**0.5)
    pm.Normal("worker_ratio_elasticity_z")
    add("use_rate", priors)
    for name in ("bottleneck", "reporting_delay", "lag_slip", *(f"{side}_lag" for side in SIDES)):
        add(name, priors)
    for side in SIDES:
        for part in ("level", "agenda", "year"):
            add_effect(f"{side}_{part}", priors)
        for name in (f"{side}_purposive", f"tracking_{side}", f"{side}_own"):
            add(name, priors)
    sampled = variables()
    return terms(
        graph(), {**sampled, "worker_ratio_elasticity": elasticity(sampled, *prior.values())}
    )


def elasticity(v: Mapping[str, Any], ease: Any, prior: Any) -> Any:
    """Return the elasticity from eta and its standard normal, given (mean, sd) of both priors."""
    (mean, _), weight, sd = conditional_elasticity(ease, prior)
    return prior[0] + weight * (v["use_ratio"] - mean) + sd * v["worker_ratio_elasticity_z"]


def elasticity_from_draws(draws: Mapping[str, Array], priors: Mapping[str, Prior]) -> Array:
    """Return the elasticity from draws of eta and its standard normal, given its prior."""
    stated = (tuple(find(name, priors).values.values()) for name in EASE)
    return np.asarray(elasticity(draws, *stated))


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of use from the variables by name.

    Returns
    -------
    dict
        ``rate``, ``eta``, ``elasticity``, ``bottleneck``, ``delay``, ``slip`` (...), ``lag``
        (..., side), and for each side its effects, ``SIDE_purposive``, ``tracking_SIDE`` and
        ``SIDE_own``.
    """
    of_use = {
        "rate": xp.log(v["use_rate"]),
        "eta": v["use_ratio"],
        "elasticity": v["worker_ratio_elasticity"],
        "bottleneck": v["bottleneck"],
        "delay": v["reporting_delay"],
        "slip": v["lag_slip"],
        "lag": xp.stack([v[f"{side}_lag"] for side in SIDES], axis=-1),
    }
    for side in SIDES:
        for name in (f"{side}_level", f"{side}_agenda", f"{side}_year"):
            of_use[name] = effect(v, name)
        for name in (f"{side}_purposive", f"tracking_{side}", f"{side}_own"):
            of_use[name] = v[name]
    return of_use
