"""Scalar operations of PyTensor as LLVM instructions.

Values have one of three types: double, 64-bit whole number, and truth (one bit). LLVM may reorder
sums and contract products (:data:`FLAGS`); it may not assume that numbers are finite.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

REAL, WHOLE, TRUTH = ir.DoubleType(), ir.IntType(64), ir.IntType(1)
FLAGS = ("reassoc", "nsz", "arcp", "contract")
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


def exp(b: Builder, x: Any) -> Any:
    """Return exp(x)."""
    return call(b, "llvm.exp.f64", x)


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


def _larger(b: Builder, x: Any, y: Any) -> Any:
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
    "Maximum": _folded(_larger),
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
    NotImplementedError
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
    raise NotImplementedError(f"forecast/compiler/scalars.py knows no {type(op).__name__}")
