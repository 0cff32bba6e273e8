"""What the draws say row by row: log likelihoods, replicated evidence, and each work's state."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from forecast.evidence.arrays import blank_answers
from forecast.inference.case import Case
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from models.batches import joined, over_blocks
from models.components import states
from models.dims import LEVELS, Structure
from models.likelihoods import Likelihood, likelihoods
from models.ops import NumPy, flatten
from models.ratings import formula as ratings
from models.ratings.formula import TERMS, answer_terms, columns_of
from models.terms import terms_from_draws

REPLICATES = 200
"""Draws from which evidence is replicated."""
WORK_DRAWS, LEAST_DRAWS, WORK_NUMBERS = 500, 50, 2_000_000
"""Draws over which the state of works is averaged; of many rows fewer, but not below the second:
so many that draws times rows are the third."""
CACHED = 10
"""Draws computed together: their rows by states stay in a processor's cache."""
ROWS = 1000
"""Rows of ratings computed together."""
MOST_NUMBERS = 20_000_000
"""Log probabilities of rows that are kept: beyond, those of fewer draws."""


def kept_draws(fit: Fit) -> np.ndarray:
    """Return the places of the draws whose rows are scored: all, or every k-th of each chain.

    There are fewer than all only where rows times draws would be more than :data:`MOST_NUMBERS`.
    """
    rows = len(fit.case.evidence.arrays["ratings"]["weight"])
    step = -(-fit.n * rows // MOST_NUMBERS)
    return np.arange(fit.n).reshape(fit.chains, -1)[:, :: max(step, 1)].ravel()


def log_likelihoods(fit: Fit, at: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return the log probability of each row, not times its weight; dims (draw, row).

    ``at`` are the places of the draws, all by default. Padded rows of ratings have 0.
    """
    structure, data = fit.compiled.structure, fit.case.evidence.arrays
    draws = fit.draws if at is None else {name: x[at] for name, x in fit.draws.items()}
    n = len(draws["use_rate"])
    *others, rated = likelihoods(structure)
    cuts = row_cuts(len(fit.case.evidence.ids["ratings"]))
    sliced = [{name: x[cut] for name, x in data["ratings"].items()} for cut in cuts]

    def block(some: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        parts, out = terms_from_draws(some), {}
        for like in others:
            params = like.params(NumPy, parts, data, structure=structure)
            out[like.name] = like.logp(NumPy, data[like.table]["value"], *params)
        state, unused = states.cell_states(NumPy, parts, data["cells"], link=structure.link)
        logs = np.zeros((len(some["use_rate"]), len(data["ratings"]["weight"])))
        for cut, rows in zip(cuts, sliced, strict=True):
            logs[:, cut] = ratings.row_logs(
                parts["raters"], state, unused, rows=rows, kind_of=structure.kind_of
            )
        return out | {rated.name: logs}

    return joined(over_blocks(block, draws, n=n, size=CACHED))


def scored(fit: Fit) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return log probabilities of rows at the kept draws, and the states of all works."""
    return log_likelihoods(fit, kept_draws(fit)), work_states(fit)


def row_cuts(n: int) -> list[slice]:
    """Return the blocks of rows that are computed together, so that memory is bounded."""
    return [slice(start, min(start + ROWS, n)) for start in range(0, n, ROWS)]


def replicated(fit: Fit, draws: dict[str, np.ndarray], *, stage: str) -> dict[str, np.ndarray]:
    """Simulate every table of evidence from thinned draws; dims (draw, row ...)."""
    return simulated(fit.case, draws, structure=fit.compiled.structure, stage=stage)


def simulated(
    case: Case,
    draws: dict[str, np.ndarray],
    *,
    structure: Structure,
    stage: str,
    most: int | None = None,
) -> dict[str, np.ndarray]:
    """Simulate every table of a Case's evidence from ``most`` of the draws; dims (draw, row ...).

    ``most`` is :data:`REPLICATES` by default.
    """
    data, n = case.evidence.arrays, len(draws["use_rate"])
    rng, most = stream(case.seed, stage), REPLICATES if most is None else most
    at = np.linspace(0, n - 1, min(n, most)).astype(int)
    parts = terms_from_draws({name: values[at] for name, values in draws.items()})
    out = {}
    for like in likelihoods(structure):
        params = like.params(NumPy, parts, data, structure=structure)
        rows = [like.random(rng, *one_draw(like, params, at=i)) for i in range(len(at))]
        out[like.name] = np.stack(rows)
    return out


def one_draw(like: Likelihood, params: tuple[Any, ...], *, at: int) -> list[Any]:
    """Return the parameters of draw ``at``; those with more axes than core dims have draws."""
    cores = [c.count(",") + bool(c) for c in like.signature.split("->")[0][1:-1].split("),(")]
    return [p[at] if np.ndim(p) > core else p for p, core in zip(params, cores, strict=False)]


def work_states(fit: Fit) -> dict[str, np.ndarray]:
    """Return each work's posterior: level, tracking, use on both sides.

    Returns
    -------
    dict
        ``level`` (work, level), ``tracking``, ``capabilities``, ``alignment`` (work,): chances that
        the work is at the level, tracks, and has a documented use by the close of the evidence,
        given its ratings; of an unrated work, given its cell alone.
    """
    rows, row = _rows_of_works(fit.case)
    most = min(WORK_DRAWS, max(LEAST_DRAWS, WORK_NUMBERS // max(len(rows["cell"]), 1)))
    at = np.linspace(0, fit.n - 1, min(fit.n, most)).astype(int)
    thin = {name: values[at] for name, values in fit.draws.items()}
    found = []
    for cut in row_cuts(len(rows["cell"])):
        some = {name: x[cut] for name, x in rows.items()}
        parts = over_blocks(partial(_row_states, fit=fit, rows=some), thin, n=len(at))
        found.append(_marginals(np.asarray(sum(parts)) / len(at)))
    return {name: values[row] for name, values in joined(found).items()}


def _rows_of_works(case: Case) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return answers and cell of the distinct rows, then of a blank row per cell; each work's row.

    The blank rows are there only if some work has no rating.
    """
    evidence = case.evidence
    n, blank = len(evidence.ids["ratings"]), blank_answers(len(evidence.labels["rater"]))
    rows = {name: evidence.arrays["ratings"][name][:n] for name in ("value", "cell")}
    row = np.where(evidence.row_of_work < 0, n + evidence.cell_of_work, evidence.row_of_work)
    if n and not (row >= n).any():
        return rows, row
    cells = np.arange(len(evidence.arrays["cells"]["year"]))
    value = np.concatenate([rows["value"], np.tile(blank, (len(cells), 1))])
    return {"value": value, "cell": np.concatenate([rows["cell"], cells])}, row


def _row_states(
    draws: Mapping[str, np.ndarray], *, fit: Fit, rows: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Return the posterior of (state, capabilities use, alignment use), summed over draws."""
    structure, data = fit.compiled.structure, fit.case.evidence.arrays
    parts = terms_from_draws(draws)
    state, unused = states.cell_states(NumPy, parts, data["cells"], link=structure.link)
    cell = rows["cell"]
    terms = {name: parts["raters"][name] for name in TERMS}
    columns = columns_of(rows["value"], len(structure.raters))
    answers = answer_terms(NumPy, terms, columns, kind_of=structure.kind_of)
    pair = answers["level"][..., :, None] * answers["tracking"][..., None, :]
    joint = state[..., cell, :] * flatten(pair)
    cap = _split_use(
        unused[0][..., cell, :], unused[1][..., cell, :], terms=answers["capabilities"]
    )
    ali = _split_use(unused[2][..., cell, :], unused[3][..., cell, :], terms=answers["alignment"])
    full = joint[..., None, None] * cap[..., :, None] * ali[..., None, :]
    norm = full.sum(axis=(-1, -2, -3), keepdims=True)
    return np.asarray((full / norm).sum(axis=0))


def _split_use(own: np.ndarray, others: np.ndarray, *, terms: np.ndarray) -> np.ndarray:
    """Return the joint of answers and (no use, some use); dims (..., row, state, 2)."""
    none = own * others * terms[..., 0][..., None]
    return np.stack([none, ratings.use_mixture(own, others, terms=terms) - none], axis=-1)


def _marginals(full: np.ndarray) -> dict[str, np.ndarray]:
    by_state = full.sum(axis=(-1, -2)).reshape(len(full), len(LEVELS), 2)
    return {
        "level": by_state.sum(axis=-1),
        "tracking": by_state[..., 1].sum(axis=-1),
        "capabilities": full[..., 1, :].sum(axis=(-1, -2)),
        "alignment": full[..., 1].sum(axis=(-1, -2)),
    }
