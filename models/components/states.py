"""The 16 states (level, tracking) of a work and the uses in each, by cell.

A cell is one (agenda, year, selection). All results have dims (..., cell, 16), level-major; raters
see documented uses, at an age shortened by the reporting delay.
"""

from collections.abc import Mapping
from typing import Any

from models.components import maturity, spillover, tracking
from models.dims import SIDES
from models.ops import flatten

CELL_TERMS = ("theta", "step", "upper", "track_base", "track_level")
SIDE_TERMS = ("base", "factor", "tracked", "own", "grown")
TERMS = (*CELL_TERMS, *(f"{side}_{name}" for side in SIDES for name in SIDE_TERMS))
"""What the states follow from, in the order of the likelihood's parameters."""


def cell_terms(xp: Any, parts: Mapping[str, Any], cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the few numbers of each cell from which its states and uses follow.

    Parameters
    ----------
    xp
        Operations (:mod:`models.ops`).
    parts
        Terms of ``workers``, ``maturity``, ``tracking``, ``faults`` and ``spillover``.
    cells
        ``agenda``, ``year`` (indices), ``purposive`` (0 or 1) and ``age`` (years), dims (cell,).

    Returns
    -------
    dict
        By the names of :data:`TERMS`: ``theta`` and ``track_base`` (..., cell), ``step``
        (..., step), ``upper`` (..., 2), ``track_level`` (..., level), and from :func:`use_terms`.
    """
    grow, track = parts["maturity"], parts["tracking"]
    x = maturity.effort(xp, parts["workers"]["log_workers"][..., maturity.INTERPRETABILITY, :])
    trend = xp.asarray(tracking.YEARS_FROM_CENTRE)
    terms = {
        "theta": maturity.cell_theta(grow, x, cells=cells),
        "step": grow["step"],
        "upper": grow["upper"],
        "track_base": tracking.cell_base(track, trend, cells=cells),
        "track_level": track["level"],
    }
    for side in SIDES:
        terms |= use_terms(xp, side, parts, cells=cells)
    return terms


def use_terms(xp: Any, side: str, parts: Mapping[str, Any], *, cells: Any) -> dict[str, Any]:
    """Return what the uses of a side follow from, as raters see them.

    Returns
    -------
    dict
        ``base``, log M but for level and tracking, and ``grown``, the share G of uses by others
        that came and were reported (..., cell); the ``factor`` on M of each level (..., level);
        the factor of a work that ``tracked`` and the rate of ``own`` use (...). Each name begins
        with the side.
    """
    use = parts["spillover"]
    ratio = spillover.log_ratio(parts["workers"]["log_workers"])[..., cells["year"]]
    spread = {name: use[name][..., None] for name in ("rate", "eta", "elasticity")}
    base = (
        spillover.log_use(side, spread, ratio=ratio)
        + use[f"{side}_agenda"][..., cells["agenda"]]
        + use[f"{side}_year"][..., cells["year"]]
        + use[f"{side}_purposive"][..., None] * cells["purposive"]
    )
    age = spillover.seen_age(xp, cells["age"], use["delay"][..., None])
    lag = use["lag"][..., SIDES.index(side)][..., None]
    return {
        f"{side}_base": base,
        f"{side}_factor": spillover.level_factor(
            xp, side, use, diagnosed=parts["faults"]["diagnosed"]
        ),
        f"{side}_tracked": spillover.tracking_factor(xp, side, use),
        f"{side}_own": use[f"{side}_own"],
        f"{side}_grown": spillover.reached(xp, age, lag),
    }


def states_of(
    xp: Any, terms: Mapping[str, Any], *, link: str
) -> tuple[Any, tuple[Any, Any, Any, Any]]:
    """Return P(k, z), and the chances of no own use and no use by others on both sides.

    Parameters
    ----------
    xp
        Operations (:mod:`models.ops`).
    terms
        From :func:`cell_terms`.
    link
        ``logit`` or ``probit``.

    Returns
    -------
    tuple
        P(state), and (capabilities own, capabilities others, alignment own, alignment others),
        each the chance of *no* such use.
    """
    step, upper = terms["step"][..., None, :], terms["upper"][..., None, :]
    steps = maturity.step_probabilities(xp, terms["theta"], step, upper=upper, name=link)
    level = maturity.level_probabilities(xp, steps)
    base = terms["track_base"]
    track = tracking.tracking_probability(xp, terms["track_level"][..., None, :], base)
    state = flatten(xp.stack([level * (1.0 - track), level * track], axis=-1))
    unused = []
    for side in SIDES:
        base, factor, tracked, own, grown = (terms[f"{side}_{name}"] for name in SIDE_TERMS)
        means = flatten(spillover.use_means(xp, base, factor, tracked=tracked))
        unused += [xp.exp(-own[..., None, None] * means), xp.exp(-means * grown[..., None])]
    return state, (unused[0], unused[1], unused[2], unused[3])


def cell_states(
    xp: Any, parts: Mapping[str, Any], cells: Mapping[str, Any], *, link: str
) -> tuple[Any, tuple[Any, Any, Any, Any]]:
    """Return :func:`states_of` the cells' terms, from the terms of the sub-models."""
    return states_of(xp, cell_terms(xp, parts, cells), link=link)
