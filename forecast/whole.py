"""A whole graph as one LLVM function, node by node (:mod:`forecast.lowering`)."""

from dataclasses import dataclass, field
from typing import Any

from llvmlite import ir
from pytensor.graph import FunctionGraph
from pytensor.graph.fg import Output
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import Reshape

from forecast.elements import RULES, WHOLES
from forecast.lowering import (
    STORED,
    Frame,
    address,
    element,
    fill,
    nest,
    nested,
    offset,
    place_of,
    save,
    shape,
    size,
)
from forecast.routines import HELPERS, ratings_kernel, translate
from forecast.scalars import WHOLE, number
from models.rating_op import WeightedRatings

BYTE = ir.IntType(8).as_pointer()


@dataclass
class Kernels:
    """The module in the making, and the modules of the functions that numba translated for it."""

    module: ir.Module
    found: list[Any] = field(default_factory=list)

    def modules(self) -> list[Any]:
        """Return them all, with those of the helpers that are called."""
        return [*self.found, *_helpers(self.module)]


def _helpers(module: ir.Module) -> list[Any]:
    """Return modules of the helpers that are called, each under the name it is called by."""
    from numba import types

    out = []
    for name, function in HELPERS.items():
        if name in module.globals:
            symbol, modules = translate(function, types.double(types.double))
            called = module.globals[name]
            inner = ir.Function(module, called.function_type, symbol)
            b = ir.IRBuilder(called.append_basic_block())
            b.ret(b.call(inner, called.args))
            out += modules
    return out


def add_function(fgraph: FunctionGraph, kernels: Kernels, *, name: str) -> ir.Function:
    """Add the function of a graph to the module.

    Its arguments are the addresses of the outputs, then of the inputs, in order. None of them
    overlap, which lets LLVM work on several numbers at once.
    """
    variables = [*fgraph.outputs, *fgraph.inputs]
    types = [STORED[v.type.dtype].as_pointer() for v in variables]
    function = ir.Function(kernels.module, ir.FunctionType(ir.VoidType(), types), name)
    for argument in function.args:
        argument.add_attribute("noalias")
    start = ir.IRBuilder(function.append_basic_block("entry"))
    b = ir.IRBuilder(function.append_basic_block("start"))
    f = Frame(b, _clients(fgraph), RULES, block=start.alloca(BYTE))
    start.branch(b.block)
    n = len(fgraph.outputs)
    f.places.update(zip(fgraph.inputs, function.args[n:], strict=True))
    for node in fgraph.toposort():
        _add_node(f, node, kernels=kernels)
    for var, place in zip(fgraph.outputs, function.args, strict=False):
        _store(f, var, place=place)
    _add_block(f, function)
    b.ret_void()
    return function


def _clients(fgraph: FunctionGraph) -> dict[Any, list[Any]]:
    """Return the nodes that use each variable, None standing for an output."""
    return {
        var: [None if isinstance(node.op, Output) else node for node, _ in users]
        for var, users in fgraph.clients.items()
    }


def _add_node(f: Frame, node: Any, *, kernels: Kernels) -> None:
    """Compute what a node gives, or leave it to where it is used."""
    if isinstance(node.op, WeightedRatings):
        _add_ratings(f, node, kernels=kernels)
        return
    for type_ in type(node.op).__mro__:
        if type_ in WHOLES:
            WHOLES[type_](f, node)
            return
    for out in node.outputs:
        users, source = f.clients.get(out), node.inputs[0] if node.inputs else None
        if not users:
            continue
        if isinstance(node.op, Reshape) and source in f.places:
            f.places[out] = f.places[source]
        elif size(out) == 1 or (isinstance(node.op, Elemwise) and not nested(f, out)):
            fill(f, out)


def _store(f: Frame, var: Any, *, place: Any) -> None:
    def body(index: list[Any]) -> None:
        at = offset(f.builder, index, lengths=shape(var))
        save(f.builder, element(f, var, index), place, at=at, dtype=var.type.dtype)

    nest(f.builder, shape(var), body)


def _add_ratings(f: Frame, node: Any, *, kernels: Kernels) -> None:
    """Call the ratings' kernel."""
    symbol, modules = translate(*ratings_kernel(node.op, node))
    kernels.found += modules
    places = [address(f, x) for x in node.inputs]
    out = [place_of(f, x) for x in node.outputs]
    lengths = [number(size(x), WHOLE) for x in (node.inputs[0], node.inputs[-1])]
    arguments = [places[0], lengths[0], *places[1:], lengths[1], *out]
    type_ = ir.FunctionType(ir.VoidType(), [x.type for x in arguments])
    f.builder.call(ir.Function(f.module, type_, symbol), arguments)


def _add_block(f: Frame, function: ir.Function) -> None:
    """Give the arrays that are too long for the stack their block of memory."""
    if not f.bytes:
        return
    b, module = f.builder, f.module
    claim = ir.Function(module, ir.FunctionType(BYTE, [WHOLE]), "malloc")
    free = ir.Function(module, ir.FunctionType(ir.VoidType(), [BYTE]), "free")
    with b.goto_entry_block():
        b.store(b.call(claim, [number(f.bytes, WHOLE)]), f.block)
    b.call(free, [b.load(f.block)])
