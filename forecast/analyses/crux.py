r"""``forecast crux``: how much of the gap between worldviews each belief explains.

All worldviews are fitted to the same evidence. The value of a set of groups of beliefs (by block,
or by home claim) is the mean of a quantity with these groups as in the second worldview and all
others as in the first; Shapley values over the groups then add up to the gap.

Such mixtures of beliefs are weighted draws of a few fits. Fits :math:`k` of the same evidence
differ in priors alone, so that the density of each at any draw, relative to the first worldview, is
a sum of changes of log priors, :math:`u_k(x)`, and of what forecasts by others weigh. The draws of
all fits together are draws of the mixture

.. math:: m(x) = \sum_k \tfrac{N_k}{N}\, e^{u_k(x) - f_k}

with the normalising constants :math:`f_k` of
:func:`forecast.analyses.statistics.normalising_constants`, and weights :math:`e^{u(x)} / m(x)` make
them draws of any other mixture of beliefs. Where the effective number of draws is too small a
mixture is fitted itself, with its opposite, and joins the pool. Errors are by a jackknife over
stretches of the chains, the same of every fit, with the constants solved anew each time.

Pooled forecasts stand beside: the linear pool :math:`\sum_i w_i p_i`, with the interval of the
mixture of draws; the logarithmic one, :math:`\mathrm{logit}\, p = \sum_i w_i \,\mathrm{logit}\,
p_i` (Genest & Zidek 1986, Statist. Sci. 1:114); and the linear one under stacking weights, by which
it would have predicted the rated works best (:mod:`forecast.analyses.loo`): they judge what
evidence can tell, which is little of what divides worldviews.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, count
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from forecast.analyses.loo import stacked, work_elpd
from forecast.analyses.predictive import TABLES
from forecast.analyses.result import Result, Row, outside_of, resumable, save
from forecast.analyses.statistics import (
    jackknife,
    joining,
    log_mixture,
    normalising_constants,
    random_orders,
    shapley,
    shapley_by_orders,
)
from forecast.config.load import Config, load_config
from forecast.config.outside import add_outside, outside_view
from forecast.config.toml import near_miss, read_toml
from forecast.evidence.load import Tables, find_evidence, load_tables
from forecast.inference import parallel
from forecast.inference.case import Case, differing, digest, make_case, mixed
from forecast.inference.evaluate import Ahead, answer, late
from forecast.inference.forward import future_normals, taken
from forecast.inference.outcomes import headline
from forecast.inference.pointwise import log_likelihoods
from forecast.inference.reweighting import LEAST_ESS, MAX_PARETO_K, log_weights, smoothed, soft_part
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from forecast.progress import Stages
from forecast.runs.folder import MANIFEST
from forecast.runs.summarise import TAILS, Quantities, learned_rows, with_mcse
from models.batches import limited
from models.errors import InputError
from models.likelihoods import likelihoods
from models.parameters import BLOCKS
from models.prior_draws import prior_draws
from models.priors import Array, logpdf

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""Quantities whose gap is attributed."""
CLAIMS = (*(f"C{i}" for i in range(1, 15)), "none")
MOST_FITS = 24
"""Fits at most for a pair of worldviews, their own two included."""
PRIOR_DRAWS, SCORED_DRAWS, POOLS_SCORED = 4000, 2000, 1000
"""Draws of the priors alone; draws whose rows are scored, for tables and for stacking."""


class Crux(Result):
    """A finished crux; ``summary`` is what crux.json holds."""

    words = ("reports.crux", "crux_text")


