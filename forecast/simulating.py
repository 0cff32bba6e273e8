"""Evidence simulated from a known truth, at the real design: same works, raters, studies, lists.

Every array keeps its shape, so the compiled model of the real evidence fits the simulated one:
answers are simulated work by work and collapsed to distinct rows, for which there is room.
"""

from dataclasses import replace

import numpy as np

from forecast.case import Case, structure_of, with_arrays
from forecast.pointwise import one_draw
from forecast.rating_rows import blank_answers, collapsed, joined_ids, padded_rows
from forecast.seeds import stream
from models.observe import likelihoods
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
    for like in likelihoods(structure):
        params = like.params(NumPy, parts, made.evidence.arrays, structure=structure)
        value = like.random(rng, *one_draw(like, params, at=0))
        old = made.evidence.arrays[like.table]["value"]
        made = with_arrays(made, like.table, value=np.asarray(value).astype(old.dtype))
    return replace(with_ratings(case, made), seed=seed)


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
