"""A whole graph as one LLVM function, node by node (:mod:`lowering`)."""

from typing import Any

from llvmlite import ir
from pytensor.graph import FunctionGraph
from pytensor.graph.fg import Output
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import Reshape

from forecast.compiler.elements import RULES, WHOLES
from forecast.compiler.lowering import (
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
from forecast.compiler.routines import RATINGS
from forecast.compiler.scalars import WHOLE, number
from models.ratings.op import WeightedRatings

BYTE = ir.IntType(8).as_pointer()


def add_function(fgraph: FunctionGraph, module: ir.Module, *, name: str) -> ir.Function:
    """Add the function of a graph to the module.

    Its arguments are the addresses of the outputs, then of the inputs, in order. None of them
    overlap, which lets LLVM work on several numbers at once.
    """
    variables = [*fgraph.outputs, *fgraph.inputs]
    types = [STORED[v.type.dtype].as_pointer() for v in variables]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), types), name)
    for argument in function.args:
        argument.add_attribute("noalias")
    start = ir.IRBuilder(function.append_basic_block("entry"))
    b = ir.IRBuilder(function.append_basic_block("start"))
    f = Frame(b, _clients(fgraph), RULES, block=start.alloca(BYTE))
    start.branch(b.block)
    n = len(fgraph.outputs)
    f.places.update(zip(fgraph.inputs, function.args[n:], strict=True))
    for node in fgraph.toposort():
        _add_node(f, node)
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


def _add_node(f: Frame, node: Any) -> None:
    """Compute what a node gives, or leave it to where it is used."""
    if isinstance(node.op, WeightedRatings):
        _add_ratings(f, node)
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


def _add_ratings(f: Frame, node: Any) -> None:
    """Call the ratings' kernel, which is compiled apart (:mod:`routines`)."""
    places = [address(f, x) for x in node.inputs]
    out = [place_of(f, x) for x in node.outputs]
    terms, order, _, weight = (number(size(x), WHOLE) for x in node.inputs)
    arguments = [places[0], terms, places[1], order, *places[2:], weight, *out]
    type_ = ir.FunctionType(ir.VoidType(), [x.type for x in arguments])
    f.builder.call(ir.Function(f.module, type_, RATINGS), arguments)


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
