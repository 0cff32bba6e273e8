"""PyTensor's operations in LLVM: one element of a result from elements of its inputs, or all of it.

An array is either a *place* in memory or a rule that gives any one element of it. Rules nest, so
that a chain of element-wise operations and views is one loop; what is used more than once is put in
a place first. Single numbers stay in registers. ``ELEMENTS`` gives an element of a view or an
element-wise operation; ``ARRAYS`` fills what has to be computed as a whole; ``ARITHMETIC`` and
its neighbours give scalar operations. To add an operation, add it to one of these tables.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from pytensor.graph.basic import Constant
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Alloc,
    AllocEmpty,
    Join,
    MakeVector,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
)
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import Dot
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
)

from forecast.native.llvm import (
    REAL,
    STORED,
    TRUTH,
    WHOLE,
    Builder,
    add,
    call,
    convert,
    divide,
    exp,
    kind,
    load,
    multiply,
    nest,
    number,
    offset,
    save,
    subtract,
)
from forecast.native.program import UnknownOperationError

Index = Sequence[Any]
SMALL = 512
"""Most numbers of an array that is kept on the stack; longer ones share a block of memory."""


@dataclass
class Frame:
    """A function in the making.

    ``clients`` gives the nodes that use each variable, ``places`` the address of arrays and
    ``values`` the numbers that stand in registers; ``block`` holds the address of the memory of
    arrays that are too long for the stack, of ``bytes`` so far.
    """

    builder: ir.IRBuilder
    clients: dict[Any, list[Any]]
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
        raise UnknownOperationError(f"{var} of {var.owner} has no static shape: {found}")
    return tuple(found)


def size(var: Any) -> int:
    """Return the number of elements of a variable."""
    return math.prod(shape(var))


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
        if type_ in ELEMENTS:
            return ELEMENTS[type_](f, var, index)
    raise UnknownOperationError(f"the native backend knows no {type(op).__name__}")


def constant(f: Frame, data: np.ndarray) -> Any:
    """Return the address of an array that never changes."""
    type_ = STORED[str(data.dtype)]
    whole = ir.ArrayType(type_, data.size)
    kept = ir.GlobalVariable(f.module, whole, f"constant{len(f.module.globals)}")
    kept.linkage, kept.global_constant = "internal", True
    numbers = data.astype("int8") if data.dtype == bool else data
    kept.initializer = ir.Constant(whole, numbers.ravel().tolist())
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


def _sigmoid(b: Builder, x: Any) -> Any:
    one = number(1.0)
    return divide(b, one, add(b, one, exp(b, subtract(b, number(0.0), x))))


def _softplus(b: Builder, x: Any) -> Any:
    """Return log(1 + exp(x)) without overflow: its larger part is x itself."""
    size = call(b, "llvm.fabs.f64", x)
    rest = call(b, "log1p", exp(b, subtract(b, number(0.0), size)))
    return add(b, b.select(b.fcmp_ordered(">", x, number(0.0)), x, number(0.0)), rest)


def _log1mexp(b: Builder, x: Any) -> Any:
    """Return log(1 - exp(x)) for x < 0, each half where it is exact (Maechler 2012)."""
    near = call(b, "llvm.log.f64", subtract(b, number(0.0), call(b, "expm1", x)))
    far = call(b, "log1p", subtract(b, number(0.0), exp(b, x)))
    return b.select(b.fcmp_ordered(">", x, number(-math.log(2.0))), near, far)


def _power(b: Builder, x: Any, y: Any) -> Any:
    return call(b, "llvm.pow.f64", x, y)


def _absolute(b: Builder, x: Any) -> Any:
    if x.type == REAL:
        return call(b, "llvm.fabs.f64", x)
    return b.select(b.icmp_signed("<", x, number(0, x.type)), b.neg(x), x)


def _sign(b: Builder, x: Any) -> Any:
    one, zero = number(1.0), number(0.0)
    up = b.select(b.fcmp_ordered(">", x, zero), one, x)
    return b.select(b.fcmp_ordered("<", x, zero), number(-1.0), up)


def _is_infinite(b: Builder, x: Any) -> Any:
    return b.fcmp_ordered("==", call(b, "llvm.fabs.f64", x), number(math.inf))


def _is_nan(b: Builder, x: Any) -> Any:
    return b.fcmp_unordered("uno", x, x)


def larger(b: Builder, x: Any, y: Any) -> Any:
    """Return the larger of two; NaN if either is."""
    return b.select(b.or_(b.fcmp_ordered(">", x, y), _is_nan(b, x)), x, y)


def _smaller(b: Builder, x: Any, y: Any) -> Any:
    return b.select(b.or_(b.fcmp_ordered("<", x, y), _is_nan(b, x)), x, y)


def _of(name: str) -> Callable[..., Any]:
    return lambda b, *values: call(b, name, *values)


def _folded(step: Callable[..., Any]) -> Callable[..., Any]:
    def fold(b: Builder, *values: Any) -> Any:
        out = values[0]
        for value in values[1:]:
            out = step(b, out, value)
        return out

    return fold


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Add": _folded(add),
    "Mul": _folded(multiply),
    "Sub": subtract,
    "TrueDiv": divide,
    "Neg": lambda b, x: subtract(b, number(0, x.type), x),
    "Sqr": lambda b, x: multiply(b, x, x),
    "Reciprocal": lambda b, x: divide(b, number(1.0), x),
    "Pow": _power,
    "Exp": exp,
    "Expm1": _of("expm1"),
    "Log": _of("llvm.log.f64"),
    "Log1p": _of("log1p"),
    "Log1mexp": _log1mexp,
    "Sqrt": _of("llvm.sqrt.f64"),
    "Abs": _absolute,
    "Sign": _sign,
    "Sigmoid": _sigmoid,
    "Softplus": _softplus,
    "Erf": _of("erf"),
    "Erfc": _of("erfc"),
    "Erfcx": _of("scaled_erfc"),
    "Erfcinv": _of("inverse_erfc"),
    "GammaLn": _of("lgamma"),
    "Psi": _of("digamma"),
    "Maximum": _folded(larger),
    "Minimum": _folded(_smaller),
    "Cast": lambda b, x: x,
    "Identity": lambda b, x: x,
}
"""By the name of PyTensor's class; values come in the type of the result."""
COMPARISONS = {"LT": "<", "GT": ">", "LE": "<=", "GE": ">=", "EQ": "==", "NEQ": "!="}
TESTS: dict[str, Callable[..., Any]] = {"IsNan": _is_nan, "IsInf": _is_infinite}
TRUTHS: dict[str, Callable[..., Any]] = {
    "AND": _folded(lambda b, x, y: b.and_(x, y)),
    "OR": _folded(lambda b, x, y: b.or_(x, y)),
    "XOR": _folded(lambda b, x, y: b.xor(x, y)),
    "Invert": lambda b, x: b.not_(x),
}


