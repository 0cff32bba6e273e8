r"""``forecast sensitivity``: how far a result depends on its priors, and which evidence moves it.

Every variation is a Case, and its *effect* is the move of the mean of one target quantity, found at
the least price: exact, reweighted, by moved draws, else by a refit that starts from where the run's
own fit ended. Finished refits stay in the folder. With ``quick`` nothing is fitted, and what would
need it is withheld, with its Pareto k. The tables, in the order of this file:

``power``
    Power scaling of each block of priors and each table of evidence.
``tornado``, ``largest``
    Every prior moved to its own 5% and 95%, and its spread halved and doubled.
``tipping``
    Where a prior's centre must lie for the target to cross a threshold.
``factors``, ``surrogate``
    One standard-normal factor for each block of priors: Sobol indices and Shapley effects.
``blocks``, ``beliefs``, ``pairs``
    What explains the target's variance over the posterior draws.
``left_out``, ``ladder``
    Evidence taken away piece by piece, and added table by table.
``disagreement``
    The verdict of each method on each block, side by side.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq, root
from scipy.special import digamma, expit, logit, ndtri, polygamma
from scipy.stats import qmc

from forecast.analyses.loo import leave_one_out_weights, relative_efficiency, row_ids
from forecast.analyses.predictive import TABLES
from forecast.analyses.result import (
    Result,
    Row,
    finished_run,
    outside_of,
    resumable,
    save,
)
from forecast.analyses.statistics import (
    ENDS,
    explained,
    fisher,
    fit_surrogate,
    interval,
    paired,
    rank_correlations,
    sobol_indices,
    stretches,
    width_parts,
)
from forecast.analyses.structure import without_rater
from forecast.config.toml import near_miss
from forecast.evidence.load import load_tables
from forecast.inference import parallel
from forecast.inference.case import Case, with_arrays, with_prior
from forecast.inference.evaluate import Ahead, answer, forward_part, judged, late
from forecast.inference.forward import all_draws, taken
from forecast.inference.pointwise import kept_draws, log_likelihoods
from forecast.inference.reweighting import (
    MAX_PARETO_K,
    log_weights,
    moment_matched,
    smoothed,
    soft_part,
)
from forecast.inference.sampling import Fit
from forecast.inference.seeds import integer, stream
from forecast.progress import Stages
from forecast.runs.folder import read_manifest
from forecast.runs.open import Run, fit_of
from forecast.runs.run import run
from forecast.runs.summarise import unbounded, with_mcse
from models.batches import limited
from models.errors import InputError
from models.likelihoods import likelihoods
from models.outcomes.experts import READS
from models.parameters import BLOCKS, SLOTS
from models.priors import FAMILIES, Prior, frozen, logpdf, ppf
from models.quantities import HEADLINE, QUANTITIES
from reports.words import LEARNED, SOMEWHAT

SUMMARY_TABLES = (
    "power",
    "tornado",
    "tipping",
    "factors",
    "blocks",
    "beliefs",
    "pairs",
    "left_out",
    "ladder",
    "learned",
    "disagreement",
)
"""Tables of the summary that have a CSV file of their own."""


@dataclass(frozen=True)
class Sensitivity(Result):
    """A finished analysis; ``summary`` is the content of sensitivity.json."""

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.sensitivity import sensitivity_text

        assert self.folder is not None
        return f"{sensitivity_text(self.summary)}\n{self.folder / 'sensitivity.html'}"


def sensitivity(
    priors_or_run: str | Path | Run,
    *,
    target: str = "alignment_relevant",
    threshold: float | None = None,
    quick: bool = False,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    cores: int | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Sensitivity:
    """Say how far a quantity of a forecast depends on each belief and each piece of evidence.

    Parameters
    ----------
    priors_or_run
        A finished run or its folder; or a priors file or shipped name, which is run first.
    target
        A quantity of headline.json.
    threshold
        A chance of your own at which to look for tipping points, beside half and double.
    quick
        Skip refits; use only exact and importance-reweighted results.
    out
        Folder; ``sensitivity-RUN`` beside the run by default, ``-TARGET`` added for another target.
    evidence, seed
        For a priors file, as for :func:`forecast.runs.run.run`.
    cores
        Fits at a time; does not change numbers.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault.
    """
    if target not in HEADLINE:
        raise InputError(f"--target {target}: no headline quantity; {near_miss(target, HEADLINE)}")
    if threshold is not None and not 0.0 < threshold < 1.0:
        raise InputError(f"--threshold {threshold}: found no chance; use one between 0 and 1")
    given = priors_or_run
    if (
        not isinstance(given, Run)
        and not Path(given).is_dir()
        and read_manifest(Path(given)) is None
    ):
        options: Row = {"evidence": evidence, "cores": cores, "seed": seed, "quiet": quiet}
        given = run(given, report=False, **options)
    origin = finished_run(given, "it can be asked what it hangs on")
    name = f"sensitivity-{origin.folder.name}" + (f"-{target}" if target != HEADLINE[0] else "")
    folder = origin.folder.parent / name if out is None else Path(out)
    fits_folder = resumable(folder, "fits", what="not of this command")
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            base = baseline(origin, target)
        refit = None if quick else refitter(base, fits_folder, cores=cores, stages=stages)
        summary = heading(origin, base, quick=quick)
        summary |= all_tables(origin, base, threshold=threshold, refit=refit, stages=stages)
        summary = with_lines(summary)
        with stages("tables and figures"):
            write(folder, summary)
        write_manifest(folder, summary, seconds=stages.seconds)
    rows = [*summary["tornado"], *summary["left_out"], *summary["ladder"]]
    converged = summary["converged"] and all(row["converged"] for row in rows)
    return Sensitivity(summary, converged, folder)


def all_tables(
    origin: Run, base: "Baseline", *, threshold: float | None, refit: "Refit | None", stages: Stages
) -> Row:
    """Return every table of the summary."""
    thresholds = {"half": 0.5 * base.mean, "double": 2.0 * base.mean}
    thresholds |= {} if threshold is None else {"yours": threshold}
    tables: Row = {}
    with stages("power scaling"):
        tables["power"] = power_rows(base)
    with stages("priors moved"):
        tables["tornado"] = tornado(base, refit=refit)
        tables["largest"] = largest(tables["tornado"])
    with stages("tipping points"):
        tables["thresholds"] = thresholds
        tables["tipping"] = tipping_rows(
            base, tables["tornado"], thresholds=thresholds, refit=refit
        )
    with stages("shifts of blocks"):
        factors = factor_rows(base, tables["tornado"], quick=refit is None)
        tables["factors"], tables["surrogate"] = factors
    with stages("variance explained"):
        tables["blocks"] = block_rows(base)
        tables["beliefs"], tables["pairs"] = belief_rows(base), pair_rows(base)
    with stages("evidence left out"):
        tables["left_out"] = left_out_rows(base, refit=refit)
    with stages("evidence added"):
        prior = origin.headline["prior"][base.target]
        tables["ladder"] = ladder_rows(base, refit=refit, prior=prior)
    tables["learned"] = origin.context.get("parameters", [])
    return tables | {"disagreement": disagreement(tables)}


# The run that is varied --------------------------------------------------------------------------

TURNS = 32
"""Times that independent beliefs are drawn anew for each draw."""
THIN = 400
"""Draws at which a prior that enters early is moved exactly, with ``quick``."""


@dataclass(frozen=True)
class Baseline:
    """One run and one target, from which every effect is measured.

    ``y`` is the target by draw; ``smooth`` the same averaged over independent beliefs
    (:func:`averaged`); ``beliefs`` the draws of every stated prior, dims (draw, ...), forecast-only
    ones included; ``rows`` the log probability of each row of evidence by likelihood, not times its
    weight, at the draws ``scored``; ``sources`` the source of each row of worker figures.
    """

    fit: Fit
    target: str
    ahead: Ahead = field(repr=False)
    y: np.ndarray
    smooth: np.ndarray
    beliefs: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """The Case of the run."""
        return self.fit.case

    @cached_property
    def mean(self) -> float:
        """Mean of the target."""
        return float(self.y.mean())

    @cached_property
    def efficiency(self) -> float:
        """Least effective number of draws over their number."""
        return relative_efficiency(self.fit)

    @property
    def ess(self) -> float:
        """Effective number of draws, the least of any parameter and of the target."""
        return self.efficiency * self.fit.n

    @cached_property
    def scored(self) -> np.ndarray:
        """Places of the draws at which rows of evidence are scored."""
        return kept_draws(self.fit)

    @cached_property
    def thin(self) -> np.ndarray:
        """Places of :data:`THIN` draws at most, evenly chosen."""
        return np.linspace(0, self.fit.n - 1, min(self.fit.n, THIN)).astype(int)

    @cached_property
    def thin_fit(self) -> Fit:
        """The fit with those draws alone."""
        return taken(self.fit, self.thin)

    def columns(self, names: Collection[str]) -> np.ndarray:
        """Return the draws of beliefs as columns, dims (draw, belief or its element)."""
        return np.hstack([self.beliefs[name].reshape(self.fit.n, -1) for name in names])

    def blocks(self) -> dict[str, tuple[str, ...]]:
        """Return the beliefs of each block that has any, in order."""
        priors = self.case.by_name
        blocks = {b: tuple(n for n in self.beliefs if priors[n].block == b) for b in BLOCKS}
        return {block: names for block, names in blocks.items() if names}

    def explained(self, names: Collection[str]) -> Any:
        """Return the share of the target's variance that beliefs explain."""
        return explained(self.y, self.columns(names), ess=self.ess, seed=self.case.seed)

    @cached_property
    def log_prior(self) -> dict[str, np.ndarray]:
        """The log density of each belief's prior at the draws, copies summed."""
        return {name: self.density(self.case.by_name[name]) for name in self.beliefs}

    def density(self, prior: Prior) -> np.ndarray:
        """Return the log density of a belief's draws under a prior, copies summed."""
        return logpdf(prior, self.beliefs[prior.name]).reshape(self.fit.n, -1).sum(axis=1)

    def log_ratio(self, priors: Iterable[Prior]) -> np.ndarray:
        """Return the log density of priors less that of the run's own, at the draws."""
        parts = (self.density(prior) - self.log_prior[prior.name] for prior in priors)
        return sum(parts, np.zeros(self.fit.n))

    def weight(self, table: str) -> np.ndarray:
        """Return the weight of each row of a table of arrays."""
        return self.case.evidence.arrays[table]["weight"].astype(float)


