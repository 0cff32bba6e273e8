r"""Pareto-smoothed importance reweighting of draws to other priors.

The log ratio needs no PyMC: it is the change of the priors' log densities at the draws (Vehtari et
al. 2024, JMLR 25:72).

Forecasts by others as importance weights on the draws of a fit, and beside what it says.

A level established by a year rests on beliefs that are not sampled (ceilings, clusters, number of
works), so the penalty cannot enter the sampler: it weighs the draws, each paired with its
forecast-only priors. The worker paths up to an expert's year are draws of their own, so that the
weight does not depend on the horizon that is asked about.

Importance sampling from moved draws, where plain weights fail: moment matching.

Draws :math:`x_s \sim g` of one posterior, moved by an affine map :math:`T`, are draws of
:math:`g(T^{-1} x) / |T|`, so that for another posterior :math:`f` their weights are

.. math:: w_s \propto f(T x_s)\, |T| / g(x_s).

Maps move the unconstrained values :math:`\theta_J` of the beliefs whose prior changed to their
weighted mean, and then also to their weighted sds or covariance; all others follow by their
regression on these, :math:`x_R \to x_R + \Sigma_{RJ} \Sigma_{JJ}^{-1} (\theta_J' - \theta_J)`. A
move stays while Pareto k falls (Paananen, Piironen, Buerkner & Vehtari 2021, Statistics and
Computing 31:16; there all values are matched, and half of the draws stay unmoved, which costs
effective draws and is not needed for the weights to be right). Both densities are those that the
sampler uses, so that what Pareto k judges is exact up to Monte Carlo error.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from forecast.inference.case import Case, structure_of
from forecast.inference.forward import Draws, all_draws, future, taken, with_ease
from forecast.inference.mass_matrix import ONE_THREAD, stat
from forecast.inference.outcomes import predict
from forecast.inference.sampling import Fit, compiled_model, flat, swap
from forecast.inference.seeds import stream
from forecast.native.program import expanded, values_and_gradients
from models.batches import over_blocks
from models.dims import FIRST_YEAR
from models.errors import InputError
from models.outcomes.experts import READS, penalty
from models.priors import Array, logpdf


def soft_part(case: Case) -> tuple[Any, ...]:
    """Return what the weights follow from besides sampled draws; empty if nothing weighs."""
    if not any(expert.weight for expert in case.experts):
        return ()
    read = tuple(prior for prior in case.priors if prior.name in READS)
    return (case.experts, read, case.model.established_at, case.model.established_in)


def asked_of(case: Case) -> Case:
    """Return the Case with the experts' latest year for horizon."""
    last = max(expert.year for expert in case.experts)
    question = replace(case.question, horizon=last, cohort=min(case.question.cohort, last))
    return replace(case, question=question)


def reached(fit: Fit, case: Case) -> np.ndarray:
    """Return the model's chance of each expert's event, dims (draw, expert).

    That of the fit's own Case is kept with it: every changed Case is held against it.
    """
    if case is fit.case and "reached" in fit.held:
        return fit.held["reached"]
    later = future(fit, asked_of(case))
    found = reached_from(all_draws(fit, case), later, fit=fit, case=case)
    if case is fit.case:
        fit.held["reached"] = found
    return found


def reached_from(draws: Draws, later: Draws, *, fit: Fit, case: Case) -> np.ndarray:
    """Return the same from draws of every variable, and normals that reach the experts' years.

    The question's horizon plays no part.
    """
    asked, structure = asked_of(case).asked, fit.compiled.structure
    names = ("established",)
    made = predict(draws, later, structure=structure, question=asked, names=names, kind="levels")
    f = made["established"]
    return np.stack([f[:, e.level - 1, e.year - FIRST_YEAR] for e in case.experts], axis=-1)


def log_weights(fit: Fit, case: Case) -> np.ndarray:
    """Return what the experts of ``case`` weigh at each draw, as a logarithm."""
    if not soft_part(case):
        return np.zeros(fit.n)
    return penalty(reached(fit, case), case.experts)


def soft_ratio(fit: Fit, case: Case) -> np.ndarray:
    """Return the log weights of ``case`` less those that the fit's draws bear already."""
    if soft_part(case) == soft_part(fit.case):
        return np.zeros(fit.n)
    return log_weights(fit, case) - log_weights(fit, fit.case)


MAX_PARETO_K = 0.7
"""Above this, importance weights are not to be trusted (Vehtari et al. 2024, JMLR 25:72)."""
LEAST_ESS = 100.0
"""Effective number of draws below which weights will not do: means to a tenth of an sd."""
LEAST_SHARE = 0.1
"""The same as a share of the draws, where these are few."""
FEWEST = 30
"""Draws whose upper fifth has the more than five that a Pareto tail is fitted to at least."""


