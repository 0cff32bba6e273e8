"""Pareto-smoothed importance reweighting of draws to other priors.

The log ratio needs no PyMC: it is the change of the priors' log densities at the draws (Vehtari et
al. 2024, JMLR 25:72).
"""

from dataclasses import dataclass

import numpy as np

from forecast.case import Case, structure_of
from forecast.forward import taken
from forecast.sampling import Fit
from forecast.seeds import stream
from forecast.soft import log_weights, soft_part, soft_ratio
from models.errors import InputError
from models.prior import logpdf

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
