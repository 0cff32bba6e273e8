"""The 16 states (level, tracking) of a work and the uses in each, by cell.

A cell is one (agenda, year, selection). All results have dims (..., cell, 16), level-major; raters
see documented uses, at an age shortened by the reporting delay.
"""

from collections.abc import Mapping
from typing import Any

from models import maturity, spillover, tracking
from models.ops import flatten
from models.structure import SIDES


def cell_states(
    xp: Any, parts: Mapping[str, Any], cells: Mapping[str, Any], *, link: str
) -> tuple[Any, tuple[Any, Any, Any, Any]]:
    """Return P(k, z), and the chances of no own use and no use by others on both sides.

    Parameters
    ----------
    xp
        Operations (:mod:`models.ops`).
    parts
        Terms of ``workers``, ``maturity``, ``tracking``, ``faults`` and ``spillover``.
    cells
        ``agenda``, ``year`` (indices), ``purposive`` (0 or 1) and ``age`` (years), dims (cell,).
    link
        ``logit`` or ``probit``.

    Returns
    -------
    tuple
        P(state), and (capabilities own, capabilities others, alignment own, alignment others),
        each the chance of *no* such use.
    """
    log_workers, grow = parts["workers"]["log_workers"], parts["maturity"]
    x = maturity.effort(xp, log_workers[..., maturity.INTERPRETABILITY, :])
    theta = maturity.cell_theta(grow, x, cells=cells)
    steps = maturity.step_probabilities(
        xp, theta, grow["step"][..., None, :], upper=grow["upper"][..., None, :], name=link
    )
    level = maturity.level_probabilities(xp, steps)
    trend = xp.asarray(tracking.YEARS_FROM_CENTRE)
    base = tracking.cell_base(parts["tracking"], trend, cells=cells)
    track = tracking.tracking_probability(xp, parts["tracking"]["level"][..., None, :], base)
    state = flatten(xp.stack([level * (1.0 - track), level * track], axis=-1))
    unused = [cell_unused(xp, side, parts, cells=cells) for side in SIDES]
    return state, (*unused[0], *unused[1])


def cell_unused(xp: Any, side: str, parts: Mapping[str, Any], *, cells: Any) -> tuple[Any, Any]:
    """Return the chances of no own use and of no documented use by others, as raters see them."""
    use = parts["spillover"]
    ratio = spillover.log_ratio(parts["workers"]["log_workers"])[..., cells["year"]]
    spread = {name: use[name][..., None] for name in ("rate", "eta", "elasticity")}
    base = (
        spillover.log_use(side, spread, ratio=ratio)
        + use[f"{side}_agenda"][..., cells["agenda"]]
        + use[f"{side}_year"][..., cells["year"]]
        + use[f"{side}_purposive"][..., None] * cells["purposive"]
    )
    level = spillover.level_factor(xp, side, use, diagnosed=parts["faults"]["diagnosed"])
    factor = spillover.tracking_factor(xp, side, use)
    means = flatten(spillover.use_means(xp, base, level, tracked=factor))
    age = spillover.seen_age(xp, cells["age"], use["delay"][..., None])
    lag = use["lag"][..., SIDES.index(side)][..., None]
    grown = spillover.reached(xp, age, lag)[..., None]
    return xp.exp(-use[f"{side}_own"][..., None, None] * means), xp.exp(-means * grown)
