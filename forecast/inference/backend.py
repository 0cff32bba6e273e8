"""The door to compiled code: a Case's model, compiled or read from disk, ready to sample.

Two backends stand behind it. The native one (:mod:`forecast.native`) keeps machine code on disk;
the stock one is nutpie as published, with PyTensor's numba mode. Both give the same kind of nutpie
model, with C callbacks of the same form, so that whoever samples or evaluates densities need not
know which it is.
"""

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from forecast.native.program import (
    CALL,
    EXPAND,
    CompilationError,
    Program,
    UnknownOperationError,
    nutpie_model,
    untested,
)
from models.errors import InputError

LOG = logging.getLogger("forecast")
BACKENDS = ("auto", "native", "stock")
JOINT = "beliefs_"
"""How the names of vectors begin that hold scalar priors of one family."""

Layout = tuple[tuple[str, tuple[str, ...], int], ...]


@dataclass(frozen=True)
class Ready:
    """A compiled model: nutpie's, the backend, the forecast-only priors, and the layout.

    ``layout`` gives each free variable's name, the beliefs in it, and its unconstrained size.
    """

    model: Any
    backend: str
    alone: tuple[str, ...]
    layout: Layout


class FellBack(Exception):
    """A run that was to use the native backend, if it can, is sampled by the stock one.

    Its draws are others then, so that it is another run: it starts again, with ``stock`` stated.
    """


def compile(case: Any, structure: Any, data: Mapping[str, np.ndarray]) -> Ready:
    """Return the compiled model of a Case.

    With ``auto`` the native backend is used if it can be: for tested releases of the libraries, and
    operations that it knows. Otherwise one line on the log gives the reason.

    Raises
    ------
    InputError
        If the native backend is demanded and the model has an operation that it does not know.
    CompilationError
        If the native backend is demanded and fails for any other reason.
    """
    stated, reason = case.sampler.backend, None
    if stated == "auto" and (release := untested()):
        reason = f"{release} was not tested with the native backend"
    if stated != "stock" and reason is None:
        try:
            return _native(case, structure, data)
        except UnknownOperationError as error:
            reason = str(error)
            if stated == "native":
                raise InputError(
                    f"--backend native: {reason}; use --backend stock, or auto"
                ) from None
        except CompilationError as error:
            if stated == "native":
                raise
            reason = error.reason
    if reason is not None:
        LOG.warning("using nutpie's stock backend, which is slower: %s", reason)
    return _stock(case, structure)


def _native(case: Any, structure: Any, data: Mapping[str, np.ndarray]) -> Ready:
    program = native_program(case, structure)
    members = program.notes["members"]
    layout = tuple((name, tuple(members.get(name, ())), n) for name, n in program.sizes)
    model = nutpie_model(program, data, start=None)
    return Ready(model, "native", tuple(program.notes["alone"]), layout)


def _stock(case: Any, structure: Any) -> Ready:
    """Return the model that nutpie compiles in this process, with numba.

    Its data are those of the Case; they are swapped by name, as the native model's.
    """
    import nutpie

    LOG.info("compiling with numba; this takes minutes the first time")
    model, keep, notes = _sampled(case.by_name, case.evidence.arrays, structure)
    compiled = nutpie.compile_pymc_model(model, var_names=keep)
    _, _, shapes = compiled.shape_info
    sizes = zip(model.free_RVs, shapes, strict=False)
    layout = tuple(
        (rv.name, tuple(notes["members"].get(rv.name, ())), int(np.prod(shape)))
        for rv, shape in sizes
    )
    return Ready(compiled, "stock", tuple(notes["alone"]), layout)


def with_metric(model: Any, centre: np.ndarray, scale: np.ndarray) -> Any:
    """Return nutpie's model in coordinates z, with x = centre + scale @ z of its own."""
    if "metric_centre" in model.shared_data:
        return model.with_data(metric_centre=centre, metric_scale=scale)
    addresses = model.compiled_logp_func.address, model.compiled_expand_func.address
    value, expand = _in_metric(*addresses, model.n_dim, model.n_expanded)
    arrays = [np.ascontiguousarray(x, dtype=float) for x in (centre, scale)]
    words = np.array([x.ctypes.data for x in (*arrays, model.user_data)], dtype=np.uintp)
    return replace(
        model,
        compiled_logp_func=value,
        compiled_expand_func=expand,
        user_data=words,
        shared_data=model.shared_data | {"metric": (model, arrays)},  # which must outlive it
    )


@cache
def _in_metric(value_address: int, expand_address: int, n: int, n_expanded: int) -> Any:
    """Return nutpie's callbacks of z around those of x; their data begin with three addresses."""
    import numba
    from numba import types
    from nutpie.compile_pymc import address_as_void_pointer

    real = types.CPointer(types.double)
    inner, inner_expand = CALL(value_address), EXPAND(expand_address)

    @numba.njit
    def outward(z: Any, words: Any) -> Any:
        centre = numba.carray(address_as_void_pointer(words[0]), (n,), np.float64)
        scale = numba.carray(address_as_void_pointer(words[1]), (n, n), np.float64)
        x = centre.copy()
        for i in range(n):
            for j in range(i + 1):
                x[i] += scale[i, j] * z[j]
        return x, scale

    @numba.cfunc(types.int64(types.uint64, real, real, real, types.voidptr))
    def value(dim: Any, z_: Any, slope_: Any, logp_: Any, data_: Any) -> Any:
        if dim != n:
            return -1
        words = numba.carray(data_, (3,), np.uintp)
        x, scale = outward(numba.carray(z_, (n,)), words)
        by_x, logp = np.zeros(n), np.zeros(1)
        data = address_as_void_pointer(words[2])
        code = inner(dim, x.ctypes, by_x.ctypes, logp.ctypes, data)
        if code == 0:
            numba.carray(logp_, (1,))[0] = logp[0]
            slope = numba.carray(slope_, (n,))
            slope[:] = 0.0
            for i in range(n):
                for j in range(i + 1):
                    slope[j] += scale[i, j] * by_x[i]
        return code

    @numba.cfunc(types.int64(types.uint64, types.uint64, real, real, types.voidptr))
    def expand(dim: Any, size: Any, z_: Any, draw_: Any, data_: Any) -> Any:
        if dim != n or size != n_expanded:
            return -1
        words = numba.carray(data_, (3,), np.uintp)
        x, _ = outward(numba.carray(z_, (n,)), words)
        draw = np.zeros(n_expanded)
        code = inner_expand(dim, size, x.ctypes, draw.ctypes, address_as_void_pointer(words[2]))
        numba.carray(draw_, (n_expanded,))[:] = draw
        return code

    return value, expand


