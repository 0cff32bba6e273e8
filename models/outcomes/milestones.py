r"""Milestones: which levels the field establishes, by which year, and where it stays.

With :math:`N(t)` works in year t, shares of agendas, and reach
:math:`P(\text{level} \ge k \mid a, t)`, the number of works at level k or above that a unit
(field, family or agenda) has by year y is

.. math:: n_k(y) \sim \mathrm{NegBin}\Big(\sum_{t = 2013}^{y} \sum_{a} N(t)\,
    \text{share}_a\, P(\text{level} \ge k \mid a, t),\; \phi\Big)

(variance mean + mean^2 / phi: such works come in clusters). A level is *established* once m of them
exist and the field's ceiling K* allows it:

.. math:: F_k(y) = P(K^* \ge k)\, P(n_k(y) \ge m), \qquad P(K^* \ge 6) = 1 - \text{stop}_6, \quad
    P(K^* \ge 7) = (1 - \text{stop}_6)(1 - \text{stop}_7),

and 1 up to level 5. Since reach falls with k and a negative binomial rises with its mean,
:math:`F_{k+1} \le F_k`: the field ends exactly at j with chance :math:`F_j - F_{j+1}`
(:math:`F_0 = 1`, :math:`F_8 = 0`), and differences below zero by rounding count as 0.
The chance by agenda or family, in one figure for the field, is its mean over works (by share).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.components.output import negative_binomial_logp
from models.dims import FIRST_YEAR, LAST_YEAR, LEVELS, STEPS
from models.ops import NumPy
from models.outcomes.paths import Asked, Paths
from models.priors import Array

SMALL = 1e-300
"""Least mean of a count, so that its log stays finite."""
QUANTILES = (("lower", 0.055), ("median", 0.5), ("upper", 0.945))
"""The 89% interval of a year."""


def at_least(mean: Array, size: Array, *, m: int) -> Array:
    """Return P(n >= m) of a negative binomial; ``size`` broadcasts against ``mean``.

    The m terms below are summed: the first from
    :func:`models.components.output.negative_binomial_logp`, each
    next by the ratio (n + size) / (n + 1) * mean / (mean + size).
    """
    mean = np.maximum(mean, SMALL)
    term = np.exp(negative_binomial_logp(NumPy, 0.0, mean, size))
    below, odds = term, mean / (mean + size)
    for n in range(m - 1):
        term = term * odds * ((n + size) / (n + 1.0))
        below = below + term
    return np.maximum(1.0 - below, 0.0)


def ceilings(draws: Mapping[str, Array]) -> Array:
    """Return P(K* >= k), the chance that the field's ceiling allows a level; dims (draw, step)."""
    open_6 = 1.0 - draws["stop_6"]
    open_7 = open_6 * (1.0 - draws["stop_7"])
    return np.stack([*[np.ones_like(open_6)] * 5, open_6, open_7], axis=-1)


def yearly_works(paths: Paths, reach: Array) -> Array:
    """Return the expected works of each year at level k or above.

    Parameters
    ----------
    reach
        P(level >= 1..7), dims (draw, agenda, year, step).

    Returns
    -------
    ndarray, dims (draw, agenda, year, step)
    """
    works = paths.works[:, :, None] * paths.share
    return works.swapaxes(1, 2)[..., None] * reach


def by_unit(yearly: Array, unit: str, *, family_of: Sequence[int]) -> Array:
    """Return sums over the unit each agenda lies in; dims (draw, agenda, ..., step).

    The last agenda is the new one: it adds nothing to the field, whose total it shares, and is a
    family of its own.
    """
    listed = yearly[:, :-1]
    if unit == "agenda":
        return yearly
    if unit == "field":
        return np.broadcast_to(listed.sum(axis=1, keepdims=True), yearly.shape)
    families = np.asarray(family_of)
    sums = {f: listed[:, families == f].sum(axis=1) for f in dict.fromkeys(family_of)}
    return np.stack([*(sums[f] for f in family_of), yearly[:, -1]], axis=1)


