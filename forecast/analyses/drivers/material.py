"""What every way to ask starts from: one run's draws, one target, rows scored, all beliefs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from forecast.analyses.leaving_out import relative_efficiency
from forecast.case import Case, make_case
from forecast.config import load_config
from forecast.engine import Ahead, forward_part
from forecast.evidence import load_tables
from forecast.folder import read_manifest
from forecast.forward import all_draws, taken
from forecast.pointwise import kept_draws
from forecast.runs import Run
from forecast.sampling import Fit, flat
from forecast.soft import log_weights, soft_part
from forecast.stored import read_groups, stored_fit
from models.experts import READS
from models.late import LATE, Early, headline
from models.observe import likelihoods
from models.prior import Prior, logpdf
from models.quantities import HEADLINE
from models.slots import BLOCKS, SLOTS

TURNS = 32
"""Times that independent beliefs are drawn anew for each draw."""
THIN = 400
"""Draws at which a prior that enters early is moved exactly, with ``quick``."""
GROUPS = ("posterior", "sample_stats", "log_prior", "log_likelihood")
"""Groups of a run's tree that are read."""


@dataclass(frozen=True)
class Material:
    """One run and one target.

    ``y`` is the target by draw; ``smooth`` the same with the beliefs averaged out that are drawn
    apart from all others (:func:`averaged`); ``stated`` every belief with a prior by draw, dims
    (draw, ...), forecast-only ones included; ``rows`` the log probability of each row of evidence
    by likelihood, not times its weight, at the draws ``kept``; ``least`` the least effective number
    of draws over their number; ``sources`` the source of each row of worker figures; ``held`` what
    :meth:`others` found.
    """

    fit: Fit
    target: str
    y: np.ndarray
    smooth: np.ndarray
    stated: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    kept: np.ndarray
    least: float
    ahead: Ahead = field(repr=False)
    sources: dict[str, str] = field(default_factory=dict)
    held: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def ess(self) -> float:
        """Effective number of draws, the least of any parameter and of the target."""
        return self.least * self.fit.n

    @property
    def free(self) -> set[str]:
        """The beliefs that are independent of all others."""
        return free(self.fit)

    @property
    def case(self) -> Case:
        """The Case of the run."""
        return self.fit.case

    @property
    def mean(self) -> float:
        """Mean of the target."""
        return float(self.y.mean())

    def at(self, case: Case) -> np.ndarray:
        """Return the target by draw where a Case differs in forecast-only priors alone."""
        return self.ahead(self.fit, case)[self.target]

    @property
    def beliefs(self) -> dict[str, np.ndarray]:
        """Every scalar belief by draw."""
        return {name: x for name, x in self.stated.items() if x.ndim == 1}

    def columns(self, names: Collection[str]) -> np.ndarray:
        """Return the draws of beliefs as columns, dims (draw, belief or its element)."""
        return np.hstack([self.stated[name].reshape(self.fit.n, -1) for name in names])

    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Return the beliefs of each block that has any, in order."""
        priors = self.case.by_name
        found = {b: tuple(n for n in self.stated if priors[n].block == b) for b in BLOCKS}
        return {block: names for block, names in found.items() if names}

    def prior_only(self, case: Case) -> bool:
        """Return whether a Case differs in no forecast-only prior, and asks the same."""
        own, alone = self.case, self.fit.compiled.alone
        return forward_part(case, alone) == forward_part(own, alone)

    @cached_property
    def log_prior(self) -> dict[str, np.ndarray]:
        """The log density of each belief's prior at the draws, copies summed."""
        return {name: self.density(self.case.by_name[name]) for name in self.stated}

    def density(self, prior: Prior) -> np.ndarray:
        """Return the log density of a belief's draws under a prior, copies summed."""
        return logpdf(prior, self.stated[prior.name]).reshape(self.fit.n, -1).sum(axis=1)

    def ratio(self, priors: Iterable[Prior]) -> np.ndarray:
        """Return the log density of priors less that of the run's own, at the draws."""
        parts = (self.density(prior) - self.log_prior[prior.name] for prior in priors)
        return sum(parts, np.zeros(self.fit.n))

    @cached_property
    def places(self) -> np.ndarray:
        """Places of :data:`THIN` draws at most, evenly chosen."""
        return np.linspace(0, self.fit.n - 1, min(self.fit.n, THIN)).astype(int)

    @cached_property
    def thin(self) -> Fit:
        """The fit with the draws at these places alone."""
        return taken(self.fit, self.places)

    def others(self, fit: Fit) -> np.ndarray:
        """Return what forecasts by others weigh at draws of the run, as a logarithm; kept."""
        if id(fit) not in self.held:
            self.held[id(fit)] = log_weights(fit, self.case)
        return self.held[id(fit)]

    def by_table(self) -> dict[str, np.ndarray]:
        """Return the log likelihood of each likelihood's rows, weights in, at the kept draws."""
        arrays = self.case.evidence.arrays
        out = {}
        for like in likelihoods(self.fit.compiled.structure):
            weight = arrays[like.table]["weight"].astype(float)
            if weight.any():
                out[like.name] = self.rows[like.name] @ weight
        return out


def material(run: Run, target: str) -> Material:
    """Return the material of a finished run; only the groups of its tree that are needed are read.

    Raises
    ------
    InputError
        If the run cannot be read.
    """
    tree = read_groups(run.folder / "posterior.nc", GROUPS)
    config = load_config(run.folder / "priors.toml")
    tables = load_tables(run.folder / "evidence", off=config.evidence.off)
    made = read_manifest(run.folder) or {}
    case = replace(make_case(config, tables, seed=made["seed"]), sampler=config.sampler)
    fit = stored_fit(case, tree, diagnostics=run.context["diagnostics"])
    sources = {row.row: row.source for row in tables.workers}
    return replace(material_of(fit, target, rows=flat(tree["log_likelihood"])), sources=sources)


def material_of(fit: Fit, target: str, *, rows: dict[str, np.ndarray]) -> Material:
    """Return the material of a fit whose rows of evidence are scored."""
    ahead = Ahead(HEADLINE)
    y = ahead(fit, fit.case)[target]
    early = next(iter(ahead.held.values()))
    smooth = averaged(fit, target, early=early)
    draws = all_draws(fit, fit.case)
    stated = {name: draws[name] for name in SLOTS if name in draws}
    kept, least = kept_draws(fit), relative_efficiency(fit)
    return Material(fit, target, y, smooth, stated, rows, kept, least, ahead)


def free(fit: Fit) -> set[str]:
    """Return the last beliefs that no likelihood touches and no forecast by others weighs."""
    return set(LATE) & set(fit.compiled.alone) - set(READS if soft_part(fit.case) else ())


def averaged(fit: Fit, target: str, *, early: Early) -> np.ndarray:
    """Return the target by draw, averaged over beliefs that are independent of all others.

    These are the beliefs :func:`free`. Given the other beliefs of a draw, each of :data:`TURNS`
    turns takes theirs from another draw. Means under weights that do not depend on them stay as
    they are, with less noise (Rao-Blackwell).
    """
    draws, total = all_draws(fit, fit.case), np.zeros(fit.n)
    for turn in range(TURNS):
        step = turn * fit.n // TURNS
        other = {name: np.roll(draws[name], step) for name in sorted(free(fit))}
        total += headline(early, draws | other, question=fit.case.asked)[target]
    return total / TURNS
