"""What the draws say row by row: log likelihoods, replicated evidence, and each work's state."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecast.case import Case
from forecast.sampling import Fit
from forecast.seeds import stream
from models import ratings, states
from models.blocks import joined, over_blocks
from models.observe import Likelihood, likelihoods
from models.ops import NumPy, flatten
from models.ratings import TERMS, answer_terms, columns_of
from models.structure import LEVELS, Structure
from models.terms import terms_from_draws

REPLICATES = 200
"""Draws from which evidence is replicated."""
WORK_DRAWS = 500
"""Draws over which the state of single works is averaged."""


def log_likelihoods(fit: Fit) -> dict[str, np.ndarray]:
    """Return the log probability of each row, not times its weight; dims (draw, row)."""
    structure, data = fit.compiled.structure, fit.case.evidence.arrays

    def block(draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        parts, out = terms_from_draws(draws), {}
        for like in likelihoods(structure):
            params = like.params(NumPy, parts, data, structure=structure)
            out[like.name] = like.logp(NumPy, data[like.table]["value"], *params)
        return out

    return joined(over_blocks(block, fit.draws, n=fit.n))


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
    at = np.linspace(0, fit.n - 1, min(fit.n, WORK_DRAWS)).astype(int)
    thin = {name: values[at] for name, values in fit.draws.items()}
    parts = over_blocks(lambda draws: _row_states(fit, draws), thin, n=len(at))
    total = np.asarray(sum(parts))
    row = fit.case.evidence.row_of_work
    return {name: values[row] for name, values in _marginals(total / len(at)).items()}


def _row_states(fit: Fit, draws: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the posterior of (state, capabilities use, alignment use), summed over draws."""
    structure, data = fit.compiled.structure, fit.case.evidence.arrays
    parts = terms_from_draws(draws)
    state, unused = states.cell_states(NumPy, parts, data["cells"], link=structure.link)
    cell = data["ratings"]["cell"]
    terms = {name: parts["raters"][name] for name in TERMS}
    columns = columns_of(data["ratings"]["value"], len(structure.raters))
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