def established(mean: Array, draws: Mapping[str, Array], *, m: int) -> Array:
    """Return F_k from expected numbers of works, dims (draw, ..., step)."""
    lead = (len(mean), *[1] * (mean.ndim - 2))
    size = draws["cluster_size"].reshape((*lead, 1))
    return ceilings(draws).reshape((*lead, len(STEPS))) * at_least(mean, size, m=m)


def established_by_year(
    yearly: Array,
    draws: Mapping[str, Array],
    *,
    question: Asked,
    family_of: Sequence[int],
    weight: Array,
) -> Array:
    """Return F_k of the field by year in the question's unit; dims (draw, step, year).

    Parameters
    ----------
    yearly
        Works of each year at level k or above: the field's (draw, year, step) if that is the unit,
        else each agenda's (draw, agenda, year, step).
    weight
        Shares of the listed agendas, dims (draw, agenda), used where the unit is not the field.
    """
    until = yearly[..., : question.horizon - FIRST_YEAR + 1, :]
    m, unit = question.established_at, question.established_in
    if unit == "field":
        return established(np.cumsum(until, axis=1), draws, m=m).swapaxes(1, 2)
    mean = np.cumsum(by_unit(until, unit, family_of=family_of)[:, :-1], axis=2)
    f = established(mean, draws, m=m)
    return np.einsum("sa,sayk->sky", weight, f)


def established_at_horizon(
    total: Array, draws: Mapping[str, Array], *, question: Asked, family_of: Sequence[int]
) -> dict[str, Array]:
    """Return F_k by the horizon in each agenda's unit, by kind of unit: (draw, agenda, step).

    ``total`` are works at level k or above by then, dims (draw, agenda, step).
    """
    out = {}
    for unit in ("field", "family", "agenda"):
        mean = by_unit(total, unit, family_of=family_of)
        mean = mean[:, :1] if unit == "field" else mean  # one number for all agendas
        f = established(mean, draws, m=question.established_at)
        out[unit] = np.broadcast_to(f, total.shape)
    return out


def first_by_year(yearly: Array, works: Array, *, draws: Mapping[str, Array]) -> Array:
    """Return the chance that the field has a first work at level k or above by each year's end.

    Parameters
    ----------
    yearly
        From :func:`yearly_works`.
    works
        Works of each year, dims (draw, year).

    Returns
    -------
    ndarray, dims (draw, level, year)
        Levels 0-7; works before the first year of the axis are not in it.
    """
    mean = np.cumsum(yearly[:, :-1].sum(axis=1), axis=1)
    above = established(mean, draws, m=1)
    size = draws["cluster_size"][:, None]
    any_work = at_least(np.cumsum(works, axis=1), size, m=1)
    return np.concatenate([any_work[:, None], above.swapaxes(1, 2)], axis=1)


def plateau(f: Array) -> Array:
    """Return the chance that a level is the last one established; (..., step) to (..., level)."""
    none = np.ones_like(f[..., :1])
    full = np.concatenate([none, f, 0.0 * none], axis=-1)
    return np.maximum(full[..., :-1] - full[..., 1:], 0.0)


def works_at_level(by_step: Array) -> Array:
    """Return the expected number of the field's works at level k or above by 2026; (draw, step).

    ``by_step`` are those of each year, dims (draw, year, step).
    """
    return np.asarray(by_step[:, : LAST_YEAR - FIRST_YEAR + 1].sum(axis=1))


def milestone_dates(established: Array, *, first_year: int = FIRST_YEAR) -> dict[int, Any]:
    """Return when each level is established, mixed over draws.

    Parameters
    ----------
    established
        F_k by year, dims (draw, step, forecast year).

    Returns
    -------
    dict
        By level 1-7: ``p_by_horizon``, and ``year`` with the 5.5, 50 and 94.5% quantiles of the
        year, None where that chance is not reached by the horizon.
    """
    curve = np.maximum.accumulate(established.mean(axis=0), axis=-1)
    out = {}
    for k, chance in zip(LEVELS[1:], curve, strict=True):
        year = {
            name: first_year + int(np.argmax(chance >= q)) if chance[-1] >= q else None
            for name, q in QUANTILES
        }
        out[k] = {"p_by_horizon": float(chance[-1]), "year": year}
    return out
