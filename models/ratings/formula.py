r"""Ratings: measurements with error of what a work is, summed over what it may be.

The true state of a work is its level k, tracking z, and on each side one of four uses u: none,
its own, by others, both. Stage one, shared by all raters of a kind, misreads it:
:math:`S_{k,k'} = (1 - s)\,\phi(k' - k) + s/8` with :math:`\phi` Gaussian in level distance and
normalised, and a shared sensitivity and specificity per column. Stage two, each rater errs around
that reading: :math:`C_r[k', y] \propto e^{-(y - k')^2 / 2\sigma_r^2 + b_r (y - k')}`, with
zero-sum leans :math:`b_r`, a slip, sensitivity and specificity. For a column's answer pattern

.. math:: T[p, k] = \prod_{kinds} \sum_{k'} S[k, k'] \prod_{r \in kind} C_r[k', y_r]

and 2 x 2 products for the binary columns. Where a use was marked, raters also say whose it was
(own, others, both); that answer is a reading of u, or an even draw when u is none. The *halo*
shifts the log-odds of the shared reading of a use by the share of raters who recorded tracking.
A missing answer drops out of its product. For one distinct row (cell, pattern), with its count
as weight,

.. math:: P = \sum_{k,z} P(k, z \mid cell)\, T[p,k]\, Z[p,z]
    \prod_{g} \sum_u P(u \mid k, z, cell, g)\, C_g[p, u]

in probability space over 16 states; the logarithm is taken once (Dawid & Skene 1979 is the
ancestor; here errors are dependent through stage one). With one kind of rater stage one
rests on its prior alone. Source: evidence/ratings.csv, uses.csv, RUBRIC.md.

The order in which the kernel takes the rows: by cell, then by what they have in common.

A row's answers are two patterns: that on the level, and the rest. Rows of one cell with the same
rest are a *pair*: all but the sum over levels is computed once for them. The order follows from
cells, answers and weights, which a fit does not change, so it is data of the graph: one vector of
whole numbers, whose length follows from those of the rows and cells.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.components.effects import add_effect, effect
from models.dims import COLUMNS, LEVELS
from models.ops import NumPy, flatten, graph
from models.priors import Prior, add, variables

MISSING_LEVEL = len(LEVELS)
"""Code of a missing level."""
MISSING = 2
"""Code of a missing binary answer."""
NO_ANSWER = 0
"""Code of 'not asked whose use it was'; 1 own, 2 others, 3 both."""
DISTANCE = np.array([[float(b - a) for b in LEVELS] for a in LEVELS])
TERMS = (
    "shared_scale",
    "shared_slip",
    "shared_sensitivity",
    "shared_specificity",
    "shared_own",
    "lean",
    "scale",
    "slip",
    "sensitivity",
    "specificity",
    "own",
    "halo",
)
"""What describes the raters, in the order of the likelihood's parameters."""
FLOOR = 1e-300
"""Added to a row's probability so that the log of a padded row stays finite."""


def level_kernel(xp: Any, *, lean: Any, scale: Any, slip: Any) -> Any:
    """Return the chance of each reading of each level; dims (..., level, reading)."""
    u = DISTANCE / scale[..., None, None]
    weight = xp.exp(lean[..., None, None] * DISTANCE - 0.5 * u**2)
    total = weight.sum(axis=-1)[..., None]
    slip = slip[..., None, None]
    return (1.0 - slip) * weight / total + slip / len(LEVELS)


def level_terms(xp: Any, shared: Any, raters: Any, *, answers: Any, kind_of: Any) -> Any:
    """Return T[row, level] for the level answers.

    Parameters
    ----------
    shared
        Kernel of each kind, dims (..., kind, level, reading).
    raters
        Kernel of each rater, dims (..., rater, reading, answer).
    answers
        Codes 0-7, or 8 for missing, dims (row, rater).
    kind_of
        Index of each rater's kind.
    """
    product: dict[int, Any] = {}
    for r, kind in enumerate(kind_of):
        padded = xp.concatenate([raters[..., r, :, :], raters[..., r, :, :1] * 0.0 + 1.0], axis=-1)
        chosen = padded[..., answers[:, r]]
        product[kind] = chosen if kind not in product else product[kind] * chosen
    out: Any = 1.0
    for kind, p in product.items():
        out = out * (shared[..., kind, :, :] @ p)
    return out.swapaxes(-1, -2)


