"""Functions written for numba as LLVM modules, optimised once with the code that calls them.

Numba optimises each function it meets, emits machine code for it, and does both again in each of
its callers. Here functions are only translated; all that a
module needs is linked, optimised and emitted once.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.core.caching import Cache
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

from forecast.native.llvm import STORED, WHOLE


class _Unfinished(JITCodeLibrary):
    """A library whose code is neither optimised nor emitted."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leave it to the program."""

    def finalize(self) -> None:
        """Only say that nothing is added any more."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return the address of a function: there is none yet."""
        return 0


@contextmanager
def _unfinished() -> Iterator[None]:
    """Let numba translate functions to LLVM and do no more; none of them can be called.

    Numba remembers them, so the process must not run the same functions by numba afterwards, nor
    have run them before: compile in a process of its own. Numba's cache on disk is not used, as it
    holds code that was optimised.
    """
    codegen = cpu_target.target_context.codegen()
    codegen._library_class, codegen.set_env = _Unfinished, lambda name, env: None
    load, save = Cache.load_overload, Cache.save_overload
    Cache.load_overload = Cache.save_overload = lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del codegen._library_class, codegen.set_env
        Cache.load_overload, Cache.save_overload = load, save  # type: ignore[method-assign]


def translate(function: Callable[..., Any], signature: Any) -> tuple[str, list[Any]]:
    """Return the symbol of a function that C can call, and the modules of all that it calls."""
    with _unfinished():
        made = numba.cfunc(signature, error_model="numpy")(function)
    return made.native_name, list(_modules(vars(made)["_library"], set()))


def _modules(library: Any, seen: set[int]) -> Iterator[Any]:
    """Yield copies of the modules of a library and of those it needs, each once."""
    if id(library) in seen:
        return
    seen.add(id(library))
    for needed in library._linking_libraries:
        yield from _modules(needed, seen)
    copy = library._final_module.clone()
    for function in copy.functions:
        if not function.is_declaration and function.linkage == binding.Linkage.external:
            function.linkage = "weak_odr"  # kept until all is linked, and defined more than once
    yield copy


def compiled(module: ir.Module, needed: Sequence[Any], *, exported: Sequence[str]) -> bytes:
    """Return the object code of a module linked with those it needs, optimised as numba does."""
    codegen = cpu_target.target_context.codegen()
    module.triple, module.data_layout = binding.get_process_triple(), codegen._data_layout
    library = JITCodeLibrary(codegen, "program")
    whole = library._final_module
    for one in (binding.parse_assembly(str(module)), *needed):
        one.verify()
        whole.link_in(one)
    for function in whole.functions:
        if not function.is_declaration and function.name not in exported:
            function.linkage = "internal"
    _optimise(whole, codegen._tm)
    return bytes(codegen._tm.emit_object(whole))


def _optimise(whole: Any, machine: Any) -> None:
    """Optimise a linked module: inline and drop counts of references first, as numba does.

    Loops of a known small length stay loops until they are turned into vectors, and are unrolled in
    a pass of its own after that; numba's own settings unroll them before, and then leave the pieces
    scalar.
    """
    for level, vectors, unrolled in ((0, False, True), (3, True, False), (3, False, True)):
        options = binding.create_pipeline_tuning_options(level)
        options.loop_vectorization = options.slp_vectorization = vectors
        options.loop_interleaving, options.loop_unrolling = vectors, unrolled
        builder = binding.create_pass_builder(machine, options)
        passes = builder.getModulePassManager()
        if level == 0:
            passes.add_loop_rotate_pass()
            passes.add_instruction_combine_pass()
            passes.add_jump_threading_pass()
        passes.add_refprune_pass()
        passes.run(whole, builder)
    whole.verify()


