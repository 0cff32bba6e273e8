r"""The metric in which the posterior is sampled, from a pilot of all chains.

Of draws :math:`x_i` and their scores :math:`g_i = \nabla \log p(x_i)` the matrix

.. math:: M = A \# B^{-1}, \qquad A = (1 - \lambda)\,\mathrm{Cov}(x) + \lambda I, \quad
    B = (1 - \lambda)\,\mathrm{Cov}(g) + \lambda I,

with :math:`\#` the geometric mean, in coordinates scaled by :math:`(sd(x) / sd(g))^{1/2}`, is at
:math:`\lambda = 0` the metric that minimises the Fisher divergence of the transformed posterior
from a standard normal (as nutpie's adaptations do chain by chain; pooled over chains the whole
matrix can be afforded). :math:`\lambda` steadies the estimate where draws are few. The sampler then
moves in z, with :math:`x = \bar x + L z` and :math:`L L^T = M`: the same posterior,
whatever the pilot was.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from threadpoolctl import threadpool_limits

from forecast.inference.backend import with_metric
from models.priors import Array

ONE_THREAD = {"limits": 1, "user_api": "blas"}
"""Linear algebra on several threads rounds by their number, and draws differ from there on."""
RIDGE = 0.1
"""Weight of the identity; of 0.02, 0.1 and 0.3 least condition number at 400 and 600 draws."""
FEW = 60.0
"""The same, over the number of draws, for those of a finished fit: more draws need less of it."""


@dataclass(frozen=True)
class Metric:
    """x = centre + scale @ z; ``scale`` is lower triangular."""

    centre: Array
    scale: Array

    def outward(self, z: Array) -> Array:
        """Return unconstrained values of whitened ones; dims (..., parameter)."""
        with threadpool_limits(**ONE_THREAD):
            return np.asarray(self.centre + z @ self.scale.T)

    def inward(self, x: Array) -> Array:
        """Return whitened values of unconstrained ones; dims (draw, parameter)."""
        with threadpool_limits(**ONE_THREAD):
            return np.asarray(solve_triangular(self.scale, (x - self.centre).T, lower=True).T)


@dataclass(frozen=True)
class Ground:
    """Where chains start, and how they move there: unconstrained points and a metric."""

    metric: Metric
    points: Array


def plain(n: int) -> Metric:
    """Return the metric that changes nothing."""
    return Metric(np.zeros(n), np.eye(n))


def metric_of(points: Array, scores: Array, *, ridge: float = RIDGE) -> Metric:
    """Return the metric of a pilot's draws and scores, both with dims (draw, parameter)."""
    centre = points.mean(axis=0)
    unit = np.sqrt(points.std(axis=0) / scores.std(axis=0))
    with threadpool_limits(**ONE_THREAD):
        spread = _ridged((points - centre) / unit, ridge)
        steep = _ridged((scores - scores.mean(axis=0)) * unit, ridge)
        mean = _geometric_mean(spread, np.linalg.inv(steep))
        return Metric(centre, np.tril(unit[:, None] * np.linalg.cholesky(mean)))


def _ridged(x: Array, ridge: float) -> Array:
    return np.asarray((1.0 - ridge) * np.cov(x.T) + ridge * np.eye(x.shape[1]))


def _geometric_mean(a: Array, b: Array) -> Array:
    """Return a # b, the midpoint of the geodesic between two positive definite matrices."""
    half, back = _power(a, 0.5), _power(a, -0.5)
    return half @ _power(back @ b @ back, 0.5) @ half


def _power(a: Array, exponent: float) -> Array:
    values, vectors = np.linalg.eigh((a + a.T) / 2.0)
    return np.asarray((vectors * values**exponent) @ vectors.T)


def whitened(native: Any, ground: Ground) -> Any:
    """Return nutpie's model in the coordinates of a metric, chains starting among its points."""
    metric = ground.metric
    moved = with_metric(native, metric.centre, metric.scale)
    pool = metric.inward(ground.points)

    def start(seed: Any) -> Array:
        return np.array(pool[np.random.default_rng(seed).integers(len(pool))])

    return replace(moved, initial_point_func=start)


def stat(tree: Any, name: str) -> Array:
    """Return a vector of ``sample_stats`` with chains and draws joined."""
    values = tree["sample_stats"][name].to_numpy()
    return np.asarray(values.reshape(-1, values.shape[-1]))


def pooled(trace: Any, names: tuple[str, ...]) -> list[Array]:
    """Return vectors of nutpie's raw trace, once, chains joined; dims (draw, parameter) each."""
    import pyarrow

    chains: list[list[Array]] = []
    for batch in trace.get_arrow_trace()[1]:
        drawn = ~np.asarray(pyarrow.array(batch.column("tuning")))
        flat = [pyarrow.array(batch.column(name)).flatten() for name in names]
        chains.append([np.asarray(x).reshape(len(drawn), -1)[drawn] for x in flat])
    return [np.concatenate(parts) for parts in zip(*chains, strict=True)]


def unwhitened(tree: Any, metric: Metric) -> Any:
    """Return nutpie's tree with its unconstrained draws in the model's own coordinates."""
    stats = tree["sample_stats"].dataset
    z = stats["unconstrained_draw"]
    tree["sample_stats"] = stats.assign(unconstrained_draw=z.copy(data=metric.outward(z.values)))
    return tree