def baseline(origin: Run, target: str) -> Baseline:
    """Return the baseline of a finished run.

    Raises
    ------
    InputError
        If the run cannot be read.
    """
    fit = fit_of(origin)
    sources = {row.row: row.source for row in load_tables(origin.folder / "evidence").workers}
    rows = log_likelihoods(fit, kept_draws(fit))
    return replace(baseline_of(fit, target, rows=rows), sources=sources)


def baseline_of(fit: Fit, target: str, *, rows: dict[str, np.ndarray]) -> Baseline:
    """Return the baseline of a fit whose rows of evidence are scored."""
    ahead, draws = Ahead(HEADLINE), all_draws(fit, fit.case)
    beliefs = {name: draws[name] for name in SLOTS if name in draws}
    y = ahead(fit, fit.case)[target]
    return Baseline(fit, target, ahead, y, averaged(fit, target, ahead=ahead), beliefs, rows)


def independent(fit: Fit) -> set[str]:
    """Return the beliefs that enter last, touched by no likelihood and no forecast by others."""
    return late(fit) - set(READS if soft_part(fit.case) else ())


def averaged(fit: Fit, target: str, *, ahead: Ahead) -> np.ndarray:
    """Return the target by draw, averaged over beliefs that are independent of all others.

    Given the other beliefs of a draw, each of :data:`TURNS` turns takes the :func:`independent`
    ones from another draw. Means under weights that do not depend on them stay as they are, with
    less noise (Rao-Blackwell).
    """
    draws, total = all_draws(fit, fit.case), np.zeros(fit.n)
    for turn in range(TURNS):
        step = turn * fit.n // TURNS
        other = {name: np.roll(draws[name], step) for name in sorted(independent(fit))}
        total += ahead.finish(fit, fit.case, draws | other)[target]
    return total / TURNS


# The effect of a Case on the target --------------------------------------------------------------

WITHHELD = "withheld"
NAN = float("nan")


@dataclass(frozen=True)
class Effect:
    """The target's mean in a Case, its 89% interval, and its ``shift`` from the run's mean.

    ``how`` says where the number and its error ``mcse`` come from. Errors of draws of a chain are
    those of as many independent draws as are effective.

    - ``exact``: forecast-only priors differ. Each draw is paired with itself, so that the error is
      that of the mean of the differences.
    - ``reweighted``: Pareto k <= 0.7 and enough effective draws. The error is that of the
      difference of a weighted and a plain mean of the same draws.
    - ``moment-matched``: draws moved, then weighted (:mod:`forecast.inference.reweighting`), with
      the same error.
    - ``refit``: another fit, so that the errors of both means add up.
    - ``withheld``: none of these was allowed or trusted; there is no number.

    ``width_mcse`` is the error of the change of the interval's width, where that is shown.
    """

    mean: float
    lower: float
    upper: float
    shift: float
    mcse: float
    how: str
    pareto_k: float = NAN
    converged: bool = True
    width_mcse: float = NAN

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return self.how != WITHHELD

    def row(self) -> Row:
        """Return the effect as columns of a table."""
        return dict(vars(self))


Refit = Callable[[Sequence[Case]], list[Fit]]
"""Fits Cases from where the run's own fit ended."""


def withheld(pareto_k: float = NAN) -> Effect:
    """Return an effect without a number."""
    return Effect(NAN, NAN, NAN, NAN, NAN, WITHHELD, pareto_k)


def effects(
    base: Baseline,
    cases: Sequence[Case],
    *,
    refit: Refit | None,
    cheap: Sequence[Effect] | None = None,
) -> list[Effect]:
    """Return the effect of each Case at the least price; without ``refit`` nothing is fitted.

    ``cheap`` are effects found already, withheld where something better is wanted.
    """
    quick = refit is None
    answers = list(cheap or [cheap_effect(base, case, thin=quick) for case in cases])
    if refit is None:
        return answers
    for i, effect in enumerate(answers):
        if not effect.known and cases[i].evidence == base.case.evidence:
            answers[i] = moved_effect(base, cases[i]) or effect
    left = [i for i, effect in enumerate(answers) if not effect.known]
    for i, fit in zip(left, refit([cases[i] for i in left]), strict=True):
        answers[i] = refit_effect(base, fit, k=answers[i].pareto_k)
    return answers


