"""Time one value and gradient beside what its own transcendental calls cost by themselves.

Run from the checkout: ``python -m benchmarks.gradient``. The model of the default priors is
translated once more with a counter beside each call of exp, log and the like; then each function is
timed alone, in a loop that the same compiler makes. The ratings' kernel takes its exp and log from
code of its own, whose calls follow from the numbers of cells, rows and raters.
"""

import ctypes
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numba
import numpy as np
from llvmlite import ir
from numba.core import types

from benchmarks.common import rows_of, stated_case
from forecast.inference.backend import native_program
from forecast.inference.case import structure_of
from forecast.inference.sampling import compiled_model, swap
from forecast.native import llvm, lowering, operations, program
from forecast.native.llvm import nest
from forecast.native.lowering import add_function
from forecast.native.nutpie_callbacks import Table, add_value
from forecast.native.object_code import compiled, helpers, translate
from forecast.native.operations import shape
from models.ratings.kernel import FAST, _exp, log_of
from models.ratings.op import WeightedRatings

CHEAP = ("llvm.fabs.f64", "llvm.sqrt.f64")
"""Calls that are one instruction."""
KERNEL_EXP, KERNEL_LOG = "the ratings' exp", "the ratings' log"
KERNEL = {KERNEL_EXP: _exp, KERNEL_LOG: log_of}
"""Calls of the ratings' kernel: an exp and a log of its own, several at once."""
REPEATS, CALLS, LENGTH = 15, 400, 256
POSITIVE = ("log", "lgamma", "digamma", "erfc", "pow")
"""Parts of the names of functions that are timed between 0.05 and 5, the others from -2 to 2."""
WHOLE = ir.IntType(64)


def main() -> None:
    """Print the gradient's time, its calls, their cost, and the ratio."""
    case = stated_case()
    model = swap(compiled_model(case), case)
    taken = middle(calling(model), CALLS)
    counts = graph_calls(case, model) + kernel_calls(case)
    costs = {name: call_seconds(name) for name in counts}
    floor = sum(n * costs[name] for name, n in counts.items())
    scalar = floor + counts[KERNEL_EXP] * (costs["llvm.exp.f64"] - costs[KERNEL_EXP])
    print(f"value and gradient: {taken * 1e6:.1f} us (median of {REPEATS} times {CALLS} calls)")
    for name, n in counts.most_common():
        print(f"  {name:18} {n:5} calls x {costs[name] * 1e9:6.2f} ns")
    print(f"these calls alone: {floor * 1e6:.1f} us; the gradient takes {taken / floor:.2f} x that")
    print(f"with the library's exp for all: {scalar * 1e6:.1f} us, {taken / scalar:.2f} x that")


def middle(once: Callable[[], object], calls: int) -> float:
    """Return the median over repeats of the seconds of one call."""
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for _ in range(calls):
            once()
        found.append((time.perf_counter() - start) / calls)
    return statistics.median(found)


def calling(model: Any) -> Callable[[], object]:
    """Return one call of value and gradient, as nutpie makes it, at a starting point."""
    real = ctypes.POINTER(ctypes.c_double)
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, real, real, real, ctypes.c_void_p)
    point = np.array(model.initial_point_func(0), dtype=float)
    arrays = point, np.zeros(model.n_dim), np.zeros(1)
    places = [a.ctypes.data_as(real) for a in arrays]
    code, data = kind(model.compiled_logp_func.address), model.user_data.ctypes.data
    if code(model.n_dim, *places, data) != 0:
        raise RuntimeError("the density at the starting point is not finite")
    return lambda: (code(model.n_dim, *places, data), arrays)


def graph_calls(case: Any, model: Any) -> Counter[str]:
    """Return how often the graph's code calls each function for one value and gradient."""
    from models.model import build_sampled

    structure, names = structure_of(case), []
    built, _ = build_sampled(case.by_name, case.evidence.arrays, structure=structure)
    counting = _counting(names)
    with (
        patch.object(llvm, "call", counting),
        patch.object(operations, "call", counting),
        patch.object(
            lowering, "_code", lambda value, _, shared, **rest: (_code(value, shared, names), {})
        ),
        patch.object(lowering, "_check", lambda *_, **__: 0.0),
    ):
        code = lowering.compile_model(built, []).code
    engine = program.linked((*code, *native_program(case, structure).code[1:]))
    address = engine.get_function_address("value")
    counted = replace(model, compiled_logp_func=_At(address, engine))
    out = (ctypes.c_int64 * len(names))()
    read = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.get_function_address("counts"))
    calling(counted)
    read(out)
    return Counter({n: c for n, c in zip(names, out, strict=True) if c and n not in CHEAP})


