r"""``forecast sensitivity``: how far a result is its priors, and which evidence moves it.

Every answer is a Case at the least price (:mod:`forecast.analyses.sensitivity`): exact,
reweighted, from moved draws, else fitted anew from where the run's own fit ended. Finished fits are
kept in the folder, so that a second call takes them from there. With ``quick`` nothing is fitted,
and what would need it is withheld, with its Pareto k.

What every way to ask starts from: one run's draws, one target, rows scored, all beliefs.

How far a Case moves the mean of the target, at the least price, and with which error.

- ``exact``: forecast-only priors differ. Each draw is paired with itself, so that the error is that
  of the mean of the differences.
- ``reweighted``: Pareto k <= 0.7 and enough effective draws. The error is that of the difference of
  a weighted and a plain mean of the same draws (:func:`paired`).
- ``moment-matched``: draws moved, then weighted (:mod:`forecast.inference.reweighting`); the same
error.
- ``refit``: another fit, so that the errors of both means add up.
- ``withheld``: none of these was allowed or trusted; there is no number.

Errors of draws of a chain are those of as many independent draws as are effective.

A prior moved: its centre shifted, or its spread scaled, within its own family.

Let :math:`u` be the belief on the scale where it is unbounded (as it is, its logarithm, or its
log-odds), with mean :math:`m` and sd :math:`s` there. A *shift* sets m to another point and keeps
s; a *scaling* multiplies s and keeps m. The numbers of the family follow exactly:

- Normal, StudentT: mu and sigma; LogNormal, LogitNormal: the same of the logarithm or log-odds;
- Gamma: :math:`m = \psi(\alpha) - \log\beta,\ s^2 = \psi'(\alpha)`;
- Beta: :math:`m = \psi(\alpha) - \psi(\beta),\ s^2 = \psi'(\alpha) + \psi'(\beta)`;
- HalfNormal, Exponential have one number: a shift multiplies the scale, and so does a scaling;
- TruncatedNormal: mu and sigma, between the same bounds;
- Uniform: the widest uniform around the point within the same bounds, and a scaling keeps the
  middle (doubled, it would leave the bounds, so it stays).

Every prior moved to its own 5 and 95%, and its spread halved and doubled.

Tipping points: where a prior's centre must lie for the target to cross a threshold.

The centre is moved over the prior's own 1 to 99% (:mod:`moves`), its ends answered as in the
tornado, and the crossing is found by the secant between the two places around it. Its error is
that of the target there, divided by the slope.

Global sensitivity to what the priors say: one standard-normal factor for each block.

Factor :math:`z_b \sim \mathrm{Normal}(0, 1)` moves the centre of each prior i of block b by
:math:`\tfrac12 z_b\, d_i` of its sd, where it is unbounded (:mod:`moves`), d the unit vector along
which the block moves the target fastest: :math:`d_i \propto g_i`, the slopes of the tornado, less
their noise. To first order the variance by block is then what independent shifts of all single
priors would give, since :math:`|g|^2 = \sum_i g_i^2`. Half an sd keeps all factors together within
reach of weights.

Each point is answered from the run's draws: sampled priors by their weights, the last beliefs
exactly. A surrogate (:mod:`forecast.analyses.sensitivity`) is fitted to some points and judged on
the
others. Sobol indices are SALib's on the surrogate; Shapley effects are exact there, by all subsets.
Intervals come from drawing stretches of the chains anew, and the surrogate's errors with them.

On posterior draws, dependence and all: what explains the target's variance.

``block_rows`` is regression EVPPI by block (:mod:`forecast.analyses.statistics`); ``belief_rows``
rank
and partial rank correlations by belief; ``pair_rows`` the pairs that evidence cannot tell apart.

Power scaling by block: what a block of priors, or a table, does if it weighs more.

The density of a component is raised to the power :math:`\alpha` near 1. ``sensitivity`` is ArviZ's
``psense``: how fast the whole distribution of the target changes with :math:`\log_2 \alpha`
(Kallioinen et al. 2024, Stat. Comput. 34:57). It has no sign, so ``direction`` stands beside it:
the change of the mean for each doubling of :math:`\alpha`, from the same weights.

A block is the sum of the log densities of its stated priors, forecast-only ones included. Terms of
groups (effects of agendas, years, definitions, raters and studies, given their scale) are left
out: a flag would hang on which of them were scaled. A table is the sum of its rows with their
weights.

Evidence left out: tables, raters, agendas, known cases, sources of worker figures; the ladder.

An item is a Case of less evidence. Weights stand for a fit where Pareto k <= 0.7: the draws' log
weights are minus the log likelihood of what is left out, or, where a rater's answers are taken
away, the change of the log likelihood of the works' rows. Else the Case is fitted anew.

What each method says of each block, side by side, and which to trust where they disagree.

A surrogate of a quantity as a polynomial of independent standard-normal factors.

Hermite polynomials to degree 2 with all products of two are orthonormal under such factors
(polynomial chaos; Sudret 2008, Rel. Eng. Syst. Saf. 93:964), so that the variance is the sum of
squared coefficients, and :math:`\mathrm{Var}\,E[Y \mid X_S]` the sum of those whose factors all lie
in S. Validation is on points that no coefficient saw.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq, root
from scipy.special import digamma, expit, logit, ndtri, polygamma
from scipy.stats import qmc

from forecast.analyses import statistics as evppi
from forecast.analyses import statistics as shapley
from forecast.analyses.loo import leave_one_out_weights, relative_efficiency, row_ids
from forecast.analyses.predictive import TABLES
from forecast.analyses.result import outside_of
from forecast.analyses.structure import without_rater
from forecast.config.load import load_config
from forecast.config.toml import near_miss
from forecast.evidence.load import load_tables
from forecast.inference import parallel as kept
from forecast.inference.case import Case, with_arrays, with_prior
from forecast.inference.evaluate import Ahead, forward_part, judged, wanted
from forecast.inference.forward import all_draws, taken
from forecast.inference.parallel import fit_many
from forecast.inference.pointwise import kept_draws, log_likelihoods, row_cuts
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
from forecast.runs.open import Run, fit_of, show
from forecast.runs.run import run
from forecast.runs.summarise import unbounded, with_mcse
from models.batches import joined, limited, over_blocks
from models.errors import InputError
from models.late import LATE, Early, headline
from models.likelihoods import likelihoods
from models.ops import NumPy
from models.outcomes.experts import READS
from models.parameters import BLOCKS, SLOTS
from models.priors import Prior, frozen, logpdf, ppf, support
from models.quantities import HEADLINE, QUANTITIES
from models.terms import terms_from_draws
from reports.verdicts import LEARNED, SOMEWHAT

TURNS = 32
"""Times that independent beliefs are drawn anew for each draw."""
THIN = 400
"""Draws at which a prior that enters early is moved exactly, with ``quick``."""


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
    """Return the material of a finished run.

    Raises
    ------
    InputError
        If the run cannot be read.
    """
    fit, config = fit_of(run), load_config(run.folder / "priors.toml")
    tables = load_tables(run.folder / "evidence", off=config.evidence.off)
    sources = {row.row: row.source for row in tables.workers}
    rows = log_likelihoods(fit, kept_draws(fit))
    return replace(material_of(fit, target, rows=rows), sources=sources)


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


WITHHELD = "withheld"
BARS_ENDS = (0.055, 0.945)
"""Probabilities at the ends of the interval."""
STEP = 0.02
"""Half the stretch of probability over which a density is taken."""


@dataclass(frozen=True)
class Bar:
    """A move of the target's mean: ``mean`` after it, its ``shift``, and how it was obtained.

    ``width_mcse`` is the error of the change of the interval's width, where that is told.
    """

    mean: float
    lower: float
    upper: float
    shift: float
    mcse: float
    how: str
    pareto_k: float = float("nan")
    converged: bool = True
    width_mcse: float = float("nan")

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return self.how != WITHHELD

    def row(self) -> dict[str, Any]:
        """Return the bar as columns of a table."""
        return dict(vars(self))


def withheld(pareto_k: float = float("nan")) -> Bar:
    """Return a bar without a number."""
    nan = float("nan")
    return Bar(nan, nan, nan, nan, nan, WITHHELD, pareto_k)


def weighted(
    m: Material, log_weights: np.ndarray, *, k: float, at: np.ndarray | None = None
) -> Bar:
    """Return the bar of smoothed log weights of the run's draws, of those ``at`` if given.

    The weights may not depend on the beliefs that :func:`material.averaged` averages out.
    """
    place = np.arange(m.fit.n) if at is None else at
    w = np.exp(log_weights - log_weights.max())
    w /= w.sum()
    shift, error = paired(m.smooth[place], w, base=m.smooth[place], least=m.least)
    return Bar(m.mean + shift, *interval(m.y[place], w), shift, error, "reweighted", k)


def paired(x: np.ndarray, w: np.ndarray, *, base: np.ndarray, least: float) -> tuple[float, float]:
    r"""Return the weighted mean of x less the mean of the base, and its Monte Carlo error.

    The draws are the same, so that the error is that of the difference (delta method),
    :math:`\sum_s [w_s (x_s - \bar x_w) - (b_s - \bar b) / n]^2` over the share of effective draws.
    """
    mean, plain = float(w @ x), float(base.mean())
    part = w * (x - mean) - (base - plain) / len(base)
    return mean - plain, float(((part**2).sum() / least) ** 0.5)


def interval(y: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 89% equal-tailed interval of weighted draws."""
    low, high = quantiles(y, w, at=BARS_ENDS)
    return low, high