def cheap_effect(base: Baseline, case: Case, *, thin: bool = False) -> Effect:
    """Return the exact or reweighted effect of a Case, else a withheld one with its Pareto k.

    With ``thin`` fewer draws are used where a prior enters early, so that each costs seconds.
    """
    own, alone = base.case.by_name, base.fit.compiled.alone
    changed = [prior for prior in case.priors if prior != own[prior.name]]
    if forward_part(case, alone) == forward_part(base.case, alone):
        weights = smoothed(base.log_ratio(changed))
        if not weights.good:
            return withheld(weights.pareto_k)
        with np.errstate(divide="ignore"):
            return weighted_effect(base, np.log(weights.weights), k=weights.pareto_k)
    with limited(1) if thin else nullcontext():  # few blocks: threads would wait for each other
        return forecast_only_effect(base, case, names={p.name for p in changed}, thin=thin)


def weighted_effect(
    base: Baseline, logs: np.ndarray, *, k: float, places: np.ndarray | None = None
) -> Effect:
    """Return the effect of smoothed log weights of the run's draws, of those at places if given.

    The weights may not depend on the beliefs that :func:`averaged` averages out.
    """
    places = np.arange(base.fit.n) if places is None else places
    w = np.exp(logs - logs.max())
    w /= w.sum()
    smooth = base.smooth[places]
    shift, error = paired(smooth, w, base=smooth, efficiency=base.efficiency)
    ends = interval(base.y[places], w)
    return Effect(base.mean + shift, *ends, shift, error, "reweighted", k)


def forecast_only_effect(base: Baseline, case: Case, *, names: set[str], thin: bool) -> Effect:
    """Return the effect of other forecast-only priors, each draw paired with itself.

    ``names`` are the priors that differ. Where forecasts by others weigh and read one of them,
    draws are weighted by how that changes their weights.
    """
    soft = bool(soft_part(base.case)) and bool(names & set(READS))
    enter_last = names <= late(base.fit)
    few = thin and (soft or not enter_last)
    fit, places = (base.thin_fit, base.thin) if few else (base.fit, np.arange(base.fit.n))
    change = log_weights(fit, case) - log_weights(base.fit, base.case)[places] if soft else 0.0
    weights = smoothed(np.zeros(fit.n) + change)
    if not weights.good:
        return withheld(weights.pareto_k)
    y = base.y[places]
    if few and not enter_last:
        x = answer(fit, case, names=[base.target])[base.target]
    else:
        x = base.ahead(base.fit, case)[base.target][places]
    efficiency = min(base.ess, float(len(y))) / len(y)
    shift, error = paired(x, weights.weights, base=y, efficiency=efficiency)
    how, k = ("reweighted", weights.pareto_k) if soft else ("exact", NAN)
    ends = interval(x, weights.weights)
    return Effect(base.mean + shift, *ends, shift, error, how, k)


def moved_effect(base: Baseline, case: Case) -> Effect | None:
    """Return the effect by draws moved to the weighted moments, None where not trusted."""
    moved = moment_matched(base.fit, case)
    if moved is None or not moved.weights.good:
        return None
    x, w = answer(moved.fit, case, names=[base.target])[base.target], moved.weights.weights
    shift, error = paired(x, w, base=base.y[moved.fit.chosen], efficiency=base.efficiency)
    how, k = "moment-matched", moved.weights.pareto_k
    return Effect(base.mean + shift, *interval(x, w), shift, error, how, k)


def refit_effect(base: Baseline, fit: Fit, *, k: float) -> Effect:
    """Return the effect by a fit of its own; ``k`` is why it was needed."""
    quantities = answer(fit, fit.case, names=list(HEADLINE))
    verdict, x = judged(fit, quantities).diagnosis, quantities[base.target]
    ess = max(min(verdict.min_ess_bulk, verdict.min_ess_tail), 1.0)
    error = float(np.hypot(x.std() / ess**0.5, base.y.std() / base.ess**0.5))
    same, own = np.full(len(x), 1.0 / len(x)), np.full(base.fit.n, 1.0 / base.fit.n)
    width = (width_parts(x, same) ** 2).sum() * len(x) / ess
    width += (width_parts(base.y, own) ** 2).sum() / base.efficiency
    mean, ends = float(x.mean()), interval(x, same)
    shift, converged = mean - base.mean, verdict.converged
    return Effect(mean, *ends, shift, error, "refit", k, converged, float(width**0.5))


def refitter(base: Baseline, folder: Path, *, cores: int | None, stages: Stages) -> Refit:
    """Return what fits Cases from the run's own fit, each fit saved in its file."""

    def refit(cases: Sequence[Case]) -> list[Fit]:
        if not cases:
            return []
        own = folder / f"{parallel.fit_key(base.case)}.nc"
        if not own.exists():
            parallel.write(own, parallel.to_bytes(base.fit))
        tick = stages.counting(len(cases))
        return parallel.fit_many(cases, folder, base=base.case, workers=cores, tick=tick)

    return refit


# A prior moved within its own family -------------------------------------------------------------
#
# Let u be the belief on the scale where it is unbounded (as it is, its logarithm, or its log-odds),
# with mean m and sd s there. A shift sets m to another point and leaves s; a scaling multiplies s
# and leaves m. The numbers of the family follow exactly:
#
# - Normal, StudentT: mu and sigma; LogNormal, LogitNormal: those of the logarithm or log-odds;
# - Gamma: m = digamma(alpha) - log(beta), s^2 = trigamma(alpha);
# - Beta: m = digamma(alpha) - digamma(beta), s^2 = trigamma(alpha) + trigamma(beta);
# - HalfNormal, Exponential have one number: a shift multiplies the scale, and so does a scaling;
# - TruncatedNormal: mu and sigma, between the same bounds;
# - Uniform: the widest uniform around the point within the same bounds; doubled, it would leave
#   them, so it stays.

LABELS = {
    "low": "centre at its 5%",
    "high": "centre at its 95%",
    "narrow": "spread x 1/2",
    "wide": "spread x 2",
}
"""The four moves of a tornado, in words."""
CENTRES = {"low": 0.05, "high": 0.95}
"""Quantiles of a prior to which its centre is moved."""
LOG_RANGE = (float(np.log(1e-3)), float(np.log(1e7)))
"""Ends of the logarithm of a number of a Beta or Gamma, between which it is sought."""


def moved(prior: Prior) -> dict[str, Prior]:
    """Return the four moves of a tornado, by the keys of :data:`LABELS`."""
    centres = {move: shifted(prior, point(prior, q)) for move, q in CENTRES.items()}
    return centres | {"narrow": shifted(prior, factor=0.5), "wide": shifted(prior, factor=2.0)}


def shifted(prior: Prior, centre: float | None = None, *, factor: float = 1.0) -> Prior:
    """Return the prior with another centre, where it is unbounded, and its spread times a factor.

    Without a centre it stays where it is.
    """
    v, (mean, sd) = prior.values, moments(prior)
    u = mean if centre is None else centre
    if "mu" in v:
        new = v | {"mu": v["mu"] if centre is None else centre, "sigma": v["sigma"] * factor}
    elif prior.dist in ("Gamma", "Beta"):
        new = numbers(prior, u, sd=sd * factor)
    elif prior.dist == "Uniform":
        half = min(u - v["lower"], v["upper"] - u) * min(factor, 1.0)
        new = {"lower": u - half, "upper": u + half}
    else:
        scale = float(np.exp(u - mean)) * factor
        new = {key: x * scale if key == "sigma" else x / scale for key, x in v.items()}
    params = tuple((name, float(new[name])) for name, _ in prior.params)
    return replace(prior, params=params, quantiles=None)


