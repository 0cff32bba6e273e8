r"""Workers: a local linear trend of three groups on a fixed axis of years.

.. math::

    \log W_g(t) &= \lambda_g + \gamma_g (t - m_g)
        + \sigma_s \sum_j H_{g,t,j}\, z_{g,j}, \qquad z_{g,j} \sim \mathrm{Normal}(0, 1) \\
    \gamma_g &\sim \mathrm{Normal}(\gamma, \sigma_\gamma)

The level :math:`\lambda_g` is stated in year :math:`m_g`, the middle of the group's figures;
growth changes by a shock :math:`\sigma_s z_{g,j}` each year, and :math:`H` adds up what these
changes do to the level on both sides of :math:`m_g` (:func:`shock_design`). After the window
growth is damped: :math:`s_{t+1} = \delta s_t + \sigma_s z_{t+1}`.

A published figure :math:`i` of group :math:`g`, definition :math:`d` and year :math:`t` is

.. math:: y_i \sim \mathrm{StudentT}_4(\log W_g(t) + o_d, \sigma_i),\quad
    \sigma_i^2 = \sigma_w^2 (1 + d_i) + e_i^2,\quad o_d \sim \mathrm{Normal}(0, \sigma_d)

with :math:`e_i` the half width of its interval over 1.645 (a 90% range), :math:`d_i` = 1 if it
was not read in its source (the variance of its error doubles) and :math:`o_d` = 0 for the group's
reference definition. A bound is the event that the
figure lies below (above) it. Four degrees of freedom give heavy tails and a distribution
function in closed form. Source: evidence/workers.csv and its card.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.dims import GROUPS, LEVEL_YEARS, YEARS
from models.ops import graph
from models.priors import Array, Prior, add, variables

DEGREES = 4.0
"""Degrees of freedom of a worker figure."""


def shock_design() -> Array:
    """Return how a change of growth in an inner year moves each year's log size.

    Returns
    -------
    ndarray, dims (group, year, shock)
        Log size in ``year`` per unit change of growth in ``shock``; zero at the level year.
    """
    n = len(YEARS)
    design = np.zeros((len(GROUPS), n, n - 2))
    for g, group in enumerate(GROUPS):
        middle = YEARS.index(LEVEL_YEARS[group])
        for j in range(n - 2):
            for t in range(n):
                if j >= middle:
                    design[g, t, j] = max(t - (j + 1), 0)
                else:
                    design[g, t, j] = max((j + 1) - t, 0)
    return design


def year_offsets() -> Array:
    """Return each year less the group's level year; dims (group, year)."""
    return np.array([[t - LEVEL_YEARS[g] for t in YEARS] for g in GROUPS], dtype=float)


def log_workers(xp: Any, level: Any, growth: Any, *, shocks: Any) -> Any:
    """Return log numbers of workers.

    Parameters
    ----------
    xp
        Operations (:mod:`models.ops`).
    level, growth
        Dims (..., group): log people, and log people per year.
    shocks
        Scaled changes of growth, dims (..., group, shock), in log people per year.

    Returns
    -------
    array, dims (..., group, year)
        Log number of people.
    """
    trend = level[..., None] + growth[..., None] * year_offsets()
    return trend + (shock_design() * shocks[..., None, :]).sum(axis=-1)


def future_log_workers(xp: Any, observed: Any, *, damping: Any, shocks: Any, n: int) -> Any:
    """Extend log workers beyond the axis with damped growth.

    Parameters
    ----------
    xp
        Operations (:mod:`models.ops`).
    observed
        Dims (..., group, year).
    damping
        Share of growth kept from year to year, dims (...).
    shocks
        Scaled changes of growth, dims (..., group, future year).
    n
        Number of future years.

    Returns
    -------
    array, dims (..., group, year + future year)
    """
    growth = observed[..., -1] - observed[..., -2]
    path, last = [observed], observed[..., -1]
    for i in range(n):
        growth = damping[..., None] * growth + shocks[..., i]
        last = last + growth
        path.append(last[..., None])
    return xp.concatenate(path, axis=-1)


def student_cdf(xp: Any, x: Any) -> Any:
    """Return the distribution function of Student's t with four degrees of freedom."""
    s = x / xp.sqrt(1.0 + x * x / 4.0)
    return 0.5 + 0.375 * s * (1.0 - s * s / 12.0)


def figure_logp(xp: Any, value: Any, centre: Any, scale: Any, *bound: Any) -> Any:
    """Return the log probability of each worker figure.

    ``value`` is the log figure of a point or interval, and 1 (0) for a bound whose figure lies
    below (above) it; ``bound`` is the pair (is it a bound: 0 or 1, its log people).
    """
    is_bound, threshold = bound
    z = (value - centre) / scale
    point = np.log(0.375) - xp.log(scale) - 2.5 * xp.log1p(z * z / DEGREES)
    t = (threshold - centre) / scale
    chance = student_cdf(xp, xp.where(xp.eq(value, 1.0), t, -t))
    return xp.where(xp.eq(is_bound, 1), xp.log(chance + 1e-300), point)


def figure_random(rng: np.random.Generator, centre: Array, scale: Array, *bound: Array) -> Array:
    """Simulate worker figures as they would be recorded."""
    is_bound, threshold = bound
    figure = centre + scale * rng.standard_t(DEGREES, size=np.shape(centre))
    return np.where(is_bound == 1, (figure <= threshold).astype(float), figure)


def figure_centre(xp: Any, log_size: Any, offsets: Any, *, data: Any) -> Any:
    """Return the centre of each figure: log size of its group and year, plus its definition.

    ``offsets`` has dims (..., definition + 1), the last entry zero for reference definitions.
    """
    return log_size[..., data["group"], data["year"]] + offsets[..., data["definition"]]


def figure_scale(xp: Any, error: Any, data: Any) -> Any:
    """Return the scale of each figure: the common error, doubled in variance if unverified."""
    variance = error * error
    return xp.sqrt(variance[..., None] * (1.0 + data["unverified"]) + data["spread"] ** 2)


def add_workers(priors: Mapping[str, Prior]) -> dict[str, Any]:
    """Add levels, growth, shocks and definitions to the model in context; return :func:`terms`."""
    import pymc as pm

    for group in GROUPS:
        add(f"workers_{group}", priors)
    mean, sd = (add(f"worker_growth_{name}", priors) for name in ("mean", "sd"))
    pm.Normal("worker_growth", mean, sd, dims="group")
    add("worker_shock_sd", priors)
    pm.Normal("worker_shock_z", dims=("group", "shock"))
    pm.Normal("definition_offset", 0.0, add("definition_sd", priors), dims="definition")
    add("worker_error", priors)
    return terms(graph(), variables())


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of workers from the variables by name.

    Returns
    -------
    dict
        ``log_workers`` with dims (..., group, year), ``offsets`` (..., definition + 1), ``error``
        (...).
    """
    level = xp.log(xp.stack([v[f"workers_{group}"] for group in GROUPS], axis=-1))
    shocks = v["worker_shock_sd"][..., None, None] * v["worker_shock_z"]
    offset = v["definition_offset"]
    return {
        "log_workers": log_workers(xp, level, v["worker_growth"], shocks=shocks),
        "offsets": xp.concatenate([offset, 0.0 * offset[..., :1]], axis=-1),
        "error": v["worker_error"],
    }