def crux(
    priors: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    weight: Sequence[str] = (),
    weights: str | Path | None = None,
    fits: int = MOST_FITS,
    quick: bool = False,
    cores: int | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Crux:
    """Attribute the gap between the first worldview and each other one to beliefs.

    Parameters
    ----------
    priors
        Two or more priors files, shipped names or folders of runs.
    out
        Folder; ``runs/crux-NAMES-HASH8`` by default. Fits that lie there are not made again.
    evidence
        Folder of tables for all; else what the first names, else the shipped one.
    weight, weights
        Weights of the pooled forecasts: texts ``NAME=NUMBER``, or a TOML file with a table
        ``[weights]``; equal by default.
    fits
        Fits at most for each pair; mixtures that would need more are marked.
    quick
        Make no fit but those of the worldviews themselves.
    cores
        Fits at a time; all cores by default.
    seed
        Seed of every random number.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault.
    """
    if len(priors) < 2:
        raise InputError(f"crux: found {len(priors)} worldview; name two or more")
    if fits < 2:
        raise InputError(f"--fits {fits}: two worldviews take two fits; give 2 or more")
    in_run = [(Path(one) / MANIFEST).is_file() for one in priors]
    configs = [
        load_config(Path(one) / "priors.toml" if run else one)
        for one, run in zip(priors, in_run, strict=True)
    ]
    if evidence is None and in_run[0]:
        place = Path(priors[0]) / "evidence"
    else:
        stated = configs[0].evidence.path if evidence is None else evidence
        place = find_evidence(None if stated is None else Path(stated))
    tables = load_tables(place, off=configs[0].evidence.off)
    names = unique([config.name for config in configs])
    cases = same_question(configs, tables, seed=seed)
    shares = weights_of(names, weight, file=weights)
    short = "-".join(dict.fromkeys(name.split(" ")[0] for name in names))
    key = digest(*(parallel.fit_key(case) for case in cases))[:8]
    folder = Path("runs") / f"crux-{short}-{key}" if out is None else Path(out)
    fits_folder = resumable(folder, "fits", what="not of this command")

    def fit_many(cases: Sequence[Case], base: Case | None = None) -> list[Fit]:
        tick = stages.tick
        return parallel.fit_many(cases, fits_folder, base=base, workers=cores, tick=tick)

    with Stages(quiet=quiet) as stages, limited(cores):
        with stages(f"fits of {len(cases)} worldviews"):
            views = [View(*pair) for pair in zip(names, fit_many(cases), strict=True)]
        worldviews = [view_row(view, config) for view, config in zip(views, configs, strict=True)]
        first, pairs = views[0], []
        for other in views[1:]:
            pool, fits_of_pair = bridged(
                (first.fit, other.fit), fit_many, most=2 if quick else fits, stages=stages
            )
            with stages(f"{first.name} and {other.name}"):
                pair: Row = {"a": first.name, "b": other.name, "fits": len(fits_of_pair)}
                pair["converged"] = all(fit.diagnosis.converged for fit in fits_of_pair)
                pairs.append(pair | compared(pool, (first, other)))
        with stages("pooled forecasts"):
            pooled_rows = pool_rows(views, shares)
    converged = all(view.fit.diagnosis.converged for view in views)
    converged = converged and all(pair["converged"] for pair in pairs)
    summary: Row = {"schema": 1, **vars(cases[0].question), "seed": seed, "names": names}
    summary |= {"converged": converged, "quick": quick, "worldviews": worldviews}
    summary |= {"pairs": pairs, "pooled": pooled_rows}
    write(folder, summary)
    return Crux(summary, converged, folder)


def same_question(configs: Sequence[Config], tables: Tables, *, seed: int) -> list[Case]:
    """Return the Cases of worldviews, which must ask the same question of the same model.

    Raises
    ------
    InputError
        If question or model differ.
    """
    first, cases = configs[0], []
    for config in configs:
        for table in ("question", "model"):
            mine, other = vars(getattr(first, table)), vars(getattr(config, table))
            for key in mine:
                if mine[key] != other[key]:
                    raise InputError(
                        f"{config.path}: [{table}] {key} found {other[key]}, where {first.path} "
                        f"has {mine[key]}; a crux is of beliefs, so ask both the same"
                    )
        evidence = replace(config.evidence, expert_weight=first.evidence.expert_weight)
        case = make_case(replace(config, evidence=evidence), tables, seed=seed)
        cases.append(replace(case, sampler=first.sampler))
    return cases


def unique(names: Sequence[str]) -> list[str]:
    """Return the names, a second one of the same numbered."""
    numbered: list[str] = []
    for name in names:
        n = sum(one == name or one.startswith(f"{name} (") for one in numbered)
        numbered.append(f"{name} ({n + 1})" if n else name)
    return numbered


def compared(pool: "Pool", pair: "Pair") -> Row:
    """Return all that is computed of two worldviews."""
    parts: list[Row] = []
    exact, checks, default = {}, {}, {}
    for key, case in (("a", pool.a), ("b", pool.b)):
        own = differing(case, replace(case, priors=load_config("default").priors))
        default[key] = [name for name in case.by_name if name not in own]
    for by in ("block", "claim"):
        subsets = subsets_by(pool.a, pool.b, by=by, alone=pool.fit.compiled.alone)
        attribution = attributed(pool, subsets, names=SHOWN)
        parts += part_rows(attribution, by=by)
        exact[by] = subsets.orders is None
        checks[by] = trust(pool, subsets.mixtures(pool))
    return {
        "trust": checks,
        "exact": exact,
        "parts": parts,
        "default": default,
        "gaps": gap_rows(pair, attribution),
        "swaps": swap_rows(attribution),
        "closing": closing_rows(attribution, alone=pool.fit.compiled.alone),
        "tables": table_rows(pair),
        "beliefs": belief_rows(pair, attribution.groups),
    }


def write(folder: Path, summary: Row) -> None:
    """Write tables, figures, the page and crux.json."""
    from reports.crux import write_crux
    from reports.figures.choices import write_crux_figures

    def figures_and_page(folder: Path, summary: Row) -> None:
        write_crux(folder, summary, captions=write_crux_figures(folder, summary))

    tables = {
        name: [
            {"a": pair["a"], "b": pair["b"]} | row
            for pair in summary["pairs"]
            for row in pair[name]
        ]
        for name in ("gaps", "parts", "swaps", "closing", "tables", "beliefs")
    }
    tables["pooled"] = summary["pooled"]
    save(folder, "crux", summary, tables=tables, figures=figures_and_page)


# Draws of several fits, weighted to any mixture of beliefs ---------------------------------------

STRETCHES = 20
"""Stretches of the chains that the jackknife leaves out in turn."""
CHECKED = 64
"""Mixtures with the fewest effective draws whose Pareto k is computed."""
BATCH = 64
"""Mixtures weighted at a time."""


@dataclass(frozen=True)
class Pool:
    """Draws of several fits of ``a``'s evidence, each under priors of ``a`` or of ``b``.

    ``fit`` holds the joined draws under ``a``; ``names`` the sampled beliefs that differ, and
    ``ratio`` log prior of ``b`` less that of ``a``, dims (belief, draw). ``stretch`` is the stretch
    of each draw; ``density`` is :math:`u_k`, dims (fit, draw), ``counts`` the fits' draws and
    ``members`` their beliefs as in ``b``, dims (fit, belief).
    """

    a: Case
    b: Case
    fit: Fit
    names: tuple[str, ...]
    ratio: Array
    stretch: Array
    density: Array
    counts: Array
    members: Array

    @cached_property
    def constants(self) -> Array:
        """Return the log normalising constants of the fits."""
        return normalising_constants(self.density, self.counts, start=np.zeros(len(self.counts)))

    @cached_property
    def log_mix(self) -> Array:
        """Return log m at each draw."""
        return log_mixture(self.density, self.counts, self.constants)

    @cached_property
    def log_mix_without(self) -> Array:
        """Return log m with the constants of the pool without each stretch, (stretch, draw)."""
        parts = []
        for g in range(STRETCHES):
            rest = self.stretch != g
            counts = self.counts * rest.mean()
            constants = normalising_constants(self.density[:, rest], counts, start=self.constants)
            parts.append(log_mixture(self.density, self.counts, constants))
        return np.stack(parts)

    def member(self, names: Sequence[str]) -> Array:
        """Return which sampled beliefs are among the names, as zeros and ones."""
        return np.array([float(name in names) for name in self.names])

    def soft(self, case: Case) -> Array:
        """Return what forecasts by others weigh in a Case, less what they do in ``a``."""
        if soft_part(case) == soft_part(self.a):
            return np.zeros(self.fit.n)
        return log_weights(self.fit, case) - log_weights(self.fit, self.a)

    def log_weights(self, members: Array, soft: Array | float = 0.0) -> Array:
        """Return the log weights of mixtures, dims (mixture, draw); ``members`` (mixture, name)."""
        return np.asarray(members @ self.ratio + soft - self.log_mix)


def pooled(a: Case, b: Case, *, fits: Sequence[Fit]) -> Pool:
    """Return the pool of fits, each of ``a`` with some beliefs as in ``b``."""
    one, mine, other = fits[0], a.by_name, b.by_name
    names = tuple(name for name in differing(a, b) if name not in one.compiled.alone)
    places = [np.arange(f.n) if f.chosen is None else f.chosen for f in fits]
    draws = {n: np.concatenate([f.draws[n] for f in fits]) for n in one.draws}
    fit = replace(one, case=a, draws=draws, chosen=np.concatenate(places))
    change = (logpdf(other[n], draws[n]) - logpdf(mine[n], draws[n]) for n in names)
    ratio = np.array([x.reshape(fit.n, -1).sum(axis=1) for x in change]).reshape(-1, fit.n)
    lengths = [(f.chains, f.n // f.chains) for f in fits]
    stretch = np.concatenate([np.tile(np.arange(n) * STRETCHES // n, c) for c, n in lengths])
    counts, empty = np.array([f.n for f in fits], dtype=float), np.zeros((0, 0))
    pool = Pool(a, b, fit, names, ratio, stretch, empty, counts, empty)
    as_in_b = [set(names) - set(differing(f.case, b)) for f in fits]
    members = np.array([pool.member(list(same)) for same in as_in_b]).reshape(len(fits), len(names))
    soft = np.array([pool.soft(f.case) for f in fits])
    return replace(pool, members=members, density=members @ ratio + soft)


def bridged(
    fits: tuple[Fit, Fit],
    fit_many: Callable[..., list[Fit]],
    *,
    most: int,
    stages: Stages,
) -> tuple[Pool, list[Fit]]:
    """Return the pool of a pair and its fits, mixtures of their beliefs fitted as needed.

    A mixture that does not converge is fitted once more, afresh and tuned longer.
    """
    a, b = (fit.case for fit in fits)
    start, rounds = [fits[0]] if a.priors == b.priors else list(fits), count(1)
    pool, alone = pooled(a, b, fits=start), fits[0].compiled.alone
    wanted = [subsets_by(a, b, by=by, alone=alone).mixtures(pool) for by in ("block", "claim")]

    def fit_mixtures(cases: list[Case]) -> list[Fit]:
        with stages(f"mixtures, round {next(rounds)}"):
            mixtures = fit_many(cases, a)
            failed = [i for i, fit in enumerate(mixtures) if not fit.diagnosis.converged]
            retry = replace(a.sampler, retry=True)
            again = fit_many([replace(cases[i], sampler=retry) for i in failed]) if failed else []
            for i, fit in zip(failed, again, strict=True):
                mixtures[i] = fit
        return mixtures

    members = np.unique(np.concatenate(wanted), axis=0)
    return with_mixtures(pool, start, members=members, fit_mixtures=fit_mixtures, most=most)


def with_mixtures(
    pool: Pool,
    fits: Sequence[Fit],
    *,
    members: Array,
    fit_mixtures: Callable[[list[Case]], list[Fit]],
    most: int,
) -> tuple[Pool, list[Fit]]:
    """Return the pool with as many mixtures fitted as the given ones need, and all fits.

    Parameters
    ----------
    pool, fits
        What is there already.
    members
        Mixtures that must be weighted, dims (mixture, sampled belief), zeros and ones.
    fit_mixtures
        Fits Cases.
    most
        Fits at most, those that are there included.
    """
    fits = list(fits)
    while len(fits) < most and len(members):
        worst = least_trusted(pool, members)
        if worst is None:
            break
        rows = [members[worst], 1.0 - members[worst]][: most - len(fits)]
        cases = [mixed(pool.a, pool.b, names=list(compress(pool.names, row))) for row in rows]
        new = [case for case in cases if case.priors not in [f.case.priors for f in fits]]
        if not new:  # fitted, and still too few: the weights of its own draws are uneven
            break
        fits += fit_mixtures(new)
        pool = pooled(pool.a, pool.b, fits=fits)
    return pool, fits


def effective(pool: Pool, members: Array) -> Array:
    """Return the effective number of draws of each mixture, whatever else the beliefs are."""
    ess = np.empty(len(members))
    for i in range(0, len(members), BATCH):
        logs = pool.log_weights(members[i : i + BATCH])
        w = np.exp(logs - logs.max(axis=1, keepdims=True))
        ess[i : i + BATCH] = w.sum(axis=1) ** 2 / (w**2).sum(axis=1)
    return ess


def pareto_ks(pool: Pool, members: Array, *, ess: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the mixtures with the fewest effective draws, and Pareto k of each.

    One that was fitted is left out: no weight can be above N over the draws of its fit.
    """
    fitted = (members[:, None, :] == pool.members[None]).all(axis=-1).any(axis=1)
    low = np.argsort(np.where(fitted, np.inf, ess))[: min(CHECKED, int((~fitted).sum()))]
    k = [smoothed(pool.log_weights(members[i : i + 1])[0]).pareto_k for i in low]
    return low, np.array(k)


def least_trusted(pool: Pool, members: Array) -> int | None:
    """Return the mixture whose weights are worst, None where all can be trusted."""
    ess = effective(pool, members)
    if ess.min() < LEAST_ESS:
        return int(ess.argmin())
    low, k = pareto_ks(pool, members, ess=ess)
    return int(low[k.argmax()]) if len(k) and k.max() > MAX_PARETO_K else None


def trust(pool: Pool, members: Array) -> Row:
    """Return how far the weights can be trusted: least effective draws, and largest Pareto k.

    Pareto k is that of the :data:`CHECKED` mixtures with the fewest effective draws.
    """
    ess = effective(pool, members)
    low, k = pareto_ks(pool, members, ess=ess)
    return {
        "mixtures": len(members),
        "least_ess": float(ess.min()),
        "k_checked": len(low),
        "largest_k": float(k.max()) if len(k) else 0.0,
        "untrusted": int(((k > MAX_PARETO_K) | (ess[low] < LEAST_ESS)).sum()),
    }


# Parts of the gap --------------------------------------------------------------------------------

MOST_ALONE, MOST_GROUPS = 7, 15
"""Groups with forecast-only beliefs, and groups, up to which all subsets are computed."""
ORDERS = 64
"""Orders sampled otherwise, half of them reverses of the others."""


@dataclass(frozen=True)
class Subsets:
    """Groups of the beliefs that differ, and the subsets of them whose value is computed.

    ``orders`` are the sampled orders of the groups, None where all subsets are computed.
    """

    groups: dict[str, tuple[str, ...]]
    orders: np.ndarray | None = None

    @cached_property
    def masks(self) -> np.ndarray:
        """Return the subsets as bit masks: all, or those that the orders visit.

        None and all, and all groups alone or lacking, are among them.
        """
        n = len(self.groups)
        if self.orders is None:
            return np.arange(2**n)
        single, everything = 1 << np.arange(n), 2**n - 1
        visited = [joining(self.orders).ravel(), single, everything ^ single, [0, everything]]
        return np.unique(np.concatenate(visited))

    def members(self, pool: Pool) -> Array:
        """Return the sampled beliefs of each subset as zeros and ones, dims (subset, belief)."""
        n = len(self.groups)
        bits = ((self.masks[:, None] >> np.arange(n)) & 1).astype(float)
        rows = [pool.member(names) for names in self.groups.values()]
        return bits @ np.array(rows).reshape(n, len(pool.names))

    def mixtures(self, pool: Pool) -> Array:
        """Return the mixtures of sampled beliefs that the subsets need, dims (mixture, belief)."""
        return np.unique(self.members(pool), axis=0)


def subsets_by(a: Case, b: Case, *, by: str, alone: Sequence[str]) -> Subsets:
    """Return the subsets of the beliefs that differ, by ``block`` or by home ``claim``."""
    home = {p.name: p.block if by == "block" else p.claims[0] for p in a.priors}
    names = differing(a, b)
    groups = {
        key: tuple(name for name in names if home[name] == key)
        for key in (BLOCKS if by == "block" else CLAIMS)
    }
    groups = {key: of for key, of in groups.items() if of}
    forecast_only = sum(not set(alone).isdisjoint(of) for of in groups.values())
    if forecast_only <= MOST_ALONE and len(groups) <= MOST_GROUPS:
        return Subsets(groups)
    return Subsets(groups, random_orders(len(groups), ORDERS, rng=stream(a.seed, "orders")))


@dataclass(frozen=True)
class Attribution:
    """Groups' parts of a gap. ``value`` and ``error`` have dims (quantity, group).

    ``alone``, the first worldview with one group as in the second, and ``lacking``, the second with
    one group as in the first, have dims (1 + stretch, quantity, group); row 0 is the estimate, the
    others those without a stretch. ``ends`` are the first and the second themselves.
    """

    groups: dict[str, tuple[str, ...]]
    value: np.ndarray
    error: np.ndarray
    alone: np.ndarray
    lacking: np.ndarray
    ends: np.ndarray


def attributed(pool: Pool, subsets: Subsets, *, names: Sequence[str]) -> Attribution:
    """Return each group's part of the gap (second less first) of each quantity."""
    groups, masks, orders = subsets.groups, subsets.masks, subsets.orders
    means = subset_means(pool, subsets, names=names)

    def of(subset: Any) -> np.ndarray:
        return means[..., np.searchsorted(masks, subset)]

    if orders is None:
        value, sampling = shapley(means), 0.0
    else:
        value, errors = shapley_by_orders(of(joining(orders)), orders)
        sampling = errors[0]
    everything, single = 2 ** len(groups) - 1, 1 << np.arange(len(groups))
    alone, lacking, ends = of(single), of(everything ^ single), of([0, everything])
    error = np.hypot(jackknife(value), sampling)
    return Attribution(groups, value[0], error, alone, lacking, ends)


def subset_means(pool: Pool, subsets: Subsets, *, names: Sequence[str]) -> np.ndarray:
    """Return the mean of each quantity for each subset, dims (1 + stretch, quantity, subset).

    Row 0 is of all draws, the others without one stretch of them. Subsets are ordered so that those
    whose early forecast-only beliefs are the same follow each other: these cost most.
    """
    ahead, alone, last = Ahead(names), set(pool.fit.compiled.alone), late(pool.fit)
    forecast_only = [alone.intersection(of) for of in subsets.groups.values()]
    exact = sum(1 << i for i, of in enumerate(forecast_only) if of)
    early = sum(1 << i for i, of in enumerate(forecast_only) if of - last)
    keys, members = subsets.masks & exact, subsets.members(pool)
    factor = np.vstack([np.ones(pool.fit.n), np.exp(pool.log_mix - pool.log_mix_without)])
    for g in range(STRETCHES):
        factor[1 + g, pool.stretch == g] = 0.0
    means = np.empty((1 + STRETCHES, len(names), len(keys)))
    soft: dict[Any, np.ndarray] = {}
    for key in sorted({int(x) for x in keys}, key=lambda x: (x & early, x)):
        as_in_b = set().union(*(of for i, of in enumerate(forecast_only) if key >> i & 1))
        case = mixed(pool.a, pool.b, names=as_in_b)
        part = soft_part(case)
        if part not in soft:
            soft[part] = pool.soft(case)
        draws = ahead(pool.fit, case)
        quantities = np.stack([np.ones(pool.fit.n), *(draws[name] for name in names)])
        subset = np.flatnonzero(keys == key)
        columns = factor[:, None] * quantities
        sums = weighted_sums(pool, members[subset], soft=soft[part], columns=columns)
        means[:, :, subset] = np.moveaxis(sums[..., 1:] / sums[..., :1], 0, -1)
    return means


def weighted_sums(pool: Pool, members: Array, *, soft: Array, columns: Array) -> np.ndarray:
    """Return weighted sums of columns (stretch, column, draw); dims (mixture, stretch, column)."""
    kinds, inverse = np.unique(members, axis=0, return_inverse=True)
    right, parts = columns.reshape(-1, columns.shape[-1]).T, []
    for i in range(0, len(kinds), BATCH):
        logs = pool.log_weights(kinds[i : i + BATCH], soft)
        parts.append(np.exp(logs - logs.max(axis=1, keepdims=True)) @ right)
    sums = np.concatenate(parts).reshape(len(kinds), *columns.shape[:2])
    return np.asarray(sums[inverse.ravel()])


# Tables ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """A worldview, fitted."""

    name: str
    fit: Fit

    @cached_property
    def posterior(self) -> Quantities:
        """The shown quantities by draw, given the evidence."""
        return answer(self.fit, self.fit.case, names=SHOWN)

    @cached_property
    def prior_draws(self) -> Quantities:
        """Draws of the priors alone, paired across worldviews by seed."""
        case, structure = self.fit.case, self.fit.compiled.structure
        rng = stream(case.seed, "prior")
        return prior_draws(case.by_name, structure, n=PRIOR_DRAWS, rng=rng)

    @cached_property
    def prior(self) -> Quantities:
        """The headline by draw of the priors alone."""
        case, compiled = self.fit.case, self.fit.compiled
        return headline(
            self.prior_draws,
            future_normals(case, PRIOR_DRAWS),
            structure=compiled.structure,
            question=case.asked,
            varying=compiled.alone,
        )


Pair = tuple[View, View]


def estimate(values: np.ndarray) -> tuple[float, float]:
    """Return a number, dims (1 + stretch,), and its standard error."""
    return float(values[0]), float(jackknife(values))


def view_row(view: View, config: Config) -> Row:
    """Return a worldview's quantities before and after the evidence."""
    outside, fit, draws = outside_view(config.outside_view), view.fit, view.posterior
    if outside is not None and outside.quantity not in draws:
        draws = draws | answer(fit, fit.case, names=(outside.quantity,))
    after = {name: with_mcse(x, fit.chains) for name, x in draws.items()}
    head = add_outside({"quantities": after}, config.outside_view, draws=draws, tails=TAILS)
    row: Row = {
        "name": view.name,
        "summary": config.summary,
        "converged": fit.diagnosis.converged,
        "prior": {name: with_mcse(view.prior[name], 1) for name in SHOWN},
        "posterior": {name: after[name] for name in SHOWN},
    }
    return row | outside_of(head)


def gap_rows(pair: Pair, parts: Attribution) -> list[Row]:
    """Return each quantity's gap, second less first: before the evidence, and given it.

    ``gap`` is of the two fits' own draws, ``weighed`` that of the pooled ones, which the parts add
    up to; the two have draws in common. ``closed`` is the share of the prior's gap that is gone.
    """
    same = pair[0].fit.case.priors == pair[1].fit.case.priors
    rows = []
    for q, name in enumerate(SHOWN):
        first, second = (with_mcse(view.posterior[name], view.fit.chains) for view in pair)
        change = pair[1].prior[name] - pair[0].prior[name]
        gap, before = second["mean"] - first["mean"], float(change.mean())
        weighted, error = estimate(parts.ends[:, q, 1] - parts.ends[:, q, 0])
        row: Row = {
            "quantity": name,
            "prior_gap": before,
            "prior_mcse": float(change.std() / len(change) ** 0.5),
            "gap": 0.0 if same else gap,
            "mcse": 0.0 if same else float(np.hypot(first["mcse"], second["mcse"])),
            "weighed": weighted,
            "weighed_mcse": error,
            "sum_of_parts": float(parts.value[q].sum()),
            "closed": 1.0 - abs(gap) / abs(before) if before else None,
        }
        rows.append(row)
    return rows


def part_rows(parts: Attribution, *, by: str) -> list[Row]:
    """Return each group's part of each gap; a group without a difference has 0."""
    place = {group: i for i, group in enumerate(parts.groups)}
    rows = []
    for q, name in enumerate(SHOWN):
        for group in BLOCKS if by == "block" else CLAIMS:
            i = place.get(group)
            row: Row = {"by": by, "group": group, "quantity": name}
            row["part"] = 0.0 if i is None else float(parts.value[q, i])
            row["mcse"] = 0.0 if i is None else float(parts.error[q, i])
            rows.append(row | {"beliefs": " ".join(parts.groups.get(group, ()))})
    return rows


def swap_rows(parts: Attribution) -> list[Row]:
    """Return what each would say with the other's view of one claim alone."""
    rows = []
    for q, name in enumerate(SHOWN):
        a, b = parts.ends[:, q, 0], parts.ends[:, q, 1]
        for i, group in enumerate(parts.groups):
            row: Row = {"claim": group, "quantity": name}
            swaps = {"a_with_b": (parts.alone, a), "b_with_a": (parts.lacking, b)}
            for key, (swapped, own) in swaps.items():
                values = swapped[:, q, i]
                row[key], row[f"{key}_mcse"] = estimate(values)
                row[f"{key}_change"], row[f"{key}_change_mcse"] = estimate(values - own)
            rows.append(row)
    return rows


def closing_rows(parts: Attribution, *, alone: Sequence[str]) -> list[Row]:
    """Return the strict headline's gap that is left where both hold the one's or the other's view.

    ``left`` is the mean size of the two gaps. ``reached`` says whether any evidence of today's
    kinds touches a belief of the claim, ``untouched`` which ones it does not.
    """
    a, b = parts.ends[:, 0, 0], parts.ends[:, 0, 1]
    rows: list[Row] = []
    for i, (group, names) in enumerate(parts.groups.items()):
        on_a, on_b = parts.lacking[:, 0, i] - a, b - parts.alone[:, 0, i]
        left, error = estimate((np.abs(on_a) + np.abs(on_b)) / 2.0)
        untouched = [name for name in names if name in alone]
        row = {"claim": group, "left": left, "mcse": error, "left_on_a": float(on_a[0])}
        row |= {"left_on_b": float(on_b[0]), "gap": float((b - a)[0])}
        row |= {"untouched": " ".join(untouched), "reached": len(untouched) < len(names)}
        rows.append(row)
    return sorted(rows, key=lambda row: row["left"])


def table_rows(pair: Pair) -> list[Row]:
    """Return the strict headline's gap if each table held twice as many rows that say the same.

    Each worldview's draws are weighted by the table's likelihood once more; where Pareto k is above
    0.7 the weights cannot tell.
    """
    effects: dict[str, list[tuple[float, float, float]]] = {}
    for view in pair:
        fit = view.fit
        thin = taken(fit, np.linspace(0, fit.n - 1, min(fit.n, SCORED_DRAWS)).astype(int))
        logs, x = log_likelihoods(thin), answer(thin, thin.case, names=SHOWN)[SHOWN[0]]
        for like in likelihoods(fit.compiled.structure):
            weight = fit.case.evidence.arrays[like.table]["weight"].astype(float)
            if weight.any():
                doubled = smoothed(logs[like.name] @ weight)
                mean = doubled.mean(x)
                error = float((doubled.weights**2 @ (x - mean) ** 2) ** 0.5)
                effect = (mean - float(x.mean()), error, doubled.pareto_k)
                effects.setdefault(TABLES[like.name], []).append(effect)
    gap = float(pair[1].posterior[SHOWN[0]].mean() - pair[0].posterior[SHOWN[0]].mean())
    rows: list[Row] = []
    for table, ((shift, error, k), (other_shift, other_error, other_k)) in effects.items():
        row = {"table": table, "gap": gap, "doubled": gap + other_shift - shift}
        row |= {"mcse": float(np.hypot(error, other_error)), "pareto_k": max(k, other_k)}
        rows.append(row | {"trusted": bool(max(k, other_k) <= MAX_PARETO_K)})
    return rows


def belief_rows(pair: Pair, groups: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return what each learned of the beliefs on which they differ, by claim."""
    learned = [
        {row["parameter"]: row for row in learned_rows(view.fit, view.prior_draws)} for view in pair
    ]
    keys = ("prior_mean", "posterior_mean", "sd_ratio", "shift", "learned")
    return [
        {"claim": claim, "belief": name}
        | {
            f"{who}_{key}": rows[name][key]
            for who, rows in zip("ab", learned, strict=True)
            for key in keys
        }
        for claim, names in groups.items()
        for name in names
        if name in learned[0]
    ]


# Pooled forecasts --------------------------------------------------------------------------------


def weights_of(
    names: Sequence[str], stated: Sequence[str], *, file: str | Path | None = None
) -> dict[str, float]:
    """Return the weight of each worldview, summing to 1; equal where none is stated.

    Raises
    ------
    InputError
        If a weight is of nobody, no number, negative or missing, or all are 0.
    """
    table = {} if file is None else read_toml(Path(file)).data.get("weights")
    if not isinstance(table, Mapping):
        raise InputError(f"{file}: found no table [weights]; add it, with NAME = NUMBER")
    texts = dict(table) | {
        name.strip(): number for name, _, number in (text.partition("=") for text in stated)
    }
    if not texts:
        return dict.fromkeys(names, 1.0 / len(names))
    weights = {}
    for name, value in texts.items():
        if name not in names:
            raise InputError(f"weight of {name!r}: no such worldview; {near_miss(name, names)}")
        try:
            weights[name] = float(value)
        except (TypeError, ValueError):
            raise InputError(f"weight of {name!r}: found {value!r}; write NAME=NUMBER") from None
        if not 0.0 <= weights[name] < np.inf:
            raise InputError(f"weight of {name!r}: found {value}; give a number of 0 or more")
    missing = [name for name in names if name not in weights]
    if missing:
        raise InputError(
            f"weights: found none for {', '.join(missing)}; state each, or none at all"
        )
    total = sum(weights.values())
    if not total:
        raise InputError("weights: found 0 for all; give some worldview more")
    return {name: weights[name] / total for name in names}


def pool_rows(views: Sequence[View], shares: Mapping[str, float]) -> list[Row]:
    """Return the pooled forecasts, one row for each way and quantity."""
    elpd = {view.name: work_elpd(view.fit, most=POOLS_SCORED) for view in views}
    best = {name: row["stacking_weight"] for name, row in stacked(elpd).items()}
    rows = []
    for name in SHOWN:
        draws = {view.name: view.posterior[name] for view in views}
        for way, pool, weights in (
            ("linear", linear_pool, shares),
            ("logarithmic", logarithmic_pool, shares),
            ("stacking", linear_pool, best),
        ):
            row: Row = {"quantity": name, "way": way} | pool(draws, weights)
            rows.append(row | {f"weight {who}": share for who, share in weights.items()})
    return rows


def linear_pool(draws: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Row:
    """Return mean and interval of the linear pool of draws."""
    values = np.concatenate(list(draws.values()))
    w = np.concatenate([np.full(len(x), shares[who] / len(x)) for who, x in draws.items()])
    order = np.argsort(values)
    cdf = np.cumsum(w[order]) / w.sum()
    ends = values[order][np.searchsorted(cdf, TAILS).clip(0, len(values) - 1)].tolist()
    row: Row = {"mean": float(w @ values / w.sum())}
    return row | dict(zip(("lower", "median", "upper"), ends, strict=True))


def logarithmic_pool(draws: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Row:
    """Return the logarithmic pool of the means; it has no interval."""
    p = np.clip([x.mean() for x in draws.values()], 1e-12, 1.0 - 1e-12)
    mean = float(expit(np.array([shares[who] for who in draws]) @ logit(p)))
    return {"mean": mean, "lower": None, "median": None, "upper": None}