def quantiles(y: np.ndarray, w: np.ndarray, *, at: Sequence[float]) -> list[float]:
    """Return quantiles of weighted draws."""
    order = np.argsort(y)
    cdf = np.cumsum(w[order]) - 0.5 * w[order]
    return [float(x) for x in np.interp(at, cdf, y[order])]


def width_parts(y: np.ndarray, w: np.ndarray) -> np.ndarray:
    r"""Return what each draw does to the width of the interval of weighted draws, to first order.

    A quantile q at p moves by :math:`w_s (p - [y_s \le q]) / f(q)`; the density f is that between
    the quantiles at :math:`p \pm 0.02`. The error of a width is the root of the sum of squares.
    """
    total = np.zeros(len(y))
    for sign, p in zip((-1.0, 1.0), BARS_ENDS, strict=True):
        low, q, high = quantiles(y, w, at=(p - STEP, p, p + STEP))
        total += sign * w * (p - (y <= q)) * (high - low) / (2.0 * STEP)
    return total


def width_error(m: Material, w: np.ndarray, *, at: np.ndarray) -> float:
    """Return the error of the change of width under weights of the draws ``at``, all paired."""
    y = m.y[at]
    part = width_parts(y, w) - width_parts(y, np.full(len(y), 1.0 / len(y)))
    return float(((part**2).sum() / m.least) ** 0.5)


def cheap(m: Material, case: Case, *, thin: bool = False) -> Bar:
    """Return the exact or reweighted bar of a Case, else a withheld one with its Pareto k.

    With ``thin`` fewer draws are used where a prior enters early, so that each costs seconds.
    """
    changed = [p for p in case.priors if p != m.case.by_name[p.name]]
    if m.prior_only(case):
        made = smoothed(m.ratio(changed))
        if not made.good:
            return withheld(made.pareto_k)
        with np.errstate(divide="ignore"):
            return weighted(m, np.log(made.weights), k=made.pareto_k)
    with limited(1) if thin else nullcontext():  # few blocks: threads would wait for each other
        return forecast_only(m, case, names={p.name for p in changed}, thin=thin)


def forecast_only(m: Material, case: Case, *, names: set[str], thin: bool) -> Bar:
    """Return the bar of a Case with other forecast-only priors, each draw paired with itself.

    ``names`` are the priors that differ. Where forecasts by others weigh and read one of them,
    draws are weighed by how that changes their weights.
    """
    soft, late = bool(soft_part(m.case)) and bool(names & set(READS)), names <= set(LATE)
    few = thin and (soft or not late)
    fit = m.thin if few else m.fit
    at = m.places if few else slice(None)
    made = smoothed(log_weights(fit, case) - m.others(fit) if soft else np.zeros(fit.n))
    if not made.good:
        return withheld(made.pareto_k)
    y = m.y[at]
    x = m.at(case)[at] if late or not few else wanted(fit, case, names=[m.target])[m.target]
    least = min(m.ess, float(len(y))) / len(y)
    shift, error = paired(x, made.weights, base=y, least=least)
    how, k = ("reweighted", made.pareto_k) if soft else ("exact", float("nan"))
    return Bar(m.mean + shift, *interval(x, made.weights), shift, error, how, k)


def matched(m: Material, case: Case) -> Bar | None:
    """Return the bar of draws moved to the weighted moments, None where they are not trusted."""
    made = moment_matched(m.fit, case)
    if made is None or not made.weights.good:
        return None
    x, w = wanted(made.fit, case, names=[m.target])[m.target], made.weights.weights
    shift, error = paired(x, w, base=m.y[made.fit.chosen], least=m.least)
    how, k = "moment-matched", made.weights.pareto_k
    return Bar(m.mean + shift, *interval(x, w), shift, error, how, k)


def refitted(m: Material, fit: Fit, *, k: float) -> Bar:
    """Return the bar of a fit of its own; ``k`` is why it was needed."""
    found = wanted(fit, fit.case, names=list(HEADLINE))
    verdict, x = judged(fit, found).diagnosis, found[m.target]
    ess = min(verdict.min_ess_bulk, verdict.min_ess_tail)
    error = float(np.hypot(x.std() / max(ess, 1.0) ** 0.5, m.y.std() / m.ess**0.5))
    same = np.full(len(x), 1.0 / len(x))
    own = width_parts(m.y, np.full(m.fit.n, 1.0 / m.fit.n))
    parts = (width_parts(x, same) ** 2).sum() * len(x) / max(ess, 1.0), (own**2).sum() / m.least
    width, mean = float(sum(parts) ** 0.5), float(x.mean())
    ends, shift = interval(x, same), mean - m.mean
    return Bar(mean, *ends, shift, error, "refit", k, verdict.converged, width)


Refit = Callable[[Sequence[Case]], list[Fit]]
"""Fits Cases from where the run's own fit ended."""


def bars(
    m: Material, cases: Sequence[Case], *, refit: Refit | None, cheaply: Sequence[Bar] | None = None
) -> list[Bar]:
    """Return the bar of each Case; without ``refit`` those that need one are withheld.

    ``cheaply`` are bars found already, withheld where something better is wanted.
    """
    quick = refit is None
    found = list(cheaply) if cheaply else [cheap(m, case, thin=quick) for case in cases]
    if refit is None:
        return found
    for i, bar in enumerate(found):
        if not bar.known and cases[i].evidence == m.case.evidence:
            found[i] = matched(m, cases[i]) or bar
    left = [i for i, bar in enumerate(found) if not bar.known]
    for i, fit in zip(left, refit([cases[i] for i in left]), strict=True):
        found[i] = refitted(m, fit, k=found[i].pareto_k)
    return found


def trusted(k: float) -> bool:
    """Return whether weights with this Pareto k are to be trusted."""
    return bool(k <= MAX_PARETO_K)


MOVES_ENDS = (0.05, 0.95)
"""Quantiles of a prior to which its centre is moved."""
FACTORS = (0.5, 2.0)
"""Factors by which its spread is scaled."""
LABELS = {"low": "centre at its 5%", "high": "centre at its 95%"} | {
    "narrow": "spread x 1/2",
    "wide": "spread x 2",
}
"""The four moves of a tornado, in words."""
_RANGE = (float(np.log(1e-3)), float(np.log(1e7)))
"""Ends of the logarithm of a number of a Beta or Gamma, between which it is looked for."""


def link(prior: Prior) -> Callable[[float], float]:
    """Return what takes a value to the scale where the prior is unbounded."""
    low, high = support(prior)
    if low == 0.0 and high == np.inf:
        return lambda x: float(np.log(max(x, 1e-300)))
    if (low, high) == (0.0, 1.0) and prior.dist in ("Beta", "LogitNormal"):
        return lambda x: float(logit(np.clip(x, 1e-300, 1.0 - 1e-16)))
    return lambda x: float(x)


def unlink(prior: Prior, u: float) -> float:
    """Return the value at a point of the unbounded scale."""
    low, high = support(prior)
    if low == 0.0 and high == np.inf:
        return float(np.exp(u))
    return float(expit(u)) if (low, high) == (0.0, 1.0) and prior.dist != "Uniform" else u


