"""From a PyMC model to machine code that another process can load.

PyTensor and numba compile value, gradient and the expansion of draws once; the object code is kept
as bytes with what nutpie must know of the model (:class:`forecast.program.Program`). nutpie calls
two small C callbacks, which call that code through its address. So a process that finds the bytes
on disk imports neither PyMC nor PyTensor, compiles nothing, and runs the very same instructions.
"""

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from forecast.program import Program, Shared


def compile_program(model: Any, keep: list[str], *, alone: tuple[str, ...]) -> Program:
    """Return the machine code of a PyMC model.

    Parameters
    ----------
    model
        A PyMC model.
    keep
        Variables to keep beside the unconstrained values.
    alone
        Names of the priors left out of the model, to be kept with it.
    """
    import nutpie.compile_pymc as nc

    made = nc._make_functions(
        model,
        mode="NUMBA",
        compute_grad=True,
        join_expanded=True,
        pymc_initial_point_fn=lambda seed: {},  # forecast.starts gives the starts
        var_names=keep,
    )
    n_dim, n_expanded, logp, expand, _, shape_info, renamed = made
    shared = _shared(logp, expand)
    stated = {var.name for var in model.data_vars}
    lengths = {v.name: np.asarray(v.get_value()) for v in shared if v.name not in stated}
    dims, coords = nc._prepare_dims_and_coords(model, shape_info, renamed)
    codes = _codes(made, shared)
    return Program(
        codes=codes,
        shared=tuple(shared.values()),
        lengths=lengths,
        n_dim=n_dim,
        n_expanded=n_expanded,
        shape_info=shape_info,
        dims=dims,
        coords=coords,
        renamed=tuple(renamed),
        alone=alone,
        layout=tuple(_layout(model)),
    )


def _shared(logp: Any, expand: Any) -> dict[Any, Shared]:
    """Return what the shared arrays of both functions look like, by variable, in order."""
    out: dict[Any, Shared] = {}
    for var in [*logp.get_shared(), *expand.get_shared()]:
        value = np.asarray(var.get_value())
        out.setdefault(var, Shared(var.name, value.shape, str(value.dtype)))
    return out


def _layout(model: Any) -> Any:
    """Yield each free variable's name, the beliefs in it, and its unconstrained size."""
    start = model.initial_point(0)
    for rv in model.free_RVs:
        members: tuple[str, ...] = ()
        if rv.name.startswith("beliefs_"):
            members = tuple(model.coords[model.named_vars_to_dims[rv.name][0]])
        yield rv.name, members, int(np.size(start[model.rvs_to_values[rv].name]))


def _codes(made: Any, shared: dict[Any, Shared]) -> dict[str, bytes]:
    """Compile both functions and their callbacks; return the object code of all four."""
    n_dim, n_expanded, logp, expand, _, _, _ = made
    place = {var: i for i, var in enumerate(shared)}
    out, calls = {}, []
    for i, (name, function) in enumerate((("value", logp), ("expand", expand))):
        function(np.zeros(n_dim))
        inner = function.vm.jit_fn
        out[name] = _stored(inner)
        at = tuple((place[var], shared[var]) for var in function.get_shared())
        calls.append((_caller(inner, at, address=len(shared) + i), _outward(n_dim, shared)))
    from numba import types

    real = types.CPointer(types.double)
    value = types.int64(types.uint64, real, real, real, types.voidptr)
    rest = types.int64(types.uint64, types.uint64, real, real, types.voidptr)
    back = _inward(n_dim, shared)
    out["value callback"] = _callback(value, _value_callback(n_dim, calls=calls[0], back=back))
    out["expand callback"] = _callback(rest, _expand_callback(n_dim, n_expanded, calls=calls[1]))
    return out


def _stored(function: Any) -> bytes:
    """Return numba's picture of a compiled function from its cache on disk.

    What PyTensor compiled now and what it found there give the same bytes.
    """
    from numba.core import serialize

    cache, (argtypes,) = function._cache, function.signatures
    key = cache._index_key(argtypes, function.targetctx.codegen())
    return bytes(serialize.dumps(cache._cache_file.load(key)))


