"""From a PyMC model to machine code that another process can load.

Value, gradient and the expansion of draws become one LLVM module (:mod:`lowering`), which
also holds the two C callbacks that nutpie calls; its object code is kept as bytes with what nutpie
must know of the model (:class:`program.Program`). So a process that finds the bytes on
disk imports neither PyMC nor PyTensor, compiles nothing, and runs the very same instructions.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytensor.tensor as pt
from llvmlite import ir
from pytensor.compile.mode import optdb
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph import FunctionGraph, clone_replace, rewrite_graph
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.traversal import graph_inputs

from forecast.compiler.callbacks import Table, add_expand, add_value
from forecast.compiler.lowering import shape
from forecast.compiler.program import METRIC, Program, Shared
from forecast.compiler.routines import compiled, helpers
from forecast.compiler.whole import add_function

CHECKED = "local_remove_check_parameter"
EARLY = ("canonicalize", "stabilize", CHECKED)
REWRITES = ("merge", "ShapeOpt", *EARLY, "specialize")
"""PyTensor's rewrites that make the mathematics simpler; loops and memory are our own concern."""
EXPORTED = ("value", "expand")
"""Symbols of the object code: nutpie's callbacks."""


def compile_program(model: Any, keep: list[str], *, alone: tuple[str, ...]) -> Program:
    """Return the machine code of a PyMC model, but for the ratings' kernel.

    Parameters
    ----------
    model
        A PyMC model whose data have static shapes.
    keep
        Variables to keep beside the unconstrained values.
    alone
        Names of the priors left out of the model, to be kept with it.
    """
    import nutpie.compile_pymc as nc

    start = model.initial_point(0)
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    sizes = [np.shape(start[v.name]) for v in values]
    point, parts = _parts(values, sizes)
    value = _graph(model, _value(model, values, parts=parts), point=point)
    kept = [v for v in model.unobserved_value_vars if v.name in keep and v not in values]
    expanded = clone_replace([*values, *kept], parts, rebuild_strict=False)
    expand = _graph(model, expanded, point=point)
    shared = _shared(value, expand)
    names = [v.name for v in (*values, *kept)]
    shape_info = _shape_info(names, [*sizes, *(shape(v) for v in expand.outputs[len(values) :])])
    renamed = tuple(v.name for v in values if model.rvs_to_transforms.get(model.values_to_rvs[v]))
    dims, coords = nc._prepare_dims_and_coords(model, shape_info, renamed)
    return Program(
        code=(_code(value, expand, shared=shared, slices=shape_info[1]),),
        shared=tuple(shared.values()),
        n_dim=shape(point)[0],
        n_expanded=shape_info[1][-1].stop,
        shape_info=shape_info,
        dims=dims,
        coords=coords,
        renamed=renamed,
        alone=alone,
        layout=tuple(_layout(model, sizes)),
    )


def _parts(values: Sequence[Any], sizes: Sequence[tuple[int, ...]]) -> tuple[Any, dict[Any, Any]]:
    """Return the vector of all unconstrained values, and each variable as a part of it."""
    ends = np.cumsum([0, *(int(np.prod(s)) for s in sizes)])
    point = pt.TensorType("float64", shape=(int(ends[-1]),))("point")
    ends_of = zip(values, sizes, pairwise(ends), strict=True)
    return point, {v: point[int(i) : int(j)].reshape(s) for v, s, (i, j) in ends_of}


def _value(model: Any, values: Sequence[Any], *, parts: dict[Any, Any]) -> list[Any]:
    """Return the log density of a point and its gradient, as graphs."""
    logp: Any = rewrite_graph(model.logp(), include=EARLY)
    slopes: Any = pt.grad(logp, list(values))
    gradient = pt.concatenate([g.ravel() for g in slopes])
    return clone_replace([logp, gradient], parts, rebuild_strict=False)


def _graph(model: Any, outputs: list[Any], *, point: Any) -> FunctionGraph:
    """Return the graph of outputs; its inputs are the point, then the shared arrays."""
    stated = {var.name for var in model.data_vars}
    found = [v for v in graph_inputs(outputs) if isinstance(v, SharedVariable)]
    fixed: dict[Any, Any] = {v: pt.constant(v.get_value()) for v in found if v.name not in stated}
    outputs = clone_replace(outputs, fixed, rebuild_strict=False)
    free = [v for v in found if v.name in stated]
    return simpler(FunctionGraph([point, *free], outputs, clone=True))


def simpler(fgraph: FunctionGraph) -> FunctionGraph:
    """Return a graph after PyTensor's rewrites."""
    optdb.query(RewriteDatabaseQuery(include=REWRITES)).rewrite(fgraph)
    return fgraph


def _shared(*graphs: FunctionGraph) -> dict[str, Shared]:
    """Return what the shared arrays of the graphs look like, by name, in order."""
    inputs: list[Any] = [var for fgraph in graphs for var in fgraph.inputs[1:]]
    return {var.name: Shared(var.name, shape(var), var.type.dtype) for var in inputs}


def _names(fgraph: FunctionGraph) -> list[str]:
    return [str(var.name) for var in fgraph.inputs[1:]]


def _shape_info(names: list[str], shapes: list[tuple[int, ...]]) -> Any:
    """Return names, slices and shapes of what an expanded draw holds, as nutpie has them."""
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    slices = [slice(int(i), int(j)) for i, j in pairwise(ends)]
    return names, slices, shapes


def _layout(model: Any, sizes: list[tuple[int, ...]]) -> Any:
    """Yield each free variable's name, the beliefs in it, and its unconstrained size."""
    for rv, size in zip(model.free_RVs, sizes, strict=True):
        members: tuple[str, ...] = ()
        if rv.name.startswith("beliefs_"):
            members = tuple(model.coords[model.named_vars_to_dims[rv.name][0]])
        yield rv.name, members, int(np.prod(size))


def _code(
    value: FunctionGraph, expand: FunctionGraph, *, shared: dict[str, Shared], slices: Any
) -> bytes:
    """Return the object code of both callbacks, with all that they call."""
    module = ir.Module("program")
    table = Table((*shared, *METRIC), shape(value.inputs[0])[0])
    body = add_function(value, module, name="value_body")
    add_value(body, table, of=_names(value))
    body = add_function(expand, module, name="expand_body")
    add_expand(body, table, of=_names(expand), shapes=slices)
    return compiled(module, helpers(module), exported=EXPORTED)
