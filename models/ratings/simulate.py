"""Simulator of the ratings: draws a state for each row, then both stages of reading it.

Each line mirrors a factor of :mod:`models.ratings.formula`; a test holds the two against each
other by exhaustive counting on a small case.
"""

from typing import Any

import numpy as np

from models.dims import COLUMNS
from models.ops import NumPy
from models.priors import Array
from models.ratings.formula import (
    MISSING,
    MISSING_LEVEL,
    NO_ANSWER,
    TERMS,
    level_kernel,
    shift,
    tracked_share,
)


def row_random(
    rng: np.random.Generator, state: Array, *params: Any, kind_of: tuple[int, ...]
) -> Array:
    """Simulate the answers of each row; ``params`` as in :func:`models.ratings.formula.row_logp`.

    Answers not asked for (``asked`` = 0) are missing; 'whose use' is asked of every rater
    of a row and side in which some rater marked a use, as in evidence/uses.csv.
    """
    unused, terms = params[:4], dict(zip(TERMS, params[4 : 4 + len(TERMS)], strict=True))
    at, asked = (np.asarray(p, dtype=int) for p in params[4 + len(TERMS) :])
    s = _pick(rng, state[at])
    n = len(kind_of)
    asked = asked[:, : 4 * n].reshape(len(at), 4, n)
    level = _levels(rng, terms, level=s // 2, kind_of=kind_of)
    tracking = _binary(rng, terms, column=0, present=(s % 2)[:, None], kind_of=kind_of)
    out = [
        np.where(asked[:, 0] == 1, level, MISSING_LEVEL),
        np.where(asked[:, 1] == 1, tracking, MISSING),
    ]
    halo = terms["halo"] * tracked_share(NumPy, out[1])
    whose = []
    for c in range(1, len(COLUMNS)):
        none_own, none_others = (u[at, s] for u in unused[2 * c - 2 : 2 * c])
        own = rng.uniform(size=len(at)) > none_own
        others = rng.uniform(size=len(at)) > none_others
        used = (own | others)[:, None]
        marked = _binary(rng, terms, column=c, present=used, kind_of=kind_of, odds=halo)
        out.append(np.where(asked[:, c + 1] == 1, marked, MISSING))
        whose.append(_whose(rng, terms, use=own + 2 * others, marked=out[-1]))
    return np.concatenate([*out, *whose], axis=1)


def _pick(rng: np.random.Generator, p: Array) -> Any:
    cumulative = np.cumsum(p, axis=-1)
    u = rng.uniform(size=p.shape[:-1])[..., None] * cumulative[..., -1:]
    return (u > cumulative).sum(axis=-1).clip(0, p.shape[-1] - 1)


def _levels(rng: np.random.Generator, terms: Any, *, level: Any, kind_of: tuple[int, ...]) -> Any:
    scale = terms["shared_scale"]
    shared = level_kernel(NumPy, lean=scale * 0.0, scale=scale, slip=terms["shared_slip"])
    raters = level_kernel(NumPy, lean=terms["lean"], scale=terms["scale"], slip=terms["slip"])
    read = {kind: _pick(rng, shared[kind][level]) for kind in dict.fromkeys(kind_of)}
    return np.stack([_pick(rng, raters[r][read[q]]) for r, q in enumerate(kind_of)], axis=1)


def _binary(
    rng: np.random.Generator,
    terms: Any,
    *,
    column: int,
    present: Any,
    kind_of: tuple[int, ...],
    odds: Any = 0.0,
) -> Any:
    p = np.where(
        present,
        terms["shared_sensitivity"][:, column],
        1.0 - terms["shared_specificity"][:, column],
    )
    seen = rng.uniform(size=p.shape) < shift(NumPy, p, np.reshape(odds, (-1, 1)))
    seen = seen[:, list(kind_of)]
    sensitivity, specificity = terms["sensitivity"][:, column], terms["specificity"][:, column]
    return (rng.uniform(size=seen.shape) < np.where(seen, sensitivity, 1.0 - specificity)) * 1


def _whose(rng: np.random.Generator, terms: Any, *, use: Any, marked: Any) -> Any:
    rows, n = marked.shape
    read = np.where(use == 0, rng.integers(1, 4, rows), use)
    read = _confuse(rng, np.where(use == 0, 0.0, terms["shared_own"]), truth=read[:, None])
    answer = _confuse(rng, terms["own"], truth=np.repeat(read, n, axis=1))
    asked = (marked == 1).any(axis=1)[:, None] & (marked != MISSING)
    return np.where(asked, answer, NO_ANSWER)


def _confuse(rng: np.random.Generator, error: Any, *, truth: Any) -> Any:
    wrong = rng.uniform(size=truth.shape) < np.reshape(error, (-1, 1))
    other = (truth - 1 + rng.integers(1, 3, truth.shape)) % 3 + 1
    return np.where(wrong, other, truth)
