"""Compiled code as plain data, linked into this process: no PyMC and no PyTensor is imported.

A :class:`Program` is the object code of nutpie's callbacks with what nutpie must know of the model,
a :class:`Function` the object code of a graph that is mapped over draws. Both become bytes and come
back from them: a header in JSON, then object code. Whoever loads them runs the very same
instructions.
"""

import ctypes
import json
import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

METRIC = ("metric_centre", "metric_scale")
"""Arrays after those of the program: the sampler moves in z, with x = centre + scale @ z."""
CALL = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
"""The compiled log density: size; places of point, gradient and value; the data. 0 is no error."""
EXPAND = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 2, *[ctypes.c_void_p] * 3)
"""What expands a point: both sizes; places of point and of the expanded draw; the data."""
MAP = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
"""What calls a function for several draws: their number; addresses; steps in bytes."""
BATCH = 64
"""Draws of one call of a mapped function; threads take batches in turn."""


TESTED = {
    "llvmlite": ((0, 50), (0, 51)),
    "numba": ((0, 68), (0, 69)),
    "nutpie": ((0, 16), (0, 17)),
    "pytensor": ((3, 3), (3, 4)),
}
"""Releases of libraries whose private parts are used: the first tested, the first that is not."""


class UnknownOperationError(NotImplementedError):
    """The graph has something that the native backend cannot compile, or compiles wrongly."""


class CompilationError(RuntimeError):
    """The process that compiles failed; ``reason`` is the error that it ended with."""

    @property
    def reason(self) -> str:
        """The last error that the process wrote on stderr, in one line."""
        errors = re.findall(r"^\w[\w.]*(?:Error|Exception)\b.*", str(self), re.MULTILINE)
        return errors[-1] if errors else str(self).strip().splitlines()[-1]


def untested() -> str | None:
    """Return the first library, with its release, that is outside :data:`TESTED`; None if none."""
    for name, (first, end) in TESTED.items():
        release = version(name)
        if not first <= tuple(map(int, re.findall(r"\d+", release)[:2])) < end:
            return f"{name} {release}"
    return None


@dataclass(frozen=True)
class Array:
    """An array that compiled code reads or writes: its name, shape and dtype."""

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
    """A compiled PyMC model.

    ``code`` is object code, nutpie's callbacks and then what they call; ``shared`` the arrays that
    it reads, in the order of their addresses; ``variables`` name and shape of all that an expanded
    draw holds, in order, the ``free`` ones first and unconstrained; ``dims``, ``coords`` and
    ``renamed`` are nutpie's; ``notes`` the caller's own; ``error`` is the largest relative
    difference from PyTensor's value and gradient at one point, None if that was not checked.
    """

    code: tuple[bytes, ...]
    shared: tuple[Array, ...]
    variables: tuple[tuple[str, tuple[int, ...]], ...]
    free: tuple[str, ...]
    dims: Any
    coords: Any
    renamed: tuple[str, ...]
    notes: dict[str, Any]
    error: float | None = None

    @property
    def shape_info(self) -> tuple[list[str], list[slice], list[tuple[int, ...]]]:
        """Names, slices and shapes of what an expanded draw holds, as nutpie has them."""
        names, shapes = map(list, zip(*self.variables, strict=True))
        ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])
        return names, [slice(int(i), int(j)) for i, j in pairwise(ends)], shapes

    @property
    def sizes(self) -> tuple[tuple[str, int], ...]:
        """Name and unconstrained size of each free variable, in order."""
        lengths = (int(np.prod(shape)) for _, shape in self.variables[: len(self.free)])
        return tuple(zip(self.free, lengths, strict=True))

    @property
    def n_dim(self) -> int:
        """Number of unconstrained values."""
        return sum(n for _, n in self.sizes)

    def to_bytes(self) -> bytes:
        """Return the program as a header in JSON and object code."""
        coords = {
            name: {"dtype": str(index.dtype), "values": index.to_numpy().tolist()}
            for name, index in self.coords.items()
        }
        header = {name: value for name, value in vars(self).items() if name != "code"}
        shared = [asdict(one) for one in self.shared]
        return packed(header | {"shared": shared, "coords": coords}, self.code)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Program":
        """Return the program that :meth:`to_bytes` wrote."""
        import pandas as pd

        header, code = unpacked(content)
        coords = {
            name: pd.Index(one["values"], dtype=one["dtype"])
            for name, one in header["coords"].items()
        }
        return cls(
            code=code,
            shared=tuple(_array(one) for one in header["shared"]),
            variables=tuple((name, tuple(shape)) for name, shape in header["variables"]),
            free=tuple(header["free"]),
            dims={name: tuple(dims) for name, dims in header["dims"].items()},
            coords=coords,
            renamed=tuple(header["renamed"]),
            notes=header["notes"],
            error=header["error"],
        )


