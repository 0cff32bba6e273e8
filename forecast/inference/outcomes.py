"""Forecast quantities by draw: the graphs of :mod:`models.outcomes`, compiled, mapped over draws.

A child process compiles a graph once for what shapes it (:class:`models.outcomes.graphs.Request`),
beside the density and the sampler where :func:`prepare` asks for it early. The code is kept on disk
with the compiled models; a process that finds it there imports no PyTensor.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from forecast.native.program import (
    Array,
    CompilationError,
    UnknownOperationError,
    packed,
    refusal,
    unpacked,
)
from forecast.native.stages import Stages, compile_stages
from models.batches import threads
from models.dims import Structure
from models.outcomes.graphs import SHARES, Request, build, data_of, request_of
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked
from models.quantities import HEADLINE, QUANTITIES

LOG = logging.getLogger("forecast")
Draws = Mapping[str, np.ndarray]


_COMPILING: dict[str, Future[None]] = {}
"""What a child process compiles beside this one, by key on disk."""


@lru_cache(maxsize=32)
def stages(request: Request) -> Stages:
    """Return the compiled stages of a graph: from disk, from :func:`prepare`, or compiled now."""
    from forecast.inference.backend import cache_folder
    from forecast.native.cache import cached

    key = _key(request)

    def compile_() -> bytes:
        LOG.info("compiling: no code for the forecast of this structure on disk")
        return _compile_in_child([request])[0]

    try:
        if key in _COMPILING:
            _COMPILING[key].result()
        return Stages.from_bytes(cached(cache_folder(), key, compile_))
    except (UnknownOperationError, CompilationError) as error:
        reason = getattr(error, "reason", error)
        LOG.warning("the forecast by PyTensor's own functions, which is slow: %s", reason)
        return stock_stages(request)


def prepare(requests: Iterable[Request]) -> None:
    """Compile the graphs that are not on disk in one child process, beside what comes next.

    :func:`stages` waits for a graph that it needs meanwhile.
    """
    from forecast.inference.backend import cache_folder
    from forecast.native.cache import SUFFIX

    folder, keys = cache_folder(), {_key(request): request for request in requests}
    missing = {
        key: request
        for key, request in keys.items()
        if key not in _COMPILING and not (folder / f"{key}{SUFFIX}").exists()
    }
    if missing:
        LOG.info("compiling the forecast of this structure beside the model")
        pool = ThreadPoolExecutor(1)
        _COMPILING.update(dict.fromkeys(missing, pool.submit(_compile_missing, missing)))
        pool.shutdown(wait=False)


def _key(request: Request) -> str:
    from forecast.inference.backend import key_of

    return key_of("forecast", request)


def _compile_missing(requests: Mapping[str, Request]) -> None:
    """Compile graphs in one child process, and put them on disk by key."""
    from forecast.inference.backend import cache_folder
    from forecast.native.cache import SUFFIX, write

    graphs = _compile_in_child(list(requests.values()))
    for key, graph in zip(requests, graphs, strict=True):
        write(cache_folder() / f"{key}{SUFFIX}", graph)


def _compile_in_child(requests: Sequence[Request]) -> tuple[bytes, ...]:
    from forecast.native.child import compile_in_child

    return unpacked(compile_in_child(compiled, requests))[1]


def compiled(requests: Sequence[Request]) -> bytes:
    """Compile the graphs of requests; called in a child process."""
    return packed({}, tuple(map(_compiled, requests)))


def _compiled(request: Request) -> bytes:
    inputs, outputs = build(request)
    shares = SHARES if request.varying else ()
    try:
        return compile_stages(inputs, outputs, varying=request.varying, shares=shares).to_bytes()
    except UnknownOperationError as error:
        return refusal(str(error))


def predict(
    draws: Draws,
    future: Draws,
    *,
    structure: Structure,
    question: Asked,
    do: Sequence[Do] = (),
    names: Collection[str] | None = None,
    kind: str = "relevance",
) -> dict[str, np.ndarray]:
    """Return predicted quantities by draw.

    Parameters
    ----------
    draws
        Posterior or prior draws by variable, each with a leading draw axis.
    future
        Standard normals of the years and the agenda to come; see
        :func:`models.outcomes.paths.make_paths`.
    structure
        Agendas, their families, link and tails.
    question
        Cohort, horizon, and what counts as established.
    do
        Interventions.
    names
        Quantities wanted, all by default.
    kind
        The graph: ``relevance`` has every quantity.

    Returns
    -------
    dict
        Arrays (draw, ...) by name; dims are those of :data:`models.quantities.QUANTITIES`.
    """
    request = request_of(kind, structure=structure, question=question)
    data = data_of(kind, future, structure=structure, question=question, do=do)
    if names is None and kind == "relevance":
        names = tuple(QUANTITIES)
    n = len(draws["use_rate"])
    (function,) = stages(request).functions
    return function.map({**draws, **data}, n=n, names=names, threads=threads())


def headline(
    draws: Draws,
    future: Draws,
    *,
    structure: Structure,
    question: Asked,
    varying: Sequence[str],
    do: Sequence[Do] = (),
    names: Sequence[str] = HEADLINE,
) -> dict[str, np.ndarray]:
    """Return the headline's quantities by draw, of the question's cohort alone.

    ``varying`` are the forecast-only priors; the rest is as in :func:`predict`.
    """
    made = Staged(structure=structure, question=question, varying=varying)
    known: Draws = draws
    for i in range(made.last + 1):
        found = made.run(known, lambda: future, n=len(draws["use_rate"]), stage=i, do=do)
        known = {**known, **found}
    return {name: known[name] for name in names}


class Staged:
    """The headline in stages: what follows from a varying input that costs little comes last."""

    def __init__(self, *, structure: Structure, question: Asked, varying: Sequence[str]) -> None:
        self._structure, self._question = structure, question
        self._stages = stages(
            request_of("headline", structure=structure, question=question, varying=varying)
        )

    @property
    def level(self) -> dict[str, int]:
        """The stage in which each varying input enters."""
        return self._stages.level

    @property
    def last(self) -> int:
        """The last stage."""
        return len(self._stages.functions) - 1

    def inputs(self, stage: int) -> set[str]:
        """Return the names of what a stage takes."""
        return {one.name for one in self._stages.functions[stage].inputs}

    def run(
        self, known: Draws, future: Callable[[], Draws], *, n: int, stage: int, do: Sequence[Do]
    ) -> dict[str, np.ndarray]:
        """Return what a stage gives, from variables and what earlier stages gave."""
        data: dict[str, np.ndarray] = {}
        if not self.inputs(stage) <= set(known):
            data = data_of(
                "headline", future(), structure=self._structure, question=self._question, do=do
            )
        given = {**known, **data}
        return self._stages.functions[stage].map(given, n=n, threads=threads())


class StockFunction:
    """A graph of one draw by PyTensor's own means, with the interface of a compiled function."""

    def __init__(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        import pytensor

        self.inputs = tuple(
            Array(name, tuple(x.type.shape), x.type.dtype) for name, x in inputs.items()
        )
        self._names = tuple(outputs)
        self._call = pytensor.function(list(inputs.values()), list(outputs.values()))

    def map(
        self,
        arrays: Draws,
        *,
        n: int,
        names: Collection[str] | None = None,
        threads: int = 1,
    ) -> dict[str, np.ndarray]:
        """Return the outputs of each draw in turn; ``threads`` play no part."""
        given = [np.asarray(arrays[one.name], dtype=one.dtype) for one in self.inputs]
        ndims = [one.ndim for one in self.inputs]
        rows = [
            self._call(*(x[i] if x.ndim > k else x for x, k in zip(given, ndims, strict=True)))
            for i in range(n)
        ]
        columns = zip(self._names, zip(*rows, strict=True), strict=True)
        return {name: np.stack(x) for name, x in columns if names is None or name in names}


def stock_stages(request: Request) -> Stages:
    """Return a graph in one stage by PyTensor's own means, for what the compiler does not know."""
    inputs, outputs = build(request)
    function: Any = StockFunction(inputs, outputs)
    return Stages((function,), dict.fromkeys(request.varying, 0))