def _composite(b: Builder, op: Any, *, values: Sequence[Any]) -> Any:
    """Return what several scalar operations give, one after another."""
    known = dict(zip(op.fgraph.inputs, values, strict=True))
    for node in op.fgraph.toposort():
        given = [known[x] if x in known else number(x.data, kind(x.dtype)) for x in node.inputs]
        (out,) = node.outputs
        known[out] = apply(b, node.op, values=given, dtype=out.dtype)
    return known[op.fgraph.outputs[0]]


def apply(b: Builder, op: Any, *, values: Sequence[Any], dtype: str) -> Any:
    """Return a scalar operation's result.

    Parameters
    ----------
    b
        llvmlite's builder.
    op
        PyTensor's scalar operation.
    values
        Its arguments, each in its own type.
    dtype
        Of the result.

    Raises
    ------
    UnknownOperationError
        If the operation is not in the tables above: add it there.
    """
    name, to = type(op).__name__.removeprefix("Scalar"), kind(dtype)
    if name == "Composite":
        return convert(b, _composite(b, op, values=values), to=to)
    if name in ARITHMETIC:
        return ARITHMETIC[name](b, *(convert(b, x, to=to) for x in values))
    if name in COMPARISONS:
        common = REAL if any(x.type == REAL for x in values) else WHOLE
        x, y = (convert(b, value, to=common) for value in values)
        sign = COMPARISONS[name]
        if common is WHOLE:
            return b.icmp_signed(sign, x, y)
        return b.fcmp_unordered(sign, x, y) if name == "NEQ" else b.fcmp_ordered(sign, x, y)
    if name in TESTS:
        return TESTS[name](b, *(convert(b, x, to=REAL) for x in values))
    if name in TRUTHS:
        return TRUTHS[name](b, *values)
    if name == "Second":
        return convert(b, values[1], to=to)
    if name == "Switch":
        truth, *rest = values
        return b.select(convert(b, truth, to=TRUTH), *(convert(b, x, to=to) for x in rest))
    raise UnknownOperationError(f"the native backend knows no {type(op).__name__}")


