"""Rules of PyTensor's array operations: one element of a view, or the whole of a result.

``RULES`` gives an element of a view or an element-wise operation from elements of its inputs;
``WHOLES`` fills what has to be computed as a whole. :mod:`lowering` decides which
variables are put in memory.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llvmlite import ir
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor.basic import (
    Alloc,
    Join,
    MakeVector,
    ScalarFromTensor,
    Split,
    TensorFromScalar,
)
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
    indices_from_subtensor,
)

from forecast.compiler.lowering import (
    Frame,
    element,
    load,
    nest,
    offset,
    place_of,
    save,
    shape,
    size,
)
from forecast.compiler.scalars import WHOLE, add, apply, convert, kind, multiply, number

Index = Sequence[Any]


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


RULES: dict[type, Callable[..., Any]] = {
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
        raise NotImplementedError(f"forecast/compiler/elements.py knows no {node.op}")
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
}
"""Step and start of each reduction."""


def _reduce(f: Frame, node: Any) -> None:
    (x,), (out,), b = node.inputs, node.outputs, f.builder
    step, start = REDUCED[type(node.op.scalar_op).__name__.removeprefix("Scalar")]
    n, type_ = len(shape(x)), kind(out.type.dtype)
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


WHOLES: dict[type, Callable[..., None]] = {
    IncSubtensor: _increment,
    AdvancedIncSubtensor: _increment,
    Join: _join,
    MakeVector: _vector,
    CumOp: _running,
    CAReduce: _reduce,
}
"""All of a result, by operation."""
