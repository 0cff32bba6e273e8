r"""The outside view: the model's probability mixed with one from outside, all things considered.

The model gives draws :math:`p_1, \dots, p_n` of the probability of a headline quantity, the user a
distribution :math:`q` of the same probability and its weight :math:`w`. The mixture is the linear
opinion pool (Stone 1961, doi:10.1214/aoms/1177704873),

.. math:: F(x) = (1 - w) \frac{1}{n} \sum_i \mathbf{1}\{p_i \le x\} + w\, Q(x),

with Q the distribution function of q: with chance w the outside view is right, else the model. The
chance that a work ends up so is the mean, :math:`(1 - w)\bar p + w\,\mathrm{E}_q[p]`; median and
interval are quantiles of F, not averages of two quantiles. Q enters as :data:`POINTS` of its
quantiles, at equal steps of probability, each with weight w / POINTS: no random number. The Monte
Carlo error of the mean is (1 - w) times the model's.

Nothing else changes: no draw, no weight of evidence, no other quantity. A part of a split is not
mixed, since the parts of a split add up to one and a single mixed part would break that.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from forecast.config.quantiles import MisfitError
from forecast.config.schema import (
    DistributionTable,
    Text,
    check_distribution,
    families_within,
    fitted_params,
    show,
)
from forecast.config.toml import Fault, Place, near_miss
from models.priors import FAMILIES
from models.quantities import HEADLINE

POINTS = 10_000
"""Quantiles of the outside view that stand for it."""
DRAWN = 400
"""Those that a figure draws."""
WITHIN = families_within("unit")
"""Families that can lie between 0 and 1."""
QUANTITIES = HEADLINE[:6]
"""What can be mixed: the headline without the parts of splits."""


class OutsideTable(DistributionTable):
    """[outside_view], whatever its family."""

    weight: Annotated[float, Field(ge=0.0, le=1.0)]
    quantity: Text = QUANTITIES[0]
    source: Text | None = None


@dataclass(frozen=True)
class OutsideView:
    """A distribution of a headline quantity's probability, from outside, and its weight."""

    quantity: str
    weight: float
    dist: str
    params: tuple[tuple[str, float], ...]
    why: str
    source: str | None

    def points(self, n: int = POINTS) -> np.ndarray:
        """Return n quantiles at equal steps of probability."""
        family = FAMILIES[self.dist].frozen(**dict(self.params))
        return np.asarray(family.ppf((np.arange(n) + 0.5) / n), dtype=float)


def check_outside(table: Mapping[str, Any], place: Place) -> list[Fault]:
    """Return the faults of an [outside_view] table, as merged over ``extends``."""
    if not table:
        return []
    faults = check_distribution(OutsideTable, table, place, support="unit")
    dist, quantity = table.get("dist"), table.get("quantity", QUANTITIES[0])
    if isinstance(dist, str) and dist not in WITHIN:
        faults.append(place.at("dist").fault(show(dist), f"use one of: {', '.join(WITHIN)}"))
    if isinstance(quantity, str) and quantity not in QUANTITIES:
        faults.append(place.at("quantity").fault(show(quantity), near_miss(quantity, QUANTITIES)))
    if not faults:
        try:
            fitted_params(table)
        except MisfitError as error:
            remedy = "state other quantiles or another dist"
            faults.append(place.at("quantiles").fault(str(error), remedy))
    return faults


def outside_view(stated: str | None) -> OutsideView | None:
    """Return the outside view of a configuration's JSON; None without one, or of no weight."""
    table = json.loads(stated) if stated else {}
    if not table or table["weight"] == 0:
        return None
    return OutsideView(
        quantity=table.get("quantity", QUANTITIES[0]),
        weight=float(table["weight"]),
        dist=table["dist"],
        params=fitted_params(table),
        why=table["why"],
        source=table.get("source"),
    )


def mixed(view: OutsideView, draws: np.ndarray, *, tails: tuple[float, ...]) -> dict[str, Any]:
    """Return mean, sd and quantiles of the outside view, and of the mixture with the model's draws.

    Parameters
    ----------
    view
        The outside view.
    draws
        The model's, of the same quantity; dims (draw,).
    tails
        Probabilities of lower, median and upper.

    Returns
    -------
    dict
        ``outside`` and ``mixed``, each with ``mean``, ``median``, ``sd``, ``lower``, ``upper``.
    """
    points = view.points()
    each = (1.0 - view.weight) / len(draws), view.weight / len(points)
    values = np.concatenate([draws, points])
    weights = np.repeat(each, (len(draws), len(points)))
    even = np.full(len(points), 1.0 / len(points))
    return {
        "outside": _spread(points, even, tails=tails),
        "mixed": _spread(values, weights, tails=tails),
    }


def _spread(x: np.ndarray, weights: np.ndarray, *, tails: tuple[float, ...]) -> dict[str, float]:
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weights[order])
    index = np.minimum(np.searchsorted(below, tails), len(x) - 1)
    lower, median, upper = (float(v) for v in x[order][index])
    mean = float(weights @ x)
    sd = float(np.sqrt(weights @ (x - mean) ** 2))
    return {"mean": mean, "median": median, "sd": sd, "lower": lower, "upper": upper}


def add_outside(
    head: dict[str, Any],
    stated: str | None,
    *,
    draws: Mapping[str, np.ndarray],
    tails: tuple[float, ...],
) -> dict[str, Any]:
    """Return headline.json with the outside view beside the model; as it is without one.

    Parameters
    ----------
    head
        The content of headline.json.
    stated
        The outside view as a configuration keeps it.
    draws
        Draws of the headline's quantities.
    tails
        Probabilities of lower, median and upper.
    """
    view = outside_view(stated)
    if view is None:
        return head
    both = mixed(view, draws[view.quantity], tails=tails)
    both["mixed"]["mcse"] = (1.0 - view.weight) * head["quantities"][view.quantity]["mcse"]
    stated_view = {"quantity": view.quantity, "weight": view.weight, "dist": view.dist}
    stated_view |= {"params": dict(view.params), "why": view.why, "source": view.source}
    return head | {"outside_view": stated_view | both}


def outside_frames(head: Mapping[str, Any], stated: str | None) -> dict[str, Any]:
    """Return what figures draw of the outside view of a headline.json; nothing without one.

    ``outside_view`` holds its weight with each of :data:`DRAWN` of its quantiles, ``considered``
    the summary of the mixture.
    """
    view = outside_view(stated)
    if view is None:
        return {}
    columns = {"quantity": view.quantity, "weight": view.weight}
    rows = [columns | {"value": float(x)} for x in view.points(DRAWN)]
    return {"outside_view": rows, "considered": [head["outside_view"]["mixed"]]}
