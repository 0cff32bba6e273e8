"""The two C callbacks that nutpie calls, in LLVM, around the functions of the graphs.

nutpie's user data begins with the addresses of the shared arrays, then of centre and scale of the
metric in which the sampler moves: :math:`x = c + L z`, and the gradient
by z is :math:`L^T` times that by x.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

from llvmlite import ir

from forecast.native.llvm import BYTES, REAL, WHOLE, add, call, loop, multiply, number

DOUBLES = REAL.as_pointer()
BLOCK = 4
"""Rows of the metric that are multiplied at once: what they share is loaded once. Columns run to
the end of the block, as the metric has zeros above its diagonal."""


@dataclass(frozen=True)
class Table:
    """What the user data of ``n_dim`` parameters begins with: names of the arrays, in order."""

    names: tuple[str, ...]
    n_dim: int

    def load(self, b: Any, data: Any, *, name: str, type_: Any = DOUBLES) -> Any:
        """Return the address of an array."""
        slots = b.bitcast(data, WHOLE.as_pointer())
        raw = b.load(b.gep(slots, [number(self.names.index(name), WHOLE)]))
        return b.inttoptr(raw, type_)


def _begin(body: ir.Function, name: str, *, takes: Sequence[Any]) -> tuple[Any, Any]:
    """Return the builder of a new exported callback, and the callback."""
    made = ir.Function(body.module, ir.FunctionType(WHOLE, takes), name)
    return ir.IRBuilder(made.append_basic_block("entry")), made


def _require(b: Any, truth: Any, *, code: int) -> None:
    """Return ``code`` to nutpie unless something is true."""
    with b.if_then(b.not_(truth), likely=False):
        b.ret(number(code, WHOLE))


def _room(b: Any, n: int) -> Any:
    return b.bitcast(b.alloca(ir.ArrayType(REAL, n)), DOUBLES)


def _blocks(b: Any, n: int, *, body: Any) -> None:
    """Run ``body`` for the first row of each block of rows, and for each row that is left over.

    Its second argument is the number of rows of the block.
    """
    whole = n // BLOCK
    loop(b, whole, lambda k: body(b.mul(k, number(BLOCK, WHOLE)), BLOCK))
    if n % BLOCK:
        loop(b, n % BLOCK, lambda k: body(b.add(k, number(whole * BLOCK, WHOLE)), 1))


def _rows(b: Any, scale: Any, first: Any, *, n: int, many: int) -> list[tuple[Any, Any]]:
    """Return the places of some rows of the metric, each with its number."""
    numbers = [b.add(first, number(k, WHOLE)) for k in range(many)]
    return [(i, b.gep(scale, [b.mul(i, number(n, WHOLE))])) for i in numbers]


def _outward(b: Any, table: Table, *, z: Any, data: Any) -> Any:
    """Return the address of x = centre + scale @ z."""
    n, slots = table.n_dim, [b.alloca(REAL) for _ in range(BLOCK)]
    x = _room(b, n)
    centre, scale = (table.load(b, data, name=m) for m in ("metric_centre", "metric_scale"))

    def block(first: Any, many: int) -> None:
        rows = _rows(b, scale, first, n=n, many=many)
        for slot in slots[:many]:
            b.store(number(0.0), slot)

        def term(j: Any) -> None:
            by = b.load(b.gep(z, [j]))
            for slot, (_, start) in zip(slots, rows, strict=False):
                product = multiply(b, b.load(b.gep(start, [j])), by)
                b.store(add(b, b.load(slot), product), slot)

        loop(b, b.add(first, number(many, WHOLE)), term)
        for slot, (i, _) in zip(slots, rows, strict=False):
            b.store(add(b, b.load(b.gep(centre, [i])), b.load(slot)), b.gep(x, [i]))

    _blocks(b, n, body=block)
    return x


def _inward(b: Any, table: Table, *, gradient: Any, data: Any, out: Any) -> None:
    """Put scale.T @ gradient into ``out``, which overlaps nothing else."""
    n, total = table.n_dim, _room(b, table.n_dim)
    scale = table.load(b, data, name="metric_scale")
    loop(b, n, lambda j: b.store(number(0.0), b.gep(total, [j])))

    def block(first: Any, many: int) -> None:
        rows = _rows(b, scale, first, n=n, many=many)
        by = [b.load(b.gep(gradient, [i])) for i, _ in rows]

        def term(j: Any) -> None:
            at = b.gep(total, [j])
            parts = [
                multiply(b, b.load(b.gep(row, [j])), g)
                for g, (_, row) in zip(by, rows, strict=True)
            ]
            b.store(reduce(partial(add, b), parts, b.load(at)), at)

        loop(b, b.add(first, number(many, WHOLE)), term)

    _blocks(b, n, body=block)
    loop(b, n, lambda j: b.store(b.load(b.gep(total, [j])), b.gep(out, [j])))


def _finite(b: Any, x: Any) -> Any:
    return b.fcmp_ordered("<", call(b, "llvm.fabs.f64", x), number(float("inf")))


def _arguments(b: Any, body: ir.Function, table: Table, *, data: Any, of: Sequence[str]) -> Any:
    """Return the addresses of the shared arrays that a function takes last."""
    types = [argument.type for argument in body.args[len(body.args) - len(of) :]]
    pairs = zip(of, types, strict=True)
    return [table.load(b, data, name=name, type_=type_) for name, type_ in pairs]


def add_value(body: ir.Function, table: Table, *, of: Sequence[str]) -> None:
    """Add the callback for value and gradient, with nutpie's own error codes.

    Parameters
    ----------
    body
        The function of (value, gradient, x, shared arrays).
    table
        What the user data begins with.
    of
        Names of the arrays that the function takes.
    """
    b, made = _begin(body, "value", takes=[WHOLE, DOUBLES, DOUBLES, DOUBLES, BYTES])
    dim, z, out, logp, data = made.args
    n = table.n_dim
    _require(b, b.icmp_signed("==", dim, number(n, WHOLE)), code=-1)
    x, gradient, truth = _outward(b, table, z=z, data=data), _room(b, n), b.alloca(ir.IntType(1))
    b.call(body, [logp, gradient, x, *_arguments(b, body, table, data=data, of=of)])
    b.store(ir.Constant(ir.IntType(1), 1), truth)

    def check(i: Any) -> None:
        b.store(b.and_(b.load(truth), _finite(b, b.load(b.gep(gradient, [i])))), truth)

    loop(b, n, check)
    _require(b, b.load(truth), code=3)
    _require(b, _finite(b, b.load(logp)), code=4)
    _inward(b, table, gradient=gradient, data=data, out=out)
    b.ret(number(0, WHOLE))


def add_expand(body: ir.Function, table: Table, *, of: Sequence[str], shapes: Any) -> None:
    """Add the callback that expands one whitened point to all kept variables.

    ``body`` is the function of (each variable's address, x, shared arrays), ``shapes`` its slices
    of the expanded draw.
    """
    b, made = _begin(body, "expand", takes=[WHOLE, WHOLE, DOUBLES, DOUBLES, BYTES])
    dim, expanded, z, out, data = made.args
    right = b.icmp_signed("==", dim, number(table.n_dim, WHOLE))
    total = b.icmp_signed("==", expanded, number(shapes[-1].stop, WHOLE))
    _require(b, b.and_(right, total), code=-1)
    x = _outward(b, table, z=z, data=data)
    places = [b.gep(out, [number(s.start, WHOLE)]) for s in shapes]
    b.call(body, [*places, x, *_arguments(b, body, table, data=data, of=of)])
    b.ret(number(0, WHOLE))
