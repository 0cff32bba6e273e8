"""A PyTensor graph of static shapes as one LLVM function, and as object code.

:func:`compile_model` gives nutpie's two callbacks for a PyMC model, :func:`compile_function` a
function of any graph of one draw, to be mapped over many. Numba would infer types and optimise
several hundred small functions, each again in each of its callers: two minutes for what takes
seconds here.
"""

import ctypes
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from llvmlite import ir
from pytensor.compile.mode import Mode, optdb
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph import FunctionGraph, clone_replace, rewrite_graph
from pytensor.graph.basic import Apply
from pytensor.graph.fg import Output
from pytensor.graph.op import Op
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.traversal import graph_inputs
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import Reshape

from forecast.native.llvm import BYTES, STORED, WHOLE, loop, nest, number, offset, save
from forecast.native.nutpie_callbacks import Table, add_expand, add_value
from forecast.native.object_code import compiled, helpers, numba_routine, symbol_of
from forecast.native.operations import (
    ARRAYS,
    Frame,
    address,
    element,
    fill,
    nested,
    place_of,
    shape,
    size,
)
from forecast.native.program import (
    METRIC,
    Array,
    Function,
    Program,
    UnknownOperationError,
    linked,
    nutpie_model,
    values_and_gradients,
)

CHECKED = "local_remove_check_parameter"
EARLY = ("canonicalize", "stabilize")
REWRITES = ("merge", "ShapeOpt", *EARLY, CHECKED, "specialize")
"""PyTensor's rewrites that make the mathematics simpler; loops and memory are our own concern."""
PLAIN = ("merge", "ShapeOpt", "canonicalize")
"""Those that a graph of formulas, which has no gradient in it, needs."""
LEFT_OUT = ("local_greedy_distributor",)
"""What takes most of their time there, and gains nothing: it distributes products over sums."""

INTERPRETED = Mode(linker="py", optimizer=None)  # type: ignore[arg-type]
TOLERANCE = 1e-7
"""Largest relative difference from PyTensor that passes; sums may be reordered, no more."""
OPERANDS = 30
"""Most operands of an element-wise operation that PyTensor runs in Python."""
SMALLEST = 1e-6
"""Size below which a derivative's error counts relative to the largest one's, as a share of it."""

Routine = Callable[[Any], bytes]
"""From a node to the object code of its Op, which exports ``symbol_of(node)``."""


def simplify(fgraph: FunctionGraph, *, include: Sequence[str] = REWRITES) -> FunctionGraph:
    """Return a graph after PyTensor's rewrites."""
    exclude = () if include == REWRITES else LEFT_OUT
    optdb.query(RewriteDatabaseQuery(include=include, exclude=exclude)).rewrite(fgraph)
    return fgraph


def add_function(
    fgraph: FunctionGraph, module: ir.Module, *, name: str, numba_ops: Collection[type] = ()
) -> tuple[ir.Function, dict[str, Any]]:
    """Add the function of a graph to the module.

    Its arguments are the addresses of the outputs, then of the inputs, in order. None of them
    overlap, which lets LLVM work on several numbers at once.

    Returns
    -------
    ir.Function
        The function.
    dict
        Nodes whose Op is in ``numba_ops``, by the symbol that the function calls for them.
    """
    variables = [*fgraph.outputs, *fgraph.inputs]
    types = [STORED[v.type.dtype].as_pointer() for v in variables]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), types), name)
    for argument in function.args:
        argument.add_attribute("noalias")
    start = ir.IRBuilder(function.append_basic_block("entry"))
    b = ir.IRBuilder(function.append_basic_block("start"))
    f = Frame(b, _clients(fgraph), block=start.alloca(BYTES))
    start.branch(b.block)
    n = len(fgraph.outputs)
    f.places.update(zip(fgraph.inputs, function.args[n:], strict=True))
    called: dict[str, Any] = {}
    for node in fgraph.toposort():
        if isinstance(node.op, tuple(numba_ops)):
            called[symbol_of(node)] = node
            _add_call(f, node)
        else:
            _add_node(f, node)
    for var, place in zip(fgraph.outputs, function.args, strict=False):
        _store(f, var, place=place)
    _add_block(f, function)
    b.ret_void()
    return function, called


def _clients(fgraph: FunctionGraph) -> dict[Any, list[Any]]:
    """Return the nodes that use each variable, None standing for an output."""
    return {
        var: [None if isinstance(node.op, Output) else node for node, _ in users]
        for var, users in fgraph.clients.items()
    }