@lru_cache(maxsize=4096)
def point(prior: Prior, q: float) -> float:
    """Return a quantile of the prior, where it is unbounded; kept, since SciPy is slow at one."""
    return link(prior)(float(ppf(prior, q)))


@lru_cache(maxsize=4096)
def place(prior: Prior, u: float) -> float:
    """Return the probability below a point of the unbounded scale."""
    return float(frozen(prior).cdf(unlink(prior, u)))


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


def shifted(prior: Prior, u: float) -> Prior:
    """Return the prior with its centre at ``u`` on the scale where it is unbounded."""
    v, (mean, sd) = prior.values, moments(prior)
    if prior.dist in ("Normal", "StudentT", "LogNormal", "LogitNormal", "TruncatedNormal"):
        return stated(prior, v | {"mu": u})
    if prior.dist in ("Gamma", "Beta"):
        return stated(prior, _numbers(prior, u, sd=sd))
    if prior.dist == "Uniform":
        half = min(u - v["lower"], v["upper"] - u)
        return stated(prior, {"lower": u - half, "upper": u + half})
    factor = float(np.exp(u - mean))
    return stated(prior, {k: x * factor if k == "sigma" else x / factor for k, x in v.items()})


def scaled(prior: Prior, factor: float) -> Prior:
    """Return the prior with its spread times ``factor``, its centre kept."""
    v, (mean, sd) = prior.values, moments(prior)
    if "mu" in v:
        return stated(prior, v | {"sigma": v["sigma"] * factor})
    if prior.dist in ("Gamma", "Beta"):
        return stated(prior, _numbers(prior, mean, sd=sd * factor))
    if prior.dist == "Uniform":
        middle, half = (v["lower"] + v["upper"]) / 2, (v["upper"] - v["lower"]) / 2 * min(factor, 1)
        return stated(prior, {"lower": middle - half, "upper": middle + half})
    return shifted(prior, mean + float(np.log(factor)))


def moved(prior: Prior) -> dict[str, Prior]:
    """Return the four moves of a tornado, by the keys of :data:`LABELS`."""
    low, high = (point(prior, q) for q in MOVES_ENDS)
    narrow, wide = (scaled(prior, factor) for factor in FACTORS)
    return {"low": shifted(prior, low), "high": shifted(prior, high)} | {
        "narrow": narrow,
        "wide": wide,
    }


def stated(prior: Prior, numbers: dict[str, float]) -> Prior:
    """Return the prior with other numbers of its family."""
    params = tuple((name, float(numbers[name])) for name, _ in prior.params)
    return replace(prior, params=params, quantiles=None)


def _numbers(prior: Prior, mean: float, *, sd: float) -> dict[str, float]:
    """Return the numbers of a Gamma or Beta with mean and sd of its logarithm or log-odds."""
    alpha = prior.values["alpha"]
    if prior.dist == "Gamma":
        a = alpha if sd == moments(prior)[1] else np.exp(_root(_gamma_gap(sd)))
        return {"alpha": float(a), "beta": float(np.exp(digamma(a) - mean))}
    found = root(_beta_gaps, np.log([alpha, prior.values["beta"]]), args=(mean, sd), jac=_beta_jac)
    if found.success and np.all(np.abs(found.fun) < 1e-8):
        return dict(zip(("alpha", "beta"), np.exp(found.x), strict=True))

    def second(t: float) -> float:
        """Return log beta by which alpha and beta have the mean."""
        return _root(lambda v: digamma(np.exp(t)) - digamma(np.exp(v)) - mean)

    t = _root(lambda t: _beta_gaps(np.array([t, second(t)]), mean, sd)[1])
    return {"alpha": float(np.exp(t)), "beta": float(np.exp(second(t)))}


def _gamma_gap(sd: float) -> Callable[[float], float]:
    return lambda t: float(polygamma(1, np.exp(t)) - sd**2)


def _beta_gaps(logs: np.ndarray, *wanted: float) -> np.ndarray:
    """Return how far mean and variance of the log-odds are from those wanted (mean, sd)."""
    a, b = np.exp(logs)
    mean, sd = wanted
    return np.array([digamma(a) - digamma(b) - mean, polygamma(1, a) + polygamma(1, b) - sd**2])


def _beta_jac(logs: np.ndarray, *_: float) -> np.ndarray:
    a, b = np.exp(logs)
    first = [polygamma(1, a) * a, -polygamma(1, b) * b]
    return np.array([first, [polygamma(2, a) * a, polygamma(2, b) * b]])


def _root(gap: Callable[[float], float]) -> float:
    """Return where a monotone gap of a logarithm is zero, or the nearer end of the range."""
    low, high = _RANGE
    first, last = gap(low), gap(high)
    if first * last > 0:
        return low if abs(first) < abs(last) else high
    return float(brentq(gap, low, high, xtol=1e-10))


Row = dict[str, Any]


def tornado(m: Material, *, refit: Refit | None) -> list[Row]:
    """Return one row for each prior and move, the prior that moves the target most first.

    Each has ``parameter``, ``block``, ``move`` (a key of :data:`moves.LABELS`), ``centre`` (the
    middle of the moved prior, in the belief's unit) and the columns of :class:`bars.Bar`.
    """
    named: list[tuple[Prior, str, Prior]] = [
        (prior, key, new)
        for prior in m.case.priors
        if prior.name in m.stated
        for key, new in moved(prior).items()
    ]
    cases: list[Case] = [with_prior(m.case, new) for _, _, new in named]
    found = bars(m, cases, refit=refit)
    rows = [
        told(prior, new, move=move, bar=bar)
        for (prior, move, new), bar in zip(named, found, strict=True)
    ]
    most = {row["parameter"]: 0.0 for row in rows}
    for row in rows:
        if row["shift"] == row["shift"]:
            most[row["parameter"]] = max(most[row["parameter"]], abs(row["shift"]))
    order = list(LABELS)
    return sorted(
        rows, key=lambda r: (-most[r["parameter"]], r["parameter"], order.index(r["move"]))
    )


def told(prior: Prior, new: Prior, *, move: str, bar: Bar) -> Row:
    """Return the row of one bar."""
    row: Row = {"parameter": prior.name, "block": prior.block, "move": move}
    return row | {"centre": float(ppf(new, 0.5))} | bar.row()


def largest(rows: list[Row]) -> list[Row]:
    """Return, for each prior in order, its largest known move in either direction, and its error.

    ``most`` is that move's shift, ``move`` which it is; ``withheld`` counts moves without a number.
    """
    out: dict[str, Row] = {}
    for row in rows:
        one = out.setdefault(
            row["parameter"],
            {"parameter": row["parameter"], "block": row["block"], "most": 0.0, "mcse": 0.0}
            | {"move": "", "withheld": 0},
        )
        if row["how"] == "withheld":
            one["withheld"] += 1
        elif abs(row["shift"]) > abs(one["most"]):
            one |= {"most": row["shift"], "mcse": row["mcse"], "move": row["move"]}
    return list(out.values())


PLACES = {"low": 0.05, "high": 0.95}
"""Moves of the tornado that are places here."""
TIPPING_ENDS = (0.01, 0.99)
STEPS = 2
"""Secant steps after the first; each costs one reweighting."""
CLOSE = 0.25
"""Errors of the target within which a crossing is found."""


@dataclass(frozen=True)
class Place:
    """A place of a prior's centre, where it is unbounded, and the target's mean there."""

    u: float
    mean: float
    mcse: float
    how: str


def thresholds(m: Material, own: float | None) -> dict[str, float]:
    """Return the thresholds by name: half and double the target's mean, and the user's own."""
    made = {"half": 0.5 * m.mean, "double": 2.0 * m.mean}
    return made if own is None else made | {"yours": own}


