"""A compiled model as bytes on disk, and nutpie's model made of it.

The bytes are the object code of :mod:`native` with what nutpie must know. They are found
again by the hash of all that shaped them: structure, shapes, sources of the model, versions, and
the processor. A missing entry is made by a child process, so that every process that samples
runs loaded code: the same instructions, whatever else it compiled before.
"""

import ctypes
import errno
import hashlib
import logging
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from forecast.inference.mass_matrix import plain

LOG = logging.getLogger("forecast")

METRIC = ("metric_centre", "metric_scale")
"""Arrays after those of the program (:mod:`forecast.inference.mass_matrix`)."""
CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
"""The compiled log density: size; places of point, gradient and value; the data. 0 is no error."""
EXPAND = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 2, *[ctypes.c_void_p] * 3)
"""What expands a point: both sizes; places of point and of what comes of it; the data."""


@dataclass(frozen=True)
class Shared:
    """An array that is data of the compiled code: its name, shape and dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def strides(self) -> tuple[int, ...]:
        """Steps in bytes of the array in C order."""
        return np.empty(self.shape, dtype=self.dtype).strides


@dataclass(frozen=True)
class Program:
    """One compiled model.

    ``code`` is object code, nutpie's callbacks and then what they call; ``shared`` the arrays it
    reads, in the order of their addresses; ``shape_info``, ``dims``, ``coords`` and ``renamed`` are
    nutpie's; ``alone`` the priors left out; ``layout`` (variable, beliefs it holds, unconstrained
    size) in order.
    """

    code: tuple[bytes, ...]
    shared: tuple[Shared, ...]
    n_dim: int
    n_expanded: int
    shape_info: Any
    dims: Any
    coords: Any
    renamed: tuple[str, ...]
    alone: tuple[str, ...]
    layout: tuple[tuple[str, tuple[str, ...], int], ...]


def program_of(case: Any, structure: Any) -> Program:
    """Return the compiled model of a Case, from disk if it is there."""
    from forecast.compiler.cache import entry, kept

    path = entry(_key(case, structure))
    program: Program = pickle.loads(kept(path, lambda: _compile(case, structure)))
    return program


def _key(case: Any, structure: Any) -> str:
    """Return the hash of everything that shapes the code."""
    import llvmlite
    from numba.core.registry import cpu_target

    from forecast.inference.identity import compiler_hash, versions

    whole = hashlib.sha256()
    shapes = [(t, n, x.shape, str(x.dtype)) for t, n, x in _columns(case.evidence.arrays)]
    machine = cpu_target.target_context.codegen().magic_tuple()
    settings = {k: v for k, v in os.environ.items() if k.startswith(("NUMBA_", "PYTENSOR_"))}
    python = (sys.implementation.cache_tag, llvmlite.__version__, sorted(settings.items()))
    made_by = (compiler_hash(), sorted(versions().items()), python, machine)
    for part in (structure, shapes, *made_by):
        whole.update(repr(part).encode())
    return whole.hexdigest()


def _columns(arrays: Mapping[str, Mapping[str, np.ndarray]]) -> Any:
    return ((t, n, np.asarray(x)) for t in sorted(arrays) for n, x in sorted(arrays[t].items()))


def _compile(case: Any, structure: Any) -> bytes:
    """Compile in a child process; return the bytes of the program.

    ``-P`` keeps the current folder off the child's path unless it is on ours.
    """
    LOG.info("compiling: no code for this structure on disk")
    request = pickle.dumps((case.by_name, case.evidence.arrays, structure))
    path = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    with tempfile.TemporaryDirectory(prefix="mi-forecast-") as folder:
        made = Path(folder) / "program"
        done = subprocess.run(
            [sys.executable, "-P", "-m", "forecast.compiler.compiling", str(made)],
            input=request,
            capture_output=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        if done.returncode == 0:
            return made.read_bytes()
    said = done.stderr.decode(errors="replace")
    if "No space left on device" in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), tempfile.gettempdir())
    raise RuntimeError("compiling failed:\n" + said)


def native_model(program: Program, data: Mapping[str, np.ndarray], *, start: Any) -> Any:
    """Return nutpie's model of a program.

    Parameters
    ----------
    program
        From :func:`program_of`.
    data
        Every array of the program, by name.
    start
        Function of a seed that returns an unconstrained starting point.
    """
    import nutpie.compile_pymc as nc

    engine = linked(program.code)
    keys = {one: f"shared_{i}" for i, one in enumerate(program.shared)}
    arrays = {key: _frozen(data[one.name], one.dtype) for one, key in keys.items()}
    for name, array in zip(METRIC, vars(plain(program.n_dim)).values(), strict=True):
        keys[Shared(name, array.shape, "float64")] = name
        arrays[name] = _frozen(array, "float64")
    names, _, shapes = program.shape_info
    return nc.CompiledPyMCModel(
        _n_dim=program.n_dim,
        dims=program.dims,
        _coords=program.coords,
        _shapes={name: tuple(shape) for name, shape in zip(names, shapes, strict=True)},
        compiled_logp_func=_callback(engine, "value"),
        compiled_expand_func=_callback(engine, "expand"),
        initial_point_func=start,
        shared_data=arrays,
        shared_var_keys=keys,
        user_data=nc.make_user_data(keys, arrays),
        n_expanded=program.n_expanded,
        shape_info=program.shape_info,
        logp_func=None,
        expand_func=None,
        reparameterized_names=list(program.renamed),
    )


def _frozen(value: Any, dtype: str) -> np.ndarray:
    out = np.array(value, dtype=dtype, order="C", copy=True)
    out.flags.writeable = False
    return out


def linked(code: tuple[bytes, ...]) -> Any:
    """Return the engine that holds object code, linked into this process."""
    from llvmlite import binding
    from numba.core.registry import cpu_target
    from numba.core.runtime import rtsys

    rtsys.initialize(cpu_target.target_context)  # the ratings' arrays are numba's
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    for one in code:
        engine.add_object_file(binding.ObjectFileRef.from_data(one))
    engine.finalize_object()
    return engine


def _callback(engine: Any, name: str) -> Any:
    """Return what nutpie asks of a C callback: its address; the code lives as long as it."""
    return SimpleNamespace(address=engine.get_function_address(name), keep=engine)


def value_and_gradient(model: Any, point: np.ndarray) -> tuple[float, np.ndarray]:
    """Return log density and gradient of nutpie's model at an unconstrained point.

    Both are NaN where the compiled code reports an error, as it does if one is not finite.
    """
    values, gradients = values_and_gradients(model, np.asarray(point)[None])
    return float(values[0]), gradients[0]


def values_and_gradients(model: Any, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same at many points, dims (draw,) and (draw, unconstrained)."""
    x = np.ascontiguousarray(points, dtype=float)
    values, gradients = np.zeros(len(x)), np.zeros_like(x)
    call = CALL(model.compiled_logp_func.address)
    places = [(a.ctypes.data, a.strides[0]) for a in (x, gradients, values)]
    for i in range(len(x)):
        at = (start + i * step for start, step in places)
        if call(x.shape[1], *at, model.user_data.ctypes.data) != 0:
            values[i], gradients[i] = np.nan, np.nan
    return values, gradients


def log_densities(model: Any, points: np.ndarray) -> np.ndarray:
    """Return the log density of nutpie's model at unconstrained points, dims (draw,)."""
    from models.batches import over_blocks

    def block(some: Mapping[str, np.ndarray]) -> np.ndarray:
        return values_and_gradients(model, some["point"])[0]

    return np.concatenate(over_blocks(block, {"point": points}, n=len(points)))


def expanded(model: Any, points: np.ndarray, *, names: Collection[str]) -> dict[str, np.ndarray]:
    """Return variables of nutpie's model at unconstrained points, dims (draw, ...), by name."""
    x, out = np.ascontiguousarray(points, dtype=float), np.zeros((len(points), model.n_expanded))
    expand, data = EXPAND(model.compiled_expand_func.address), model.user_data.ctypes.data
    places = [(a.ctypes.data, a.strides[0]) for a in (x, out)]
    for i in range(len(x)):
        at = (start + i * step for start, step in places)
        if expand(x.shape[1], out.shape[1], *at, data) != 0:
            out[i] = np.nan
    shaped = zip(*model.shape_info, strict=True)
    return {n: out[:, at].reshape(-1, *shape) for n, at, shape in shaped if n in names}