def _add_node(f: Frame, node: Any) -> None:
    """Compute the outputs of a node, or leave them to where they are used."""
    for type_ in type(node.op).__mro__:
        if type_ in ARRAYS:
            ARRAYS[type_](f, node)
            return
    for var in node.outputs:
        users, source = f.clients.get(var), node.inputs[0] if node.inputs else None
        if not users:
            continue
        if isinstance(node.op, Reshape) and source in f.places:
            f.places[var] = f.places[source]
        elif size(var) == 1 or (isinstance(node.op, Elemwise) and not nested(f, var)):
            fill(f, var)


def _store(f: Frame, var: Any, *, place: Any) -> None:
    def body(index: list[Any]) -> None:
        i = offset(f.builder, index, lengths=shape(var))
        save(f.builder, element(f, var, index), place, at=i, dtype=var.type.dtype)

    nest(f.builder, shape(var), body)


def _add_call(f: Frame, node: Any) -> None:
    """Call an Op's own code: of each input and output the address and the lengths."""
    places = [*(address(f, x) for x in node.inputs), *(place_of(f, x) for x in node.outputs)]
    arguments = []
    for place, var in zip(places, [*node.inputs, *node.outputs], strict=True):
        arguments += [place, *(number(n, WHOLE) for n in shape(var))]
    symbol = symbol_of(node)
    type_ = ir.FunctionType(ir.VoidType(), [x.type for x in arguments])
    routine = f.module.globals.get(symbol) or ir.Function(f.module, type_, symbol)
    f.builder.call(routine, arguments)


def _add_block(f: Frame, function: ir.Function) -> None:
    """Give the arrays that are too long for the stack their block of memory."""
    if not f.bytes:
        return
    b, module = f.builder, f.module
    claim, free = (
        module.globals.get(name) or ir.Function(module, ir.FunctionType(result, [given]), name)
        for name, result, given in (("malloc", BYTES, WHOLE), ("free", ir.VoidType(), BYTES))
    )
    with b.goto_entry_block():
        b.store(b.call(claim, [number(f.bytes, WHOLE)]), f.block)
    b.call(free, [b.load(f.block)])


def compile_function(
    inputs: Sequence[Any],
    outputs: Mapping[str, Any],
    *,
    numba_ops: Collection[type] = (),
    routine: Routine = numba_routine,
) -> Function:
    """Compile a graph of one draw, to be mapped over many (:meth:`program.Function.map`).

    Parameters
    ----------
    inputs
        PyTensor variables with static shapes and names.
    outputs
        PyTensor variables, by the name of each in the result.
    numba_ops
        Classes of Ops that are called through PyTensor's own numba implementation.
    routine
        Function of a node of such an Op that returns its object code.

    Raises
    ------
    UnknownOperationError
        If the graph has an operation that no table of :mod:`operations` holds.
    """
    fgraph = FunctionGraph(list(inputs), list(outputs.values()), clone=True)
    fgraph, module = simplify(fgraph, include=PLAIN), ir.Module("function")
    module.inline_exp = True
    body, called = add_function(fgraph, module, name="body", numba_ops=numba_ops)
    _add_map(body)
    code = compiled(module, helpers(module), exported=("map",))
    arrays = [
        [Array(name, shape(var), var.type.dtype) for name, var in zip(names, some, strict=True)]
        for names, some in (
            ([str(var.name) for var in inputs], fgraph.inputs),
            (list(outputs), fgraph.outputs),
        )
    ]
    return Function((code, *map(routine, called.values())), *map(tuple, arrays))


def _add_map(body: ir.Function) -> None:
    """Add ``map(n, addresses, steps)``: call the body n times, each address a step further."""
    words = WHOLE.as_pointer()
    type_ = ir.FunctionType(ir.VoidType(), [WHOLE, words, words])
    function = ir.Function(body.module, type_, "map")
    b = ir.IRBuilder(function.append_basic_block("entry"))
    n, addresses, steps = function.args

    def call(i: Any) -> None:
        places = []
        for k, argument in enumerate(body.args):
            start, step = (b.load(b.gep(x, [number(k, WHOLE)])) for x in (addresses, steps))
            places.append(b.inttoptr(b.add(start, b.mul(i, step)), argument.type))
        b.call(body, places)

    loop(b, n, call)
    b.ret_void()


