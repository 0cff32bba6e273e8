"""Compile once per structure, swap data, draw.

The compiled model outlives a fit: priors' numbers, weights and evidence of the same shape are data.
What forces a compilation is :class:`models.structure.Structure` and nothing else; it is logged.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.case import Case, structure_of
from forecast.convergence import Diagnosis
from forecast.seeds import integer
from models.errors import InputError
from models.prior import hyper_values
from models.structure import Structure

LOG = logging.getLogger("forecast")
_COMPILED: dict[Structure, "Compiled"] = {}


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a fit; ``partial`` holds the draws so far."""

    def __init__(self, partial: Any) -> None:
        super().__init__("interrupted")
        self.partial = partial


@dataclass(frozen=True)
class Compiled:
    """A compiled model: nutpie's handle, the forecast-only priors, and shapes by data name."""

    structure: Structure
    native: Any
    alone: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    seconds: float


@dataclass(frozen=True)
class Fit:
    """The draws of one Case: nutpie's tree, flat draws by name, and its diagnosis."""

    case: Case
    compiled: Compiled
    tree: Any
    draws: dict[str, np.ndarray]
    diagnosis: Diagnosis

    @property
    def n(self) -> int:
        """Number of draws, chains joined."""
        return len(self.draws["use_rate"])


def compiled_model(case: Case) -> Compiled:
    """Return the compiled model of a Case, compiling only for a new structure."""
    structure = structure_of(case)
    if structure not in _COMPILED:
        if _COMPILED:
            LOG.info("compiling again: %s", changed(structure, next(reversed(_COMPILED))))
        _COMPILED[structure] = _compile(case, structure)
    return _COMPILED[structure]


def changed(new: Structure, old: Structure) -> str:
    """Return which fields of the structure differ, in words."""
    names = [name for name in vars(new) if getattr(new, name) != getattr(old, name)]
    return f"{', '.join(names)} of the structure changed"


def _compile(case: Case, structure: Structure) -> Compiled:
    from forecast.native import compile_model
    from models.build import build_sampled

    start = time.perf_counter()
    model, alone = build_sampled(case.by_name, case.evidence.arrays, structure=structure)
    keep = [rv.name for rv in model.free_RVs if not rv.name.startswith("beliefs_")]
    keep += [v.name for v in model.deterministics]
    native = compile_model(model, keep)
    shapes = {name: np.shape(value) for name, value in data_of(case).items()}
    seconds = time.perf_counter() - start
    LOG.info("compiled in %.1f s", seconds)
    return Compiled(structure, native, alone, shapes, seconds)


def data_of(case: Case) -> dict[str, np.ndarray]:
    """Return everything that is data of the compiled model, by name."""
    out = {"hyper": hyper_values(case.by_name)}
    for table, columns in case.evidence.arrays.items():
        out |= {f"{table}.{name}": values for name, values in columns.items()}
    return out


def swap(compiled: Compiled, case: Case) -> Any:
    """Return nutpie's model with the Case's data, shapes checked before native code sees them.

    Raises
    ------
    InputError
        If an array's shape differs from the compiled one's.
    """
    data = data_of(case)
    for name, shape in compiled.shapes.items():
        if np.shape(data[name]) != shape:
            raise InputError(
                f"evidence: {name} has shape {np.shape(data[name])}, the compiled model takes "
                f"{shape}; compile for the new structure"
            )
    known = {var.name for var in compiled.native.shared_var_keys}
    return compiled.native.with_data(**{k: v for k, v in data.items() if k in known})


def draw(compiled: Compiled, case: Case, *, cores: int | None = None, tick: Any = None) -> Any:
    """Sample the posterior of a Case.

    Parameters
    ----------
    compiled
        From :func:`compiled_model`.
    case
        Its data, sampler options and seed are used; the number of cores does not change numbers.
    cores
        Processor cores; all by default.
    tick
        Called about ten times a second while sampling.

    Returns
    -------
    DataTree
        Groups ``posterior`` and ``sample_stats`` as nutpie gives them.

    Raises
    ------
    Interrupted
        On Ctrl-C, with the draws so far.
    """
    import nutpie

    options = case.sampler
    sampler = nutpie.sample(
        swap(compiled, case),
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=cores,
        seed=integer(case.seed, "sampler"),
        target_accept=options.target_accept,
        progress_bar=False,
        save_warmup=False,
        store_unconstrained=True,
        blocking=False,
    )
    try:
        return _wait(sampler, tick)
    except KeyboardInterrupt:
        raise Interrupted(sampler.abort()) from None


def _wait(sampler: Any, tick: Callable[[], None] | None) -> Any:
    while True:
        try:
            return sampler.wait(timeout=0.1)
        except TimeoutError:
            if tick is not None:
                tick()


def flat(group: Any) -> dict[str, np.ndarray]:
    """Return a group's variables with chains and draws joined, the draw axis leading."""
    return {
        str(name): values.to_numpy().reshape((-1, *values.shape[2:]))
        for name, values in group.data_vars.items()
        if not str(name).startswith("beliefs_")
    }