def binary_terms(xp: Any, shared: Any, raters: Any, *, answers: Any, kind_of: Any) -> Any:
    """Return the chance of a column's answers given that the thing is absent, or present.

    Parameters
    ----------
    shared
        Pair (chance of reading it present when absent, when present), each with dims
        (..., kind, row) or (..., kind, 1).
    raters
        Pair (chance of recording it given that the kind reads absent, present), (..., rater).
    answers
        Codes 0, 1 or 2 (missing), dims (row, rater).

    Returns
    -------
    array, dims (..., row, state) with state 0 absent, 1 present
    """
    by_kind: dict[int, list[Any]] = {}
    for r, kind in enumerate(kind_of):
        given = [_answer(xp, raters[b][..., r][..., None], answers[:, r]) for b in (0, 1)]
        if kind in by_kind:
            given = [a * b for a, b in zip(by_kind[kind], given, strict=True)]
        by_kind[kind] = given
    out = []
    for state in (0, 1):
        term = 1.0
        for kind, (absent, present) in by_kind.items():
            read = shared[state][..., kind, :]
            term = term * ((1.0 - read) * absent + read * present)
        out.append(term)
    return xp.stack(out, axis=-1)


def _answer(xp: Any, p: Any, y: Any) -> Any:
    return xp.where(xp.eq(y, MISSING), 1.0, xp.where(xp.eq(y, 1), p, 1.0 - p))


def whose_terms(xp: Any, shared_error: Any, rater_error: Any, *, answers: Any, most: int) -> Any:
    """Return the chance of the answers to 'whose use' given none, own, others, both.

    Returns
    -------
    array, dims (..., row, 4)
    """
    asked = (1 - xp.eq(answers, NO_ANSWER)).sum(axis=-1)
    good, bad = (_powers(xp, p, most) for p in (1.0 - rater_error, rater_error / 2.0))
    given = []
    for u in (1, 2, 3):
        hits = xp.eq(answers, u).sum(axis=-1)
        given.append(good[..., hits] * bad[..., asked - hits])
    total = given[0] + given[1] + given[2]
    keep, lose = 1.0 - shared_error[..., None], shared_error[..., None] / 2.0
    return xp.stack([total / 3.0, *(keep * g + lose * (total - g) for g in given)], axis=-1)


def _powers(xp: Any, p: Any, n: int) -> Any:
    return xp.stack([p**0 * 1.0, *(p**i for i in range(1, n + 1))], axis=-1)


def tracked_share(xp: Any, answers: Any) -> Any:
    """Return the share of raters of a row who recorded tracking (0 if none answered)."""
    yes = xp.eq(answers, 1).sum(axis=-1)
    present = (1 - xp.eq(answers, MISSING)).sum(axis=-1)
    return yes / (present + xp.eq(present, 0))


def shift(xp: Any, p: Any, odds: Any) -> Any:
    """Return the probability ``p`` moved by ``odds`` in log-odds."""
    factor = xp.exp(odds)
    return p * factor / (1.0 - p + p * factor)


def answer_terms(
    xp: Any, terms: Mapping[str, Any], columns: Mapping[str, Any], *, kind_of: Any
) -> dict:
    """Return what every row's answers say about each part of the state.

    ``columns`` holds the codes by column: ``level``, ``tracking``, ``capabilities``, ``alignment``,
    ``capabilities_whose``, ``alignment_whose``, each with dims (row, rater).

    Returns
    -------
    dict
        ``level`` (row, level), ``tracking`` (row, 2), and per side (row, 4 uses).
    """
    shared = level_kernel(
        xp, lean=terms["shared_scale"] * 0.0, scale=terms["shared_scale"], slip=terms["shared_slip"]
    )
    rater = level_kernel(xp, lean=terms["lean"], scale=terms["scale"], slip=terms["slip"])
    level = level_terms(xp, shared, rater, answers=columns["level"], kind_of=kind_of)
    out = {"level": level}
    halo = terms["halo"][..., None, None] * tracked_share(xp, columns["tracking"])
    for c, column in enumerate(COLUMNS):
        absent, present = 1.0 - terms["shared_specificity"], terms["shared_sensitivity"]
        read = [absent[..., c][..., None], present[..., c][..., None]]
        if column != "tracking":
            read = [shift(xp, p, halo) for p in read]
        raters = (1.0 - terms["specificity"][..., c], terms["sensitivity"][..., c])
        binary = binary_terms(xp, read, raters, answers=columns[column], kind_of=kind_of)
        if column == "tracking":
            out[column] = binary
            continue
        whose = whose_terms(
            xp,
            terms["shared_own"],
            terms["own"],
            answers=columns[f"{column}_whose"],
            most=len(kind_of),
        )
        used = [binary[..., 0], *[binary[..., 1]] * 3]
        out[column] = xp.stack([used[u] * whose[..., u] for u in range(4)], axis=-1)
    return out


