r"""Draws of shipped views that the page's own draws cannot be weighed to, for its sliders.

A view whose Pareto k or number of effective draws is too poor has draws of its own in the page:
those of a finished run of it beside, else the moved or refitted draws that answered it. They are
thinned. Equal weights are thinned evenly; unequal ones :math:`w_i` by the unbiased scheme with the
least variance (Fearnhead & Clifford 2003, JRSS B 65:887): with :math:`c` such that
:math:`\sum_i \min(w_i / c, 1) = N`, draws with :math:`w_i > c` stay as they are, and of the others
each stays with chance :math:`w_i / c`, at weight :math:`c`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.case import Case
from forecast.config import load_config
from forecast.forward import all_draws, taken
from forecast.near_fits import NearFit, moved, of_run
from forecast.reweighting import smoothed
from forecast.sampling import Fit
from forecast.seeds import stream
from forecast.slider_draws import EXACT, columns, packed
from forecast.soft import soft_part
from models.experts import penalty
from models.prior import logpdf

MOST = 2000
"""Most draws of all views together, so that the page stays below 6 MB."""
WEIGHT = "log weight"
"""Column of the logarithm of a draw's own weight, where these are unequal."""


def bases(
    fit: Fit,
    views: Sequence[str],
    *,
    made: Mapping[str, np.ndarray],
    near: Mapping[Any, NearFit],
    beside: Path | None,
) -> list[dict[str, Any]]:
    """Return the draws of each view that the page would withhold.

    Parameters
    ----------
    fit
        The run's own.
    views
        Shipped views that the page has a button for.
    made
        Columns of the run's own draws (:func:`forecast.slider_draws.columns`).
    near
        Draws of Cases that the run answered already, by their priors.
    beside
        Folder of finished runs; None where there is none.
    """
    found: dict[str, NearFit] = {}
    for view in views:
        case = replace(fit.case, priors=load_config(view).priors)
        if not reached(fit, case, made=made):
            own = near.get(case.priors) or (of_run(case, beside) if beside else None)
            own = own or moved(fit, case)
            found |= {view: own} if own is not None else {}
    names = [name.removeprefix("x ") for name in made if name.startswith("x ")]
    return [
        _base(own, names, most=MOST // len(found)) | {"view": view} for view, own in found.items()
    ]


def reached(fit: Fit, case: Case, *, made: Mapping[str, np.ndarray]) -> bool:
    """Return whether the page can weigh the run's draws, columns ``made``, to those of a Case.

    Beliefs that move exactly there have no part in the weights, but through forecasts by others.
    """
    old, new, total = fit.case.by_name, case.by_name, np.zeros(fit.n)
    for column in made:
        name = column.removeprefix("x ")
        exact = name in EXACT and name in fit.compiled.alone
        if column.startswith("x ") and not exact and new[name].params != old[name].params:
            total += logpdf(new[name], made[column]) - logpdf(old[name], made[column])
    if not smoothed(total).good or not soft_part(case):
        return smoothed(total).good
    total += _weighed(fit, case, made=made) - _weighed(fit, fit.case, made=made)
    return smoothed(total).good


def _weighed(fit: Fit, case: Case, *, made: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the log weights of forecasts by others at the run's draws, under a Case's ceilings."""
    x = all_draws(fit, case)
    open_6 = 1.0 - x["stop_6"]
    allowed = {6: open_6, 7: open_6 * (1.0 - x["stop_7"])}
    chances = [allowed.get(e.level, 1.0) * made[f"expert {i}"] for i, e in enumerate(case.experts)]
    return penalty(np.stack(chances, axis=-1), case.experts)


def _base(near: NearFit, names: Sequence[str], *, most: int) -> dict[str, Any]:
    """Return the draws of a view as plain data."""
    fit, weights = near.fit, near.weights
    most, least = min(most, fit.n), fit.diagnosis.min_ess
    if weights is None:
        at, kept = np.linspace(0, fit.n - 1, most).astype(int), None
    else:
        at, kept = thinned(weights.weights, most, seed=fit.case.seed)
    made = columns(taken(fit, at), names)
    if kept is not None:
        made[WEIGHT] = np.log(kept)
    return {
        "how": near.how,
        "n": len(at),
        "drawn": fit.n,
        "ess": float(least) if weights is None else float(len(at)),
        "values": {name: [x for _, x in fit.case.by_name[name].params] for name in names},
        "columns": list(made),
        "draws": packed(made),
    }


def thinned(weights: np.ndarray, most: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ``most`` places of normalised weights, and the weights there; sums to 1.

    Parameters
    ----------
    weights
        Dims (draw,).
    most
        Number of draws to keep.
    seed
        Of the one uniform that chooses among the draws below the threshold.
    """
    order = np.argsort(-weights)
    if most >= len(weights):
        return np.arange(len(weights)), weights
    rest = 1.0 - np.concatenate([[0.0], np.cumsum(weights[order])])[:most]
    level = rest / (most - np.arange(most))
    whole = int(np.argmax(weights[order][:most] <= level))
    low, c = np.sort(order[whole:]), level[whole]
    steps = np.cumsum(weights[low]) / c
    points = np.arange(most - whole) + stream(seed, "slider bases").uniform()
    picked = low[np.searchsorted(steps, points).clip(0, len(low) - 1)]
    at = np.concatenate([order[:whole], picked])
    kept = np.concatenate([weights[order[:whole]], np.full(len(picked), c)])
    sort = np.argsort(at, kind="stable")
    return at[sort], kept[sort] / kept.sum()
