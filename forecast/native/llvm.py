"""What every part of the compiler writes in LLVM: numbers, loops, and arrays in memory.

Numbers have one of three types: double, 64-bit integer, and truth (one bit). LLVM may reorder
sums and contract products (:data:`FLAGS`); it may not assume that numbers are finite.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from scipy import special

REAL, WHOLE, TRUTH = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
BYTES = ir.IntType(8).as_pointer()
FLAGS = ("reassoc", "nsz", "arcp", "contract")
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
Builder = Any


def kind(dtype: str) -> ir.Type:
    """Return the type that holds a value of a dtype."""
    return REAL if dtype.startswith("float") else TRUTH if dtype == "bool" else WHOLE


def number(value: float, type_: ir.Type = REAL) -> ir.Constant:
    """Return a constant."""
    return ir.Constant(type_, float(value) if type_ is REAL else int(value))


def convert(b: Builder, value: Any, *, to: ir.Type) -> Any:
    """Return the value in another type."""
    if value.type == to:
        return value
    if to == REAL:
        return b.uitofp(value, REAL) if value.type == TRUTH else b.sitofp(value, REAL)
    if to == WHOLE:
        return b.zext(value, WHOLE) if value.type == TRUTH else b.fptosi(value, WHOLE)
    zero = number(0, value.type)
    if value.type == REAL:
        return b.fcmp_unordered("!=", value, zero)
    return b.icmp_signed("!=", value, zero)


def call(b: Builder, name: str, *values: Any) -> Any:
    """Return the value of a function of doubles, an intrinsic of LLVM or a symbol of libm."""
    kind_of = ir.FunctionType(REAL, [REAL] * len(values))
    function = b.module.globals.get(name) or ir.Function(b.module, kind_of, name)
    return b.call(function, values)


def add(b: Builder, x: Any, y: Any) -> Any:
    """Return x + y of either numeric type."""
    return b.fadd(x, y, flags=FLAGS) if x.type == REAL else b.add(x, y)


def multiply(b: Builder, x: Any, y: Any) -> Any:
    """Return x * y of either numeric type."""
    return b.fmul(x, y, flags=FLAGS) if x.type == REAL else b.mul(x, y)


def subtract(b: Builder, x: Any, y: Any) -> Any:
    """Return x - y of either numeric type."""
    return b.fsub(x, y, flags=FLAGS) if x.type == REAL else b.sub(x, y)


def divide(b: Builder, x: Any, y: Any) -> Any:
    """Return x / y of doubles."""
    return b.fdiv(x, y, flags=FLAGS)


LARGEST, LEAST = 709.5, -708.0
"""Powers of e beyond which :func:`exp` gives what it gives there."""
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
"""log(2) in two parts, the first with zeros at its end, so that n times it is exact."""
FRACTION, BIAS = 52, 1023
"""Bits of a double after those of its exponent, and what its exponent is counted from."""
ROUND = 1.5 * 2.0**FRACTION
"""What rounds a number that it is added to, and leaves the whole in the last bits of the sum."""


def _coefficients(degree: int) -> list[float]:
    """Return those of q in exp(r) = 1 + r q(r), from Chebyshev points within log(2) / 2 of 0."""
    half = 0.5 * math.log(2.0)
    points = np.polynomial.Chebyshev.interpolate(lambda x: special.exprel(half * x), degree)
    coefficients = points.convert(kind=np.polynomial.Polynomial).coef
    return [float(c) / half**k for k, c in enumerate(coefficients)]


Q = _coefficients(9)
"""Coefficients of q: the error is that of rounding, 7e-16."""


def exp(b: Builder, x: Any) -> Any:
    """Return exp(x): of libm, or, in a module whose ``inline_exp`` is true, in plain operations.

    LLVM does the latter for several numbers at once: with n the whole number nearest to x / log 2,
    it is 2^n exp(x - n log 2). NaN stays NaN.
    """
    if not getattr(b.module, "inline_exp", False):
        return call(b, "llvm.exp.f64", x)
    x = b.select(b.fcmp_ordered(">", x, number(LARGEST)), number(LARGEST), x)
    x = b.select(b.fcmp_ordered("<", x, number(LEAST)), number(LEAST), x)
    fused = ("contract",)
    shifted = b.fadd(b.fmul(x, number(1.0 / math.log(2.0)), flags=fused), number(ROUND))
    n = b.fsub(shifted, number(ROUND))
    r = b.fsub(x, b.fmul(n, number(LN2_HIGH), flags=fused), flags=fused)
    r = b.fsub(r, b.fmul(n, number(LN2_LOW), flags=fused), flags=fused)
    power = number(Q[-1])
    for c in (*reversed(Q[:-1]), 1.0):
        power = b.fadd(b.fmul(power, r, flags=fused), number(c), flags=fused)
    exponent = b.add(b.bitcast(shifted, WHOLE), number(BIAS, WHOLE))
    return b.fmul(power, b.bitcast(b.shl(exponent, number(FRACTION, WHOLE)), REAL))


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
