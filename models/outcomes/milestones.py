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
from models.dims import FIRST_YEAR, LEVELS
from models.ops import graph
from models.priors import Array

SMALL = 1e-300
"""Least mean of a count, so that its log stays finite."""
QUANTILES = (("lower", 0.055), ("median", 0.5), ("upper", 0.945))
"""The 89% interval of a year."""


def at_least(mean: Any, size: Any, *, m: Any, most: int) -> Any:
    """Return P(n >= m) of a negative binomial, for m from 1 to ``most``.

    The m terms below are summed: the first from
    :func:`models.components.output.negative_binomial_logp`, each
    next by the ratio (n + size) / (n + 1) * mean / (mean + size).
    """
    import pytensor.tensor as pt

    mean = pt.maximum(mean, SMALL)
    term = pt.exp(negative_binomial_logp(graph(), 0.0, mean, size))
    below, odds = term, mean / (mean + size)
    for n in range(most - 1):
        term = term * odds * ((n + size) / (n + 1.0)) * pt.gt(m, n + 1)
        below = below + term
    return pt.maximum(1.0 - below, 0.0)


def ceilings(v: Mapping[str, Any]) -> Any:
    """Return P(K* >= k), the chance that the field's ceiling allows a level; dims (step,)."""
    import pytensor.tensor as pt

    open_6 = 1.0 - v["stop_6"]
    return pt.stack([*[pt.ones_like(open_6)] * 5, open_6, open_6 * (1.0 - v["stop_7"])])


def by_unit(x: Any, unit: str, *, family_of: Sequence[int]) -> Any:
    """Return sums over the unit each agenda lies in; dims (agenda, ..., step).

    The last agenda is the new one: it adds nothing to the field, whose total it shares, and is a
    family of its own. The field is one agenda, for all.
    """
    import pytensor.tensor as pt

    listed = x[:-1]
    if unit == "agenda":
        return x
    if unit == "field":
        return listed.sum(axis=0)[None]
    families = np.asarray(family_of)
    sums = {f: listed[np.flatnonzero(families == f)].sum(axis=0) for f in dict.fromkeys(family_of)}
    return pt.stack([*(sums[f] for f in family_of), x[-1]])


def established(mean: Any, v: Mapping[str, Any], *, m: Any, most: int) -> Any:
    """Return F_k from expected numbers of works, dims (..., step)."""
    return ceilings(v) * at_least(mean, v["cluster_size"], m=m, most=most)


def first_by_year(yearly: Any, works: Any, v: Mapping[str, Any]) -> Any:
    """Return the chance that the field has a first work at level k or above by each year's end.

    Parameters
    ----------
    yearly
        Works of each year at a level or above, dims (agenda, year, step).
    works
        Works of each year, dims (year,).

    Returns
    -------
    TensorVariable, dims (level, year)
        Levels 0-7; works before the first year of the axis are not in it.
    """
    import pytensor.tensor as pt

    above = established(pt.cumsum(yearly[:-1].sum(axis=0), axis=0), v, m=1, most=1)
    any_work = at_least(pt.cumsum(works, axis=0), v["cluster_size"], m=1, most=1)
    return pt.concatenate([any_work[None], above.T])


def plateau(f: Any) -> Any:
    """Return the chance that a level is the last one established; (step,) to (level,)."""
    import pytensor.tensor as pt

    none = pt.ones_like(f[:1])
    full = pt.concatenate([none, f, 0.0 * none])
    return pt.maximum(full[:-1] - full[1:], 0.0)


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