@dataclass(frozen=True)
class Importance:
    """Normalised weights of draws, their Pareto k and effective number of draws."""

    weights: np.ndarray
    pareto_k: float

    @property
    def ess(self) -> float:
        """Effective number of draws, one over the sum of squared weights."""
        return float(1.0 / np.sum(self.weights**2))

    @property
    def good(self) -> bool:
        """Whether the weights are to be trusted, and worth enough draws."""
        enough = min(LEAST_ESS, LEAST_SHARE * len(self.weights))
        return self.pareto_k <= MAX_PARETO_K and self.ess >= enough

    def chosen(self, seed: int, *, chains: int = 1) -> np.ndarray:
        """Return the places of as many draws as there are weights, by systematic resampling.

        With several chains each is resampled within itself, in its own order.
        """
        start = stream(seed, "resample").uniform()
        parts, n = [], len(self.weights) // chains
        for chain, weights in enumerate(self.weights.reshape(chains, n)):
            at = (start + np.arange(n)) / n
            found = np.searchsorted(np.cumsum(weights / weights.sum()), at).clip(0, n - 1)
            parts.append(found + chain * n)
        return np.concatenate(parts)

    def mean(self, values: np.ndarray) -> float:
        """Return the weighted mean of a quantity."""
        return float(np.sum(self.weights * values))


def importance(fit: Fit, case: Case) -> Importance | None:
    """Return weights that turn the draws of ``fit`` into draws of ``case``.

    None if they differ in structure or evidence, where only a fit will do.
    """
    if case.evidence != fit.case.evidence or structure_of(case) != fit.compiled.structure:
        return None
    return smoothed(log_ratio(fit, case) + soft_ratio(fit, case))


def weighed(fit: Fit) -> Fit:
    """Return the fit with the forecasts by others that its Case holds weighed in.

    Draws are resampled within their chains, so that R-hat and ESS keep their meaning.

    Raises
    ------
    InputError
        If Pareto k exceeds 0.7: others say too different a thing to be weighed in; or if the draws
        are too few to tell.
    """
    if not soft_part(fit.case):
        return fit
    if fit.n < FEWEST:
        raise InputError(
            f"[sampler] draws: found {fit.n} in all chains, too few to weigh forecasts by others "
            f"in; make it {FEWEST} or more in all, or set [evidence] expert_weight to 0"
        )
    weights = smoothed(log_weights(fit, fit.case))
    if weights.pareto_k > MAX_PARETO_K:
        raise InputError(
            "[evidence] expert_weight: forecasts by others lie too far from this posterior (found "
            f"Pareto k {weights.pareto_k:.2f}, at most {MAX_PARETO_K}); lower it, or set it to 0"
        )
    made = taken(fit, weights.chosen(fit.case.seed, chains=fit.chains))
    return made.restated(soft=(weights.pareto_k, weights.ess))


def log_ratio(fit: Fit, case: Case) -> np.ndarray:
    """Return the log prior of ``case`` less that of the fit, at each draw."""
    old, new = fit.case.by_name, case.by_name
    total = np.zeros(fit.n)
    for name, prior in new.items():
        if prior.params == old[name].params or name in fit.compiled.alone:
            continue
        draws = fit.draws[name]
        change = logpdf(prior, draws) - logpdf(old[name], draws)
        total += change.reshape(len(draws), -1).sum(axis=1)
    return total


def smoothed(log_weights: np.ndarray) -> Importance:
    """Return Pareto-smoothed, normalised weights."""
    from arviz_stats.base import array_stats

    if np.ptp(log_weights) == 0.0:
        n = len(log_weights)
        return Importance(np.full(n, 1.0 / n), 0.0)
    try:
        smooth, k = array_stats.psislw(-log_weights)  # it takes log likelihoods, and negates them
    except ValueError:  # too few draws, or a tail of equal weights: nothing to be trusted
        smooth, k = log_weights, np.inf
    weights = np.exp(smooth - smooth.max())
    return Importance(weights / weights.sum(), float(np.inf if np.isnan(k) else k))


DRAWS = 4000
"""Most draws that are moved."""
TRIES = 4
"""Moves tried at most; each costs a log density a draw."""
HOPELESS = 2.0
"""Pareto k of plain weights above which no move is tried: a few draws say little on moments."""
ENOUGH = 0.5
"""Pareto k at which no further move is tried (Vehtari et al. 2024, JMLR 25:72)."""
MOVES = ("mean", "sd", "covariance")
SAMPLED_AS = {"ease": "use_ratio", "worker_ratio_elasticity": "worker_ratio_elasticity_z"}
"""Variables that are sampled in place of beliefs."""


