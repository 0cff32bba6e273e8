r"""The predictive distribution of what raters record of works that no draw has seen.

The target of a score is a rating, not the truth behind it, so each forecast is of the rating with
its error. For a work of a cell (agenda, year, selection, age), rater r of kind q and one draw,

.. math::

    P(y_r = y) &= \sum_k P(k) \sum_{k'} S_q[k, k']\, C_r[k', y] \\
    P(t_r = 1) &= \sum_z P(z)\, [(1 - \rho_{q,z})\, (1 - b_r) + \rho_{q,z}\, a_r] \\
    P(u_r = 1) &= \sum_{k,z} P(k, z) \sum_{s \in \{0, 1\}} P(s \mid k, z)
        \sum_m P(m \mid z)\, [(1 - \rho_{q,s,m})\, (1 - b_r) + \rho_{q,s,m}\, a_r]

with S and C the shared and the own reading of levels (:mod:`models.ratings`), :math:`\rho` the
chance of the shared reading, :math:`a_r, b_r` a rater's sensitivity and specificity, s whether the
work is used, and m the pattern of recorded tracking on which the halo rests (all raters are taken
to answer). The chance of a whole row is :func:`models.ratings.row_probability`. A forecast is the
mean of these over draws: scores take the logarithm of the mean, never the mean of logarithms.
Each work is forecast by itself, given earlier years only: works scored together are not
conditioned on each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from models import ratings, states
from models.ops import NumPy
from models.structure import COLUMNS, LEVELS, Structure
from models.terms import terms_from_draws

CHUNK = 50
"""Draws computed together."""
TARGETS = ("level", *COLUMNS)
"""What a rater records of a work."""
JOINT = ("row", "row_with_use")
"""Whole rows: levels and tracking of all raters; and their marks of use, and whose, as well."""


@dataclass(frozen=True)
class Rated:
    """Chances of what raters record, each the mean over draws.

    ``chance`` holds, by target, dims (work, rater, category); ``joint`` the chance of the whole row
    that was recorded, dims (work,), by :data:`JOINT`.
    """

    chance: dict[str, np.ndarray]
    joint: dict[str, np.ndarray]


def rated_chances(
    draws: Mapping[str, np.ndarray],
    structure: Structure,
    *,
    cells: Mapping[str, np.ndarray],
    cell: np.ndarray,
    codes: np.ndarray,
) -> Rated:
    """Return the predictive chances of the ratings of works.

    Parameters
    ----------
    draws
        Posterior draws by variable, each with a leading draw axis.
    structure
        Of the fit.
    cells
        ``agenda``, ``year`` (indices), ``purposive`` and ``age`` (years), dims (cell,).
    cell
        The cell of each work, dims (work,).
    codes
        What was recorded, dims (work, 6 x rater); used for ``joint`` alone.
    """
    n = len(draws["use_rate"])
    total: dict[str, Any] = dict.fromkeys((*TARGETS, *JOINT), 0.0)
    for start in range(0, n, CHUNK):
        some = {name: values[start : start + CHUNK] for name, values in draws.items()}
        parts = terms_from_draws(some)
        found = states.cell_states(NumPy, parts, cells, link=structure.link)
        terms = {name: parts["raters"][name] for name in ratings.TERMS}
        for name, x in chances(found, terms, kind_of=structure.kind_of).items():
            total[name] = total[name] + x.sum(axis=0)
        for name, x in joint(found, terms, at=cell, codes=codes, kind_of=structure.kind_of).items():
            total[name] = total[name] + x.sum(axis=0)
    mean = {name: np.asarray(x) / n for name, x in total.items()}
    binary = {name: np.stack([1.0 - mean[name], mean[name]], axis=-1)[cell] for name in COLUMNS}
    chance = {"level": mean["level"][cell]} | binary
    return Rated(chance, {name: mean[name] for name in JOINT})


def chances(found: Any, terms: Mapping[str, Any], *, kind_of: tuple[int, ...]) -> dict[str, Any]:
    """Return the chance of each rater's answer by cell; dims (draw, cell, rater[, level]).

    ``found`` is what :func:`models.states.cell_states` gives, ``terms`` the raters' by name.
    """
    state, unused = found
    by = state.reshape((*state.shape[:-1], len(LEVELS), 2))
    out = {"level": np.einsum("dck,drky->dcry", by.sum(axis=-1), level_reading(terms, kind_of))}
    z, read = by.sum(axis=-2), _column(terms, "tracking")
    out["tracking"] = np.einsum("dcz,drz->dcr", z, _recorded(read, terms, c=0, kind_of=kind_of))
    for c, side in enumerate(COLUMNS[1:], 1):
        none = unused[2 * c - 2] * unused[2 * c - 1]
        used = np.stack([state * none, state * (1.0 - none)], axis=-1)
        used = used.reshape((*by.shape, 2)).sum(axis=-3)  # (draw, cell, tracking, used)
        out[side] = np.einsum("dczs,drzs->dcr", used, use_reading(terms, side, kind_of=kind_of))
    return out


def level_reading(terms: Mapping[str, Any], kind_of: tuple[int, ...]) -> Any:
    """Return the chance that a rater records each level of a work at each: (draw, rater, 8, 8)."""
    scale = terms["shared_scale"]
    shared = ratings.level_kernel(NumPy, lean=scale * 0.0, scale=scale, slip=terms["shared_slip"])
    own = ratings.level_kernel(NumPy, lean=terms["lean"], scale=terms["scale"], slip=terms["slip"])
    return shared[:, list(kind_of)] @ own


def _column(terms: Mapping[str, Any], column: str) -> Any:
    """Return the chance of the shared reading given that a thing is absent, present."""
    c = COLUMNS.index(column)
    absent = 1.0 - terms["shared_specificity"][..., c]
    return np.stack([absent, terms["shared_sensitivity"][..., c]], axis=-1)  # (draw, kind, state)


def _recorded(read: Any, terms: Mapping[str, Any], *, c: int, kind_of: tuple[int, ...]) -> Any:
    """Return the chance that each rater records a thing, from its kind's; (draw, rater, ...)."""
    read = read[:, list(kind_of)]
    lead = (*terms["own"].shape, len(kind_of), *[1] * (read.ndim - 2))
    no = (1.0 - terms["specificity"][..., c]).reshape(lead)
    return (1.0 - read) * no + read * terms["sensitivity"][..., c].reshape(lead)