def use_mixture(unused_own: Any, unused_others: Any, *, terms: Any) -> Any:
    """Sum over the four uses: chances of no own use and none by others, (..., row, state)."""
    a, b = unused_own, unused_others
    c = [terms[..., u][..., None] for u in range(4)]
    return b * (a * c[0] + (1.0 - a) * c[1]) + (1.0 - b) * (a * c[2] + (1.0 - a) * c[3])


def row_probability(xp: Any, state: Any, answers: Mapping[str, Any], *, unused: Any) -> Any:
    """Return the probability of each row's answers.

    Parameters
    ----------
    state
        P(k, z) of each row's cell, dims (..., row, 16), level-major.
    answers
        From :func:`answer_terms`.
    unused
        Chances of no (capabilities own, others; alignment own, others) use, each (..., row, 16).
    """
    pair = answers["level"][..., :, None] * answers["tracking"][..., None, :]
    total = state * flatten(pair)
    total = total * use_mixture(unused[0], unused[1], terms=answers["capabilities"])
    total = total * use_mixture(unused[2], unused[3], terms=answers["alignment"])
    return total.sum(axis=-1)


def row_logp(xp: Any, value: Any, state: Any, *params: Any, kind_of: tuple[int, ...]) -> Any:
    """Return the log probability of each distinct row of answers.

    ``params`` is (four chances of no use, the :data:`TERMS`, cell of each row, answers asked for);
    ``kind_of`` the index of each rater's kind, fixed by the structure.
    """
    unused, terms = params[:4], dict(zip(TERMS, params[4 : 4 + len(TERMS)], strict=True))
    at = params[4 + len(TERMS)]
    answers = answer_terms(xp, terms, columns_of(value, len(kind_of)), kind_of=kind_of)
    here = [u[..., at, :] for u in unused]
    p = row_probability(xp, state[..., at, :], answers, unused=here)
    return xp.log(p + FLOOR)


def row_logs(
    terms: Mapping[str, Any],
    state: Any,
    unused: Sequence[Any],
    *,
    rows: Mapping[str, NDArray[Any]],
    kind_of: tuple[int, ...],
) -> NDArray[np.float64]:
    """Return :func:`row_logp` of draws, with each distinct pattern of answers read once.

    Parameters
    ----------
    terms
        The :data:`TERMS`, with a leading draw axis.
    state, unused
        P(k, z) of each cell, and the four chances of no use, dims (draw, cell, 16).
    rows
        ``value`` (row, 6 x rater), the codes of the answers, and ``cell`` (row,).
    kind_of
        Index of each rater's kind.

    Returns
    -------
    ndarray, dims (draw, row)
    """
    codes, cell, n = rows["value"], rows["cell"], len(kind_of)
    answers: dict[str, Any] = {}
    for names, columns in ((("level",), slice(n)), (COLUMNS, slice(n, None))):
        first, pattern = patterns(codes[:, columns])
        read = answer_terms(NumPy, terms, columns_of(codes[first], n), kind_of=kind_of)
        answers |= {name: read[name][..., pattern, :] for name in names}
    here = [x[..., cell, :] for x in unused]
    p = row_probability(NumPy, state[..., cell, :], answers, unused=here)
    return np.asarray(np.log(p + FLOOR))