@dataclass(frozen=True)
class Moved:
    """Moved draws as a fit of the new Case, and their weights."""

    fit: Fit
    weights: Importance

    def quantities(self, found: dict[str, Array]) -> dict[str, Array]:
        """Return quantities at the moved draws, resampled by their weights."""
        at = self.weights.chosen(self.fit.case.seed)
        return {name: x[at] for name, x in found.items()}


def moment_matched(fit: Fit, case: Case) -> Moved | None:
    """Return moved draws of ``fit`` and weights that make them draws of ``case``.

    None if evidence or structure differ, if the fit does not hold what the maps need, or if plain
    weights are hopeless.
    """
    stats = fit.tree["sample_stats"]
    there = {"unconstrained_draw", "logp"} <= set(map(str, stats.data_vars))
    same = case.evidence == fit.case.evidence and structure_of(case) == fit.compiled.structure
    changed = _coordinates(fit, case) if there and same else np.array([], dtype=int)
    if not changed.size:
        return None
    points, whole = stat(fit.tree, "unconstrained_draw"), flat(fit.tree["posterior"])
    at = np.linspace(0, len(points) - 1, min(len(points), DRAWS)).astype(int)
    old = stats["logp"].to_numpy().reshape(-1)[at]
    drawn = with_ease({name: x[at] for name, x in whole.items()}, fit.case)
    ratio = log_ratio(replace(fit, draws=drawn), case)
    if smoothed(ratio).pareto_k > HOPELESS:
        return None
    native = swap(compiled_model(case), case)
    with threadpool_limits(**ONE_THREAD):
        x, weights = _search(points[at], ratio, old=old, native=native, changed=changed)
    draws = with_ease(expanded(native, x, names=whole), case)
    moved = replace(fit, case=case, compiled=compiled_model(case), draws=draws, chosen=at)
    return Moved(moved, smoothed(weights + log_weights(moved, case)))


def _search(
    x: Array, weights: Array, *, old: Array, native: Any, changed: Array
) -> tuple[Array, Array]:
    """Return moved draws and their log weights, after the moves by which Pareto k falls."""
    best, volume, left = smoothed(weights), 0.0, list(MOVES)
    for _ in range(TRIES):
        if best.pareto_k <= ENOUGH or not left:
            break
        y, change = _move(x, best.weights, changed=changed, how=left[0])
        new = np.nan_to_num(_log_densities(native, y) + volume + change - old, nan=-np.inf)
        found = smoothed(new)
        if found.pareto_k < best.pareto_k:
            x, weights, best, left = y, new, found, list(MOVES)
            volume += change
        else:
            left = left[1:]
    return x, weights


def _log_densities(native: Any, points: Array) -> Array:
    """Return the log density of nutpie's model at unconstrained points, dims (draw,)."""

    def block(some: dict[str, Array]) -> Array:
        return values_and_gradients(native, some["point"])[0]

    return np.concatenate(over_blocks(block, {"point": points}, n=len(points)))


def _move(x: Array, w: Array, *, changed: Array, how: str) -> tuple[Array, float]:
    """Return the draws moved to the weighted moments of the changed values, and log |T|."""
    part = x[:, changed]
    mean, target = part.mean(axis=0), w @ part
    away = part - mean
    spread = np.atleast_2d(np.cov(part.T))
    scale = np.eye(len(changed))
    if how != "mean":
        wanted = (w[:, None] * (part - target)).T @ (part - target) / (1.0 - w @ w)
        scale = np.diag(np.sqrt(np.diag(wanted) / np.diag(spread)))
        if how == "covariance":
            wide = wanted + 1e-9 * np.diag(np.diag(wanted))
            scale = np.linalg.cholesky(wide) @ np.linalg.inv(np.linalg.cholesky(spread))
    step = target + away @ scale.T - part
    slopes = np.linalg.solve(spread, away.T @ (x - x.mean(axis=0)) / (len(x) - 1))
    moved = x + step @ slopes
    return moved, float(np.linalg.slogdet(scale)[1])


def _coordinates(fit: Fit, case: Case) -> Array:
    """Return the places of the changed beliefs in the unconstrained vector."""
    old, alone = fit.case.by_name, fit.compiled.alone
    names = {
        SAMPLED_AS.get(name, name)
        for name, prior in case.by_name.items()
        if name not in alone and prior.params != old[name].params
    }
    out, start = [], 0
    for name, members, size in compiled_model(case).layout:
        out += [start + i for i, member in enumerate(members) if member in names]
        out += range(start, start + size) if name in names else []
        start += size
    return np.array(out, dtype=int)