def tipping_rows(
    m: Material, tornado: list[Row], *, at: dict[str, float], refit: Refit | None
) -> list[Row]:
    """Return one row for each prior and threshold, those that cross first.

    ``value`` is the middle of the prior at the crossing, in the belief's unit, ``error`` its Monte
    Carlo error, ``quantile`` its place in the prior as stated; all empty where there is no crossing
    from ``from_quantile`` to ``to_quantile``, the places whose answer is known.
    """
    known = {(r["parameter"], r["move"]): r for r in tornado if r["move"] in PLACES}
    priors = [prior for prior in m.case.priors if (prior.name, "low") in known]
    ends = [(prior, point(prior, q)) for prior in priors for q in TIPPING_ENDS]
    cases = [with_prior(m.case, shifted(prior, u)) for prior, u in ends]
    made = bars(m, cases, refit=refit, cheaply=[cheap(m, case, thin=True) for case in cases])
    rows = []
    for prior in priors:
        rows_of = {key: known[prior.name, key] for key in PLACES}
        far = [_place(u, bar) for (p, u), bar in zip(ends, made, strict=True) if p is prior]
        places = _places(m, prior, rows=rows_of, far=[one for one in far if one])
        for threshold in at.items():
            rows.append(_row(m, prior, places=places, threshold=threshold, quick=refit is None))
    return sorted(rows, key=lambda r: (r["quantile"] is None, abs((r["quantile"] or 0.5) - 0.5)))


def _place(u: float, bar: Bar) -> Place | None:
    return Place(u, bar.mean, bar.mcse, bar.how) if bar.known else None


def _places(
    m: Material, prior: Prior, *, rows: dict[str, Row], far: Sequence[Place]
) -> list[Place]:
    """Return the known places in order: own centre, 5 and 95%, and 1 and 99%."""
    found = [Place(moments(prior)[0], m.mean, 0.0, "exact"), *far]
    for key, q in PLACES.items():
        row = rows[key]
        if row["how"] != "withheld":
            found.append(Place(point(prior, q), row["mean"], row["mcse"], row["how"]))
    return sorted(found, key=lambda place: place.u)


def _row(
    m: Material, prior: Prior, *, places: list[Place], threshold: tuple[str, float], quick: bool
) -> Row:
    name, value = threshold
    row: Row = {"parameter": prior.name, "block": prior.block, "threshold": name}
    row |= {"target": value, "value": None, "error": None, "quantile": None, "how": "none"}
    ends = [place(prior, one.u) for one in (places[0], places[-1])]
    row |= {"from_quantile": ends[0], "to_quantile": ends[1]}
    pair = _around(places, value)
    if pair is None:
        return row
    found, slope = _secant(m, prior, pair=pair, value=value, quick=quick)
    middle = float(ppf(shifted(prior, found.u), 0.5))
    step = 1e-4 * moments(prior)[1]
    rate = (float(ppf(shifted(prior, found.u + step), 0.5)) - middle) / step
    error = abs(found.mcse / slope * rate) if slope else None
    return (
        row
        | {"value": middle, "error": error, "quantile": place(prior, found.u)}
        | {"how": found.how}
    )


def _around(places: list[Place], value: float) -> tuple[Place, Place] | None:
    """Return the neighbours between which the target crosses a value, nearest to the centre."""
    pairs = [
        (a, b)
        for a, b in pairwise(places)
        if (a.mean - value) * (b.mean - value) <= 0 and a.mean != b.mean
    ]
    middle = float(np.median([place.u for place in places]))
    return min(pairs, key=lambda p: abs(0.5 * (p[0].u + p[1].u) - middle), default=None)


def _secant(
    m: Material, prior: Prior, *, pair: tuple[Place, Place], value: float, quick: bool
) -> tuple[Place, float]:
    """Return the place of the crossing, and the slope of the target there."""
    a, b = pair
    for _ in range(STEPS):
        u = a.u + (value - a.mean) * (b.u - a.u) / (b.mean - a.mean)
        bar = cheap(m, with_prior(m.case, shifted(prior, u)), thin=quick)
        if not bar.known:
            break
        c = Place(u, bar.mean, bar.mcse, bar.how)
        a, b = (a, c) if (a.mean - value) * (c.mean - value) <= 0 else (c, b)
        if abs(bar.mean - value) < CLOSE * max(bar.mcse, 1e-12):
            break
    slope = (b.mean - a.mean) / (b.u - a.u) if b.u != a.u else 0.0
    u = a.u + (value - a.mean) / slope if slope else a.u
    nearer = min((a, b), key=lambda p: abs(p.mean - value))
    how = nearer.how if nearer.mcse else max((a, b), key=lambda p: p.mcse).how
    return Place(u, value, max(a.mcse, b.mcse), how), slope


def block_rows(m: Material) -> list[Row]:
    """Return the share of the target's variance that each block explains, the largest first."""
    rows = []
    for block, names in m.blocks().items():
        made = evppi.explained(m.y, m.columns(names), ess=m.ess, seed=m.case.seed)
        row: Row = {"block": block, "beliefs": len(names), "share": made.share}
        rows.append(row | {"lower": made.lower, "upper": made.upper})
    return sorted(rows, key=lambda row: -row["share"])


def belief_rows(m: Material) -> list[Row]:
    """Return rank and partial rank correlation of each scalar belief with the target."""
    names = list(m.beliefs)
    x = m.columns(names)
    plain, partial = evppi.rank_correlations(m.y, x), evppi.partial_rank_correlations(m.y, x)
    ends = evppi.fisher(plain, n=m.ess)
    held = evppi.fisher(partial, n=m.ess, held=len(names) - 1)
    rows = [
        {"parameter": name, "block": m.case.by_name[name].block}
        | {"rank": float(plain[i]), "rank_lower": float(ends[0][i])}
        | {"rank_upper": float(ends[1][i]), "partial": float(partial[i])}
        | {"partial_lower": float(held[0][i]), "partial_upper": float(held[1][i])}
        for i, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -abs(row["partial"]))


def pair_rows(m: Material) -> list[Row]:
    r"""Return pairs of which evidence tells a combination, and not the two.

    In units of each belief's prior sd, where it is unbounded, the two have posterior sds
    :math:`a, b` and, at right angles, combinations of least and most sd :math:`l, g`. Before any
    evidence all four are 1, since priors are independent. By the limits of :mod:`reports.verdicts`,
    a pair is named if l is learned, neither a nor b is, and g is hardly learned. The shares are
    EVPPI of both together, and of each alone.
    """
    names = [n for n in m.beliefs if n not in m.fit.compiled.alone]
    priors = m.case.by_name
    u = np.column_stack(
        [unbounded(m.beliefs[n], support=SLOTS[n].support) / moments(priors[n])[1] for n in names]
    )
    cov = np.cov(u.T)
    sd = np.sqrt(np.diag(cov))
    rows = []
    for i, j in combinations(range(len(names)), 2):
        values, vectors = np.linalg.eigh(cov[np.ix_([i, j], [i, j])])
        least, most = np.sqrt(np.maximum(values, 0.0))
        if least < LEARNED <= min(sd[i], sd[j]) and most >= SOMEWHAT:
            r = float(cov[i, j] / (sd[i] * sd[j]))
            one: Row = {"first": names[i], "second": names[j], "correlation": r}
            one |= {"first_sd": float(sd[i]), "second_sd": float(sd[j])}
            one |= {"learned_sd": float(least), "left_sd": float(most)}
            weights = vectors[:, 0] / vectors[np.argmax(np.abs(vectors[:, 0])), 0]
            one |= {"first_weight": float(weights[0]), "second_weight": float(weights[1])}
            rows.append(one | _shares(m, (names[i], names[j])))
    return sorted(rows, key=lambda row: -abs(row["correlation"]))


def _shares(m: Material, pair: tuple[str, str]) -> Row:
    """Return the variance explained by both beliefs together and by each alone."""
    found = {"together": pair, "by_first": pair[:1], "by_second": pair[1:]}
    out: Row = {}
    for key, names in found.items():
        made = evppi.explained(m.y, m.columns(names), ess=m.ess, seed=m.case.seed)
        out |= {key: made.share, f"{key}_upper": made.upper}
    return out


ALPHAS = (0.99, 1.01)
"""Powers, ArviZ's own; the change is linear between them."""
THRESHOLD = 0.05
"""Sensitivity from which a component counts as one that moves the target (Kallioinen et al.)."""
BOOTSTRAPS = 20
LEFT_OUT = (
    "Effects of single agendas, years, definitions, raters and studies, given their scale, are "
    "left out: each row scales the stated priors of one block, or one table."
)