def moments(prior: Prior) -> tuple[float, float]:
    """Return mean and sd of the prior on the scale where it is unbounded.

    For families with one number, or with bounds, the point at the middle and the sd of a normal
    with the same 5 and 95%.
    """
    v = prior.values
    if prior.dist in ("Normal", "StudentT", "LogNormal", "LogitNormal"):
        return v["mu"], v["sigma"]
    if prior.dist == "Gamma":
        a, b = v["alpha"], v["beta"]
        return float(digamma(a) - np.log(b)), float(polygamma(1, a) ** 0.5)
    if prior.dist == "Beta":
        a, b = v["alpha"], v["beta"]
        return float(digamma(a) - digamma(b)), float((polygamma(1, a) + polygamma(1, b)) ** 0.5)
    low, mid, high = (point(prior, q) for q in (0.05, 0.5, 0.95))
    return mid, (high - low) / 3.2897


def scale_of(prior: Prior) -> str:
    """Return the scale where the prior's family is unbounded: ``log``, ``log-odds`` or ``own``."""
    return {"positive": "log", "unit": "log-odds"}.get(FAMILIES[prior.dist].support, "own")


@lru_cache(maxsize=4096)
def point(prior: Prior, q: float) -> float:
    """Return a quantile of the prior, where it is unbounded; cached, since SciPy is slow at one."""
    x, scale = float(ppf(prior, q)), scale_of(prior)
    if scale == "log":
        return float(np.log(max(x, 1e-300)))
    return float(logit(np.clip(x, 1e-300, 1.0 - 1e-16))) if scale == "log-odds" else x


@lru_cache(maxsize=4096)
def probability_below(prior: Prior, u: float) -> float:
    """Return the prior's probability below a point of the scale where it is unbounded."""
    to_value: dict[str, Callable[[float], Any]] = {"log": np.exp, "log-odds": expit, "own": float}
    return float(frozen(prior).cdf(to_value[scale_of(prior)](u)))


def numbers(prior: Prior, mean: float, *, sd: float) -> dict[str, float]:
    """Return the numbers of a Gamma or Beta with mean and sd of its logarithm or log-odds."""
    v = prior.values
    if prior.dist == "Gamma":
        a = v["alpha"]
        if sd != moments(prior)[1]:
            a = np.exp(monotone_root(lambda t: float(polygamma(1, np.exp(t)) - sd**2)))
        return {"alpha": float(a), "beta": float(np.exp(digamma(a) - mean))}

    def gaps(logs: np.ndarray) -> np.ndarray:
        """Return how far mean and variance of the log-odds are from those wanted."""
        a, b = np.exp(logs)
        return np.array([digamma(a) - digamma(b) - mean, polygamma(1, a) + polygamma(1, b) - sd**2])

    def jacobian(logs: np.ndarray) -> np.ndarray:
        a, b = np.exp(logs)
        first = [polygamma(1, a) * a, -polygamma(1, b) * b]
        return np.array([first, [polygamma(2, a) * a, polygamma(2, b) * b]])

    solution = root(gaps, np.log([v["alpha"], v["beta"]]), jac=jacobian)
    if solution.success and np.all(np.abs(solution.fun) < 1e-8):
        return dict(zip(("alpha", "beta"), np.exp(solution.x), strict=True))

    def log_beta(t: float) -> float:
        """Return log beta by which alpha = exp(t) and beta have the mean."""
        return monotone_root(lambda s: digamma(np.exp(t)) - digamma(np.exp(s)) - mean)

    t = monotone_root(lambda t: gaps(np.array([t, log_beta(t)]))[1])
    return {"alpha": float(np.exp(t)), "beta": float(np.exp(log_beta(t)))}


def monotone_root(gap: Callable[[float], float]) -> float:
    """Return where a monotone function of a logarithm is zero, or the nearer end of the range."""
    low, high = LOG_RANGE
    first, last = gap(low), gap(high)
    if first * last > 0:
        return low if abs(first) < abs(last) else high
    return float(brentq(gap, low, high, xtol=1e-10))


# Power scaling -----------------------------------------------------------------------------------
#
# The density of a component is raised to a power alpha near 1. The sensitivity is ArviZ's psense:
# how fast the whole distribution of the target changes with log2 alpha (Kallioinen et al. 2024,
# Stat. Comput. 34:57). It has no sign, so the direction stands beside it: the change of the mean
# for each doubling of alpha, from the same weights. A block is the sum of the log densities of its
# stated priors, forecast-only ones included; a table is the sum of its rows with their weights.
# Terms of groups (effects of agendas, years, definitions, raters and studies, given their scale)
# are left out: a flag would hang on which of them were scaled.

ALPHAS = (0.99, 1.01)
"""Powers, ArviZ's own; the change is linear between them."""
POWER_THRESHOLD = 0.05
"""Sensitivity from which a component counts as one that moves the target (Kallioinen et al.)."""
BOOTSTRAPS = 20


def power_rows(base: Baseline) -> list[Row]:
    """Return one row for each block of priors and each table of evidence, the largest first.

    ``group`` is ``prior`` or ``likelihood``; ``sensitivity`` has ``error``, its bootstrap standard
    error; ``direction`` has ``mcse``; ``flagged`` if the sensitivity reaches the threshold.
    """
    draws = np.arange(base.fit.n)
    rows = [
        power_row(base, np.sum([base.log_prior[n] for n in names], axis=0), places=draws)
        | {"group": "prior", "component": block}
        for block, names in base.blocks().items()
    ]
    rows += [
        power_row(base, logs, places=base.scored) | {"group": "likelihood", "component": table}
        for table, logs in table_logs(base).items()
    ]
    first = ("group", "component")
    rows = [{key: row[key] for key in (*first, *row)} for row in rows]
    return sorted(rows, key=lambda row: (row["group"] != "prior", -row["sensitivity"]))


def table_logs(base: Baseline) -> dict[str, np.ndarray]:
    """Return the log likelihood of each table's rows, weights in, at the scored draws."""
    return {
        TABLES[like.name]: base.rows[like.name] @ base.weight(like.table)
        for like in likelihoods(base.fit.compiled.structure)
        if base.weight(like.table).any()
    }


def power_row(base: Baseline, logs: np.ndarray, *, places: np.ndarray) -> Row:
    """Return sensitivity and direction of a component with these log densities at the places.

    In the bootstrap each draw keeps its weight: powers this near 1 leave no tail to smooth again.
    """
    from arviz_stats.base import array_stats

    def sense(y: np.ndarray, weights: Sequence[np.ndarray]) -> float:
        low, high = (w[None] / w.sum() for w in weights)
        return float(array_stats.power_scale_sense(y[None], low, high, *ALPHAS))

    y, n, efficiency = base.y[places], len(places), base.efficiency
    raw = [np.exp(np.asarray(array_stats.power_scale_lw(logs, alpha=a))) for a in ALPHAS]
    low, high = (w / w.sum() for w in raw)
    rng, length = stream(base.case.seed, "power scaling"), max(1, round(1.0 / efficiency))
    resampled = [
        sense(y[pick[:n]], (low[pick[:n]], high[pick[:n]]))
        for pick in stretches(n, length, times=BOOTSTRAPS, rng=rng)
    ]
    width = float(np.log2(ALPHAS[1] / ALPHAS[0]))
    up, down = (paired(y, w, base=y, efficiency=efficiency)[0] for w in (high, low))
    part = high * (y - high @ y) - low * (y - low @ y)
    value = sense(y, (low, high))
    return {
        "sensitivity": value,
        "error": float(np.std(resampled)),
        "threshold": POWER_THRESHOLD,
        "flagged": value >= POWER_THRESHOLD,
        "direction": (up - down) / width,
        "mcse": float(((part**2).sum() / efficiency) ** 0.5) / width,
    }


