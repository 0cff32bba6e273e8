r"""Importance sampling from moved draws, where plain weights fail: moment matching.

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

from forecast.case import Case, structure_of
from forecast.compiler.program import expanded, log_densities
from forecast.forward import with_ease
from forecast.metric import ONE_THREAD, stat
from forecast.reweighting import Importance, log_ratio, smoothed
from forecast.sampling import Fit, compiled_model, flat, swap
from forecast.soft import log_weights
from models.prior import Array

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
        new = np.nan_to_num(log_densities(native, y) + volume + change - old, nan=-np.inf)
        found = smoothed(new)
        if found.pareto_k < best.pareto_k:
            x, weights, best, left = y, new, found, list(MOVES)
            volume += change
        else:
            left = left[1:]
    return x, weights


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