def components(m: Material) -> dict[tuple[str, str], np.ndarray]:
    """Return the log density by draw of each block of priors and each table."""
    dens, out = m.log_prior, {}
    for block, names in m.blocks().items():
        out["prior", block] = np.sum([dens[name] for name in names], axis=0)
    for name, logs in m.by_table().items():
        out["likelihood", TABLES[name]] = logs
    return out


def power_rows(m: Material) -> list[dict[str, Any]]:
    """Return one row for each block of priors and each table of evidence, the largest first.

    ``group`` is ``prior`` or ``likelihood``; ``sensitivity`` has ``error``, its bootstrap standard
    error; ``direction`` has ``mcse``; ``flagged`` if the sensitivity reaches :data:`THRESHOLD`.
    """
    from arviz_stats import psense

    parts = components(m)
    tree = scaled_tree(m, parts)
    rows = []
    for (group, name), logs in parts.items():
        found = psense(
            tree[group, name], var_names="target", group=group, group_var_names=name, alphas=ALPHAS
        )
        value = float(found["target"])
        own = m.kept if group == "likelihood" else np.arange(m.fit.n)
        change, error = direction(m, logs, at=own)
        row: dict[str, Any] = {"group": group, "component": name, "sensitivity": value}
        row |= {"error": bootstrap_error(m, logs, at=own), "threshold": THRESHOLD}
        row |= {"flagged": value >= THRESHOLD, "direction": change, "mcse": error}
        rows.append(row)
    return sorted(rows, key=lambda row: (row["group"] != "prior", -row["sensitivity"]))


def scaled_tree(
    m: Material, parts: dict[tuple[str, str], np.ndarray]
) -> dict[tuple[str, str], Any]:
    """Return, for each component, the DataTree that ``psense`` reads."""
    import xarray as xr

    chains = m.fit.chains
    out: dict[tuple[str, str], Any] = {}
    for (group, name), logs in parts.items():
        y = m.y if group == "prior" else m.y[m.kept]
        both = {"posterior": {"target": y}, f"log_{group}": {name: logs}}
        out[group, name] = xr.DataTree.from_dict(
            {
                key: xr.Dataset(
                    {k: (("chain", "draw"), x.reshape(chains, -1)) for k, x in values.items()}
                )
                for key, values in both.items()
            }
        )
    return out


def direction(m: Material, logs: np.ndarray, *, at: np.ndarray) -> tuple[float, float]:
    """Return the change of the mean for each doubling of the power, and its error."""
    low, high = (_weights(logs, alpha) for alpha in ALPHAS)
    width = float(np.log2(ALPHAS[1] / ALPHAS[0]))
    y = m.y[at]
    up, _ = paired(y, high, base=y, least=m.least)
    down, _ = paired(y, low, base=y, least=m.least)
    part = high * (y - high @ y) - low * (y - low @ y)
    return (up - down) / width, float(((part**2).sum() / m.least) ** 0.5) / width


def _weights(logs: np.ndarray, alpha: float) -> np.ndarray:
    """Return Pareto-smoothed weights for a power, as ``psense`` makes them."""
    from arviz_stats.base import array_stats

    w = np.exp(np.asarray(array_stats.power_scale_lw(logs, alpha=alpha)))
    return np.asarray(w / w.sum())


