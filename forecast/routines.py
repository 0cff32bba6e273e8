"""Functions written for numba as LLVM modules, optimised once with the code that calls them.

Numba optimises each function it meets, emits machine code for it, and does both again in each of
its callers: thirty seconds for the ratings. Here functions are only translated; all of them are
optimised and emitted together with the program (:mod:`forecast.native`).
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
from llvmlite import binding
from numba.core import types
from numba.core.caching import NullCache
from numba.core.codegen import JITCodeLibrary
from numba.core.dispatcher import Dispatcher
from numba.core.registry import cpu_target

from models.rating_op import SOURCES, value_and_gradient

REAL = types.CPointer(types.double)


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

    Numba remembers them, so the process should not run the ratings by numba afterwards: the child
    that compiles does not (:mod:`forecast.compiling`).
    """
    codegen = cpu_target.target_context.codegen()
    codegen._library_class, codegen.set_env = _Unfinished, lambda name, env: None
    for module in SOURCES:
        for function in vars(module).values():
            if isinstance(function, Dispatcher):
                function._cache = NullCache()  # type: ignore[attr-defined]  # what it holds was optimised
    try:
        yield
    finally:
        del codegen._library_class, codegen.set_env


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


def ratings_kernel(op: Any, node: Any) -> tuple[Callable[..., None], Any]:
    """Return the ratings' function of addresses and lengths, and its signature.

    Its arguments: terms and their number; cell, codes, weight of the rows and their number; the
    address of the sum, and of the derivative.
    """
    kind_of, n_kinds, probit = np.array(op.kind_of), op.n_kinds, op.link == "probit"
    width = 6 * len(op.kind_of)

    def ratings(
        terms_: Any,
        n: int,
        cell_: Any,
        codes_: Any,
        weight_: Any,
        n_rows: int,
        sum_: Any,
        out_: Any,
    ) -> None:
        terms, out = numba.carray(terms_, (n,)), numba.carray(out_, (n,))
        cell, weight = numba.carray(cell_, (n_rows,)), numba.carray(weight_, (n_rows,))
        codes = numba.carray(codes_, (n_rows, width))
        total = value_and_gradient((kind_of, n_kinds, probit), terms, cell, codes, weight, out)
        numba.carray(sum_, ())[()] = total

    whole = [types.CPointer(getattr(types, x.type.dtype)) for x in node.inputs[1:3]]
    rows = (*whole, REAL, types.int64)
    return ratings, types.void(REAL, types.int64, *rows, REAL, REAL)


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
"""Functions that libm lacks, by the name that :mod:`forecast.scalars` calls."""
