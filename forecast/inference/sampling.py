"""Compile once per structure, swap data, draw.

The compiled model outlives a fit: priors' numbers, weights and evidence of the same shape are data.
What forces a compilation is :class:`models.dims.Structure` and nothing else; it is logged.

Where chains start: every belief at its prior median, every effect at zero, and a jitter.

Starting points come from the priors alone, so they do not depend on what was compiled before.
The jitter is uniform in (-1, 1) on the unconstrained scale, as PyMC's own.

A model that cannot start, or a sampler that failed: what is said, and the threads it leaves.

Shorter steps for fits to evidence on which the default of the sampler was not chosen.

The default target acceptance, 0.8, is enough on all of the evidence (20 of 20 seeds converge).
Where there is less, curvature varies more over the posterior, and steps of that length leave it now
and then: on what was known at the end of 2020, of six seeds three had 1 to 3 divergent transitions
in 10,000 draws at 0.7, two had one at 0.8, and none at 0.9, for 1.4 times the gradients.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from forecast.config.load import SamplerOptions
from forecast.inference import backend
from forecast.inference.case import Case, structure_of
from forecast.inference.diagnostics import Diagnosis
from forecast.inference.mass_matrix import (
    FEW,
    Ground,
    metric_of,
    plain,
    pooled,
    stat,
    unwhitened,
    whitened,
)
from forecast.inference.seeds import integer
from models.dims import Structure
from models.errors import InputError
from models.likelihoods import with_order
from models.priors import ANCHORS, FAMILIES, Prior, hyper_values, ppf, squeezed, support

Layout = tuple[tuple[str, tuple[str, ...], int], ...]


def unconstrained(prior: Prior, q: float = 0.5) -> float:
    """Return a quantile of the prior, its median, on the scale on which it is sampled."""
    value = float(ppf(prior, q))
    if FAMILIES[prior.dist].support == "real":
        return value
    with np.errstate(divide="ignore"):  # an end of the support is infinitely far: refused later
        if FAMILIES[prior.dist].support == "positive":
            anchor = ANCHORS.get(prior.name)
            return float(np.log(value)) if anchor is None else squeezed(value, anchor)
        low, high = support(prior)
        return float(np.log(value - low) - np.log(high - value))


def centre(layout: Layout, priors: Mapping[str, Prior]) -> np.ndarray:
    """Return the unconstrained point of prior medians and zero effects."""
    parts = []
    for name, members, size in layout:
        if members:
            parts.append(np.array([unconstrained(priors[m]) for m in members]))
        elif name in priors:
            parts.append(np.full(size, unconstrained(priors[name])))
        else:
            parts.append(np.zeros(size))
    return np.concatenate(parts)


def starting(layout: Layout, priors: Mapping[str, Prior]) -> Callable[[Any], np.ndarray]:
    """Return the function of a seed that gives one starting point."""
    middle = centre(layout, priors)

    def start(seed: Any) -> np.ndarray:
        return middle + np.random.default_rng(seed).uniform(-1.0, 1.0, middle.size)

    return start


STARTS = 50
"""Starting points tried before a model is refused."""
FAR = 1e3
"""Distance of a median from zero, on the sampler's scale, at which a prior is a suspect."""
NARROW = 1e-6
"""Width of the middle 90%, on that scale, below which a prior is named as a suspect."""
THREADS = Path("/proc/self/task")
SETTLE = 60.0
"""Most seconds to wait for the sampler's threads; each ends after 500 starting points."""
BLIND = 3.0
"""Seconds to wait where the system does not list the threads of a process."""


def check_starts(native: Any, layout: Layout, *, priors: Mapping[str, Prior]) -> None:
    """Refuse a model at none of whose first starting points the sampler could begin.

    The rule is nutpie's own: density and gradient finite, and no derivative exactly zero. Its
    threads would fail one by one, and take the process with them.
    """
    from forecast.native.program import value_and_gradient

    still: set[str] = set()
    for seed in range(STARTS):
        value, gradient = value_and_gradient(native, native.initial_point_func(seed))
        flat = np.flatnonzero(gradient == 0.0)
        if np.isfinite(value) and np.isfinite(gradient).all() and not flat.size:
            return
        still |= {_names(layout)[i] for i in flat}
    raise InputError(refusal([*sorted(still & set(priors)), *extreme(layout, priors)]))


def _names(layout: Layout) -> list[str]:
    """Return the variable, or the belief in it, at each place of the unconstrained point."""
    return [one for name, members, size in layout for one in (members or (name,) * size)]