def compile_model(
    model: Any,
    keep: Collection[str] | None = None,
    *,
    numba_ops: Collection[type] = (),
    routine: Routine = numba_routine,
    notes: Mapping[str, Any] | None = None,
) -> Program:
    """Compile value and gradient of a PyMC model, and the expansion of its draws, for nutpie.

    Parameters
    ----------
    model
        A PyMC model whose data have static shapes.
    keep
        Variables to keep beside the unconstrained values; all by default.
    numba_ops
        Classes of Ops that are called through PyTensor's own numba implementation.
    routine
        Function of a node of such an Op that returns its object code.
    notes
        What the caller wants to find in the program again, in JSON's types.

    Raises
    ------
    UnknownOperationError
        If the graph has an operation that no table of :mod:`operations` holds.
    """
    import nutpie.compile_pymc as nc

    start = model.initial_point(0)
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    sizes = [np.shape(start[v.name]) for v in values]
    point, parts = _parts(values, sizes)
    value = _graph(model, _value(model, values, parts=parts), point=point)
    kept = [
        v
        for v in model.unobserved_value_vars
        if v not in values and (keep is None or v.name in keep)
    ]
    expanded = clone_replace([*values, *kept], parts, rebuild_strict=False)
    expand = _graph(model, expanded, point=point)
    shared = _shared(value, expand)
    names = [v.name for v in (*values, *kept)]
    shapes = [*sizes, *(shape(v) for v in expand.outputs[len(values) :])]
    shape_info = names, _slices(shapes), shapes
    renamed = tuple(v.name for v in values if model.rvs_to_transforms.get(model.values_to_rvs[v]))
    dims, coords = nc._prepare_dims_and_coords(model, shape_info, renamed)
    code, called = _code(value, expand, shared=shared, slices=shape_info[1], numba_ops=numba_ops)
    program = Program(
        code=(code, *map(routine, called.values())),
        shared=tuple(shared.values()),
        variables=tuple(zip(names, map(tuple, shapes), strict=True)),
        free=tuple(rv.name for rv in model.free_RVs),
        dims=dims,
        coords=coords,
        renamed=renamed,
        notes=dict(notes or {}),
    )
    first = np.concatenate([np.ravel(start[v.name]) for v in values]).astype(float)
    routines = dict(zip(called, program.code[1:], strict=True))
    for node in value.toposort():
        if symbol_of(node) in routines:
            op = _Compiled(node, routines[symbol_of(node)])
            pairs = zip(node.outputs, op.make_node(*node.inputs).outputs, strict=True)
            value.replace_all(list(pairs))
        elif isinstance(node.op, Elemwise) and len(node.inputs) > OPERANDS:
            value.replace(node.outputs[0], _nested(node.op, node.inputs))
    return replace(program, error=_check(program, value, point=first, model=model))


def _nested(op: Any, inputs: Sequence[Any]) -> Any:
    """Return a sum or product of many as one of few, of sums or products."""
    if len(inputs) <= OPERANDS:
        return op(*inputs)
    middle = len(inputs) // 2
    return op(_nested(op, inputs[:middle]), _nested(op, inputs[middle:]))


class _Compiled(Op):
    """A node's own Op, computed by its object code."""

    __props__ = ("symbol",)

    def __init__(self, node: Any, code: bytes) -> None:
        self.symbol, self.types = symbol_of(node), [x.type for x in node.outputs]
        self.shapes, self.engine = [shape(x) for x in node.outputs], linked((code,))

    def make_node(self, *inputs: Any) -> Apply:
        """Return the node of the inputs."""
        return Apply(self, list(inputs), [type_() for type_ in self.types])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        """Call the code with the address and the lengths of each array."""
        arrays = [np.ascontiguousarray(x) for x in inputs]
        results = [
            np.empty(s, type_.dtype) for s, type_ in zip(self.shapes, self.types, strict=True)
        ]
        words = [word for x in (*arrays, *results) for word in (x.ctypes.data, *x.shape)]
        call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * len(words))
        call(self.engine.get_function_address(self.symbol))(*words)
        for storage, result in zip(output_storage, results, strict=True):
            storage[0] = result


