"""The door to compiled code: a Case's model, compiled or read from disk, ready to sample."""

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from forecast.native.program import Program
from models.errors import InputError

LOG = logging.getLogger("forecast")


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
        from models.model import build_sampled
        from models.ratings.op import WeightedRatings

        model, alone = build_sampled(priors, arrays, structure=structure)
        keep = [rv.name for rv in model.free_RVs if not rv.name.startswith(JOINT)]
        keep += [v.name for v in model.deterministics]
        members = {
            rv.name: list(model.coords[model.named_vars_to_dims[rv.name][0]])
            for rv in model.free_RVs
            if rv.name.startswith(JOINT)
        }
        program = compile_model(
            model,
            keep,
            numba_ops=(WeightedRatings,),
            routine=lambda node: ratings.result(),
            notes={"alone": alone, "members": members},
        )
    return program.to_bytes()


JOINT = "beliefs_"
"""How the names of vectors begin that hold scalar priors of one family."""


def _ratings_code(kind_of: tuple[int, ...], n_kinds: int, *, link: str) -> bytes:
    import pytensor.tensor as pt

    from forecast.native.object_code import numba_routine
    from models.ratings.op import WeightedRatings

    op = WeightedRatings(kind_of, n_kinds, link=link)
    return numba_routine(op.make_node(pt.dvector(), pt.ivector(), pt.imatrix(), pt.dvector()))


def layout_of(program: Program) -> tuple[tuple[str, tuple[str, ...], int], ...]:
    """Return each free variable's name, the beliefs in it, and its unconstrained size."""
    members = program.notes["members"]
    return tuple((name, tuple(members.get(name, ())), n) for name, n in program.sizes)
