r"""The ratings' weighted log probability and its derivative as one node of the graph.

As a graph of some 700 nodes this sum takes most of a gradient's time and of the time to compile.
:class:`WeightedRatings` gives :math:`L = \sum_i w_i \log(P_i + \epsilon)` and
:math:`\partial L / \partial x` of each term x in one pass; its pullback multiplies the outputs of
the same node, so value and gradient are computed once. Imported only to build a graph.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from numba.extending import register_jitable
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from models.ratings import kernel
from models.ratings import kernel as k
from models.ratings.formula import COUNTS, Rows
from models.ratings.kernel import (
    fill_levels,
    fill_rest,
    make_tables,
    make_work,
    no_tables,
    push_levels,
    push_rest,
    push_tables,
    raters_of,
    sweep_cells,
    weighted_logs,
)

N_TERMS = 27
"""Inputs that have a derivative, 15 of the cells and 12 of the raters; the rows follow."""
SHARED = 37
"""Terms that all cells share: 7 steps, 2 discriminations, 8 levels, and 10 of each side."""
SOURCES = (kernel,)
"""No compiled function calls one of another file: numba's cache looks at the caller's alone."""


class WeightedRatings(Op):
    """Sum of the rows' weighted log probabilities, and its derivative by each term.

    Parameters
    ----------
    kind_of
        Index of each rater's kind.
    n_kinds
        Number of kinds.
    link
        ``logit`` or ``probit``.

    Notes
    -----
    Inputs: the terms in one vector (:func:`weighted_ratings`); the order of the rows
    (:func:`models.ratings.formula.ordering`), codes (row, 6 x rater) and weight (row,). Outputs:
    the sum, and the derivative by the vector.
    """

    __props__ = ("kind_of", "n_kinds", "link")

    def __init__(self, kind_of: tuple[int, ...], n_kinds: int, *, link: str) -> None:
        self.kind_of, self.n_kinds, self.link = kind_of, n_kinds, link

    def make_node(self, *inputs: Any) -> Apply:
        """Return the node for the inputs, each in the type that the kernel takes."""
        terms, order, codes, weight = (pt.as_tensor_variable(x) for x in inputs)
        whole = [pt.cast(x, "int32") for x in (order, codes)]  # as PyMC keeps them
        taken = [pt.cast(terms, "float64"), *whole, pt.cast(weight, "float64")]
        return Apply(self, taken, [pt.dscalar(), taken[0].type()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        """Compute by the same kernel."""
        rows = [np.ascontiguousarray(x) for x in inputs]
        derivative = np.empty_like(rows[0])
        kinds = np.array(self.kind_of), self.n_kinds, self.link == "probit"
        total = value_and_gradient(kinds, *rows, derivative)
        output_storage[0][0], output_storage[1][0] = np.asarray(total), derivative

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Say that the rows are data: nothing flows back to them."""
        return [[True, True], *([[False, False]] * 3)]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Return the cotangent of the sum times the derivative that the node already gives."""
        if not isinstance(cotangents[1].type, DisconnectedType):
            raise NotImplementedError("the ratings have no second derivative")
        return [cotangents[0] * outputs[1], *(disconnected_type() for _ in inputs[1:])]


def weighted_ratings(inputs: Any, op: WeightedRatings) -> Any:
    """Return the graph of the weighted sum.

    Parameters
    ----------
    inputs
        In order: theta (cell,), the steps' inverse link (step,), upper (2,), tracking base (cell,)
        and level (level,); of both sides base (cell,), level factor (level,), tracked factor (),
        own (), grown (cell,); ``models.ratings.formula.TERMS``; the rows' order, codes and weight.
    op
        The node to make.
    """
    terms = [pt.as_tensor_variable(x).ravel() for x in inputs[:N_TERMS]]
    return op.make_node(pt.concatenate(terms), *inputs[N_TERMS:]).outputs[0]


@register_jitable
def _pack(x: Any, n: int) -> tuple[Any, Any]:
    """Return the kernel's working numbers, with what cells share, and what each has of its own."""
    w, by_cell = np.zeros(k.SIZE), np.empty((k.N_BY_CELL, n))
    for i in range(7):
        w[k.STEP + i] = x[n + i]
    w[k.UPPER], w[k.UPPER + 1] = x[n + 7], x[n + 8]
    for i in range(8):
        w[k.TRACK_LEVEL + i] = x[2 * n + 9 + i]
    for c in range(n):
        by_cell[k.THETA, c], by_cell[k.TRACK_BASE, c] = x[c], x[n + 9 + c]
    for g in range(2):
        at = 2 * n + 17 + g * (2 * n + 10)
        for i in range(8):
            w[k.FACTOR + 8 * g + i] = x[at + n + i]
        w[k.TRACKED + g], w[k.OWN + g] = x[at + n + 8], x[at + n + 9]
        for c in range(n):
            by_cell[k.BASE + g, c], by_cell[k.GROWN + g, c] = x[at + c], x[at + n + 10 + c]
    return w, by_cell