# The tornado -------------------------------------------------------------------------------------


def tornado(base: Baseline, *, refit: Refit | None) -> list[Row]:
    """Return one row for each prior and move, the prior that moves the target most first.

    Each has ``parameter``, ``block``, ``move`` (a key of :data:`LABELS`), ``centre`` (the middle of
    the moved prior, in the belief's unit) and the columns of :class:`Effect`.
    """
    moves = [
        (prior, move, new)
        for prior in base.case.priors
        if prior.name in base.beliefs
        for move, new in moved(prior).items()
    ]
    cases = [with_prior(base.case, new) for _, _, new in moves]
    rows, most = [], dict.fromkeys(base.beliefs, 0.0)
    for (prior, move, new), effect in zip(moves, effects(base, cases, refit=refit), strict=True):
        row: Row = {"parameter": prior.name, "block": prior.block, "move": move}
        rows.append(row | {"centre": float(ppf(new, 0.5))} | effect.row())
        if effect.known:
            most[prior.name] = max(most[prior.name], abs(effect.shift))
    return sorted(rows, key=lambda row: (-most[row["parameter"]], row["parameter"]))


def largest(rows: list[Row]) -> list[Row]:
    """Return, for each prior in order, its largest known move in either direction, and its error.

    ``most`` is that move's shift, ``move`` which it is; ``withheld`` counts moves without a number.
    """
    table: dict[str, Row] = {}
    for row in rows:
        name = row["parameter"]
        empty = {"most": 0.0, "mcse": 0.0, "move": "", "withheld": 0}
        best = table.setdefault(name, {"parameter": name, "block": row["block"]} | empty)
        if row["how"] == WITHHELD:
            best["withheld"] += 1
        elif abs(row["shift"]) > abs(best["most"]):
            best |= {"most": row["shift"], "mcse": row["mcse"], "move": row["move"]}
    return list(table.values())


# Tipping points ----------------------------------------------------------------------------------
#
# The centre of a prior is moved over its own 1 to 99%, its 5 and 95% answered in the tornado, and
# the crossing is found by the secant between the two places around it. Its error is that of the
# target there, divided by the slope.

FAR_CENTRES = (0.01, 0.99)
SECANT_STEPS = 2
"""Secant steps after the first; each costs one reweighting."""
CLOSE = 0.25
"""Errors of the target within which a crossing counts as found."""


@dataclass(frozen=True)
class Place:
    """A place of a prior's centre, where it is unbounded, and the target's mean there."""

    u: float
    mean: float
    mcse: float
    how: str


def tipping_rows(
    base: Baseline, tornado: list[Row], *, thresholds: Mapping[str, float], refit: Refit | None
) -> list[Row]:
    """Return one row for each prior and threshold, those that cross first.

    ``value`` is the middle of the prior at the crossing, in the belief's unit, ``error`` its Monte
    Carlo error, ``quantile`` its place in the prior as stated; all empty where there is no crossing
    from ``from_quantile`` to ``to_quantile``, the places whose answer is known.
    """
    known = {(r["parameter"], r["move"]): r for r in tornado if r["move"] in CENTRES}
    priors = [prior for prior in base.case.priors if (prior.name, "low") in known]
    ends = [(prior, point(prior, q)) for prior in priors for q in FAR_CENTRES]
    cases = [with_prior(base.case, shifted(prior, u)) for prior, u in ends]
    cheap = [cheap_effect(base, case, thin=True) for case in cases]
    places = {p.name: [Place(moments(p)[0], base.mean, 0.0, "exact")] for p in priors}
    for (prior, u), one in zip(ends, effects(base, cases, refit=refit, cheap=cheap), strict=True):
        if one.known:
            places[prior.name].append(Place(u, one.mean, one.mcse, one.how))
    for prior in priors:
        for move, q in CENTRES.items():
            row = known[prior.name, move]
            if row["how"] != WITHHELD:
                place = Place(point(prior, q), row["mean"], row["mcse"], row["how"])
                places[prior.name].append(place)
    rows = []
    for prior in priors:
        along = sorted(places[prior.name], key=lambda place: place.u)
        rows += [
            {"parameter": prior.name, "block": prior.block, "threshold": name, "target": value}
            | tipping_point(base, prior, along, value=value, thin=refit is None)
            for name, value in thresholds.items()
        ]
    return sorted(rows, key=lambda r: (r["quantile"] is None, abs((r["quantile"] or 0.5) - 0.5)))


def tipping_point(
    base: Baseline, prior: Prior, places: Sequence[Place], *, value: float, thin: bool
) -> Row:
    """Return where the target crosses a value, between the known places of a prior's centre."""
    ends = [probability_below(prior, one.u) for one in (places[0], places[-1])]
    row: Row = {"value": None, "error": None, "quantile": None, "how": "none"}
    row |= {"from_quantile": ends[0], "to_quantile": ends[1]}
    pairs = [
        (a, b)
        for a, b in pairwise(places)
        if (a.mean - value) * (b.mean - value) <= 0 and a.mean != b.mean
    ]
    if not pairs:
        return row
    middle = float(np.median([place.u for place in places]))
    nearest = min(pairs, key=lambda pair: abs(0.5 * (pair[0].u + pair[1].u) - middle))
    crossing, slope = secant(base, prior, pair=nearest, value=value, thin=thin)
    centre, step = float(ppf(shifted(prior, crossing.u), 0.5)), 1e-4 * moments(prior)[1]
    rate = (float(ppf(shifted(prior, crossing.u + step), 0.5)) - centre) / step
    error = abs(crossing.mcse / slope * rate) if slope else None
    quantile = probability_below(prior, crossing.u)
    return row | {"value": centre, "error": error, "quantile": quantile, "how": crossing.how}


def secant(
    base: Baseline, prior: Prior, *, pair: tuple[Place, Place], value: float, thin: bool
) -> tuple[Place, float]:
    """Return the place of the crossing, and the slope of the target there."""
    a, b = pair
    for _ in range(SECANT_STEPS):
        u = a.u + (value - a.mean) * (b.u - a.u) / (b.mean - a.mean)
        effect = cheap_effect(base, with_prior(base.case, shifted(prior, u)), thin=thin)
        if not effect.known:
            break
        c = Place(u, effect.mean, effect.mcse, effect.how)
        a, b = (a, c) if (a.mean - value) * (c.mean - value) <= 0 else (c, b)
        if abs(c.mean - value) < CLOSE * max(c.mcse, 1e-12):
            break
    slope = (b.mean - a.mean) / (b.u - a.u) if b.u != a.u else 0.0
    u = a.u + (value - a.mean) / slope if slope else a.u
    nearer = min((a, b), key=lambda place: abs(place.mean - value))
    how = nearer.how if nearer.mcse else max((a, b), key=lambda place: place.mcse).how
    return Place(u, value, max(a.mcse, b.mcse), how), slope