def use_reading(terms: Mapping[str, Any], side: str, *, kind_of: tuple[int, ...]) -> Any:
    """Return the chance that a rater marks a use: dims (draw, rater, tracking, used).

    Summed over what the raters record of tracking, which the halo rests on.
    """
    patterns = np.array(list(product((0, 1), repeat=len(kind_of))))
    read = _column(terms, "tracking")
    shared = [read[..., z][..., None] for z in (0, 1)]
    raters = (1.0 - terms["specificity"][..., 0], terms["sensitivity"][..., 0])
    chance = ratings.binary_terms(NumPy, shared, raters, answers=patterns, kind_of=kind_of)
    odds = terms["halo"][:, None] * ratings.tracked_share(NumPy, patterns)  # (draw, pattern)
    use = _column(terms, side)[..., None, :]
    moved = ratings.shift(NumPy, use, odds[:, None, :, None])  # (draw, kind, pattern, used)
    read = np.einsum("dqms,dmz->dqzs", moved, chance)
    return _recorded(read, terms, c=COLUMNS.index(side), kind_of=kind_of)


def joint(
    found: Any,
    terms: Mapping[str, Any],
    *,
    at: np.ndarray,
    codes: np.ndarray,
    kind_of: tuple[int, ...],
) -> dict[str, Any]:
    """Return the chance of each work's whole row, dims (draw, work), by :data:`JOINT`."""
    state, unused = found
    here, columns = [u[:, at] for u in unused], ratings.columns_of(codes, len(kind_of))
    answers = ratings.answer_terms(NumPy, terms, columns, kind_of=kind_of)
    whole = ratings.row_probability(NumPy, state[:, at], answers, unused=here)
    pair = answers["level"][..., :, None] * answers["tracking"][..., None, :]
    pair = pair.reshape(state[:, at].shape)
    return {"row": (state[:, at] * pair).sum(axis=-1), "row_with_use": whole}


__all__ = ["JOINT", "TARGETS", "Rated", "chances", "joint", "rated_chances"]