@register_jitable
def _unpack(to: Any, out: Any) -> None:
    """Put the derivative by what describes the cells into the places of :func:`_pack`."""
    w, by_cell = to
    n = by_cell.shape[1]
    for i in range(7):
        out[n + i] = w[k.TO + k.STEP + i]
    out[n + 7], out[n + 8] = w[k.TO + k.UPPER], w[k.TO + k.UPPER + 1]
    for i in range(8):
        out[2 * n + 9 + i] = w[k.TO + k.TRACK_LEVEL + i]
    for c in range(n):
        out[c], out[n + 9 + c] = by_cell[k.THETA, c], by_cell[k.TRACK_BASE, c]
    for g in range(2):
        at = 2 * n + 17 + g * (2 * n + 10)
        for i in range(8):
            out[at + n + i] = w[k.TO + k.FACTOR + 8 * g + i]
        out[at + n + 8], out[at + n + 9] = w[k.TO + k.TRACKED + g], w[k.TO + k.OWN + g]
        for c in range(n):
            out[at + c], out[at + n + 10 + c] = by_cell[k.BASE + g, c], by_cell[k.GROWN + g, c]


@register_jitable
def _rows(order: Any, sizes: Any) -> Any:
    """Return the parts of the order; of patterns without what only fills up.

    ``sizes`` are the numbers of rows and of cells.
    """
    n, n_cells = sizes
    a = COUNTS + n_cells + 1
    b = a + n + 1
    return Rows(
        order[COUNTS:a],
        order[a:b],
        order[b : b + n],
        order[b + n : b + 2 * n],
        order[b + 2 * n : b + 3 * n],
        order[b + 3 * n : b + 3 * n + order[0]],
        order[b + 4 * n : b + 4 * n + order[1]],
    )


@register_jitable
def value_and_gradient(kinds: Any, *inputs: Any) -> Any:
    """Return the sum; put the derivative into the last input. Python and numba run these lines."""
    kind_of, n_kinds, probit = kinds
    terms, order, codes, weight, out = inputs
    n_raters = len(kind_of)
    of_raters = 8 * n_kinds + 9 * n_raters + 3
    n_cells = (len(terms) - of_raters - SHARED) // 6
    start = 6 * n_cells + SHARED
    w, by_cell = _pack(terms, n_cells)
    raters = raters_of(terms[start:], n_kinds, n_raters)
    to_raters = raters_of(out[start:], n_kinds, n_raters)
    rows = _rows(order, (len(weight), n_cells))
    work = make_work(kind_of, n_kinds, len(rows.level_first), n=len(rows.rest_first))
    tables, by_table = make_tables(raters), no_tables(n_kinds, n_raters)
    levels = fill_levels(codes, rows.level_first, tables=tables, work=work)
    rest = fill_rest(codes, rows.rest_first, tables=tables, work=work)
    bars = np.zeros(levels.shape), np.zeros(rest.shape)
    mass = weight[rows.row[: rows.start[rows.pairs[-1]]]]
    chance, to = sweep_cells(w, by_cell, rows, mass, (levels, rest, *bars), probit)
    total = weighted_logs(chance, mass)
    push_levels(codes, rows.level_first, tables=tables, work=work, bar=bars[0], to=by_table)
    push_rest(codes, rows.rest_first, tables=tables, work=work, bar=bars[1], to=by_table)
    for i in range(start, len(out)):
        out[i] = 0.0
    push_tables(raters, by_table, out=to_raters)
    _unpack((w, to), out)
    return total


@register_funcify_default_op_cache_key(WeightedRatings)  # type: ignore[untyped-decorator]
def _compiled(op: WeightedRatings, node: Any, **_: Any) -> tuple[Callable[..., Any], int]:
    """Return the function for numba, and a number of its sources, part of the key on disk."""
    kind_of, n_kinds, probit = np.array(op.kind_of), op.n_kinds, op.link == "probit"

    @numba.njit
    def weighted(terms: Any, order: Any, codes: Any, weight: Any) -> Any:
        out = np.empty_like(terms)
        total = value_and_gradient((kind_of, n_kinds, probit), terms, order, codes, weight, out)
        return np.asarray(total), out

    files = [__file__, *(str(source.__file__) for source in SOURCES)]
    text = b"".join(Path(file).read_bytes() for file in files)
    return weighted, int(sha256(text).hexdigest()[:12], 16)
