r"""A prior: a named distribution with its meaning, in PyMC, SciPy and quantile form.

One :class:`Prior` is one ``[priors.NAME]`` table of a TOML file. The same object gives

- the random variable of the model in context (:func:`add`), whose numbers come from the
  model's one named vector ``hyper`` so that changing them compiles nothing;
- the log density in NumPy (:func:`logpdf`), so that reweighting needs no PyMC;
- the quantile function (:func:`ppf`), through which forecast-only priors push fixed uniforms.

The parameters are those of PyMC's class of the same name (``lam`` is a rate, ``beta`` of a
Gamma is a rate, ``LogNormal`` takes the mean and sd of the logarithm).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import InputError
from models.squeeze import ANCHORS, transform

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """A family of distributions: parameter names, support, and its SciPy form."""

    params: tuple[str, ...]
    support: str
    frozen: Callable[..., Any]
    positive: tuple[str, ...] = ()


def _stats() -> Any:
    from scipy import stats

    return stats


class _LogitNormal:
    """Logit-normal distribution: the logistic of a normal (SciPy has no class for it)."""

    def __init__(self, mu: float, sigma: float) -> None:
        self.mu, self.sigma = mu, sigma

    def logpdf(self, value: ArrayLike) -> Array:
        x = np.asarray(value, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            logit = np.log(x) - np.log1p(-x)
            out = _stats().norm.logpdf(logit, self.mu, self.sigma) - np.log(x) - np.log1p(-x)
        return np.where((x > 0) & (x < 1), out, -np.inf)

    def cdf(self, value: ArrayLike) -> Array:
        x = np.asarray(value, dtype=float)
        return np.asarray(_stats().norm.cdf(np.log(x) - np.log1p(-x), self.mu, self.sigma))

    def ppf(self, q: ArrayLike) -> Array:
        return 1.0 / (1.0 + np.exp(-_stats().norm.ppf(q, self.mu, self.sigma)))


FAMILIES: dict[str, Family] = {
    "Normal": Family(
        ("mu", "sigma"), "real", lambda mu, sigma: _stats().norm(mu, sigma), ("sigma",)
    ),
    "StudentT": Family(
        ("nu", "mu", "sigma"),
        "real",
        lambda nu, mu, sigma: _stats().t(nu, mu, sigma),
        ("nu", "sigma"),
    ),
    "LogNormal": Family(
        ("mu", "sigma"),
        "positive",
        lambda mu, sigma: _stats().lognorm(s=sigma, scale=np.exp(mu)),
        ("sigma",),
    ),
    "HalfNormal": Family(
        ("sigma",), "positive", lambda sigma: _stats().halfnorm(scale=sigma), ("sigma",)
    ),
    "Exponential": Family(
        ("lam",), "positive", lambda lam: _stats().expon(scale=1 / lam), ("lam",)
    ),
    "Gamma": Family(
        ("alpha", "beta"),
        "positive",
        lambda alpha, beta: _stats().gamma(alpha, scale=1 / beta),
        ("alpha", "beta"),
    ),
    "Beta": Family(
        ("alpha", "beta"),
        "unit",
        lambda alpha, beta: _stats().beta(alpha, beta),
        ("alpha", "beta"),
    ),
    "LogitNormal": Family(("mu", "sigma"), "unit", _LogitNormal, ("sigma",)),
    "Uniform": Family(
        ("lower", "upper"),
        "bounds",
        lambda lower, upper: _stats().uniform(lower, upper - lower),
    ),
    "TruncatedNormal": Family(
        ("mu", "sigma", "lower", "upper"),
        "bounds",
        lambda mu, sigma, lower, upper: _stats().truncnorm(
            (lower - mu) / sigma, (upper - mu) / sigma, mu, sigma
        ),
        ("sigma",),
    ),
}
"""Every family a priors file may name, in PyMC's spelling."""


@dataclass(frozen=True)
class Prior:
    """One stated belief about one scalar.

    ``params`` holds (name, number) pairs in the order of ``FAMILIES[dist].params``.
    ``quantiles`` keeps the (probability, value) pairs when the numbers were fitted to them.
    """

    name: str
    dist: str
    params: tuple[tuple[str, float], ...]
    unit: str
    block: str
    claims: tuple[str, ...]
    source: str
    why: str
    quantiles: tuple[tuple[float, float], ...] | None = None

    @property
    def values(self) -> dict[str, float]:
        """Parameters by name."""
        return dict(self.params)