# Shifts of whole blocks --------------------------------------------------------------------------
#
# Factor z_b ~ Normal(0, 1) moves the centre of each prior i of block b by z_b d_i / 2 of its sd,
# where it is unbounded, d the unit vector along which the block moves the target fastest: d_i is
# proportional to g_i, the slopes of the tornado less their noise. To first order the variance by
# block is then what independent shifts of all single priors would give, since |g|^2 = sum g_i^2.
# Half an sd leaves all factors together within reach of weights. Each point is answered from the
# run's draws: sampled priors by their weights, independent beliefs exactly. A surrogate is fitted
# to some points and judged on the others. Sobol indices are SALib's on the surrogate; Shapley
# effects are exact there, by all subsets. Intervals come from drawing stretches of the chains anew,
# and the surrogate's errors with them.

UNIT = 0.5
"""Prior sds by which a factor of 1 moves a block along its direction."""
POINTS = {True: (64, 32), False: (128, 64)}
"""Points of the fit and of its test, with ``quick`` and without."""
MOST_BLOCKS = 10
"""Blocks at most: 1024 subsets."""
LEAST = 0.02
"""Part of a direction below which a prior is not moved."""
PIECES, REPLICATES = 20, 200
"""Pieces of the chains that are drawn anew, and how often."""


