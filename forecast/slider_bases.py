r"""Draws of shipped views that the page's own draws can hardly be weighed to, for its sliders.

A view whose Pareto k is too poor, or whose weights are worth less than a tenth of the draws, so
that little can be moved from there, has draws of its own in the page: the moved or refitted ones
that answered it, else those that the page of a finished run of it beside holds, else moved ones,
else the draws of that run. They are thinned. Equal weights are thinned evenly; unequal ones
:math:`w_i` by the unbiased scheme with the least variance (Fearnhead & Clifford 2003, JRSS B
65:887): with :math:`c` such that :math:`\sum_i \min(w_i / c, 1) = N`, draws with :math:`w_i > c`
stay as they are, and of the others each stays with chance :math:`w_i / c`, at weight :math:`c`.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.case import Case, asked_options
from forecast.config import load_config
from forecast.folder import read_json, read_manifest
from forecast.forward import all_draws, taken
from forecast.near_fits import NearFit, moved, of_run
from forecast.reusing import find_drawn
from forecast.reweighting import LEAST_SHARE, smoothed
from forecast.sampling import Fit
from forecast.seeds import stream
from forecast.slider_draws import EXACT, columns, experts_of, packed
from forecast.soft import soft_part
from models.errors import InputError
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
    """Return the draws of each view that the page would withhold, or almost.

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
    far = {}
    for view in views:
        case = replace(fit.case, priors=load_config(view).priors)
        if not reached(fit, case, made=made):
            far[view] = case
    names = [name.removeprefix("x ") for name in made if name.startswith("x ")]
    out = []
    for view, case in far.items():
        most, own = MOST // len(far), near.get(case.priors)
        held = of_page(case, beside, columns=list(made)) if beside and own is None else None
        if held is not None:
            out.append(thinner(held, most) | _values(case, names) | {"view": view})
            continue
        own = own or moved(fit, case) or (of_run(case, beside) if beside else None)
        out += [_base(own, names, most=most) | {"view": view}] if own is not None else []
    return out


def of_page(case: Case, beside: Path, *, columns: Sequence[str]) -> dict[str, Any] | None:
    """Return sliders.json of a finished, converged run of just this Case, if it will do."""
    drawn = find_drawn(case, beside)
    if drawn is None:
        return None
    try:
        made = read_manifest(drawn.folder) or {}
        held = read_json(drawn.folder / "sliders.json")
        same = (
            asked_options(case).items() <= made["options"].items() and made["checks"]["converged"]
        )
        same = same and load_config(drawn.folder / "priors.toml").priors == case.priors
        same = same and held["columns"] == list(columns) and held["experts"] == experts_of(case)
        return dict(held) if same and len(held["draws"]) else None
    except (OSError, InputError, LookupError, TypeError, AttributeError):
        return None  # a damaged run beside is no reason to stop this one


def thinner(held: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return fewer of the draws that a page holds, evenly spaced."""
    n, columns = held["n"], held["columns"]
    table = np.frombuffer(b64decode(held["draws"]), dtype="<f4").reshape(len(columns), n)
    at = np.linspace(0, n - 1, min(most, n)).astype(int)
    kept = {"how": "run", "n": len(at), "drawn": held["drawn"], "ess": held["ess"]}
    made = dict(zip(columns, table[:, at], strict=True))
    return kept | {"columns": columns, "draws": packed(made)}


def _values(case: Case, names: Sequence[str]) -> dict[str, Any]:
    """Return the numbers of the beliefs that draws are of."""
    return {"values": {name: [x for _, x in case.by_name[name].params] for name in names}}


def reached(fit: Fit, case: Case, *, made: Mapping[str, np.ndarray]) -> bool:
    """Return whether the run's draws, columns ``made``, can be weighed amply to those of a Case.

    Beliefs that move exactly there have no part in the weights, but through forecasts by others.
    """
    old, new, total = fit.case.by_name, case.by_name, np.zeros(fit.n)
    for column in made:
        name = column.removeprefix("x ")
        exact = name in EXACT and name in fit.compiled.alone
        if column.startswith("x ") and not exact and new[name].params != old[name].params:
            total += logpdf(new[name], made[column]) - logpdf(old[name], made[column])
    if _ample(total) and soft_part(case):
        total += _weighed(fit, case, made=made) - _weighed(fit, fit.case, made=made)
    return _ample(total)


def _ample(log_weights: np.ndarray) -> bool:
    """Return whether weights are to be trusted, and worth a tenth of the draws."""
    weights = smoothed(log_weights)
    return weights.good and weights.ess >= LEAST_SHARE * len(log_weights)


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
        "columns": list(made),
        "draws": packed(made),
    } | _values(fit.case, names)


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
