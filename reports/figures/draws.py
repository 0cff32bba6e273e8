"""Draws as arrays, and their summaries: mean, median and 89% equal-tailed interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quantities import scope_of
from reports.words import LOWER, UPPER

Array = NDArray[np.float64]
Frames = Mapping[str, Sequence[Mapping[str, Any]]]
GROUPS = {"prior_predictions": "prior", "predictions": "posterior"}
"""The groups that hold predictions, and the word for each."""
MOST = 1000
"""Draws that a density or a scatter is drawn from; summaries use them all."""


def has(dt: Any, group: str, *names: str) -> bool:
    """Return whether a group exists and holds each variable or quantity."""
    if group not in dt.children:
        return False
    held = dt[group].data_vars
    return all((scope_of(name) or (name,))[0] in held or name in held for name in names)


def variable(dt: Any, group: str, *, name: str) -> Any:
    """Return a variable, or a quantity: of outcomes one element of the variable of their scope."""
    place = scope_of(name)
    if place is None or place[0] not in dt[group].data_vars:
        return dt[group][name]
    return dt[group][place[0]].sel(outcome=place[1], drop=True)


def flat(dt: Any, group: str, *, name: str) -> Array:
    """Return a variable with chains joined; dims (draw, ...)."""
    x = variable(dt, group, name=name).transpose("chain", "draw", ...).values
    return np.asarray(x.reshape(-1, *x.shape[2:]), dtype=np.float64)


def labels(dt: Any, group: str, *, dim: str) -> list[Any]:
    """Return the labels of a dim."""
    return [x.item() for x in dt[group][dim].values]


def few(x: Array, n: int = MOST) -> Array:
    """Return at most ``n`` draws, evenly spread over all."""
    if len(x) <= n:
        return x
    return x[np.linspace(0, len(x) - 1, n).astype(int)]


def ranked(dt: Any, group: str, *, name: str) -> Array:
    """Return at most MOST draws of a variable at even ranks, as those of one chain."""
    return few(np.sort(flat(dt, group, name=name)))[None]


def summary(x: Array) -> dict[str, Array]:
    """Return mean, median, lower and upper over the first axis."""
    lower, median, upper = np.quantile(x, (LOWER, 0.5, UPPER), axis=0)
    return {"mean": x.mean(axis=0), "median": median, "lower": lower, "upper": upper}


def summarise(dt: Any, group: str, *, name: str) -> dict[str, Array]:
    """Return the summary of one variable of a group."""
    return summary(flat(dt, group, name=name))


def row(summary: Mapping[str, Array], *at: int) -> dict[str, float]:
    """Return one entry of a summary as plain numbers."""
    return {key: float(x[at]) for key, x in summary.items()}


def names_of_agendas(frames: Frames) -> dict[str, str]:
    """Return each agenda's name for people."""
    return {str(r["agenda"]): str(r.get("name") or r["agenda"]) for r in frames.get("agendas", ())}


def outcome_rows(dt: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return prior and posterior summaries of scalar predictions, one row each."""
    return [
        {"quantity": name, "draws": word, **row(summarise(dt, group, name=name))}
        for name in names
        for group, word in GROUPS.items()
        if has(dt, group, name)
    ]
