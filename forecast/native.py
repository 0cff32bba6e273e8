"""A nutpie model whose native callbacks call cached code by address.

nutpie wraps value and gradient in a small C callback. Inlining the numba function into it makes
LLVM compile everything again in each process, although that function is cached on disk. Here the
callback calls the cached function through its address, so only the callback is compiled.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


def compile_model(model: Any, var_names: list[str]) -> Any:
    """Return nutpie's compiled model of a PyMC model.

    Parameters
    ----------
    model
        A PyMC model.
    var_names
        Variables to keep beside the unconstrained values.
    """
    import nutpie.compile_pymc as nc
    from pymc.initial_point import make_initial_point_fn

    start = make_initial_point_fn(
        model=model,
        default_strategy="support_point",
        jitter_rvs=set(model.free_RVs),
        return_transformed=True,
    )
    made = nc._make_functions(
        model,
        mode="NUMBA",
        compute_grad=True,
        join_expanded=True,
        pymc_initial_point_fn=nc._wrap_with_lock(start),
        var_names=var_names,
    )
    n_dim, n_expanded, logp, expand, initial_point, shape_info, renamed = made
    shared, keys = _shared(logp, expand)
    user_data = nc.make_user_data(keys, shared)
    callbacks = _callbacks(made, shared, keys=keys)
    dims, coords = nc._prepare_dims_and_coords(model, shape_info, renamed)
    return nc.CompiledPyMCModel(
        _n_dim=n_dim,
        dims=dims,
        _coords=coords,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shape_info, strict=True)},
        compiled_logp_func=callbacks[0],
        compiled_expand_func=callbacks[1],
        initial_point_func=initial_point,
        shared_data=shared,
        shared_var_keys=keys,
        user_data=user_data,
        n_expanded=n_expanded,
        shape_info=shape_info,
        logp_func=logp,
        expand_func=expand,
        reparameterized_names=renamed,
    )


def _shared(logp: Any, expand: Any) -> tuple[dict[str, np.ndarray], dict[Any, str]]:
    """Copy the shared arrays of both functions; keys are their places, the same in each process."""
    shared: dict[str, np.ndarray] = {}
    keys: dict[Any, str] = {}
    for var in [*logp.get_shared(), *expand.get_shared()]:
        if var not in keys:
            key = f"shared_{len(keys)}"
            value = np.array(var.get_value(), order="C", copy=True)
            value.flags.writeable = False
            shared[key], keys[var] = value, key
    return shared, keys


def _callbacks(made: Any, shared: Any, *, keys: Any) -> tuple[Any, Any]:
    import numba

    n_dim, n_expanded, logp, expand, _, _, _ = made
    place = {key: i for i, key in enumerate(keys.values())}
    calls = []
    for function in (logp, expand):
        function(np.zeros(n_dim))  # compiles, or reads the compiled code from disk
        at = tuple((place[keys[var]], shared[keys[var]]) for var in function.get_shared())
        calls.append(_by_address(function.vm.jit_fn, at))
    types = numba.types
    real = types.CPointer(types.double)
    value = _value_callback(n_dim, calls[0])
    rest = _expand_callback(n_dim, n_expanded, call=calls[1])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Cannot cache compiled function")
        return (
            numba.cfunc(types.int64(types.uint64, real, real, real, types.voidptr))(value),
            numba.cfunc(types.int64(types.uint64, types.uint64, real, real, types.voidptr))(rest),
        )


def _value_callback(n_dim: int, call: Any) -> Callable[..., int]:
    """Return the callback for value and gradient, with nutpie's own error codes."""
    import numba

    def value(dim: int, x_: Any, out_: Any, logp_: Any, data: Any) -> int:
        if dim != n_dim:
            return -1
        try:
            logp, gradient = call(numba.carray(x_, (n_dim,)), data)
            numba.carray(logp_, ())[()] = logp[()]
            numba.carray(out_, (n_dim,))[...] = gradient
            if not np.all(np.isfinite(gradient)):
                return 3
            if not np.isfinite(logp[()]):
                return 4
        except Exception:
            return 1
        return 0

    return value


def _expand_callback(n_dim: int, n_expanded: int, *, call: Any) -> Callable[..., int]:
    """Return the callback that expands one unconstrained point to all kept variables."""
    import numba

    def expand(dim: int, expanded: int, x_: Any, out_: Any, data: Any) -> int:
        if dim != n_dim or expanded != n_expanded:
            return -1
        try:
            (values,) = call(numba.carray(x_, (n_dim,)), data)
            numba.carray(out_, (n_expanded,))[...] = values
        except Exception:
            return -2
        return 0

    return expand


def _by_address(compiled: Any, shared: tuple[tuple[int, np.ndarray], ...]) -> Callable[..., Any]:
    """Return a numba function of (point, user data) that calls compiled code by its address.

    ``shared`` gives, for each further argument, its place among the addresses with which nutpie's
    user data begins, and an array of its shape, which is fixed (:mod:`forecast.sampling` checks).
    """
    import numba
    from llvmlite import ir
    from numba.core import cgutils
    from numba.extending import intrinsic

    (argtypes,) = compiled.signatures
    result = compiled.overloads[argtypes]
    address = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
    returns, arrays = result.signature.return_type, argtypes[0].types
    rest = tuple((at, like, kind) for (at, like), kind in zip(shared, arrays[1:], strict=True))

    @intrinsic
    def invoke(typingctx: Any, x: Any, data: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            conv, point = context.call_conv, context.cast(builder, values[0], x, arrays[0])
            slots = builder.bitcast(values[1], ir.IntType(64).as_pointer())
            others = [_array(context, builder, slots=slots, argument=one) for one in rest]
            packed = context.make_tuple(builder, argtypes[0], [point, *others])
            kind = conv.get_function_type(returns, argtypes)
            target = builder.inttoptr(ir.Constant(ir.IntType(64), address), kind.as_pointer())
            status, value = conv.call_function(builder, target, returns, argtypes, [packed])
            with cgutils.if_unlikely(builder, status.is_error):
                conv.return_status_propagate(builder, status)
            return value

        return returns(x, data), codegen

    @numba.njit
    def call(x: Any, data: Any) -> Any:
        return invoke(x, data)  # type: ignore[call-arg]

    # The code must outlive the callback.
    call.keep = compiled  # type: ignore[attr-defined]
    return call


def _array(context: Any, builder: Any, *, slots: Any, argument: tuple[int, Any, Any]) -> Any:
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
        itemsize=word(like.itemsize),
        meminfo=None,
    )
    return made._getvalue()
