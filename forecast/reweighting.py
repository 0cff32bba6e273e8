"""Pareto-smoothed importance reweighting of draws to other priors.

The log ratio needs no PyMC: it is the change of the priors' log densities at the draws (Vehtari et
al. 2024, JMLR 25:72).
"""

from dataclasses import dataclass

import numpy as np

from forecast.case import Case, structure_of
from forecast.sampling import Fit
from forecast.seeds import stream
from models.prior import logpdf


@dataclass(frozen=True)
class Importance:
    """Normalised weights of draws, their Pareto k and effective number of draws."""

    weights: np.ndarray
    pareto_k: float

    @property
    def ess(self) -> float:
        """Effective number of draws, one over the sum of squared weights."""
        return float(1.0 / np.sum(self.weights**2))

    def resample(
        self, draws: dict[str, np.ndarray], seed: int, *, n: int | None = None
    ) -> dict[str, np.ndarray]:
        """Return ``n`` draws (as many as there are weights), by systematic resampling."""
        n = len(self.weights) if n is None else n
        at = (stream(seed, "resample").uniform() + np.arange(n)) / n
        chosen = np.searchsorted(np.cumsum(self.weights), at).clip(0, len(self.weights) - 1)
        return {name: values[chosen] for name, values in draws.items()}

    def mean(self, values: np.ndarray) -> float:
        """Return the weighted mean of a quantity."""
        return float(np.sum(self.weights * values))


def importance(fit: Fit, case: Case) -> Importance | None:
    """Return weights that turn the draws of ``fit`` into draws of ``case``.

    None if they differ in structure, evidence or seed, where only a fit will do.
    """
    same = case.evidence == fit.case.evidence and case.model == fit.case.model
    if not same or structure_of(case) != fit.compiled.structure:
        return None
    return smoothed(log_ratio(fit, case))


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