def broadcast(var: Any, index: Index) -> list[Any]:
    """Return the index into a variable whose axes of length 1 are repeated."""
    zero = number(0, WHOLE)
    return [zero if n == 1 else i for n, i in zip(shape(var), index, strict=True)]


def _elemwise(f: Frame, var: Any, index: Index) -> Any:
    values = [element(f, x, broadcast(x, index)) for x in var.owner.inputs]
    return apply(f.builder, var.owner.op.scalar_op, values=values, dtype=var.type.dtype)


def _scalar(f: Frame, var: Any, index: Index) -> Any:
    values = [element(f, x, ()) for x in var.owner.inputs]
    return apply(f.builder, var.owner.op, values=values, dtype=var.type.dtype)


def _dimshuffle(f: Frame, var: Any, index: Index) -> Any:
    (x,) = var.owner.inputs
    order = var.owner.op.new_order
    at = [number(0, WHOLE)] * len(shape(x))
    for axis, i in zip(order, index, strict=True):
        if axis != "x":
            at[axis] = i
    return element(f, x, at)


def _same(f: Frame, var: Any, index: Index) -> Any:
    return element(f, var.owner.inputs[0], index)


def _number(f: Frame, var: Any, index: Index) -> Any:
    x = var.owner.inputs[0]
    return element(f, x, [number(0, WHOLE)] * len(shape(x)))


def _alloc(f: Frame, var: Any, index: Index) -> Any:
    x = var.owner.inputs[0]
    return element(f, x, broadcast(x, index[len(index) - len(shape(x)) :]))


def _reshape(f: Frame, var: Any, index: Index) -> Any:
    x, b = var.owner.inputs[0], f.builder
    rest, at = offset(b, index, lengths=shape(var)), []
    for n in reversed(shape(x)):
        length = number(n, WHOLE)
        at.append(b.urem(rest, length))
        rest = b.udiv(rest, length)
    return element(f, x, at[::-1])


def _split(f: Frame, var: Any, index: Index) -> Any:
    x, at, k = var.owner.inputs[0], list(index), var.owner.op.axis
    before = sum(shape(out)[k] for out in var.owner.outputs[: var.owner.outputs.index(var)])
    at[k] = f.builder.add(at[k], number(before, WHOLE))
    return element(f, x, at)


def _positive(f: Frame, i: Any, *, length: int) -> Any:
    """Return a position that may count from the end as one that does not."""
    b = f.builder
    i = convert(b, i, to=WHOLE)
    if isinstance(i, ir.Constant):
        return number(i.constant % length if length else 0, WHOLE)
    return b.select(b.icmp_signed("<", i, number(0, WHOLE)), b.add(i, number(length, WHOLE)), i)


def _fixed(var: Any) -> int | None:
    """Return the number of a constant that bounds a slice."""
    return var if var is None or isinstance(var, int) else int(var.data)


def selected(f: Frame, indices: Sequence[Any], *, of: Any, index: Index) -> list[Any]:
    """Return where in ``of`` the element ``index`` of a selection from it lies.

    ``indices`` are slices with fixed bounds, and whole numbers or arrays of them; the arrays stand
    side by side, so that their common axes take the place of the first.
    """
    b, arrays = f.builder, [i for i in indices if not isinstance(i, slice)]
    width = max((len(shape(i)) for i in arrays), default=0)
    indices = [*indices, *[slice(None)] * (len(shape(of)) - len(indices))]
    at, used, common = [], 0, None
    for i, length in zip(indices, shape(of), strict=True):
        if isinstance(i, slice):
            start, _, step = slice(*map(_fixed, (i.start, i.stop, i.step))).indices(length)
            moved = b.mul(index[used], number(step, WHOLE))
            at.append(b.add(moved, number(start, WHOLE)))
            used += 1
            continue
        if common is None:
            common, used = list(index[used : used + width]), used + width
        where = broadcast(i, common[width - len(shape(i)) :])
        at.append(_positive(f, element(f, i, where), length=length))
    return at