def _check(program: Program, value: FunctionGraph, *, point: np.ndarray, model: Any) -> float:
    """Return the largest relative difference from PyTensor's value and gradient at a point.

    PyTensor runs each operation of the same graph in Python, those in numba by their object code.
    The point is moved off the initial one, where much is exactly zero.

    Raises
    ------
    UnknownOperationError
        If they differ.
    """
    point = point + np.random.default_rng(0).uniform(-0.5, 0.5, point.size)
    data = {var.name: np.asarray(var.get_value()) for var in model.data_vars}
    plain = {var: var.type() for var in value.inputs}  # of shared variables, too
    outputs = clone_replace(value.outputs, plain, rebuild_strict=False)
    call = pytensor.function(
        list(plain.values()), outputs, mode=INTERPRETED, on_unused_input="ignore"
    )
    with np.errstate(all="ignore"):
        logp, slope = call(point, *(data[name] for name in shared_names(value)))
    native = nutpie_model(program, data, start=None)
    found, gradient = values_and_gradients(native, point[None])
    expected = np.array([float(logp), *np.asarray(slope)])
    if not np.isfinite(expected).all():
        return 0.0 if np.isnan(found[0]) else np.inf  # the callback reports an error by NaN
    size = np.maximum(np.abs(expected), np.abs(expected).max() * SMALLEST)
    error = float(np.max(np.abs([found[0], *gradient[0]] - expected) / size))
    if not error < TOLERANCE:
        raise UnknownOperationError(
            f"value and gradient differ from PyTensor's by {error:.2g} of their size"
        )
    return error


def _parts(values: Sequence[Any], sizes: Sequence[tuple[int, ...]]) -> tuple[Any, dict[Any, Any]]:
    """Return the vector of all unconstrained values, and each variable as a part of it."""
    ends = np.cumsum([0, *(int(np.prod(s)) for s in sizes)])
    point = pt.TensorType("float64", shape=(int(ends[-1]),))("point")
    ends_of = zip(values, sizes, pairwise(ends), strict=True)
    return point, {v: point[int(i) : int(j)].reshape(s) for v, s, (i, j) in ends_of}


def _value(model: Any, values: Sequence[Any], *, parts: dict[Any, Any]) -> list[Any]:
    """Return the log density of a point and its gradient, as graphs."""
    logp: Any = rewrite_graph(model.logp(), include=(*EARLY, CHECKED))
    slopes: Any = pt.grad(logp, list(values))
    gradient = pt.concatenate([g.ravel() for g in slopes])
    return clone_replace([logp, gradient], parts, rebuild_strict=False)


def _graph(model: Any, outputs: list[Any], *, point: Any) -> FunctionGraph:
    """Return the graph of outputs; its inputs are the point, then the shared arrays."""
    stated = {var.name for var in model.data_vars}
    replaced: dict[Any, Any] = {}
    for var in graph_inputs(outputs):
        if isinstance(var, SharedVariable) and var not in replaced:
            value = np.asarray(var.get_value())
            if var.name in stated:
                replaced[var] = pt.TensorType(var.type.dtype, shape=value.shape)(var.name)
            else:
                replaced[var] = pt.constant(value)
    outputs = clone_replace(outputs, replaced, rebuild_strict=False)
    data = [x for var, x in replaced.items() if var.name in stated]
    return simplify(FunctionGraph([point, *data], outputs, clone=True))


def _shared(*graphs: FunctionGraph) -> dict[str, Array]:
    """Return what the shared arrays of the graphs look like, by name, in order."""
    inputs: list[Any] = [var for fgraph in graphs for var in fgraph.inputs[1:]]
    return {var.name: Array(var.name, shape(var), var.type.dtype) for var in inputs}


def shared_names(fgraph: FunctionGraph) -> list[str]:
    """Return the names of the shared arrays that a graph reads, in order."""
    return [str(var.name) for var in fgraph.inputs[1:]]


def _slices(shapes: Sequence[tuple[int, ...]]) -> list[slice]:
    """Return where each variable lies in an expanded draw."""
    ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
    return [slice(int(i), int(j)) for i, j in pairwise(ends)]


def _code(
    value: FunctionGraph,
    expand: FunctionGraph,
    *,
    shared: dict[str, Array],
    slices: Any,
    numba_ops: Collection[type],
) -> tuple[bytes, dict[str, Any]]:
    """Return the object code of both callbacks, and the nodes that it calls by symbol."""
    module = ir.Module("program")
    table = Table((*shared, *METRIC), shape(value.inputs[0])[0])
    add = partial(add_function, module=module, numba_ops=numba_ops)
    body, called = add(value, name="value_body")
    add_value(body, table, of=shared_names(value))
    body, more = add(expand, name="expand_body")
    add_expand(body, table, of=shared_names(expand), shapes=slices)
    return compiled(module, helpers(module), exported=("value", "expand")), called | more


__all__ = ["UnknownOperationError", "add_function", "compile_function", "compile_model", "simplify"]
