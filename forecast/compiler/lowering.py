"""A PyTensor graph of static shapes as one function of LLVM.

An array is either a *place* in memory or a rule that gives any one element of it
(:mod:`elements`). Rules nest, so that a chain of element-wise operations and views is one
loop; what is used more than once is put in a place first. Single numbers stay in registers. Numba
would infer types and optimise several hundred small functions, each again in each of its callers:
two minutes for what takes seconds here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from llvmlite import ir
from pytensor.graph.basic import Constant
from pytensor.tensor.basic import Join, Split
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.shape import Reshape, SpecifyShape

from forecast.compiler.scalars import REAL, TRUTH, WHOLE, convert, kind, number

STORED = {
    "float64": REAL,
    "float32": ir.FloatType(),
    "bool": ir.IntType(8),
    "int8": ir.IntType(8),
    "int16": ir.IntType(16),
    "int32": ir.IntType(32),
    "int64": WHOLE,
}
"""Types of numbers in memory, by dtype."""
SMALL = 512
"""Most numbers of an array that is kept on the stack; longer ones share a block of memory."""


@dataclass
class Frame:
    """A function in the making.

    ``clients`` gives the nodes that use each variable, ``rules`` one of its elements by the type of
    its operation (:data:`elements.RULES`), ``places`` the address of arrays and ``values``
    the numbers that stand in registers; ``block`` holds the address of the memory of arrays that
    are too long for the stack, of ``bytes`` so far.
    """

    builder: ir.IRBuilder
    clients: dict[Any, list[Any]]
    rules: Mapping[type, Callable[..., Any]]
    block: Any
    places: dict[Any, Any] = field(default_factory=dict)
    values: dict[Any, Any] = field(default_factory=dict)
    bytes: int = 0

    @property
    def module(self) -> ir.Module:
        """The module of the function."""
        return self.builder.module


def shape(var: Any) -> tuple[int, ...]:
    """Return the static shape of a variable; () of a scalar that is no tensor."""
    found = getattr(var.type, "shape", ())
    node = var.owner
    if None in found and isinstance(node and node.op, Split):
        (sizes,) = (np.asarray(x.data) for x in node.inputs[1:])  # its type forgets them
        axis, length = node.op.axis, int(sizes[node.outputs.index(var)])
        found = (*found[:axis], length, *found[axis + 1 :])
    if None in found:
        raise NotImplementedError(f"{var} of {var.owner} has no static shape: {found}")
    return tuple(found)


def size(var: Any) -> int:
    """Return the number of elements of a variable."""
    return math.prod(shape(var))


def loop(b: ir.IRBuilder, n: Any, body: Callable[[Any], None]) -> None:
    """Run ``body`` for each index below ``n``, a Python or an LLVM number."""
    if n == 1:
        return body(number(0, WHOLE))
    end = number(n, WHOLE) if isinstance(n, int) else n
    before, head = b.block, b.append_basic_block("head")
    inside, after = b.append_basic_block("body"), b.append_basic_block("after")
    b.branch(head)
    b.position_at_end(head)
    i = b.phi(WHOLE)
    i.add_incoming(number(0, WHOLE), before)
    b.cbranch(b.icmp_signed("<", i, end), inside, after)
    b.position_at_end(inside)
    body(i)
    i.add_incoming(b.add(i, number(1, WHOLE), flags=("nuw", "nsw")), b.block)
    b.branch(head)
    b.position_at_end(after)
    return None


def nest(b: ir.IRBuilder, lengths: Sequence[int], body: Callable[[list[Any]], None]) -> None:
    """Run ``body`` for each index into an array of a shape, in C order."""

    def inner(at: list[Any]) -> None:
        if len(at) == len(lengths):
            body(at)
        else:
            loop(b, lengths[len(at)], lambda i: inner([*at, i]))

    inner([])


def offset(b: ir.IRBuilder, index: Sequence[Any], *, lengths: Sequence[int]) -> Any:
    """Return the place of an element in memory, in C order."""
    out: Any = number(0, WHOLE)
    for i, n in zip(index, lengths, strict=True):
        out = b.add(b.mul(out, number(n, WHOLE)), i)
    return out


def load(b: ir.IRBuilder, place: Any, at: Any, *, dtype: str) -> Any:
    """Return the number ``at`` a place."""
    value = b.load(b.gep(place, [at]))
    if dtype == "bool":
        return b.trunc(value, TRUTH)
    if dtype == "float32":
        return b.fpext(value, REAL)
    return value if dtype in {"float64", "int64"} else b.sext(value, WHOLE)


def save(b: ir.IRBuilder, value: Any, place: Any, *, at: Any, dtype: str) -> None:
    """Put a number ``at`` a place."""
    value, to = convert(b, value, to=kind(dtype)), STORED[dtype]
    if dtype == "bool":
        value = b.zext(value, to)
    elif dtype == "float32":
        value = b.fptrunc(value, to)
    elif dtype not in {"float64", "int64"}:
        value = b.trunc(value, to)
    b.store(value, b.gep(place, [at]))


def element(f: Frame, var: Any, index: Sequence[Any]) -> Any:
    """Return one element of a variable."""
    if var in f.values:
        return f.values[var]
    if isinstance(var, Constant) and var not in f.places:
        data = np.asarray(var.data)
        if data.size == 1:
            return number(data.item(), kind(str(data.dtype)))
        f.places[var] = constant(f, data)
    if var in f.places:
        at = offset(f.builder, index, lengths=shape(var))
        return load(f.builder, f.places[var], at, dtype=var.type.dtype)
    op = var.owner.op
    for type_ in type(op).__mro__:
        if type_ in f.rules:
            return f.rules[type_](f, var, index)
    raise NotImplementedError(f"forecast/compiler/elements.py knows no {type(op).__name__}")


def constant(f: Frame, data: np.ndarray) -> Any:
    """Return the address of an array that never changes."""
    type_ = STORED[str(data.dtype)]
    whole = ir.ArrayType(type_, data.size)
    kept = ir.GlobalVariable(f.module, whole, f"constant{len(f.module.globals)}")
    kept.linkage, kept.global_constant = "internal", True
    kept.initializer = ir.Constant(whole, data.ravel().tolist())
    return kept.bitcast(type_.as_pointer())


def room(f: Frame, n: int, *, dtype: str) -> Any:
    """Return the address of room for ``n`` numbers, on the stack if they are few."""
    type_, b = STORED[dtype], f.builder
    if n <= SMALL:
        with b.goto_entry_block():
            return b.bitcast(b.alloca(ir.ArrayType(type_, max(n, 1))), type_.as_pointer())
    start = b.gep(b.load(f.block), [number(f.bytes, WHOLE)])
    f.bytes += 64 * (n // 8 + 1)
    return b.bitcast(start, type_.as_pointer())


def place_of(f: Frame, var: Any) -> Any:
    """Return the address of new room for a variable that is filled as a whole."""
    f.places[var] = room(f, size(var), dtype=var.type.dtype)
    return f.places[var]


def fill(f: Frame, var: Any) -> None:
    """Put a variable in memory, or in a register if it is a single number."""
    if size(var) == 1:
        f.values[var] = element(f, var, [number(0, WHOLE)] * len(shape(var)))
    else:
        address(f, var)


def address(f: Frame, var: Any) -> Any:
    """Return the address of a variable, put in memory if it is not there."""
    if var in f.places:
        return f.places[var]
    b, dtype = f.builder, var.type.dtype
    place = room(f, size(var), dtype=dtype)

    def body(index: list[Any]) -> None:
        at = offset(b, index, lengths=shape(var))
        save(b, element(f, var, index), place, at=at, dtype=dtype)

    nest(b, shape(var), body)
    f.places[var] = place
    return place


def nested(f: Frame, var: Any) -> bool:
    """Say whether a variable is computed where it is used: once, and for each element once."""
    users = f.clients.get(var, [])
    if len(users) != 1 or size(var) == 1:
        return False
    (user,) = users
    if user is None:  # an output
        return True
    op, out = user.op, user.outputs[0]
    if isinstance(op, Elemwise):
        return size(out) == size(var)
    if isinstance(op, DimShuffle | Reshape | SpecifyShape):
        return size(out) == size(var) and nested(f, out)
    return isinstance(op, CAReduce | Join | CumOp)
