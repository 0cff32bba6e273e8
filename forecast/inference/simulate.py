"""Evidence simulated from a known truth, at the real design: same works, raters, studies, lists.

Every array keeps its shape, so the compiled model of the real evidence fits the simulated one:
answers are simulated work by work and collapsed to distinct rows, for which there is room.
"""

from dataclasses import replace

import numpy as np

from forecast.evidence.arrays import blank_answers, collapsed, joined_ids, padded_rows
from forecast.inference.case import Case, structure_of, with_arrays
from forecast.inference.pointwise import one_draw
from forecast.inference.seeds import stream
from models.likelihoods import likelihoods
from models.ops import NumPy
from models.terms import terms_from_draws


def by_work(case: Case) -> Case:
    """Return the Case with one rating row per work, as a simulation needs them."""
    rows, at = case.evidence.arrays["ratings"], case.evidence.row_of_work
    if not len(at):
        return case
    spread = {name: rows[name][np.maximum(at, 0)] for name in ("value", "cell", "asked")}
    return with_arrays(case, "ratings", weight=(at >= 0).astype(float), **spread)


def simulated_case(case: Case, truth: dict[str, np.ndarray], *, seed: int) -> Case:
    """Return the Case with evidence drawn from ``truth``.

    Parameters
    ----------
    case
        Gives the design: which works, raters, studies and figures there are.
    truth
        One draw of every variable, with a leading axis of length one.
    seed
        Seed of the simulation.
    """
    made, structure = by_work(case), structure_of(case)
    parts, rng = terms_from_draws(truth), stream(seed, "simulated evidence")
    made, lags = by_event(made), made.evidence.arrays["lags"]
    for like in likelihoods(structure):
        params = like.params(NumPy, parts, made.evidence.arrays, structure=structure)
        value = like.random(rng, *one_draw(like, params, at=0))
        old = made.evidence.arrays[like.table]["value"]
        made = with_arrays(made, like.table, value=np.asarray(value).astype(old.dtype))
    made = with_arrays(made, "lags", **counted_lags(lags, made.evidence.arrays["lags"]))
    return replace(with_ratings(case, made), seed=seed)


def by_event(case: Case) -> Case:
    """Return the Case with one row for each dated use, as a simulation needs them."""
    rows = case.evidence.arrays["lags"]
    first, total = _events(rows)[1:]
    at = np.repeat(first, np.rint(total).astype(int))
    one = {name: x[at] for name, x in rows.items()} | {"weight": np.ones(len(at))}
    return with_arrays(case, "lags", **one)


def counted_lags(
    rows: dict[str, np.ndarray], events: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the rows with the lags of events, each distinct one of a side and year once.

    Parameters
    ----------
    rows
        The table as it was, with room for as many distinct lags as the events can have.
    events
        One row for each event.
    """
    group, _, total = _events(rows)
    value, weight = rows["value"].copy(), np.zeros(len(group))
    of_event = np.repeat(np.arange(len(total)), np.rint(total).astype(int))
    for i in range(len(total)):
        found, count = np.unique(events["value"][of_event == i], return_counts=True)
        places = np.flatnonzero(group == i)[: len(found)]
        value[places], weight[places] = found, count
    return rows | {"value": value, "weight": weight}


def _events(rows: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each row's group of one side and year, its first row and its number of events."""
    keys = np.column_stack([rows["side"], rows["age"], rows["cells"]])
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    return group, first, np.bincount(group, weights=rows["weight"], minlength=len(first))


def with_ratings(case: Case, made: Case) -> Case:
    """Return ``made``, which has one rating row per work, with distinct rows as ``case`` has."""
    rows, evidence = made.evidence.arrays["ratings"], made.evidence
    if not len(evidence.row_of_work):
        return made
    rated = evidence.row_of_work >= 0
    blank = blank_answers(len(evidence.labels["rater"]))
    codes = np.where(rated[:, None], rows["value"], blank)
    found = collapsed(codes, rows["cell"])
    arrays = padded_rows(found, len(case.evidence.arrays["ratings"]["weight"]))
    ids = evidence.ids | {"ratings": joined_ids(evidence.works, found)}
    some = with_arrays(made, "ratings", **arrays)
    return replace(some, evidence=replace(some.evidence, ids=ids, row_of_work=found.row))
