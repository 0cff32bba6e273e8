"""Where chains start: every belief at its prior median, every effect at zero, and a jitter.

Starting points come from the priors alone, so they do not depend on what was compiled before.
The jitter is uniform in (-1, 1) on the unconstrained scale, as PyMC's own.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from models.prior import FAMILIES, Prior, ppf, support

Layout = tuple[tuple[str, tuple[str, ...], int], ...]


def unconstrained_median(prior: Prior) -> float:
    """Return the prior's median on the scale on which PyMC samples its family."""
    median = float(ppf(prior, 0.5))
    if FAMILIES[prior.dist].support == "real":
        return median
    if FAMILIES[prior.dist].support == "positive":
        return float(np.log(median))
    low, high = support(prior)
    return float(np.log(median - low) - np.log(high - median))


def centre(layout: Layout, priors: Mapping[str, Prior]) -> np.ndarray:
    """Return the unconstrained point of prior medians and zero effects."""
    parts = []
    for name, members, size in layout:
        if members:
            parts.append(np.array([unconstrained_median(priors[m]) for m in members]))
        elif name in priors:
            parts.append(np.full(size, unconstrained_median(priors[name])))
        else:
            parts.append(np.zeros(size))
    return np.concatenate(parts)


def starting(layout: Layout, priors: Mapping[str, Prior]) -> Callable[[Any], np.ndarray]:
    """Return the function of a seed that gives one starting point."""
    middle = centre(layout, priors)

    def start(seed: Any) -> np.ndarray:
        return middle + np.random.default_rng(seed).uniform(-1.0, 1.0, middle.size)

    return start