def symbol_of(node: Any) -> str:
    """Return the symbol of a node's own code, from its Op and the types of its arrays."""
    op, variables = node.op, [*node.inputs, *node.outputs]
    props = [(name, getattr(op, name)) for name in getattr(op, "__props__", None) or ()]
    types = [(var.type.dtype, len(var.type.shape)) for var in variables]
    identity = repr((type(op).__module__, type(op).__qualname__, props, types))
    return f"op_{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def numba_routine(node: Any) -> bytes:
    """Return the object code of an Op that PyTensor has a numba implementation of.

    It exports ``symbol_of(node)``, a function of each input's and output's address and lengths.
    """
    from pytensor.link.numba.dispatch.basic import numba_funcify

    variables, start = [*node.inputs, *node.outputs], len(node.inputs)
    shapes = [[f"n{k}_{axis}" for axis in range(var.type.ndim)] for k, var in enumerate(variables)]
    arrays = [f"carray(x{k}, ({''.join(n + ', ' for n in s)}))" for k, s in enumerate(shapes)]
    several = len(node.outputs) > 1
    lines = [f"results = implementation({', '.join(arrays[:start])})"]
    lines += [
        f"{array}[...] = results{f'[{k}]' if several else ''}"
        for k, array in enumerate(arrays[start:])
    ]
    names = [name for k, s in enumerate(shapes) for name in (f"x{k}", *s)]
    source = f"def routine({', '.join(names)}):\n" + "".join(f"    {line}\n" for line in lines)
    scope = {"implementation": numba_funcify(node.op, node=node), "carray": numba.carray}
    exec(source, scope)
    pointers = [types.CPointer(numba.from_dtype(np.dtype(v.type.dtype))) for v in variables]
    given = [t for p, s in zip(pointers, shapes, strict=True) for t in (p, *[types.int64] * len(s))]
    symbol, modules = translate(scope["routine"], types.void(*given))
    module, name = ir.Module("routine"), symbol_of(node)
    takes = [
        t
        for v, s in zip(variables, shapes, strict=True)
        for t in (STORED[v.type.dtype].as_pointer(), *[WHOLE] * len(s))
    ]
    _define(ir.Function(module, ir.FunctionType(ir.VoidType(), takes), name), symbol)
    return compiled(module, modules, exported=(name,))


def _define(function: ir.Function, symbol: str) -> None:
    """Let a function of ours do what the function of another name does."""
    inner = ir.Function(function.module, function.function_type, symbol)
    b = ir.IRBuilder(function.append_basic_block())
    done = b.call(inner, function.args)
    if function.function_type.return_type == ir.VoidType():
        b.ret_void()
    else:
        b.ret(done)


def helpers(module: ir.Module) -> list[Any]:
    """Define the helpers that a module calls; return the modules that they need."""
    out = []
    for name in [name for name in HELPERS if name in module.globals]:
        symbol, modules = translate(HELPERS[name], types.double(types.double))
        _define(module.globals[name], symbol)
        out += modules
    return out


def digamma(x: float) -> float:
    """Return the derivative of log gamma at x > 0, by recurrence and the asymptotic series."""
    if not x > 0.0:
        return np.nan
    out = 0.0
    while x < 10.0:
        out -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = 691.0 / 32760.0 - y / 12.0
    series = 1.0 / 240.0 - y * (1.0 / 132.0 - y * series)
    series = 1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * series))
    return out + math.log(x) - 0.5 / x - y * series


def inverse_erfc(p: float) -> float:
    """Return x with erfc(x) = p, by Halley's steps from Winitzki's approximation."""
    if not 0.0 < p < 2.0:
        return np.inf if p == 0.0 else (-np.inf if p == 2.0 else np.nan)
    small = min(p, 2.0 - p)
    log = math.log(small * (2.0 - small))
    a = 2.0 / (math.pi * 0.147) + 0.5 * log
    x = math.sqrt(math.sqrt(a * a - log / 0.147) - a)
    for _ in range(4):
        error = (math.erfc(x) - small) * 0.5 * math.sqrt(math.pi) * math.exp(x * x)
        x += error / (1.0 - error * x)
    return x if p < 1.0 else -x


def scaled_erfc(x: float) -> float:
    """Return exp(x^2) erfc(x), by its asymptotic series from x = 10."""
    if x < 10.0:
        return math.exp(x * x) * math.erfc(x)
    series, y = 1.0, 0.5 / (x * x)
    for n in range(12, 0, -1):
        series = 1.0 - (2 * n - 1) * y * series
    return series / (x * math.sqrt(math.pi))


HELPERS: dict[str, Callable[[float], float]] = {
    "digamma": digamma,
    "inverse_erfc": inverse_erfc,
    "scaled_erfc": scaled_erfc,
}
"""Functions that libm lacks, by the name that :mod:`operations` calls."""