def _indices(node: Any, *, first: int) -> list[Any]:
    return list(indices_from_subtensor(node.inputs[first:], node.op.idx_list))


def _subtensor(f: Frame, var: Any, index: Index) -> Any:
    node = var.owner
    x = node.inputs[0]
    return element(f, x, selected(f, _indices(node, first=1), of=x, index=index))


ELEMENTS: dict[type, Callable[..., Any]] = {
    Elemwise: _elemwise,
    DimShuffle: _dimshuffle,
    SpecifyShape: _same,
    CheckAndRaise: _same,
    ScalarFromTensor: _number,
    TensorFromScalar: _number,
    Alloc: _alloc,
    Reshape: _reshape,
    Split: _split,
    Subtensor: _subtensor,
    AdvancedSubtensor: _subtensor,
}
"""One element of a result, by operation."""


def _put(f: Frame, value: Any, var: Any, *, index: Index) -> None:
    at = offset(f.builder, index, lengths=shape(var))
    save(f.builder, value, f.places[var], at=at, dtype=var.type.dtype)


def _copy(f: Frame, source: Any, var: Any) -> None:
    nest(f.builder, shape(var), lambda i: _put(f, element(f, source, i), var, index=i))


def _increment(f: Frame, node: Any) -> None:
    """Fill x with y added (or put) at a selection."""
    x, y, *_ = node.inputs
    out, indices, b = node.outputs[0], _indices(node, first=2), f.builder
    place_of(f, out)
    _copy(f, x, out)
    lengths = _selection(indices, x)

    def body(index: list[Any]) -> None:
        where = selected(f, indices, of=x, index=index)
        value = element(f, y, broadcast(y, index[len(index) - len(shape(y)) :]))
        value = convert(b, value, to=kind(out.type.dtype))
        if not node.op.set_instead_of_inc:
            at = offset(b, where, lengths=shape(out))
            value = add(b, load(b, f.places[out], at, dtype=out.type.dtype), value)
        _put(f, value, out, index=where)

    nest(b, lengths, body)


def _selection(indices: Sequence[Any], x: Any) -> list[int]:
    """Return the shape of a selection from ``x``."""
    indices = [*indices, *[slice(None)] * (len(shape(x)) - len(indices))]
    arrays = [shape(i) for i in indices if not isinstance(i, slice)]
    width = max(map(len, arrays), default=0)
    common = [max(s[k] for s in arrays if k < len(s)) for k in range(width)]
    out: list[int] = []
    for i, length in zip(indices, shape(x), strict=True):
        if isinstance(i, slice):
            out.append(len(range(length)[slice(*map(_fixed, (i.start, i.stop, i.step)))]))
        elif common is not None:
            out += common
            common = None  # type: ignore[assignment]
    return out


def _join(f: Frame, node: Any) -> None:
    out, k, before = node.outputs[0], node.op.axis, 0
    place_of(f, out)
    for part in node.inputs:
        nest(f.builder, shape(part), partial(_put_part, f, out, part=part, axis=k, before=before))
        before += shape(part)[k]


def _put_part(f: Frame, out: Any, index: list[Any], *, part: Any, axis: int, before: int) -> None:
    """Put an element of a part into the whole, ``before`` further along the axis."""
    at = list(index)
    at[axis] = f.builder.add(at[axis], number(before, WHOLE))
    _put(f, element(f, part, index), out, index=at)


def _vector(f: Frame, node: Any) -> None:
    (out,) = node.outputs
    place_of(f, out)
    for i, x in enumerate(node.inputs):
        _put(f, element(f, x, ()), out, index=[number(i, WHOLE)])


