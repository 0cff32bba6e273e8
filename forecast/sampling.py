"""Compile once per structure, swap data, draw.

The compiled model outlives a fit: priors' numbers, weights and evidence of the same shape are data.
What forces a compilation is :class:`models.structure.Structure` and nothing else; it is logged.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from forecast.case import Case, structure_of
from forecast.convergence import Diagnosis
from forecast.failures import check_starts, failed
from forecast.metric import FEW, Ground, metric_of, plain, pooled, stat, unwhitened, whitened
from forecast.seeds import integer
from forecast.starts import Layout, starting
from models.errors import InputError
from models.observe import with_order
from models.prior import hyper_values
from models.structure import Structure

LOG = logging.getLogger("forecast")
PILOT, REST = (0.2, 0.2), 0.2
"""Shares of ``tune`` that the pilot takes to tune and to draw, and that tune in its metric.
The rest of ``tune`` is not used: at seeds 0 and 1 all of it gave no more effective draws."""
PILOT_ACCEPT = 0.65
"""Target of the pilot, whose draws only make a metric: longer steps, a third fewer gradients."""
LEAST = 200
"""Pooled draws below which no metric is estimated: short runs of tests."""
SCORED = 2000
"""Draws of a finished fit whose scores give the metric of its refits."""
_COMPILED: dict[Structure, "Compiled"] = {}


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a fit; ``partial`` holds the draws so far."""

    def __init__(self, partial: Any) -> None:
        super().__init__("interrupted")
        self.partial = partial


@dataclass(frozen=True)
class Compiled:
    """A compiled model: nutpie's handle, the forecast-only priors, shapes by data name, layout."""

    structure: Structure
    native: Any
    alone: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    seconds: float
    layout: Layout = ()


@dataclass(frozen=True)
class Fit:
    """The draws of one Case: nutpie's tree, flat draws by name, and its diagnosis.

    ``chosen`` gives the place of each draw among those sampled, where forecasts by others weigh
    (:mod:`forecast.soft`); all draws in their order if None. ``soft`` are Pareto k and effective
    number of draws of those weights. ``held`` keeps arrays that follow from the fit, dims
    (draw, ...), for other modules.
    """

    case: Case
    compiled: Compiled
    tree: Any
    draws: dict[str, np.ndarray]
    diagnosis: Diagnosis
    chosen: np.ndarray | None = None
    soft: tuple[float, float] | None = None
    held: dict[str, np.ndarray] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def n(self) -> int:
        """Number of draws, chains joined."""
        return len(self.draws["use_rate"])

    @property
    def chains(self) -> int:
        """Number of chains."""
        return int(self.tree["posterior"].sizes["chain"])

    def restated(self, **changes: Any) -> "Fit":
        """Return the fit with other fields, the draws being the same: what it holds stays true."""
        made = replace(self, **changes)
        made.held.update(self.held)
        return made

    @cached_property
    def ground(self) -> Ground:
        """Where a refit of a changed Case starts: among these draws, in their metric.

        The scores are computed anew, so that a saved run gives the same as a fresh one.
        """
        from forecast.compiler.program import values_and_gradients

        native = swap(compiled_model(self.case), self.case)
        points = stat(self.tree, "unconstrained_draw")
        some = points[:: max(len(points) // SCORED, 1)]
        _, scores = values_and_gradients(native, some)
        return Ground(metric_of(some, scores, ridge=min(FEW / len(some), 1.0)), points)


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
    from forecast.compiler.program import native_model, program_of

    start = time.perf_counter()
    program, data = program_of(case, structure), data_of(case)
    native = native_model(program, data, start=starting(program.layout, case.by_name))
    shapes = {name: np.shape(value) for name, value in data.items()}
    seconds = time.perf_counter() - start
    LOG.info("model ready in %.1f s", seconds)
    return Compiled(structure, native, program.alone, shapes, seconds, program.layout)


def data_of(case: Case) -> dict[str, np.ndarray]:
    """Return everything that is data of the compiled model, by name."""
    out = {"hyper": hyper_values(case.by_name)}
    for table, columns in with_order(case.evidence.arrays).items():
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
    native = compiled.native.with_data(**{k: v for k, v in data.items() if k in known})
    return replace(native, initial_point_func=starting(compiled.layout, case.by_name))


def draw(
    compiled: Compiled,
    case: Case,
    *,
    ground: Ground | None = None,
    cores: int | None = None,
    tick: Any = None,
) -> Any:
    """Sample the posterior of a Case.

    Parameters
    ----------
    compiled
        From :func:`compiled_model`.
    case
        Its data, sampler options and seed are used; the number of cores does not change numbers.
    ground
        Starting points and metric; found by a pilot if there is none.
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
    native, options, seed = swap(compiled, case), case.sampler, integer(case.seed, "sampler")
    if ground is None:
        check_starts(native, compiled.layout, priors=case.by_name)
        ground, left = piloted(native, case, cores=cores, tick=tick)
        options = replace(options, tune=left)
    if ground is not None:
        native = whitened(native, ground)
        check_starts(native, compiled.layout, priors=case.by_name)
    metric = plain(native.n_dim) if ground is None else ground.metric
    sampler = _start(native, options, seed=seed, cores=cores)
    try:
        tree = _wait(sampler, tick)
    except KeyboardInterrupt:
        raise Interrupted(unwhitened(sampler.abort(), metric)) from None
    return unwhitened(tree, metric)


def piloted(native: Any, case: Case, *, cores: int | None, tick: Any) -> tuple[Ground | None, int]:
    """Return what a pilot found, if there is one, and the tuning steps that are left."""
    first, pilot, rest = tuning(case.sampler)
    if not pilot:
        return None, rest
    accept = min(PILOT_ACCEPT, case.sampler.target_accept)
    options = replace(case.sampler, tune=first, draws=pilot, target_accept=accept)
    seed = integer(case.seed, "pilot")
    found = _wait(_start(native, options, seed=seed, cores=cores, scores=True), tick)
    points, scores = pooled(found, ("unconstrained_draw", "gradient"))
    return Ground(metric_of(points, scores), points), rest


def tuning(options: Any) -> tuple[int, int, int]:
    """Return the pilot's tuning steps and draws, and the tuning steps after it, of each chain.

    Where all chains' pilots would have too few draws there is none, and all of ``tune`` is used.
    """
    first, pilot, rest = (round(share * options.tune) for share in (*PILOT, REST))
    if pilot * options.chains < LEAST:
        return 0, 0, options.tune
    return first, pilot, rest


def _start(native: Any, options: Any, *, seed: int, cores: int | None, scores: bool = False) -> Any:
    """Start sampling; with the scores of the draws, what is returned is the raw trace."""
    import nutpie

    return nutpie.sample(
        native,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=cores,
        seed=seed,
        target_accept=options.target_accept,
        progress_bar=False,
        save_warmup=False,
        store_unconstrained=True,
        store_gradient=scores,
        return_raw_trace=scores,
        blocking=False,
    )


def _wait(sampler: Any, tick: Callable[[], None] | None) -> Any:
    while True:
        try:
            return sampler.wait(timeout=0.1)
        except TimeoutError:
            if tick is not None:
                tick()
        except RuntimeError as error:
            raise failed(error) from error


def flat(group: Any) -> dict[str, np.ndarray]:
    """Return a group's variables with chains and draws joined, the draw axis leading."""
    return {
        str(name): values.to_numpy().reshape((-1, *values.shape[2:]))
        for name, values in group.data_vars.items()
        if not str(name).startswith("beliefs_")
    }