@dataclass(frozen=True)
class Function:
    """A compiled graph of one draw: object code, and its inputs and outputs."""

    code: tuple[bytes, ...]
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]

    def to_bytes(self) -> bytes:
        """Return the function as a header in JSON and object code."""
        arrays = {n: [asdict(one) for one in getattr(self, n)] for n in ("inputs", "outputs")}
        return packed(arrays, self.code)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Function":
        """Return the function that :meth:`to_bytes` wrote."""
        header, code = unpacked(content)
        inputs, outputs = (tuple(map(_array, header[n])) for n in ("inputs", "outputs"))
        return cls(code, inputs, outputs)

    @cached_property
    def _engine(self) -> Any:
        return linked(self.code)

    def map(
        self,
        arrays: Mapping[str, np.ndarray],
        *,
        n: int | None = None,
        names: Collection[str] | None = None,
        threads: int = 1,
    ) -> dict[str, np.ndarray]:
        """Compute the outputs for many draws.

        Parameters
        ----------
        arrays
            Every input by name, either with a leading axis of draws or, if all draws share it, in
            the input's own shape.
        n
            Number of draws; that of the leading axes by default.
        names
            Outputs to return, all by default; the others take the memory of one draw.
        threads
            Threads that share the draws; the numbers do not depend on it.

        Returns
        -------
        dict of str to ndarray, dims (draw, ...)
            The outputs.

        Raises
        ------
        ValueError
            If an array is missing or its shape is not the input's.
        """
        given = {one.name: _checked(one, arrays) for one in self.inputs}
        lengths = {len(given[x.name]) for x in self.inputs if given[x.name].ndim > x.ndim}
        lengths |= set() if n is None else {n}
        if len(lengths) != 1:
            raise ValueError(f"draws: the number of draws is one of {sorted(lengths)}")
        (n,) = lengths
        results = {
            one.name: np.empty(
                (n, *one.shape) if names is None or one.name in names else one.shape, one.dtype
            )
            for one in self.outputs
        }
        pairs = [(results[one.name], one) for one in self.outputs]
        pairs += [(given[one.name], one) for one in self.inputs]
        addresses = np.array([x.ctypes.data for x, _ in pairs], dtype=np.int64)
        shared = (0 if x.ndim == one.ndim else x.itemsize * one.size for x, one in _sized(pairs))
        steps = np.fromiter(shared, dtype=np.int64, count=len(pairs))
        call = MAP(self._engine.get_function_address("map"))

        def batch(start: int) -> None:
            places = addresses + start * steps
            call(min(BATCH, n - start), places.ctypes.data, steps.ctypes.data)

        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(batch, range(0, n, BATCH)))
        else:
            for start in range(0, n, BATCH):
                batch(start)
        return {name: x for name, x in results.items() if names is None or name in names}


def _sized(pairs: list[tuple[np.ndarray, Array]]) -> Any:
    return ((x, SimpleNamespace(ndim=a.ndim, size=int(np.prod(a.shape)))) for x, a in pairs)


