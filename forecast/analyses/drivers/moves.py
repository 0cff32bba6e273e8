r"""A prior moved: its centre shifted, or its spread scaled, within its own family.

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
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq, root
from scipy.special import digamma, expit, logit, polygamma

from models.prior import Prior, frozen, ppf, support

ENDS = (0.05, 0.95)
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
    low, high = (point(prior, q) for q in ENDS)
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
