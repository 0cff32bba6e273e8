"""Where chains start: every belief at its prior median, every effect at zero, and a jitter.

Starting points come from the priors alone, so they do not depend on what was compiled before.
The jitter is uniform in (-1, 1) on the unconstrained scale, as PyMC's own.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from models.prior import FAMILIES, Prior, ppf, support
from models.squeeze import ANCHORS, squeezed

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
