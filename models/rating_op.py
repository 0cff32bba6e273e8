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

from models import rating_answers, rating_kernel, rating_patterns, rating_tables
from models import rating_kernel as k
from models.rating_answers import fill_answers, make_work, push_answers
from models.rating_kernel import sweep_cells
from models.rating_patterns import sort_rows
from models.rating_tables import Raters, make_tables, no_raters, no_tables, push_tables

N_TERMS = 27
"""Inputs that have a derivative, 15 of the cells and 12 of the raters; the rows follow."""
SOURCES = (rating_answers, rating_kernel, rating_patterns, rating_tables)
"""No compiled function calls one of another file: numba's cache looks at the caller's alone."""


class WeightedRatings(Op):
    """Sum of the rows' weighted log probabilities, and its derivative by each term.

    Parameters
    ----------
    kind_of
        Index of each rater's kind.
    link
        ``logit`` or ``probit``.

    Notes
    -----
    Inputs, in order: theta (cell,), the steps' inverse link (step,), upper (2,), tracking base
    (cell,) and level (level,); of both sides base (cell,), level factor (level,), tracked factor
    (), own (), grown (cell,); ``models.ratings.TERMS``; cell (row,), codes (row, 6 x rater) and
    weight (row,). Outputs: the sum, then the derivative by each of the first 27 inputs.
    """

    __props__ = ("kind_of", "link")

    def __init__(self, kind_of: tuple[int, ...], link: str) -> None:
        self.kind_of, self.link = kind_of, link

    def make_node(self, *inputs: Any) -> Apply:
        """Return the node for the inputs, each in the type that the kernel takes."""
        taken = [pt.as_tensor_variable(x) for x in inputs]
        places = {N_TERMS, N_TERMS + 1}  # whole numbers, of any width
        for i, x in enumerate(taken):
            if x.dtype != "float64" and not (i in places and x.dtype.startswith("int")):
                taken[i] = pt.cast(x, "int64" if i in places else "float64")
        return Apply(self, taken, [pt.dscalar(), *(x.type() for x in taken[:N_TERMS])])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        """Compute by the same kernel."""
        arrays = [np.ascontiguousarray(x) if np.ndim(x) else np.asarray(x) for x in inputs]
        done = _value_and_gradient(np.array(self.kind_of), self.link == "probit", *arrays)
        for storage, value in zip(output_storage, done, strict=True):
            storage[0] = np.asarray(value)

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Say that the rows are data: nothing flows back to them."""
        n = len(node.outputs)
        return [[i < N_TERMS] * n for i in range(len(node.inputs))]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Return the cotangent of the sum times the derivative that the node already gives."""
        if not all(isinstance(c.type, DisconnectedType) for c in cotangents[1:]):
            raise NotImplementedError("the ratings have no second derivative")
        terms = [cotangents[0] * x for x in outputs[1:]]
        return [*terms, *(disconnected_type() for _ in inputs[N_TERMS:])]


@register_jitable
def _pack(x: Any) -> tuple[Any, Any]:
    """Return the kernel's working numbers, with what cells share, and what each has of its own."""
    w, by_cell = np.zeros(k.SIZE), np.empty((k.N_BY_CELL, x[0].size))
    w[k.STEP : k.STEP + 7] = x[1]
    w[k.UPPER : k.UPPER + 2] = x[2]
    w[k.TRACK_LEVEL : k.TRACK_LEVEL + 8] = x[4]
    w[k.FACTOR : k.FACTOR + 8] = x[6]
    w[k.FACTOR + 8 : k.FACTOR + 16] = x[11]
    w[k.TRACKED], w[k.TRACKED + 1] = x[7][()], x[12][()]
    w[k.OWN], w[k.OWN + 1] = x[8][()], x[13][()]
    by_cell[k.THETA], by_cell[k.TRACK_BASE] = x[0], x[3]
    by_cell[k.BASE], by_cell[k.BASE + 1] = x[5], x[10]
    by_cell[k.GROWN], by_cell[k.GROWN + 1] = x[9], x[14]
    return w, by_cell


@register_jitable
def _unpack(w: Any, by_cell: Any) -> tuple[Any, ...]:
    """Return the derivative by each input that describes the cells."""
    to = w[k.TO :]
    steps, upper = to[k.STEP : k.STEP + 7].copy(), to[k.UPPER : k.UPPER + 2].copy()
    level = to[k.TRACK_LEVEL : k.TRACK_LEVEL + 8].copy()
    first, second = to[k.FACTOR : k.FACTOR + 8].copy(), to[k.FACTOR + 8 : k.FACTOR + 16].copy()
    tracked = np.asarray(to[k.TRACKED]), np.asarray(to[k.TRACKED + 1])
    own = np.asarray(to[k.OWN]), np.asarray(to[k.OWN + 1])
    return (
        *(by_cell[k.THETA], steps, upper, by_cell[k.TRACK_BASE], level),
        *(by_cell[k.BASE], first, tracked[0], own[0], by_cell[k.GROWN]),
        *(by_cell[k.BASE + 1], second, tracked[1], own[1], by_cell[k.GROWN + 1]),
    )


@register_jitable
def _value_and_gradient(kind_of: Any, probit: bool, *inputs: Any) -> tuple[Any, ...]:
    """Return the sum, then the derivative by each term; Python and numba run these same lines."""
    (w, by_cell), raters = _pack(inputs[:15]), Raters(*inputs[15:27])
    cell, codes, weight = inputs[27:]
    rows = sort_rows(cell, codes, weight=weight, n_cells=by_cell.shape[1])
    work = make_work(kind_of, len(raters.shared_scale), len(rows.first))
    tables, to_raters = make_tables(raters), no_raters(raters)
    answers = fill_answers(codes, rows.first, tables=tables, work=work)
    bar = np.zeros(answers.shape)
    total, to = sweep_cells(w, by_cell, rows=rows, answers=answers, to_answers=bar, probit=probit)
    by_table = no_tables(len(raters.shared_scale), len(kind_of))
    push_answers(codes, rows.first, tables=tables, work=work, bar=bar, to=by_table)
    push_tables(raters, by_table, out=to_raters)
    return (np.asarray(total), *_unpack(w, to), *to_raters[:])


@register_funcify_default_op_cache_key(WeightedRatings)  # type: ignore[untyped-decorator]
def _compiled(op: WeightedRatings, node: Any, **_: Any) -> tuple[Callable[..., Any], int]:
    """Return the function for numba, and a number of its sources, part of the key on disk."""
    kind_of, probit = np.array(op.kind_of), op.link == "probit"

    @numba.njit
    def weighted_ratings(*inputs: Any) -> Any:
        return _value_and_gradient(kind_of, probit, *inputs)

    files = [__file__, *(str(source.__file__) for source in SOURCES)]
    text = b"".join(Path(file).read_bytes() for file in files)
    return weighted_ratings, int(sha256(text).hexdigest()[:12], 16)