@lru_cache(maxsize=512)
def frozen(prior: Prior) -> Any:
    """Return the prior as a frozen SciPy-like distribution."""
    return FAMILIES[prior.dist].frozen(**prior.values)


def ppf(prior: Prior, q: ArrayLike) -> Array:
    """Return the quantile function of the prior at probabilities ``q``."""
    return np.asarray(frozen(prior).ppf(q), dtype=float)


def logpdf(prior: Prior, value: ArrayLike) -> Array:
    """Return the log density of the prior at ``value``."""
    return np.asarray(frozen(prior).logpdf(value), dtype=float)


def support(prior: Prior) -> tuple[float, float]:
    """Return the ends of the interval on which the prior has mass."""
    kind = FAMILIES[prior.dist].support
    if kind == "bounds":
        return prior.values["lower"], prior.values["upper"]
    return {"real": (-np.inf, np.inf), "positive": (0.0, np.inf), "unit": (0.0, 1.0)}[kind]


def hyper_names(priors: Mapping[str, Prior]) -> tuple[str, ...]:
    """Return the names of the one hyperparameter vector, such as ``ease.mu``, in order."""
    return tuple(f"{name}.{param}" for name in sorted(priors) for param, _ in priors[name].params)


def hyper_values(priors: Mapping[str, Prior]) -> Array:
    """Return the numbers of the hyperparameter vector, in the order of :func:`hyper_names`."""
    return np.array([value for name in sorted(priors) for _, value in priors[name].params])


def find(name: str, priors: Mapping[str, Prior]) -> Prior:
    """Return the prior ``name``.

    Raises
    ------
    InputError
        If there is no such table; the message suggests the near miss.
    """
    if name not in priors:
        near = get_close_matches(name, priors, n=1)
        remedy = f"rename [priors.{near[0]}]?" if near else "add that table."
        raise InputError(f"priors: no table [priors.{name}]; {remedy}")
    return priors[name]


def numbers(name: str, priors: Mapping[str, Prior]) -> "dict[str, TensorVariable]":
    """Return the parameters of ``name`` as entries of the model's ``hyper`` vector."""
    import pymc as pm

    prior = find(name, priors)
    hyper = pm.modelcontext(None)["hyper"]
    start = hyper_names(priors).index(f"{name}.{prior.params[0][0]}")
    return {param: hyper[start + i] for i, (param, _) in enumerate(prior.params)}


def add(name: str, priors: Mapping[str, Prior], *, dims: Any = None) -> "TensorVariable":
    """Return the prior ``name`` in the model in context, adding it unless it is there.

    With ``dims`` it is one independent copy for each element.
    """
    import pymc as pm

    prior = find(name, priors)
    model = pm.modelcontext(None)
    if name in model.named_vars:
        return model[name]
    scale = _scale(prior.dist, name)
    return getattr(pm, prior.dist)(name, dims=dims, **numbers(name, priors), **scale)


def _scale(dist: str, name: str = "") -> dict[str, Any]:
    """Return the option that sets the scale on which a belief is sampled.

    A share is sampled as its log-odds (PyMC leaves LogitNormal as it is), and what
    :mod:`models.squeeze` names on the scale of that module.
    """
    from pymc.distributions.transforms import logodds

    if FAMILIES[dist].support == "positive" and name in ANCHORS:
        return {"default_transform": transform(ANCHORS[name])}
    return {"default_transform": logodds} if FAMILIES[dist].support == "unit" else {}


def add_grouped(names: Collection[str], priors: Mapping[str, Prior]) -> None:
    """Add the scalar priors ``names`` to the model in context, one vector for each family.

    The density is that of adding them one by one (a test holds them equal); the graph is several
    times smaller, and compiling is what a first run waits for. Each keeps its own name.
    """
    import pymc as pm
    import pytensor.tensor as pt

    model = pm.modelcontext(None)
    order = hyper_names(priors)
    for dist in sorted({priors[name].dist for name in names}):
        members = sorted(name for name in names if priors[name].dist == dist)
        model.add_coord(f"{dist} belief", members)
        at = {p: [order.index(f"{m}.{p}") for m in members] for p in FAMILIES[dist].params}
        params = {p: model["hyper"][np.array(i)] for p, i in at.items()}
        vector = getattr(pm, dist)(
            f"beliefs_{dist}", dims=f"{dist} belief", **params, **_scale(dist)
        )
        sizes = [1] * len(members)
        parts = [vector] if len(members) == 1 else pt.split(vector, sizes, n_splits=len(sizes))
        for name, part in zip(members, parts, strict=True):
            pm.Deterministic(name, part[0])