def bootstrap_error(m: Material, logs: np.ndarray, *, at: np.ndarray) -> float:
    """Return the standard error of the sensitivity, by drawing stretches of the chains anew.

    Each draw keeps its weight: powers this near 1 leave no tail to smooth again.
    """
    from arviz_stats.base import array_stats

    y, n, rng = m.y[at], len(at), stream(m.case.seed, "power scaling")
    weights = [_weights(logs, alpha) for alpha in ALPHAS]
    length, found = max(1, round(1.0 / m.least)), []
    for _ in range(BOOTSTRAPS):
        starts = rng.integers(0, n - length + 1, size=-(-n // length))
        pick = (starts[:, None] + np.arange(length)).ravel()[:n]
        low, high = (w[pick] / w[pick].sum() for w in weights)
        parts = (y[pick][None], low[None], high[None])
        found.append(array_stats.power_scale_sense(*parts, *ALPHAS))
    return float(np.std(found))


LADDER = ("workers", "ratings", "lags", "lists", "fte", "studies", "diagnosis")
"""Arrays of evidence in the order in which they are added; what is not named comes last."""


@dataclass(frozen=True)
class Item:
    """Evidence left out: what kind of thing, its name, how much, and the Case without it.

    ``lost`` is the log likelihood that goes with it, at the draws ``at``.
    """

    kind: str
    name: str
    rows: float
    case: Case
    lost: np.ndarray
    at: np.ndarray


def items(m: Material, *, quick: bool = False) -> list[Item]:
    """Return everything that is left out, one at a time.

    With ``quick`` the rows without a rater are scored at fewer draws: they cost seconds.
    """
    at = m.kept[:: max(len(m.kept) // THIN, 1)] if quick else m.kept
    return [*_tables(m), *_raters(m, at), *_agendas(m), *_purposive(m), *_sources(m)]


def left_out_rows(m: Material, *, refit: Refit | None) -> list[Row]:
    """Return one row for each item: how far the target and its width move, and how that is known.

    ``width_change`` is the change of the width of the 89% interval, ``width_mcse`` its error.
    """
    found = items(m, quick=refit is None)
    made = bars(m, [i.case for i in found], refit=refit, cheaply=[reweighed(m, i) for i in found])
    low, high = np.quantile(m.y, (0.055, 0.945))
    rows: list[Row] = [
        {"kind": i.kind, "left_out": i.name, "rows": i.rows}
        | bar.row()
        | {"width_change": (bar.upper - bar.lower) - float(high - low)}
        for i, bar in zip(found, made, strict=True)
    ]
    order = list(dict.fromkeys(i.kind for i in found))
    size = {id(row): abs(row["shift"]) if row["how"] != "withheld" else -1.0 for row in rows}
    return sorted(rows, key=lambda row: (order.index(row["kind"]), -size[id(row)]))


def reweighed(m: Material, item: Item) -> Bar:
    """Return the bar of an item by weights, withheld with its Pareto k if not trusted."""
    if np.ptp(item.lost) == 0.0:
        return replace(weighted(m, np.zeros(len(item.at)), k=0.0, at=item.at), width_mcse=0.0)
    made = leave_one_out_weights(item.lost[None], reff=m.least)
    k = float(made.k[0])
    if not trusted(k):
        return withheld(k)
    bar = weighted(m, made.log_weights[0], k=k, at=item.at)
    w = np.exp(made.log_weights[0])
    return replace(bar, width_mcse=width_error(m, w / w.sum(), at=item.at))


def ladder_rows(m: Material, *, refit: Refit | None, prior: Mapping[str, float]) -> list[Row]:
    """Return the target as evidence is added: prior alone, then table by table, then the run.

    ``prior`` is the target's summary under the priors alone, with its ``mcse``.
    """
    arrays = m.case.evidence.arrays
    held = [t for t in (*LADDER, *arrays) if np.any(arrays.get(t, {}).get("weight", 0.0))]
    order, named = list(dict.fromkeys(held)), _names(m)
    stages = [_without(m, "", drop=order[i + 1 :]) for i in range(len(order) - 1)]
    made = bars(m, [s.case for s in stages], refit=refit, cheaply=[reweighed(m, s) for s in stages])
    own = float(m.y.std() / m.ess**0.5)
    shift, error = prior["mean"] - m.mean, float(np.hypot(prior["mcse"], own))
    alone = Bar(prior["mean"], prior["lower"], prior["upper"], shift, error, "exact")
    low, high = (float(x) for x in np.quantile(m.y, (0.055, 0.945)))
    rows = [_step("priors alone", alone)]
    rows += [_step(f"+ {named[t]}", bar) for t, bar in zip(order, made, strict=False)]
    last = f"+ {named[order[-1]]} (this run)" if order else "this run: no evidence"
    return [*rows, _step(last, Bar(m.mean, low, high, 0.0, own, "exact"))]


def _step(name: str, bar: Bar) -> Row:
    return {"evidence": name, **bar.row()}


def _names(m: Material) -> dict[str, str]:
    """Return the file of each table of arrays."""
    return {like.table: TABLES[like.name] for like in likelihoods(m.fit.compiled.structure)}


def _without(m: Material, name: str, *, drop: list[str]) -> Item:
    """Return the item of whole tables of arrays ``drop`` left out."""
    case, lost, rows = m.case, np.zeros(len(m.kept)), 0.0
    for like in likelihoods(m.fit.compiled.structure):
        if like.table in drop:
            weight = m.case.evidence.arrays[like.table]["weight"].astype(float)
            lost = lost + m.rows[like.name] @ weight
            case = with_arrays(case, like.table, weight=np.zeros_like(weight))
            rows += float(weight.sum())
    return Item("table", name, rows, case, lost, m.kept)


def _tables(m: Material) -> Iterator[Item]:
    names = _names(m)
    for table, file in names.items():
        if m.case.evidence.arrays[table]["weight"].any():
            yield _without(m, file, drop=[table])


def _some(m: Material, like: tuple[str, str], *, drop: np.ndarray, what: tuple[str, str]) -> Item:
    """Return the item of some rows of a table left out; ``like`` is (likelihood, arrays)."""
    weight = m.case.evidence.arrays[like[1]]["weight"].astype(float)
    gone = np.where(drop, weight, 0.0)
    case = with_arrays(m.case, like[1], weight=weight - gone)
    return Item(*what, float(gone.sum()), case, m.rows[like[0]] @ gone, m.kept)


def _agendas(m: Material) -> Iterator[Item]:
    arrays = m.case.evidence.arrays
    agenda = arrays["cells"]["agenda"][arrays["ratings"]["cell"]]
    for i, name in enumerate(m.case.evidence.labels["agenda"]):
        drop = (agenda == i) & (arrays["ratings"]["weight"] > 0)
        if drop.any():
            yield _some(m, ("ratings", "ratings"), drop=drop, what=("agenda", name))


def _purposive(m: Material) -> Iterator[Item]:
    arrays = m.case.evidence.arrays
    drop = arrays["cells"]["purposive"][arrays["ratings"]["cell"]] == 1
    if (drop & (arrays["ratings"]["weight"] > 0)).any():
        what = ("selection", "known cases (purposive works)")
        yield _some(m, ("ratings", "ratings"), drop=drop, what=what)


def _sources(m: Material) -> Iterator[Item]:
    """Yield the figures of workers by their source."""
    weight = m.case.evidence.arrays["workers"]["weight"]
    of = np.array([m.sources.get(row, "") for row in row_ids(m.case, "workers")])
    for name in dict.fromkeys(of[weight > 0].tolist()):
        drop = (of == name) & (weight > 0)
        yield _some(m, ("worker_figures", "workers"), drop=drop, what=("worker source", name))


def _raters(m: Material, at: np.ndarray) -> Iterator[Item]:
    """Yield each rater's answers left out, as long as another is left."""
    raters = m.case.evidence.labels["rater"]
    real = [i for i, name in enumerate(raters) if not name.startswith("absent-")]
    weight = m.case.evidence.arrays["ratings"]["weight"].astype(float)
    if len(real) < 2 or not weight.any():
        return
    for i in real:
        case = without_rater(m.case, i)
        answers = float((m.case.evidence.arrays["ratings"]["asked"][:, i] * weight).sum())
        own = m.rows["ratings"][np.isin(m.kept, at)]
        lost = (own - rated(m, case, at=at)) @ weight
        yield Item("rater", raters[i], answers, case, lost, at)


def rated(m: Material, case: Case, *, at: np.ndarray) -> np.ndarray:
    """Return the log probability of each row of ratings of a Case at some of the run's draws."""
    like = next(x for x in likelihoods(m.fit.compiled.structure) if x.name == "ratings")
    data, structure = case.evidence.arrays, m.fit.compiled.structure
    draws = {name: x[at] for name, x in m.fit.draws.items()}
    out = np.zeros((len(at), len(data["ratings"]["weight"])))
    for cut in row_cuts(len(case.evidence.ids["ratings"])):
        rows = data | {"ratings": {name: x[cut] for name, x in data["ratings"].items()}}

        def block(some: Any, rows: Any = rows) -> dict[str, np.ndarray]:
            params = like.params(NumPy, terms_from_draws(some), rows, structure=structure)
            return {"x": like.logp(NumPy, rows["ratings"]["value"], *params)}

        out[:, cut] = joined(over_blocks(block, draws, n=len(at)))["x"]
    return out


MATTERS, LITTLE = 0.10, 0.02
"""Shares of variance from which a block matters, and below which it hardly does."""
WEIGHT = 0.10
"""Move of the tornado from which a block matters, as a part of the target's mean."""
READ = {
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


def disagreement(found: dict[str, Any]) -> list[Row]:
    """Return one row for each block: the verdict of each method, and a warning if they differ.

    ``tornado`` is the largest known move of one of its priors as a part of the target's mean;
    ``explained`` the share of variance on posterior draws; ``shapley`` that of the factor;
    ``sensitivity`` of power scaling; ``reading`` says which to trust, and is empty if they agree;
    ``notes`` what else to bear in mind.
    """
    mean = _mean(found)
    power = {r["component"]: r for r in found["power"] if r["group"] == "prior"}
    factors = {r["block"]: r["shapley"] for r in found["factors"]}
    pairs = {
        found_block
        for pair in found["pairs"]
        for found_block in (_block(found, pair["first"]), _block(found, pair["second"]))
    }
    rows = []
    for block in found["blocks"]:
        name = block["block"]
        own = [r for r in found["largest"] if r["block"] == name]
        most = max((abs(r["most"]) for r in own), default=0.0) / mean
        row: Row = {"block": name, "sensitivity": power[name]["sensitivity"]}
        row |= {"flagged": power[name]["flagged"], "tornado": most, "explained": block["share"]}
        row |= {"shapley": factors.get(name), "withheld": sum(r["withheld"] for r in own)}
        row["reading"] = reading(row)
        rows.append(row | {"notes": notes(row, paired=name in pairs)})
    return rows


def reading(row: Row) -> str:
    """Return which method to trust where they say different things of a block."""
    stands = row["tornado"] >= WEIGHT or (row["shapley"] or 0.0) >= MATTERS
    out = []
    if stands and not row["flagged"]:
        out.append(READ["place"])
    if row["flagged"] and not stands:
        out.append(READ["shape"])
    if row["explained"] >= MATTERS and not stands:
        out.append(READ["learn"])
    if row["explained"] < LITTLE and stands:
        out.append(READ["prior"])
    return "; ".join(out)


def notes(row: Row, *, paired: bool) -> str:
    """Return what a reader must bear in mind of a block, whether methods agree or not."""
    out = [NOT_COMPARED.format(n=row["withheld"])] if row["withheld"] else []
    return "; ".join([*out, PAIR] if paired else out)


def _mean(found: dict[str, Any]) -> float:
    return float(found["thresholds"]["double"] / 2.0) or 1.0


def _block(found: dict[str, Any], name: str) -> str:
    return str(next(r["block"] for r in found["largest"] if r["parameter"] == name))


SAMPLES = 1024
"""Base samples of SALib's Sobol indices: a power of 2."""


@dataclass(frozen=True)
class Surrogate:
    """Coefficients of orthonormal terms; ``masks`` are bit masks of the factors of each term."""

    coefs: np.ndarray
    masks: np.ndarray
    n: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the quantity at factors, dims (point, factor)."""
        return basis(x)[0] @ self.coefs

    @property
    def variance(self) -> float:
        """Variance under independent standard-normal factors."""
        return float((self.coefs[self.masks > 0] ** 2).sum())

    def closed(self) -> np.ndarray:
        """Return the variance explained by each subset of factors, by bit mask."""
        subsets = np.arange(2**self.n)[:, None]
        within = (self.masks > 0) & (self.masks & ~subsets == 0)
        return within @ self.coefs**2


def basis(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the terms at points, dims (point, term), and the factors of each as bit masks."""
    n = x.shape[1]
    pairs = list(combinations(range(n), 2))
    parts = [np.ones((len(x), 1)), x, (x**2 - 1.0) / 2**0.5]
    parts += [np.stack([x[:, i] * x[:, j] for i, j in pairs], axis=1)] if pairs else []
    one = [1 << i for i in range(n)]
    masks = np.array([0, *one, *one, *(1 << i | 1 << j for i, j in pairs)])
    return np.hstack(parts), masks


def fit(x: np.ndarray, y: np.ndarray, *, penalty: float = 1e-6) -> Surrogate:
    """Return the surrogate of values y at points x, dims (point, factor), by least squares."""
    terms, masks = basis(x)
    gram = terms.T @ terms + penalty * len(y) * np.diag((masks > 0).astype(float))
    return Surrogate(np.linalg.solve(gram, terms.T @ y), masks, x.shape[1])


def accuracy(made: Callable[[np.ndarray], np.ndarray], x: np.ndarray, *, y: np.ndarray) -> float:
    """Return the share of the variance of y at points left out of the fit that it foretells."""
    return float(1.0 - ((y - made(x)) ** 2).mean() / y.var())


def sobol_indices(made: Callable[[np.ndarray], np.ndarray], n: int, *, seed: int) -> dict:
    """Return SALib's first-order and total indices of n factors, with 89% half-widths.

    Returns
    -------
    dict
        ``S1``, ``ST``, ``S1_conf``, ``ST_conf``, each (factor,) (Saltelli et al. 2010).
    """
    from SALib.analyze import sobol as analyse
    from SALib.sample import sobol as sample

    names = [f"x{i}" for i in range(n)]
    problem = {"num_vars": n, "names": names, "dists": ["norm"] * n, "bounds": [[0.0, 1.0]] * n}
    number = integer(seed, "sobol")
    at = sample.sample(problem, SAMPLES, calc_second_order=False, seed=number)
    y = made(at)
    if y.std() == 0.0:
        return {key: np.zeros(n) for key in ("S1", "ST", "S1_conf", "ST_conf")}
    found = analyse.analyze(
        problem, y, calc_second_order=False, conf_level=0.89, seed=number, print_to_console=False
    )
    return {key: np.asarray(found[key]) for key in ("S1", "ST", "S1_conf", "ST_conf")}


UNIT = 0.5
"""Prior sds by which a factor of 1 moves a block along its direction."""
POINTS = {True: (64, 32), False: (128, 64)}
"""Points of the fit and of its test, with ``quick`` and without."""
LEAST = 0.02
"""Part of a direction below which a prior is not moved."""
STRETCHES, REPLICATES = 20, 200
SHIFTS_ENDS = (0.055, 0.945)


@dataclass(frozen=True)
class Answers:
    """Points and what they say: sums by stretch of weights times target, and of weights."""

    z: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    left_out: int

    def means(self, stretches: np.ndarray | None = None) -> np.ndarray:
        """Return the target's mean at each point, from stretches of the chains."""
        at = np.arange(self.top.shape[1]) if stretches is None else stretches
        return np.asarray(self.top[:, at].sum(axis=1) / self.bottom[:, at].sum(axis=1))


def factor_rows(m: Material, tornado: list[Row], *, quick: bool) -> tuple[list[Row], Row]:
    """Return one row for each block, and how good the surrogate is.

    Rows have ``first``, ``total`` (Sobol) and ``shapley``, all as shares of the variance, with the
    ends of their intervals, ``slope`` (change of the target for a factor of 1) and ``led_by``.
    """
    ways = directions(m, tornado)
    blocks = list(ways)[: shapley.MOST]
    fit_n, test_n = POINTS[quick]
    made = answered(m, [ways[b] for b in blocks], n=fit_n + test_n)
    many = len(made.z) * fit_n // (fit_n + test_n)
    if many < 4 * len(blocks):
        return [], {"points": len(made.z), "left_out": made.left_out, "unit": UNIT}
    found = summarised(made, blocks, many=many, seed=m.case.seed)
    rows = [
        row | {"slope": slope, "led_by": max((abs(d), name) for name, d in ways[b].items())[1]}
        for row, b, slope in zip(found[0], blocks, found[2], strict=True)
    ]
    return sorted(rows, key=lambda row: -row["shapley"]), found[1]


def directions(m: Material, tornado: list[Row]) -> dict[str, dict[str, float]]:
    """Return, by block, the part of each prior in the unit vector along which the block moves."""
    slopes: dict[str, dict[str, float]] = {}
    ends = {(row["parameter"], row["move"]): row for row in tornado}
    for prior in m.case.priors:
        if (prior.name, "low") not in ends:
            continue
        mean, sd = moments(prior)
        us, ys, errors = [mean], [0.0], [0.0]
        for key, q in (("low", 0.05), ("high", 0.95)):
            row = ends[prior.name, key]
            if row["how"] != "withheld":
                us.append(point(prior, q))
                ys.append(row["shift"])
                errors.append(row["mcse"])
        a, b = int(np.argmin(us)), int(np.argmax(us))
        if a == b:
            continue
        width = (us[b] - us[a]) / sd
        g, error = (ys[b] - ys[a]) / width, float(np.hypot(errors[a], errors[b])) / width
        clear = g * max(0.0, 1.0 - (error / g) ** 2) if g else 0.0
        slopes.setdefault(prior.block, {})[prior.name] = clear
    return {block: _unit(found) for block, found in slopes.items()}


def _unit(slopes: dict[str, float]) -> dict[str, float]:
    """Return a unit vector, all parts equal where no slope stands out from its noise."""
    size = float(np.linalg.norm(list(slopes.values())))
    if size == 0.0:
        return dict.fromkeys(slopes, len(slopes) ** -0.5)
    return {name: g / size for name, g in slopes.items() if abs(g) >= LEAST * size}


def answered(m: Material, ways: list[dict[str, float]], *, n: int) -> Answers:
    """Return the target at ``n`` points of the factors, those with trusted weights.

    Factors are rounded to halves, so that points share moved blocks; the surrogate knows.
    """
    sampler = qmc.Sobol(len(ways), seed=integer(m.case.seed, "factors"))
    z = ndtri(np.clip(sampler.random(1 << (n - 1).bit_length())[:n], 1e-4, 1 - 1e-4))
    z = np.round(2.0 * z) / 2.0
    blocks = {
        (b, size): block_at(m, ways[b], z=float(size))
        for b in range(len(ways))
        for size in np.unique(z[:, b])
    }
    tops, bottoms, kept = [], [], []
    for i, one in enumerate(z):
        weights, y = at_point(m, [blocks[b, size] for b, size in enumerate(one)])
        if weights is None:
            continue
        parts = [np.array_split(x, STRETCHES) for x in (weights * y, weights)]
        tops.append([part.sum() for part in parts[0]])
        bottoms.append([part.sum() for part in parts[1]])
        kept.append(i)
    return Answers(z[kept], np.array(tops), np.array(bottoms), n - len(kept))


Block = tuple[np.ndarray, tuple[Prior, ...]]
"""A moved block: log ratio of its priors at the draws, and those that are answered exactly."""


def block_at(m: Material, way: dict[str, float], *, z: float) -> Block:
    """Return a block moved by a factor z."""
    priors, new = m.case.by_name, []
    for name, part in way.items():
        mean, sd = moments(priors[name])
        new.append(shifted(priors[name], mean + UNIT * z * part * sd))
    return m.ratio(p for p in new if z and p.name not in m.free), tuple(
        p for p in new if p.name in m.free
    )


def at_point(m: Material, blocks: Sequence[Block]) -> tuple[np.ndarray | None, np.ndarray]:
    """Return weights of the run's draws with all blocks moved, and the target by draw."""
    case, ratio = m.case, np.sum([block[0] for block in blocks], axis=0)
    for new in (prior for block in blocks for prior in block[1]):
        case = with_prior(case, new)
    made = smoothed(ratio)
    return (made.weights if trusted(made.pareto_k) else None), m.at(case)


def summarised(
    made: Answers, blocks: list[str], *, many: int, seed: int
) -> tuple[list[Row], Row, list[float]]:
    """Return rows of indices by block, what is said of the surrogate, and slopes by factor."""
    n, y = len(blocks), made.means()
    model = fit(made.z[:many], y[:many])
    sobol = sobol_indices(model, n, seed=seed)
    drawn = [_closed(one, n) for one in replicates(made, model, many=many, seed=seed)]
    effects = shapley.shapley(model.closed()) / max(model.variance, 1e-300)
    found = {"first": sobol["S1"], "total": sobol["ST"], "shapley": effects}
    rows: list[Row] = [{"block": block} for block in blocks]
    for key, values in found.items():
        low, high = np.quantile([one[key] for one in drawn], SHIFTS_ENDS, axis=0)
        for i, row in enumerate(rows):
            row |= {key: float(values[i]), f"{key}_lower": float(min(low[i], values[i]))}
            row |= {f"{key}_upper": float(max(high[i], values[i]))}
    spread = [float(one["variance"]) for one in drawn]
    told: Row = {"points": len(made.z), "left_out": made.left_out, "unit": UNIT}
    told |= {"accuracy": accuracy(model, made.z[many:], y=y[many:])}
    told |= {"variance": model.variance, "variance_error": float(np.std(spread))}
    told |= {"shapley_sum": float(effects.sum() * model.variance)}
    told |= {"variance_of_points": float(y.var())}
    return rows, told, [float(x) for x in model.coefs[1 : n + 1]]


def replicates(made: Answers, model: Surrogate, *, many: int, seed: int) -> list[Surrogate]:
    """Return surrogates of stretches of chains drawn anew, with errors of the points left out."""
    rng, out = stream(seed, "factors again"), []
    missed = made.means()[many:] - model(made.z[many:])
    for _ in range(REPLICATES):
        stretches = rng.integers(0, STRETCHES, size=STRETCHES)
        y = made.means(stretches)[:many] + rng.choice(missed, size=many)
        out.append(fit(made.z[:many], y))
    return out


def _closed(model: Surrogate, n: int) -> dict[str, np.ndarray]:
    """Return first-order and total shares, Shapley shares and the variance, all in closed form."""
    closed, whole = model.closed(), max(model.variance, 1e-300)
    one = np.array([1 << i for i in range(n)])
    return {
        "first": closed[one] / whole,
        "total": 1.0 - closed[(2**n - 1) ^ one] / whole,
        "shapley": shapley.shapley(closed) / whole,
        "variance": np.asarray(model.variance),
    }


FITS = "fits"
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
"""Rows of the summary that have a CSV file of their own."""


@dataclass(frozen=True)
class Sensitivity:
    """A finished analysis; ``summary`` is the content of sensitivity.json."""

    folder: Path
    summary: Row

    @property
    def converged(self) -> bool:
        """Whether the run and every fit that was made met the rule."""
        rows = [*self.summary["tornado"], *self.summary["left_out"], *self.summary["ladder"]]
        return bool(self.summary["converged"]) and all(row["converged"] for row in rows)

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.sensitivity import sensitivity_text

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
    """Say how far a quantity of a forecast hangs on each belief and each piece of evidence.

    Parameters
    ----------
    priors_or_run
        A finished run or its folder; or a priors file or shipped name, which is run first.
    target
        A quantity of headline.json.
    threshold
        A chance of your own at which to look for tipping points, beside half and double.
    quick
        Exact and reweighted answers alone.
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
    check(target, threshold)
    made = run_of(priors_or_run, evidence=evidence, cores=cores, seed=seed, quiet=quiet)
    made.demand_whole("it can be asked what it hangs on")
    folder = make_folder(made, out, target=target)
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            m = material(made, target)
        refit = None if quick else refitter(m, folder / FITS, cores=cores, stages=stages)
        own = {"threshold": threshold, "prior": made.headline["prior"][target]}
        own |= {"learned": made.context.get("parameters", [])}
        told = about(made, m, quick=quick) | answers(m, own, refit=refit, stages=stages)
        summary = in_words(told)
        with stages("tables and figures"):
            write(folder, summary)
        write_manifest(folder, summary, seconds=stages.seconds)
    return Sensitivity(folder, summary)


def check(target: str, threshold: float | None) -> None:
    """Refuse a target that headline.json does not hold, and a threshold that is no chance."""
    if target not in HEADLINE:
        raise InputError(f"--target {target}: no headline quantity; {near_miss(target, HEADLINE)}")
    if threshold is not None and not 0.0 < threshold < 1.0:
        raise InputError(f"--threshold {threshold}: found no chance; use one between 0 and 1")


def run_of(given: str | Path | Run, **options: Any) -> Run:
    """Return the run that is given, or that of the priors given."""
    if isinstance(given, Run):
        return given
    path = Path(given)
    if path.is_dir() or read_manifest(path) is not None:
        return show(path)
    return run(given, report=False, **options)


def make_folder(made: Run, out: str | Path | None, *, target: str) -> Path:
    """Make the folder, or take one that this command made; return it.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    name = f"sensitivity-{made.folder.name}" + (f"-{target}" if target != HEADLINE[0] else "")
    folder = made.folder.parent / name if out is None else Path(out)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FITS).is_dir():
        raise InputError(f"--out {folder}: exists and is not of this command; name another")
    try:
        (folder / FITS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    return folder


def refitter(m: Material, place: Path, *, cores: int | None, stages: Stages) -> Refit:
    """Return what fits Cases from the run's own fit, each kept in its file."""

    def refit(cases: Sequence[Case]) -> list[Fit]:
        if not cases:
            return []
        own = place / f"{kept.fit_key(m.case)}.nc"
        if not own.exists():
            kept.write(own, kept.to_bytes(m.fit))
        tick = stages.counting(len(cases))
        return fit_many(cases, place, base=m.case, workers=cores, tick=tick)

    return refit


def about(made: Run, m: Material, *, quick: bool) -> Row:
    """Return what the summary begins with: the run, the target and its spread."""
    question = {key: made.headline[key] for key in ("cohort", "horizon")}
    row: Row = {"schema": 1, "run": made.folder.name, "name": made.context.get("name", "")}
    row |= {"converged": made.converged, "quick": quick, **question, "target": m.target}
    row |= {"label": QUANTITIES[m.target].label, "ess": m.ess}
    return row | {"headline": with_mcse(m.y, m.fit.chains)} | outside_of(made)


def answers(m: Material, own: Row, *, refit: Refit | None, stages: Stages) -> Row:
    """Return every table of the summary; ``own`` are threshold, prior and learned rows."""
    quick = refit is None
    out: Row = {}
    with stages("power scaling"):
        out["power"] = power_rows(m)
    with stages("priors moved"):
        out["tornado"] = tornado(m, refit=refit)
        out["largest"] = largest(out["tornado"])
    with stages("tipping points"):
        at = thresholds(m, own["threshold"])
        out["thresholds"] = at
        out["tipping"] = tipping_rows(m, out["tornado"], at=at, refit=refit)
    with stages("shifts of blocks"):
        out["factors"], out["surrogate"] = factor_rows(m, out["tornado"], quick=quick)
    with stages("variance explained"):
        out["blocks"] = block_rows(m)
        out["beliefs"], out["pairs"] = belief_rows(m), pair_rows(m)
    with stages("evidence left out"):
        out["left_out"] = left_out_rows(m, refit=refit)
    with stages("evidence added"):
        out["ladder"] = ladder_rows(m, refit=refit, prior=own["prior"])
    out["learned"] = own["learned"]
    return out | {"disagreement": disagreement(out)}


def in_words(summary: Row) -> Row:
    """Return the summary with its sentences, first in the file."""
    from reports.sensitivity import summary_lines
    from reports.words import outside_opening

    lines = [*outside_opening(summary), *summary_lines(summary)]
    return {"schema": summary["schema"], "lines": lines} | summary


def write(folder: Path, summary: Row) -> None:
    """Write tables, figures, the page and sensitivity.json."""
    from forecast.files import write_csv, write_json
    from reports.sensitivity import write_sensitivity

    for name in SUMMARY_TABLES:
        write_csv(folder / f"{name}.csv", summary[name])
    write_sensitivity(folder, summary)
    write_json(folder / "sensitivity.json", summary)


def write_manifest(folder: Path, summary: Row, *, seconds: dict[str, float]) -> None:
    """Write what made the numbers: run, target, code, versions, seconds by stage."""
    from forecast.files import write_json
    from forecast.inference.identity import code_hash, versions

    keys = ("schema", "run", "target", "quick", "converged", "thresholds")
    made: Row = {key: summary[key] for key in keys}
    made |= {"code_hash": code_hash(), "versions": versions()}
    timings = {name: round(s, 2) for name, s in seconds.items()}
    write_json(folder / "manifest.json", made | {"timings_s": timings})
