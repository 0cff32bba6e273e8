"""Simulators of the standard likelihoods, each ``(rng, *params)`` as its log density takes them."""

import numpy as np

from models.prior import Array


def negative_binomial_random(rng: np.random.Generator, mean: Array, size: Array) -> Array:
    """Simulate counts of mean ``mean`` and variance mean + mean^2 / size."""
    return rng.poisson(rng.gamma(size, mean / size)).astype(float)


def normal_random(rng: np.random.Generator, mean: Array, sd: Array) -> Array:
    """Simulate normal figures."""
    return rng.normal(mean, sd)


def beta_binomial_random(rng: np.random.Generator, total: Array, a: Array, b: Array) -> Array:
    """Simulate overdispersed counts out of ``total``."""
    p = rng.beta(*np.broadcast_arrays(a, b, total)[:2])
    return rng.binomial(total.astype(int), p).astype(float)