def _callback(signature: Any, function: Callable[..., int]) -> bytes:
    """Return the object code of a C callback."""
    import numba
    from numba.core import serialize

    kept: list[Any] = []
    made = numba.cfunc(signature, cache=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot cache compiled function")
        callback = made(function)
        callback._cache = SimpleNamespace(  # type: ignore[attr-defined]
            load_overload=lambda *_: None, save_overload=lambda _, result: kept.append(result)
        )
        callback.compile()
    return bytes(serialize.dumps(kept[0]._reduce()))


def _value_callback(n_dim: int, *, calls: Any, back: Any) -> Callable[..., int]:
    """Return the callback for value and gradient, with nutpie's own error codes."""
    import numba

    call, out = calls

    def value(dim: int, z_: Any, out_: Any, logp_: Any, data: Any) -> int:
        if dim != n_dim:
            return -1
        try:
            logp, gradient = call(out(numba.carray(z_, (n_dim,)), data), data)
            numba.carray(logp_, ())[()] = logp[()]
            if not np.all(np.isfinite(gradient)):
                return 3
            if not np.isfinite(logp[()]):
                return 4
            back(gradient, numba.carray(out_, (n_dim,)), data)
        except Exception:
            return 1
        return 0

    return value


def _expand_callback(n_dim: int, n_expanded: int, *, calls: Any) -> Callable[..., int]:
    """Return the callback that expands one whitened point to all kept variables."""
    import numba

    call, out = calls

    def expand(dim: int, expanded: int, z_: Any, out_: Any, data: Any) -> int:
        if dim != n_dim or expanded != n_expanded:
            return -1
        try:
            (values,) = call(out(numba.carray(z_, (n_dim,)), data), data)
            numba.carray(out_, (n_expanded,))[...] = values
        except Exception:
            return -2
        return 0

    return expand


def _outward(n_dim: int, shared: Any) -> Any:
    """Return the function of (z, user data) that gives x = centre + scale @ z."""
    import numba

    middle, spread = (_place(len(shared) + i) for i in (2, 3))

    @numba.njit(fastmath={"reassoc", "contract"})
    def outward(z: Any, data: Any) -> Any:
        x = numba.carray(middle(data), (n_dim,)).copy()
        scale = numba.carray(spread(data), (n_dim, n_dim))
        for i in range(n_dim):
            total = 0.0
            for j in range(i + 1):
                total += scale[i, j] * z[j]
            x[i] += total
        return x

    return outward


def _inward(n_dim: int, shared: Any) -> Any:
    """Return the function that writes the gradient in z, scale.T @ gradient, into ``out``."""
    import numba

    spread = _place(len(shared) + 3)

    @numba.njit(fastmath={"reassoc", "contract"})
    def inward(gradient: Any, out: Any, data: Any) -> None:
        scale = numba.carray(spread(data), (n_dim, n_dim))
        out[:] = 0.0
        for i in range(n_dim):
            for j in range(i + 1):
                out[j] += scale[i, j] * gradient[i]

    return inward


def _place(place: int) -> Any:
    """Return the function of user data that gives the address at a place of it."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    real = types.CPointer(types.double)

    @intrinsic
    def at(typingctx: Any, data: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            slots = builder.bitcast(values[0], ir.IntType(64).as_pointer())
            raw = builder.load(builder.gep(slots, [ir.Constant(ir.IntType(64), place)]))
            return builder.inttoptr(raw, context.get_value_type(real))

        return real(data), codegen

    return at


def _caller(compiled: Any, shared: tuple[tuple[int, Shared], ...], *, address: int) -> Any:
    """Return a numba function of (point, user data) that calls compiled code by its address.

    ``shared`` gives, for each further argument, its place among the addresses with which nutpie's
    user data begins, and its fixed shape (:mod:`forecast.sampling` checks it); ``address`` is the
    place of the array that holds the address of the code.
    """
    import numba
    from llvmlite import ir
    from numba.core import cgutils
    from numba.extending import intrinsic

    (argtypes,) = compiled.signatures
    returns = compiled.overloads[argtypes].signature.return_type
    arrays = argtypes[0].types
    rest = tuple((at, like, kind) for (at, like), kind in zip(shared, arrays[1:], strict=True))

    @intrinsic
    def invoke(typingctx: Any, x: Any, data: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            conv, point = context.call_conv, context.cast(builder, values[0], x, arrays[0])
            word = ir.IntType(64)
            slots = builder.bitcast(values[1], word.as_pointer())
            others = [_array(context, builder, slots=slots, argument=one) for one in rest]
            packed = context.make_tuple(builder, argtypes[0], [point, *others])
            held = builder.load(builder.gep(slots, [ir.Constant(word, address)]))
            code = builder.load(builder.inttoptr(held, word.as_pointer()))
            kind = conv.get_function_type(returns, argtypes)
            target = builder.inttoptr(code, kind.as_pointer())
            status, value = conv.call_function(builder, target, returns, argtypes, [packed])
            with cgutils.if_unlikely(builder, status.is_error):
                conv.return_status_propagate(builder, status)
            return value

        return returns(x, data), codegen

    @numba.njit
    def call(x: Any, data: Any) -> Any:
        return invoke(x, data)  # type: ignore[call-arg]

    return call


def _array(context: Any, builder: Any, *, slots: Any, argument: tuple[int, Shared, Any]) -> Any:
    """Return code that makes one array of a fixed shape from its address in the user data."""
    from llvmlite import ir
    from numba.core import types
    from numba.np.arrayobj import make_array, populate_array

    place, like, kind = argument
    word = context.get_value_type(types.intp)
    raw = builder.load(builder.gep(slots, [ir.Constant(ir.IntType(64), place)]))
    made = make_array(kind)(context, builder)
    populate_array(
        made,
        data=builder.inttoptr(raw, context.get_data_type(kind.dtype).as_pointer()),
        shape=[word(n) for n in like.shape],
        strides=[word(n) for n in like.strides],
        itemsize=word(np.dtype(like.dtype).itemsize),
        meminfo=None,
    )
    return made._getvalue()