def add_raters(priors: Mapping[str, Prior]) -> dict[str, Any]:
    """Add both stages of reading to the model in context; return :func:`terms`."""
    import pymc as pm

    add("rater_spread_sd", priors)
    for name in ("shared_level_scale", "shared_level_slip"):
        add(name, priors, dims="kind")
    for name in ("shared_sensitivity", "shared_specificity"):
        add(name, priors, dims=("kind", "column"))
    add("shared_own_error", priors)
    add_effect("rater_lean", priors)
    for name in ("rater_level_scale", "rater_level_slip"):
        add(name, priors, dims="rater")
    for name in ("rater_own_error", "halo"):
        add(name, priors)
    for name in ("sensitivity", "specificity"):
        add(f"rater_{name}", priors, dims="column")
        pm.Normal(f"rater_{name}_z", dims=("rater", "column"))
    return terms(graph(), variables())


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return what describes the raters (:data:`TERMS`) from the variables by name."""
    found = {
        "shared_scale": v["shared_level_scale"],
        "shared_slip": v["shared_level_slip"],
        "shared_sensitivity": v["shared_sensitivity"],
        "shared_specificity": v["shared_specificity"],
        "shared_own": v["shared_own_error"],
        "lean": effect(v, "rater_lean"),
        "scale": v["rater_level_scale"],
        "slip": v["rater_level_slip"],
        "own": v["rater_own_error"],
        "halo": v["halo"],
    }
    for name in ("sensitivity", "specificity"):
        mean, z = v[f"rater_{name}"][..., None, :], v[f"rater_{name}_z"]
        spread = v["rater_spread_sd"][..., None, None]
        found[name] = xp.sigmoid(xp.log(mean) - xp.log1p(-mean) + spread * z)
    return found


def columns_of(codes: Any, n_raters: int) -> dict[str, NDArray[Any]]:
    """Split the observed matrix (row, 6 x rater) into its six columns of answers."""
    names = ("level", *COLUMNS, "capabilities_whose", "alignment_whose")
    return {name: codes[:, i * n_raters : (i + 1) * n_raters] for i, name in enumerate(names)}


LONGEST = 2**62
"""Largest number of keys that a whole number can tell apart with room to spare."""
COUNTS = 2
"""Numbers at the head of the vector: of patterns on the level, and of the rest."""
Whole = NDArray[np.int64]


class Rows(NamedTuple):
    """The rows with weight, by cell, then by rest.

    ``pairs``, where the pairs of each cell begin; ``start``, where the rows of each pair begin, and
    ``rest``, its pattern; ``row``, the place of each row among those given, and ``level``, its
    pattern on the level; ``level_first`` and ``rest_first``, a given row of each pattern.
    """

    pairs: Whole
    start: Whole
    rest: Whole
    row: Whole
    level: Whole
    level_first: Whole
    rest_first: Whole


def ordering(cell: Whole, codes: Whole, *, weight: NDArray[np.float64], n_cells: int) -> Whole:
    """Return :class:`Rows` as one vector, each part filled up to its greatest length.

    Parameters
    ----------
    cell, codes, weight
        Of the rows, dims (row,), (row, 6 x rater) and (row,).
    n_cells
        Number of cells.
    """
    given, n = np.flatnonzero(weight), codes.shape[1] // 6
    level_first, level = patterns(codes[given, :n])
    rest_first, rest = patterns(codes[given, n:])
    at = np.lexsort((rest, cell[given]))
    key = cell[given][at] * max(len(rest_first), 1) + rest[at]
    _, start = np.unique(key, return_index=True)
    pairs = np.searchsorted(cell[given][at][start], np.arange(n_cells + 1))
    first = (given[level_first], given[rest_first])
    rows = Rows(pairs, np.append(start, len(at)), rest[at][start], given[at], level[at], *first)
    lengths = part_lengths(len(cell), n_cells)
    filled = [np.pad(x, (0, n - len(x))) for x, n in zip(rows, lengths, strict=True)]
    return np.concatenate([[len(x) for x in first], *filled])


def part_lengths(n_rows: int, n_cells: int) -> tuple[int, ...]:
    """Return the greatest length of each part of :class:`Rows`."""
    return (n_cells + 1, n_rows + 1, n_rows, n_rows, n_rows, n_rows, n_rows)


def patterns(codes: Whole) -> tuple[Whole, Whole]:
    """Return a row of each distinct one, and which each is."""
    sizes = codes.max(axis=0, initial=0) + 1
    _, first, at = np.unique(ordered(codes, sizes.tolist()), return_index=True, return_inverse=True)
    return first, at


def ordered(columns: Whole, sizes: Sequence[int]) -> Whole:
    """Return whole numbers in the order of the rows, equal where rows are equal.

    Parameters
    ----------
    columns
        Whole numbers from 0, dims (row, column).
    sizes
        One more than the largest number that each column may hold.
    """
    key, n = np.zeros(len(columns), dtype=np.int64), 1
    for i, size in enumerate(sizes):
        if n * size > LONGEST:
            found, key = np.unique(key, return_inverse=True)
            n = max(len(found), 1)
        key, n = key * size + columns[:, i], n * size
    return key