def _checked(one: Array, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return an input in the dtype and order that the code reads, its shape checked."""
    if one.name not in arrays:
        raise ValueError(f"{one.name}: missing")
    x = np.ascontiguousarray(arrays[one.name], dtype=one.dtype)
    x = x.reshape(np.shape(arrays[one.name]))  # NumPy gives a number an axis
    if x.shape[x.ndim - one.ndim :] != one.shape or x.ndim > one.ndim + 1:
        raise ValueError(f"{one.name}: shape {x.shape}, not {one.shape} with an axis of draws")
    return x


def _array(fields: Mapping[str, Any]) -> Array:
    return Array(fields["name"], tuple(fields["shape"]), fields["dtype"])


def packed(header: Mapping[str, Any], code: tuple[bytes, ...]) -> bytes:
    """Return a header in JSON and parts of bytes as one."""
    text = json.dumps({**header, "code": [len(one) for one in code]}).encode()
    return b"".join([len(text).to_bytes(8, "little"), text, *code])


def refusal(reason: str) -> bytes:
    """Return the bytes that stand for a graph that cannot be compiled; reading them raises it."""
    return packed({"refusal": reason}, ())


def unpacked(content: bytes) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Return the header and the parts that :func:`packed` joined.

    Raises
    ------
    UnknownOperationError
        If they stand for a refusal.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    if "refusal" in header:
        raise UnknownOperationError(header["refusal"])
    ends = np.cumsum([start, *header["code"]])
    return header, tuple(content[i:j] for i, j in pairwise(map(int, ends)))


def linked(code: tuple[bytes, ...]) -> Any:
    """Return the engine that holds object code, linked into this process."""
    from llvmlite import binding
    from numba.core.registry import cpu_target
    from numba.core.runtime import rtsys

    rtsys.initialize(cpu_target.target_context)  # arrays of numba's own routines
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    for one in code:
        engine.add_object_file(binding.ObjectFileRef.from_data(one))
    engine.finalize_object()
    return engine


def nutpie_model(program: Program, data: Mapping[str, np.ndarray], *, start: Any) -> Any:
    """Return nutpie's model of a program.

    Parameters
    ----------
    program
        From :func:`lowering.compile_model`.
    data
        Every array of the program, by name.
    start
        Function of a seed that returns an unconstrained starting point.
    """
    import nutpie.compile_pymc as nc

    engine, n = linked(program.code), program.n_dim
    keys = {one: f"shared_{i}" for i, one in enumerate(program.shared)}
    arrays = {key: _frozen(data[one.name], one.dtype) for one, key in keys.items()}
    for name, array in zip(METRIC, (np.zeros(n), np.eye(n)), strict=True):
        keys[Array(name, array.shape, "float64")] = name
        arrays[name] = _frozen(array, "float64")
    names, slices, shapes = program.shape_info
    return nc.CompiledPyMCModel(
        _n_dim=n,
        dims=program.dims,
        _coords=program.coords,
        _shapes={name: tuple(shape) for name, shape in zip(names, shapes, strict=True)},
        compiled_logp_func=_callback(engine, "value"),
        compiled_expand_func=_callback(engine, "expand"),
        initial_point_func=start,
        shared_data=arrays,
        shared_var_keys=keys,
        user_data=nc.make_user_data(keys, arrays),
        n_expanded=slices[-1].stop,
        shape_info=(names, slices, shapes),
        logp_func=None,
        expand_func=None,
        reparameterized_names=list(program.renamed),
    )


def _frozen(value: Any, dtype: str) -> np.ndarray:
    array = np.array(value, dtype=dtype, order="C", copy=True)
    array.flags.writeable = False
    return array


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


def expanded(model: Any, points: np.ndarray, *, names: Collection[str]) -> dict[str, np.ndarray]:
    """Return variables of nutpie's model at unconstrained points, dims (draw, ...), by name."""
    x, draws = np.ascontiguousarray(points, dtype=float), np.zeros((len(points), model.n_expanded))
    expand, data = EXPAND(model.compiled_expand_func.address), model.user_data.ctypes.data
    places = [(a.ctypes.data, a.strides[0]) for a in (x, draws)]
    for i in range(len(x)):
        at = (start + i * step for start, step in places)
        if expand(x.shape[1], draws.shape[1], *at, data) != 0:
            draws[i] = np.nan
    shaped = zip(*model.shape_info, strict=True)
    return {n: draws[:, at].reshape(-1, *shape) for n, at, shape in shaped if n in names}