def cache_folder() -> Path:
    """Return the folder of compiled models, ``FORECAST_CACHE`` if that is set.

    A temporary one where the user has none that can be written, and that nobody else can write.
    """
    from platformdirs import user_cache_path

    from forecast.native.cache import private

    stated = os.environ.get("FORECAST_CACHE")
    usual = user_cache_path("mi-forecast", appauthor=False)
    try:
        folder = Path(stated).expanduser() if stated else usual
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if private(folder.stat()):
            return folder
        LOG.warning(
            "compiled models are not kept: others can write to %s; run chmod go-w on it", folder
        )
    except (OSError, RuntimeError) as error:  # the second: no such home
        LOG.warning("compiled models are not kept: %s", error)
    return _temporary()


@cache
def _temporary() -> Path:
    """Return this process's own folder, removed at its end.

    Raises
    ------
    InputError
        If there is no place for one.
    """
    import atexit
    import shutil

    try:
        folder = tempfile.mkdtemp(prefix="mi-forecast-")
    except OSError as error:
        raise InputError(f"no place for temporary files ({error}); free some space") from None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def native_program(case: Any, structure: Any) -> Program:
    """Return the compiled model of a Case, from disk if it is there.

    Raises
    ------
    UnknownOperationError
        If the model has an operation that the native backend does not know.
    """
    from forecast.native.cache import cached
    from forecast.native.child import compile_in_child

    def compile_() -> bytes:
        LOG.info("compiling: no code for this structure on disk")
        return compile_in_child(build_program, case.by_name, case.evidence.arrays, structure)

    return Program.from_bytes(cached(cache_folder(), _key(case, structure), compile_))


def _key(case: Any, structure: Any) -> str:
    """Return the hash of everything that shapes the code."""
    arrays = [(t, n, x.shape, str(x.dtype)) for t, n, x in _columns(case.evidence.arrays)]
    return key_of(structure, arrays)


def key_of(*parts: Any) -> str:
    """Return the hash of what is compiled, of the sources, and of what compiles them."""
    import llvmlite
    from numba.core.registry import cpu_target

    from forecast.inference.identity import compiler_hash, versions

    digest = hashlib.sha256()
    machine = cpu_target.target_context.codegen().magic_tuple()
    settings = {k: v for k, v in os.environ.items() if k.startswith(("NUMBA_", "PYTENSOR_"))}
    python = (sys.implementation.cache_tag, llvmlite.__version__, sorted(settings.items()))
    origin = (compiler_hash(), sorted(versions().items()), python, machine)
    for part in (*parts, *origin):
        digest.update(repr(part).encode())
    return digest.hexdigest()


def _columns(arrays: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    return ((t, n, np.asarray(x)) for t in sorted(arrays) for n, x in sorted(arrays[t].items()))


def build_program(priors: Any, arrays: Any, structure: Any) -> bytes:
    """Compile the model of priors, evidence arrays and structure; called in a child process.

    The ratings' code, half of the work, needs no model: a process of its own compiles it.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from forecast.inference.children import end_with_parent

    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_parent) as other:
        kinds = structure.kind_of, len(structure.kinds)
        ratings = other.submit(_ratings_code, *kinds, link=structure.link)

        from forecast.native.lowering import compile_model
        from models.ratings.op import WeightedRatings

        model, keep, notes = _sampled(priors, arrays, structure)
        program = compile_model(
            model,
            keep,
            numba_ops=(WeightedRatings,),
            routine=lambda node: ratings.result(),
            notes=notes,
        )
    return program.to_bytes()


def _sampled(priors: Any, arrays: Any, structure: Any) -> tuple[Any, list[str], dict[str, Any]]:
    """Return the model that is sampled, the variables to keep, and notes on both.

    The notes are the forecast-only priors, which it lacks, and the beliefs in each joint vector.
    """
    from models.model import build_sampled

    model, alone = build_sampled(priors, arrays, structure=structure)
    joint = [rv.name for rv in model.free_RVs if rv.name.startswith(JOINT)]
    keep = [rv.name for rv in model.free_RVs if rv.name not in joint]
    keep += [v.name for v in model.deterministics]
    members = {name: list(model.coords[model.named_vars_to_dims[name][0]]) for name in joint}
    return model, keep, {"alone": list(alone), "members": members}


def _ratings_code(kind_of: tuple[int, ...], n_kinds: int, *, link: str) -> bytes:
    import pytensor.tensor as pt

    from forecast.native.object_code import numba_routine
    from models.ratings.op import WeightedRatings

    op = WeightedRatings(kind_of, n_kinds, link=link)
    return numba_routine(op.make_node(pt.dvector(), pt.ivector(), pt.imatrix(), pt.dvector()))