def extreme(layout: Layout, priors: Mapping[str, Prior]) -> list[str]:
    """Return the sampled priors that lie far off or are narrow on the sampler's scale."""
    out = []
    for name in dict.fromkeys(_names(layout)):
        if name in priors:
            with np.errstate(all="ignore"):
                low, middle, high = (unconstrained(priors[name], q) for q in (0.05, 0.5, 0.95))
            if not (abs(middle) < FAR and high - low > NARROW):
                out.append(name)
    return out


def refusal(suspects: list[str]) -> str:
    """Return the message, with up to three suspects."""
    named = ", ".join(f"[priors.{name}]" for name in list(dict.fromkeys(suspects))[:3])
    which = named or "a prior"
    return (
        "priors: no starting point has a finite log density and slope; "
        f"{which} lies too far off, or is too narrow, for the evidence: move or widen it "
        "(forecast check shows each)"
    )


def failed(error: Exception, *, settle: Callable[[], None] | None = None) -> Exception:
    """Return what to raise for a failure of the sampler, once its threads have ended.

    nutpie reports the first chain's failure and lets go of the others, which go on to run compiled
    code and would crash a process that ends, or frees that code, before them.
    """
    (settle or _settle)()
    if "nitiali" in str(error):  # "All initialization points failed", "Could not initialize state"
        return InputError(refusal([]))
    return error


def _settle() -> None:
    if not THREADS.exists():
        time.sleep(BLIND)
        return
    end = time.monotonic() + SETTLE
    while time.monotonic() < end and any(map(_samples, THREADS.iterdir())):
        time.sleep(0.02)


def _samples(thread: Path) -> bool:
    """Return whether a thread is one of nutpie's; one that has ended meanwhile is not."""
    try:
        return (thread / "comm").read_text(encoding="utf-8").startswith("nutpie-worker")
    except OSError:
        return False


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
_COMPILED: dict[tuple[Structure, str], "Compiled"] = {}


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a fit; ``partial`` holds the draws so far."""

    def __init__(self, partial: Any) -> None:
        super().__init__("interrupted")
        self.partial = partial


@dataclass(frozen=True)
class Compiled:
    """A compiled model: nutpie's, the forecast-only priors, shapes by name, layout, backend."""

    structure: Structure
    native: Any
    alone: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    seconds: float
    layout: Layout = ()
    backend: str = "native"


@dataclass(frozen=True)
class Fit:
    """The draws of one Case: nutpie's tree, flat draws by name, and its diagnosis.

    ``chosen`` gives the place of each draw among those sampled, where forecasts by others weigh
    (:mod:`forecast.inference.reweighting`); all draws in their order if None. ``soft`` are Pareto
    k and effective
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
        from forecast.native.program import values_and_gradients

        native = swap(compiled_model(self.case), self.case)
        points = stat(self.tree, "unconstrained_draw")
        some = points[:: max(len(points) // SCORED, 1)]
        _, scores = values_and_gradients(native, some)
        return Ground(metric_of(some, scores, ridge=min(FEW / len(some), 1.0)), points)


def compiled_model(case: Case) -> Compiled:
    """Return the compiled model of a Case, compiling only for a new structure."""
    structure = structure_of(case)
    key = structure, case.sampler.backend
    if key not in _COMPILED:
        if _COMPILED:
            LOG.info("compiling again: %s", changed(structure, next(reversed(_COMPILED))[0]))
        compiled = _compile(case, structure)
        _COMPILED[key] = _COMPILED[structure, compiled.backend] = compiled
    return _COMPILED[key]


def changed(new: Structure, old: Structure) -> str:
    """Return which fields of the structure differ, in words."""
    names = [name for name in vars(new) if getattr(new, name) != getattr(old, name)]
    return f"{', '.join(names)} of the structure changed" if names else "for another backend"


def _compile(case: Case, structure: Structure) -> Compiled:
    start, data = time.perf_counter(), data_of(case)
    ready = backend.compile(case, structure, data)
    native = replace(ready.model, initial_point_func=starting(ready.layout, case.by_name))
    shapes = {name: np.shape(value) for name, value in data.items()}
    seconds = time.perf_counter() - start
    LOG.info("model ready in %.1f s", seconds)
    return Compiled(structure, native, ready.alone, shapes, seconds, ready.layout, ready.backend)


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


ACCEPT = 0.9
"""Target acceptance, unless the user asks for more."""


def careful(options: SamplerOptions) -> SamplerOptions:
    """Return the sampler's options with steps no longer than little evidence allows."""
    return replace(options, target_accept=max(options.target_accept, ACCEPT))