class _At:
    """A callback at an address, and what keeps its code alive."""

    def __init__(self, address: int, keep: Any) -> None:
        self.address, self.keep = address, keep


def _counting(names: list[str]) -> Callable[..., Any]:
    """Return ``llvm.call`` with a counter of each function's calls."""
    usual = llvm.call

    def call(b: Any, name: str, *values: Any) -> Any:
        mark = f"calls of {name}"
        if mark not in b.module.globals:
            counter = ir.GlobalVariable(b.module, WHOLE, mark)
            counter.initializer, counter.linkage = ir.Constant(WHOLE, 0), "internal"
            names.append(name)
        counter = b.module.globals[mark]
        b.store(b.add(b.load(counter), ir.Constant(WHOLE, 1)), counter)
        return usual(b, name, *values)

    return call


def _code(value: Any, shared: dict[str, Any], names: list[str]) -> bytes:
    """Return the code of value and gradient, and of ``counts``, which copies the counters."""
    module = ir.Module("counted")
    table = Table((*shared, *program.METRIC), shape(value.inputs[0])[0])
    body, _ = add_function(value, module, name="value_body", numba_ops=(WeightedRatings,))
    add_value(body, table, of=lowering.shared_names(value))
    kind = ir.FunctionType(ir.VoidType(), [WHOLE.as_pointer()])
    function = ir.Function(module, kind, "counts")
    b = ir.IRBuilder(function.append_basic_block())
    for i, name in enumerate(names):
        place = b.gep(function.args[0], [ir.Constant(WHOLE, i)])
        b.store(b.load(module.globals[f"calls of {name}"]), place)
    b.ret_void()
    return compiled(module, helpers(module), exported=("value", "counts"))


def kernel_calls(case: Any) -> Counter[str]:
    """Return the calls of the ratings' kernel (``models/rating_*.py``).

    A cell with rows: 16 chances of steps and tracking, 64 of no use, 2 of scale; a table of a
    rater or a kind: 64, twice; one log for each row.
    """
    rows, structure = rows_of(case)["ratings"], structure_of(case)
    tables = len(structure.raters) + len(structure.kinds)
    exps = 82 * len(np.unique(rows["cell"])) + 128 * tables
    return Counter({KERNEL_EXP: exps, KERNEL_LOG: len(rows["weight"])})


def call_seconds(name: str) -> float:
    """Return the seconds of one call of a function, in a loop over an array."""
    code = _kernel_loop(KERNEL[name]) if name in KERNEL else _loop(name)
    engine = program.linked((code,))
    low, high = (0.05, 5.0) if any(part in name for part in POSITIVE) else (-2.0, 2.0)
    arrays = np.linspace(low, high, LENGTH), np.empty(LENGTH)
    places = [a.ctypes.data for a in arrays]
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    once = run(engine.get_function_address("loop"))
    return middle(lambda: (once(*places), arrays, engine), CALLS) / LENGTH


def _loop(name: str) -> bytes:
    """Return the code of a loop over a function that the graph calls."""
    module, function, b = _start()

    def body(index: list[Any]) -> None:
        x = b.load(b.gep(function.args[0], index))
        values = [x] * (2 if "pow" in name else 1)
        b.store(llvm.call(b, name, *values), b.gep(function.args[1], index))

    nest(b, (LENGTH,), body)
    b.ret_void()
    return compiled(module, helpers(module), exported=("loop",))


def _kernel_loop(one: Callable[[float], float]) -> bytes:
    """Return the code of a loop over a function of the kernel's, at its best: nothing else."""

    @numba.njit(fastmath=FAST, error_model="numpy")
    def many(x: Any, out: Any) -> None:
        for i in range(LENGTH):
            out[i] = one(x[i])

    def from_c(x: Any, out: Any) -> None:
        many(numba.carray(x, (LENGTH,)), numba.carray(out, (LENGTH,)))

    symbol, modules = translate(from_c, types.void(*[types.CPointer(types.double)] * 2))
    module, function, b = _start()
    b.call(ir.Function(module, function.function_type, symbol), function.args)
    b.ret_void()
    return compiled(module, modules, exported=("loop",))


def _start() -> tuple[ir.Module, ir.Function, ir.IRBuilder]:
    """Return a module with a function ``loop`` of two arrays that do not overlap."""
    module, real = ir.Module("loop"), ir.DoubleType().as_pointer()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [real, real]), "loop")
    for argument in function.args:
        argument.add_attribute("noalias")
    entry, start = (function.append_basic_block(name) for name in ("entry", "start"))
    ir.IRBuilder(entry).branch(start)
    return module, function, ir.IRBuilder(start)


if __name__ == "__main__":
    main()