@dataclass(frozen=True)
class Points:
    """Points of the factors, dims (point, factor), and the target there.

    By point and piece of the chains: sums of weights times target, and of weights; ``left_out``
    counts points whose weights were not to be trusted.
    """

    z: np.ndarray
    sums: np.ndarray
    weights: np.ndarray
    left_out: int

    def means(self, pieces: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the target's mean at each point, from pieces of the chains."""
        return np.asarray(self.sums[:, pieces].sum(axis=1) / self.weights[:, pieces].sum(axis=1))


def factor_rows(base: Baseline, tornado: list[Row], *, quick: bool) -> tuple[list[Row], Row]:
    """Return one row for each block, and how good the surrogate is.

    Rows have ``first``, ``total`` (Sobol) and ``shapley``, all as shares of the variance, with the
    ends of their intervals, ``slope`` (change of the target for a factor of 1) and ``led_by``.
    """
    directions = dict(list(block_directions(base, tornado).items())[:MOST_BLOCKS])
    blocks, n, seed = list(directions), len(directions), base.case.seed
    fitting, testing = POINTS[quick]
    points = answered(base, list(directions.values()), count=fitting + testing)
    about: Row = {"points": len(points.z), "left_out": points.left_out, "unit": UNIT}
    count = len(points.z) * fitting // (fitting + testing)
    if count < 4 * n:
        return [], about
    y, (train, test) = points.means(), np.split(points.z, [count])
    model = fit_surrogate(train, y[:count])
    missed = y[count:] - model(test)
    rng, replicates = stream(seed, "factors again"), []
    for _ in range(REPLICATES):
        pieces = rng.integers(0, PIECES, size=PIECES)
        again = points.means(pieces)[:count] + rng.choice(missed, size=count)
        replicates.append(fit_surrogate(train, again))
    sobol, shares = sobol_indices(model, n, seed=seed), model.shares()
    indices = {"first": sobol["S1"], "total": sobol["ST"], "shapley": shares["shapley"]}
    rows: list[Row] = [{"block": block} for block in blocks]
    drawn = [one.shares() for one in replicates]
    for key, values in indices.items():
        low, high = np.quantile([one[key] for one in drawn], ENDS, axis=0)
        for i, row in enumerate(rows):
            row |= {key: float(values[i]), f"{key}_lower": float(min(low[i], values[i]))}
            row |= {f"{key}_upper": float(max(high[i], values[i]))}
    for row, slope in zip(rows, model.coefs[1 : n + 1], strict=True):
        lead = max((abs(part), name) for name, part in directions[row["block"]].items())
        row |= {"slope": float(slope), "led_by": lead[1]}
    about |= {
        "accuracy": float(1.0 - (missed**2).mean() / y[count:].var()),
        "variance": model.variance,
        "variance_error": float(np.std([one.variance for one in replicates])),
        "shapley_sum": float(shares["shapley"].sum() * model.variance),
        "variance_of_points": float(y.var()),
    }
    return sorted(rows, key=lambda row: -row["shapley"]), about


def block_directions(base: Baseline, tornado: list[Row]) -> dict[str, dict[str, float]]:
    """Return, by block, the part of each prior in the unit vector along which the block moves.

    All parts are equal where no slope stands out from its noise.
    """
    rows = {(row["parameter"], row["move"]): row for row in tornado}
    slopes: dict[str, dict[str, float]] = {}
    for prior in base.case.priors:
        if (prior.name, "low") not in rows:
            continue
        mean, sd = moments(prior)
        places = [(mean, 0.0, 0.0)]  # (centre, shift, error)
        for move, q in CENTRES.items():
            row = rows[prior.name, move]
            if row["how"] != WITHHELD:
                places.append((point(prior, q), row["shift"], row["mcse"]))
        (u, y, error), (v, x, other) = min(places), max(places)
        if u != v:
            width = (v - u) / sd
            slope, noise = (x - y) / width, float(np.hypot(error, other)) / width
            clear = slope * max(0.0, 1.0 - (noise / slope) ** 2) if slope else 0.0
            slopes.setdefault(prior.block, {})[prior.name] = clear
    directions = {}
    for block, parts in slopes.items():
        size = float(np.linalg.norm(list(parts.values())))
        if size:
            directions[block] = {n: g / size for n, g in parts.items() if abs(g) >= LEAST * size}
        else:
            directions[block] = dict.fromkeys(parts, len(parts) ** -0.5)
    return directions


def answered(base: Baseline, directions: Sequence[dict[str, float]], *, count: int) -> Points:
    """Return the target at points of the factors, those with trusted weights.

    Factors are rounded to halves, so that points share moved blocks; the surrogate knows.
    """
    sampler = qmc.Sobol(len(directions), seed=integer(base.case.seed, "factors"))
    z = ndtri(np.clip(sampler.random(1 << (count - 1).bit_length())[:count], 1e-4, 1 - 1e-4))
    z, priors, exact = np.round(2.0 * z) / 2.0, base.case.by_name, independent(base.fit)

    @cache
    def block(b: int, size: float) -> tuple[np.ndarray, list[Prior]]:
        """Return a moved block: log ratio of sampled priors at the draws, and the others."""
        new = []
        for name, part in directions[b].items():
            mean, sd = moments(priors[name])
            new.append(shifted(priors[name], mean + UNIT * size * part * sd))
        ratio = base.log_ratio(p for p in new if size and p.name not in exact)
        return ratio, [p for p in new if p.name in exact]

    sums, totals, trusted = [], [], []
    for i, factors in enumerate(z):
        moved_blocks = [block(b, float(size)) for b, size in enumerate(factors)]
        weights = smoothed(np.sum([ratio for ratio, _ in moved_blocks], axis=0))
        if weights.pareto_k > MAX_PARETO_K:
            continue
        case = base.case
        for prior in (prior for _, new in moved_blocks for prior in new):
            case = with_prior(case, prior)
        y, w = base.ahead(base.fit, case)[base.target], weights.weights
        sums.append([part.sum() for part in np.array_split(w * y, PIECES)])
        totals.append([part.sum() for part in np.array_split(w, PIECES)])
        trusted.append(i)
    return Points(z[trusted], np.array(sums), np.array(totals), count - len(trusted))


# Variance explained ------------------------------------------------------------------------------


def block_rows(base: Baseline) -> list[Row]:
    """Return the share of the target's variance that each block explains, the largest first."""
    rows: list[Row] = [
        {"block": block, "beliefs": len(names)} | vars(base.explained(names))
        for block, names in base.blocks().items()
    ]
    return sorted(rows, key=lambda row: -row["share"])


def belief_rows(base: Baseline) -> list[Row]:
    """Return rank and partial rank correlation of each scalar belief with the target."""
    names = [name for name, x in base.beliefs.items() if x.ndim == 1]
    plain, partial = rank_correlations(base.y, base.columns(names))
    lower, upper = fisher(plain, n=base.ess)
    partial_lower, partial_upper = fisher(partial, n=base.ess, given=len(names) - 1)
    columns = {
        "rank": plain,
        "rank_lower": lower,
        "rank_upper": upper,
        "partial": partial,
        "partial_lower": partial_lower,
        "partial_upper": partial_upper,
    }
    rows: list[Row] = [
        {"parameter": name, "block": base.case.by_name[name].block}
        | {key: float(values[i]) for key, values in columns.items()}
        for i, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -abs(row["partial"]))


def pair_rows(base: Baseline) -> list[Row]:
    r"""Return pairs of which evidence tells a combination, and not the two.

    In units of each belief's prior sd, where it is unbounded, the two have posterior sds
    :math:`a, b` and, at right angles, combinations of least and most sd :math:`l, g`. Before any
    evidence all four are 1, since priors are independent. By the limits of :mod:`reports.words`,
    a pair is named if l is learned, neither a nor b is, and g is hardly learned. The shares are
    EVPPI of both together, and of each alone.
    """
    alone, priors = base.fit.compiled.alone, base.case.by_name
    names = [name for name, x in base.beliefs.items() if x.ndim == 1 and name not in alone]
    units = [
        unbounded(base.beliefs[n], support=SLOTS[n].support) / moments(priors[n])[1] for n in names
    ]
    cov = np.cov(np.array(units))
    sd = np.sqrt(np.diag(cov))
    rows: list[Row] = []
    for i, j in combinations(range(len(names)), 2):
        values, vectors = np.linalg.eigh(cov[np.ix_([i, j], [i, j])])
        least, most = np.sqrt(np.maximum(values, 0.0))
        if least < LEARNED <= min(sd[i], sd[j]) and most >= SOMEWHAT:
            weights = vectors[:, 0] / vectors[np.argmax(np.abs(vectors[:, 0])), 0]
            row = {
                "first": names[i],
                "second": names[j],
                "correlation": float(cov[i, j] / (sd[i] * sd[j])),
                "first_sd": float(sd[i]),
                "second_sd": float(sd[j]),
                "learned_sd": float(least),
                "left_sd": float(most),
                "first_weight": float(weights[0]),
                "second_weight": float(weights[1]),
            }
            pair = (names[i], names[j])
            for key, of in {"together": pair, "by_first": pair[:1], "by_second": pair[1:]}.items():
                share = base.explained(of)
                row |= {key: share.share, f"{key}_upper": share.upper}
            rows.append(row)
    return sorted(rows, key=lambda row: -abs(row["correlation"]))


# Evidence left out -------------------------------------------------------------------------------
#
# Weights stand for a fit where Pareto k <= 0.7: the draws' log weights are minus the log likelihood
# of what is left out, or, where a rater's answers are taken away, the change of the log likelihood
# of the works' rows. Else the Case is fitted anew.

LADDER = ("workers", "ratings", "lags", "lists", "fte", "studies", "diagnosis")
"""Arrays of evidence in the order in which they are added; what is not named comes last."""


@dataclass(frozen=True)
class Item:
    """Evidence left out: what kind of thing, its name, how much, and the Case without it.

    ``lost`` is the log likelihood that goes with it, at the draws ``places``.
    """

    kind: str
    name: str
    rows: float
    case: Case
    lost: np.ndarray
    places: np.ndarray


def left_out_rows(base: Baseline, *, refit: Refit | None) -> list[Row]:
    """Return one row for each item: how far the target and its width move, and how that is known.

    ``width_change`` is the change of the width of the 89% interval, ``width_mcse`` its error.
    """
    gone = items(base, quick=refit is None)
    cheap = [effect_without(base, item) for item in gone]
    without_each = effects(base, [item.case for item in gone], refit=refit, cheap=cheap)
    low, high = np.quantile(base.y, ENDS)
    order = list(dict.fromkeys(item.kind for item in gone))
    rows = []
    for item, effect in zip(gone, without_each, strict=True):
        row: Row = {"kind": item.kind, "left_out": item.name, "rows": item.rows} | effect.row()
        row["width_change"] = (effect.upper - effect.lower) - float(high - low)
        rows.append(((order.index(item.kind), -abs(effect.shift) if effect.known else 1.0), row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def ladder_rows(base: Baseline, *, refit: Refit | None, prior: Mapping[str, float]) -> list[Row]:
    """Return the target as evidence is added: prior alone, then table by table, then the run.

    ``prior`` is the target's summary under the priors alone, with its ``mcse``.
    """
    arrays, files = base.case.evidence.arrays, table_files(base)
    order = [
        table
        for table in dict.fromkeys((*LADDER, *arrays))
        if np.any(arrays.get(table, {}).get("weight", 0.0))
    ]
    stages = [
        without(base, "table", "", dict.fromkeys(order[i + 1 :], True))
        for i in range(len(order) - 1)
    ]
    cheap = [effect_without(base, stage) for stage in stages]
    steps = effects(base, [stage.case for stage in stages], refit=refit, cheap=cheap)
    own = float(base.y.std() / base.ess**0.5)
    shift, error = prior["mean"] - base.mean, float(np.hypot(prior["mcse"], own))
    low, high = (float(x) for x in np.quantile(base.y, ENDS))
    ladder = {
        "priors alone": Effect(prior["mean"], prior["lower"], prior["upper"], shift, error, "exact")
    }
    ladder |= {f"+ {files[t]}": step for t, step in zip(order, steps, strict=False)}
    end = f"+ {files[order[-1]]} (this run)" if order else "this run: no evidence"
    ladder[end] = Effect(base.mean, low, high, 0.0, own, "exact")
    return [{"evidence": name} | effect.row() for name, effect in ladder.items()]


def effect_without(base: Baseline, item: Item) -> Effect:
    """Return the effect of an item by weights, withheld with its Pareto k if not trusted."""
    places = item.places
    if np.ptp(item.lost) == 0.0:
        same = weighted_effect(base, np.zeros(len(places)), k=0.0, places=places)
        return replace(same, width_mcse=0.0)
    leaving = leave_one_out_weights(item.lost[None], reff=base.efficiency)
    k, logs = float(leaving.k[0]), leaving.log_weights[0]
    if k > MAX_PARETO_K:
        return withheld(k)
    w, y = np.exp(logs), base.y[places]
    part = width_parts(y, w / w.sum()) - width_parts(y, np.full(len(y), 1.0 / len(y)))
    width = float(((part**2).sum() / base.efficiency) ** 0.5)
    return replace(weighted_effect(base, logs, k=k, places=places), width_mcse=width)


def table_files(base: Baseline) -> dict[str, str]:
    """Return the file of each table of arrays."""
    return {like.table: TABLES[like.name] for like in likelihoods(base.fit.compiled.structure)}


def without(base: Baseline, kind: str, name: str, drop: Mapping[str, Any]) -> Item:
    """Return the item of rows left out; ``drop`` says which, by table of arrays (True: all)."""
    case, lost, rows = base.case, np.zeros(len(base.scored)), 0.0
    for like in likelihoods(base.fit.compiled.structure):
        if like.table in drop:
            weight = base.weight(like.table)
            gone = np.where(drop[like.table], weight, 0.0)
            case = with_arrays(case, like.table, weight=weight - gone)
            lost, rows = lost + base.rows[like.name] @ gone, rows + float(gone.sum())
    return Item(kind, name, rows, case, lost, base.scored)


def items(base: Baseline, *, quick: bool = False) -> list[Item]:
    """Return everything that is left out, one at a time.

    Tables; raters, as long as another is left; ratings by agenda, and of known cases; figures of
    workers by source. With ``quick`` the rows without a rater are scored at fewer draws: they cost
    seconds.
    """
    arrays, labels = base.case.evidence.arrays, base.case.evidence.labels
    tables = {t: file for t, file in table_files(base).items() if base.weight(t).any()}
    gone = [without(base, "table", file, {table: True}) for table, file in tables.items()]
    places = base.scored[:: max(len(base.scored) // THIN, 1)] if quick else base.scored
    gone += list(raters_left_out(base, places))
    used, cell = base.weight("ratings") > 0, arrays["ratings"]["cell"]
    subsets = [
        ("agenda", name, "ratings", arrays["cells"]["agenda"][cell] == i)
        for i, name in enumerate(labels["agenda"])
    ]
    known = arrays["cells"]["purposive"][cell] == 1
    subsets.append(("selection", "known cases (purposive works)", "ratings", known))
    source = np.array([base.sources.get(row, "") for row in row_ids(base.case, "workers")])
    subsets += [
        ("worker source", name, "workers", source == name)
        for name in dict.fromkeys(source[base.weight("workers") > 0].tolist())
    ]
    for kind, name, table, drop in subsets:
        if (drop & (used if table == "ratings" else base.weight(table) > 0)).any():
            gone.append(without(base, kind, name, {table: drop}))
    return gone


def raters_left_out(base: Baseline, places: np.ndarray) -> Iterator[Item]:
    """Yield each rater's answers left out, as long as another is left."""
    raters, weight = base.case.evidence.labels["rater"], base.weight("ratings")
    real = [i for i, name in enumerate(raters) if not name.startswith("absent-")]
    if len(real) < 2 or not weight.any():
        return
    for i in real:
        case = without_rater(base.case, i)
        answers = float((base.case.evidence.arrays["ratings"]["asked"][:, i] * weight).sum())
        rows = log_likelihoods(replace(base.fit, case=case), places)["ratings"]
        lost = (base.rows["ratings"][np.isin(base.scored, places)] - rows) @ weight
        yield Item("rater", raters[i], answers, case, lost, places)


# Block by block, method by method ----------------------------------------------------------------

MATTERS, LITTLE = 0.10, 0.02
"""Shares of variance from which a block matters, and below which it hardly does."""
WEIGHT = 0.10
"""Move of the tornado from which a block matters, as a part of the target's mean."""
READINGS = {
    "place": "power scaling asks how sharply its priors are held, the tornado where they stand: "
    "trust the tornado on whether the result is these priors",
    "shape": "the distribution changes, its mean hardly: trust power scaling for the interval, the "
    "tornado for the mean",
    "learn": "its uncertainty matters, where its priors stand does not: trust the variance "
    "explained on what to find out",
    "prior": "where its priors stand matters, what is left uncertain about it does not: trust the "
    "tornado on the priors, the variance explained on what to find out",
}
"""What to trust, by the kind of disagreement."""
NOT_COMPARED = "moves of its priors withheld: {n}, so that the largest may be larger"
PAIR = "it holds a pair that evidence cannot tell apart: read the pair, not its two beliefs"


def disagreement(tables: Row) -> list[Row]:
    """Return one row for each block: the verdict of each method, and a warning if they differ.

    ``tornado`` is the largest known move of one of its priors as a part of the target's mean;
    ``explained`` the share of variance on posterior draws; ``shapley`` that of the factor;
    ``sensitivity`` of power scaling; ``reading`` says which to trust, and is empty if they agree;
    ``notes`` what else to bear in mind.
    """
    mean = float(tables["thresholds"]["double"] / 2.0) or 1.0
    power = {row["component"]: row for row in tables["power"] if row["group"] == "prior"}
    factors = {row["block"]: row["shapley"] for row in tables["factors"]}
    block_of = {row["parameter"]: row["block"] for row in tables["largest"]}
    pairs = {block_of[pair[key]] for pair in tables["pairs"] for key in ("first", "second")}
    rows = []
    for block in tables["blocks"]:
        name = block["block"]
        own = [row for row in tables["largest"] if row["block"] == name]
        row: Row = {
            "block": name,
            "sensitivity": power[name]["sensitivity"],
            "flagged": power[name]["flagged"],
            "tornado": max((abs(one["most"]) for one in own), default=0.0) / mean,
            "explained": block["share"],
            "shapley": factors.get(name),
            "withheld": sum(one["withheld"] for one in own),
        }
        notes = [NOT_COMPARED.format(n=row["withheld"])] if row["withheld"] else []
        notes += [PAIR] if name in pairs else []
        rows.append(row | {"reading": reading(row), "notes": "; ".join(notes)})
    return rows


def reading(row: Row) -> str:
    """Return which method to trust where they say different things of a block."""
    stands = row["tornado"] >= WEIGHT or (row["shapley"] or 0.0) >= MATTERS
    applies = {
        "place": stands and not row["flagged"],
        "shape": row["flagged"] and not stands,
        "learn": row["explained"] >= MATTERS and not stands,
        "prior": row["explained"] < LITTLE and stands,
    }
    return "; ".join(READINGS[key] for key, applies_here in applies.items() if applies_here)


# The summary and its files -----------------------------------------------------------------------


def heading(origin: Run, base: Baseline, *, quick: bool) -> Row:
    """Return what the summary begins with: the run, the target and its spread."""
    return {
        "schema": 1,
        "run": origin.folder.name,
        "name": origin.context.get("name", ""),
        "converged": origin.converged,
        "quick": quick,
        "cohort": origin.headline["cohort"],
        "horizon": origin.headline["horizon"],
        "target": base.target,
        "label": QUANTITIES[base.target].label,
        "ess": base.ess,
        "headline": with_mcse(base.y, base.fit.chains),
    } | outside_of(origin.headline)


def with_lines(summary: Row) -> Row:
    """Return the summary with its sentences, first in the file."""
    from reports.sensitivity import summary_lines
    from reports.words import outside_opening

    lines = [*outside_opening(summary), *summary_lines(summary)]
    return {"schema": summary["schema"], "lines": lines} | summary


def write(folder: Path, summary: Row) -> None:
    """Write tables, figures, the page and sensitivity.json."""
    from reports.sensitivity import write_sensitivity

    tables = {name: summary[name] for name in SUMMARY_TABLES}
    save(folder, "sensitivity", summary, tables=tables, figures=write_sensitivity)


def write_manifest(folder: Path, summary: Row, *, seconds: Mapping[str, float]) -> None:
    """Write what made the numbers: run, target, code, versions, seconds by stage."""
    from forecast.files import write_json
    from forecast.inference.identity import code_hash, versions

    keys = ("schema", "run", "target", "quick", "converged", "thresholds")
    manifest: Row = {key: summary[key] for key in keys}
    manifest |= {"code_hash": code_hash(), "versions": versions()}
    timings = {name: round(s, 2) for name, s in seconds.items()}
    write_json(folder / "manifest.json", manifest | {"timings_s": timings})