def _running(f: Frame, node: Any) -> None:
    """Fill the running sum along an axis."""
    (x,), (out,), k = node.inputs, node.outputs, node.op.axis
    if node.op.mode != "add" or (k is None and len(shape(x)) > 1):
        raise UnknownOperationError(f"the native backend knows no {node.op}")
    k, b, dtype = k or 0, f.builder, out.type.dtype
    place_of(f, out)
    _copy(f, x, out)

    def body(index: list[Any]) -> None:
        after = list(index)
        after[k] = b.add(index[k], number(1, WHOLE))
        pair = [offset(b, i, lengths=shape(out)) for i in (index, after)]
        values = [load(b, f.places[out], at, dtype=dtype) for at in pair]
        _put(f, add(b, *values), out, index=after)

    nest(b, [max(n - (i == k), 0) for i, n in enumerate(shape(x))], body)


REDUCED: dict[str, tuple[Callable[..., Any], float]] = {
    "Add": (add, 0),
    "Mul": (multiply, 1),
    "AND": (lambda b, x, y: b.and_(x, y), 1),
    "OR": (lambda b, x, y: b.or_(x, y), 0),
    "Maximum": (larger, -math.inf),
    "Minimum": (_smaller, math.inf),
}
"""Step and start of each reduction."""
EXTREMES = ("Maximum", "Minimum")
"""Reductions that know real numbers alone."""


def _reduce(f: Frame, node: Any) -> None:
    (x,), (out,), b = node.inputs, node.outputs, f.builder
    name = type(node.op.scalar_op).__name__.removeprefix("Scalar")
    n, type_ = len(shape(x)), kind(out.type.dtype)
    if name not in REDUCED or (name in EXTREMES and type_ != REAL):
        raise UnknownOperationError(f"the native backend knows no {node.op} of {x.type}")
    step, start = REDUCED[name]
    axes = range(n) if node.op.axis is None else [a % n for a in node.op.axis]
    kept = [a for a in range(n) if a not in axes]
    with b.goto_entry_block():
        slot = b.alloca(type_)

    def total(index: list[Any]) -> Any:
        b.store(number(start, type_), slot)

        def body(inner: list[Any]) -> None:
            at = dict(zip([*kept, *axes], [*index, *inner], strict=True))
            value = convert(b, element(f, x, [at[a] for a in range(n)]), to=type_)
            b.store(step(b, b.load(slot), value), slot)

        nest(b, [shape(x)[a] for a in axes], body)
        return b.load(slot)

    if size(out) == 1:
        f.values[out] = total([number(0, WHOLE)] * len(kept))
        return
    place_of(f, out)
    nest(b, shape(out), lambda index: _put(f, total(index), out, index=index))


def _empty(f: Frame, node: Any) -> None:
    place_of(f, node.outputs[0])


def _product(f: Frame, node: Any) -> None:
    """Fill the product of two matrices, or of a matrix and a vector."""
    x, y = node.inputs
    (result,), b = node.outputs, f.builder
    *rows, n = shape(x)
    type_ = kind(result.type.dtype)
    address(f, x), address(f, y)  # each element is used several times
    with b.goto_entry_block():
        slot = b.alloca(type_)

    def total(index: list[Any]) -> Any:
        row, column = index[: len(rows)], index[len(rows) :]
        b.store(number(0, type_), slot)

        def body(k: list[Any]) -> None:
            values = element(f, x, [*row, *k]), element(f, y, [*k, *column])
            product = multiply(b, *(convert(b, value, to=type_) for value in values))
            b.store(add(b, b.load(slot), product), slot)

        nest(b, [n], body)
        return b.load(slot)

    if shape(result) == ():
        f.values[result] = total([])
        return
    place_of(f, result)
    nest(b, shape(result), lambda index: _put(f, total(index), result, index=index))


ARRAYS: dict[type, Callable[..., None]] = {
    AllocEmpty: _empty,
    Dot: _product,
    IncSubtensor: _increment,
    AdvancedIncSubtensor: _increment,
    Join: _join,
    MakeVector: _vector,
    CumOp: _running,
    CAReduce: _reduce,
}
"""All of a result, by operation."""
