r"""A prior: a named distribution with its meaning, in PyMC, SciPy and quantile form.

One :class:`Prior` is one ``[priors.NAME]`` table of a TOML file. The same object gives

- the random variable of the model in context (:func:`add`), whose numbers come from the
  model's one named vector ``hyper`` so that changing them compiles nothing;
- the log density in NumPy (:func:`logpdf`), so that reweighting needs no PyMC;
- the quantile function (:func:`ppf`), through which forecast-only priors push fixed uniforms.

The parameters are those of PyMC's class of the same name (``lam`` is a rate, ``beta`` of a
Gamma is a rate, ``LogNormal`` takes the mean and sd of the logarithm). Densities and quantiles are
SciPy's: PreliZ has the same families under the same names, but importing it imports PyMC, numba and
matplotlib (2.7 s of processor time, SciPy 0.8 s), which a run from compiled models does without.
PreliZ fits quartiles in :mod:`forecast.config.quantiles`.

**The scale of a level's scatter.** A level is misread by one rung with odds
:math:`e^{-1/(2\sigma^2)}`, which is next to nothing below :math:`\sigma = 0.25` and rises fast
above: given many ratings the logarithm of sigma has a long lower tail, in which they say nothing,
and a sharp upper end. Given few, sigma follows its prior, near normal on the logarithm. So a belief
of :data:`ANCHORS` is sampled as t, with

.. math:: \sigma = a \, \{\log(1 + e^y)\}^{1/4}, \qquad y = s \sinh(t / s), \qquad
    \log \left| \frac{d \sigma}{d t} \right| = \log \frac{a}{4} - \frac34 \log \log (1 + e^y)
    - \log (1 + e^{-y}) + \log \cosh \frac{t}{s},

a logarithm far below a, the fourth power of sigma just above it, and a logarithm again from there
on. The prior of sigma is the same on every scale. Of the whole numbers, s = 5 has the least largest
skewness of the common error's posterior draws in one fit and of the two default priors (-0.9, 0.6
and 0.9; the bare logarithm -2.2, 0 and 0). Without the sinh the posterior draws were the best
(-0.3), but the priors' tail was endless (skewness over 30): in fits without one rater, whose own
scale then has its prior alone, chains did not mix (of six, R-hat up to 1.16; with it 1.01 at most).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import InputError

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """A family of distributions: parameter names, support, and its SciPy form.

    ``support`` is ``real``, ``positive``, ``unit``, or ``bounds`` for the parameters ``lower`` and
    ``upper``. ``positive`` names the parameters that must be positive.
    """

    params: tuple[str, ...]
    support: str
    frozen: Callable[..., Any]
    positive: tuple[str, ...] = ()


def _scipy(name: str, arguments: Callable[..., dict[str, float]]) -> Callable[..., Any]:
    """Return the function from a family's parameters to SciPy's frozen distribution."""

    def frozen_distribution(**params: float) -> Any:
        from scipy import stats

        return getattr(stats, name)(**arguments(**params))

    return frozen_distribution


class _LogitNormal:
    """Logit-normal distribution: the logistic of a normal (SciPy has no class for it)."""

    def __init__(self, mu: float, sigma: float) -> None:
        from scipy import stats

        self._normal = stats.norm(mu, sigma)

    def logpdf(self, value: ArrayLike) -> Array:
        x = np.asarray(value, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            log, log_rest = np.log(x), np.log1p(-x)
            density = self._normal.logpdf(log - log_rest) - log - log_rest
        return np.where((x > 0) & (x < 1), density, -np.inf)

    def cdf(self, value: ArrayLike) -> Array:
        x = np.asarray(value, dtype=float)
        return np.asarray(self._normal.cdf(np.log(x) - np.log1p(-x)))

    def ppf(self, q: ArrayLike) -> Array:
        return 1.0 / (1.0 + np.exp(-self._normal.ppf(q)))


def _truncated(mu: float, sigma: float, lower: float, upper: float) -> dict[str, float]:
    low, high = (lower - mu) / sigma, (upper - mu) / sigma
    return {"a": low, "b": high, "loc": mu, "scale": sigma}


FAMILIES: dict[str, Family] = {
    "Normal": Family(
        ("mu", "sigma"),
        "real",
        _scipy("norm", lambda mu, sigma: {"loc": mu, "scale": sigma}),
        ("sigma",),
    ),
    "StudentT": Family(
        ("nu", "mu", "sigma"),
        "real",
        _scipy("t", lambda nu, mu, sigma: {"df": nu, "loc": mu, "scale": sigma}),
        ("nu", "sigma"),
    ),
    "LogNormal": Family(
        ("mu", "sigma"),
        "positive",
        _scipy("lognorm", lambda mu, sigma: {"s": sigma, "scale": np.exp(mu)}),
        ("sigma",),
    ),
    "HalfNormal": Family(
        ("sigma",), "positive", _scipy("halfnorm", lambda sigma: {"scale": sigma}), ("sigma",)
    ),
    "Exponential": Family(
        ("lam",), "positive", _scipy("expon", lambda lam: {"scale": 1 / lam}), ("lam",)
    ),
    "Gamma": Family(
        ("alpha", "beta"),
        "positive",
        _scipy("gamma", lambda alpha, beta: {"a": alpha, "scale": 1 / beta}),
        ("alpha", "beta"),
    ),
    "Beta": Family(
        ("alpha", "beta"),
        "unit",
        _scipy("beta", lambda alpha, beta: {"a": alpha, "b": beta}),
        ("alpha", "beta"),
    ),
    "LogitNormal": Family(("mu", "sigma"), "unit", _LogitNormal, ("sigma",)),
    "Uniform": Family(
        ("lower", "upper"),
        "bounds",
        _scipy("uniform", lambda lower, upper: {"loc": lower, "scale": upper - lower}),
    ),
    "TruncatedNormal": Family(
        ("mu", "sigma", "lower", "upper"), "bounds", _scipy("truncnorm", _truncated), ("sigma",)
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
    transform = _transform(prior.dist, name)
    return getattr(pm, prior.dist)(name, dims=dims, **numbers(name, priors), **transform)


def variables() -> Mapping[str, Any]:
    """Return the variables of the model in context by name."""
    import pymc as pm

    return pm.modelcontext(None).named_vars


def _transform(dist: str, name: str = "") -> dict[str, Any]:
    """Return the option of PyMC that sets the scale on which a belief is sampled.

    A share is sampled as its log-odds (PyMC leaves LogitNormal as it is), a belief of
    :data:`ANCHORS` by :func:`squeeze`, all else on PyMC's own scale.
    """
    from pymc.distributions.transforms import logodds

    support = FAMILIES[dist].support
    if support == "positive" and name in ANCHORS:
        return {"default_transform": squeeze(ANCHORS[name])}
    return {"default_transform": logodds} if support == "unit" else {}


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
        params = {
            p: model["hyper"][np.array([order.index(f"{name}.{p}") for name in members])]
            for p in FAMILIES[dist].params
        }
        vector = getattr(pm, dist)(
            f"beliefs_{dist}", dims=f"{dist} belief", **params, **_transform(dist)
        )
        n = len(members)
        parts = [vector] if n == 1 else pt.split(vector, [1] * n, n_splits=n)
        for name, part in zip(members, parts, strict=True):
            pm.Deterministic(name, part[0])


def families(priors: Mapping[str, Prior]) -> tuple[tuple[str, str], ...]:
    """Return the (prior, distribution) pairs of a set of priors, by name."""
    return tuple((name, priors[name].dist) for name in sorted(priors))


ANCHORS = {"shared_level_scale": 0.25, "rater_level_scale": 0.25}
"""a of each belief that is sampled as t, in its unit, if its family is positive."""
POWER = 4
BEND = 5.0
"""s: how far up the fourth power reaches."""
FAR = 30.0
"""Beyond it log(1 + exp(y)) is y, and log(1 + exp(-y)) is exp(-y), to the last digit."""


def squeezed(value: float, anchor: float) -> float:
    """Return t of a positive value."""
    u = (value / anchor) ** POWER
    with np.errstate(divide="ignore"):
        y = u if u > FAR else float(np.log(np.expm1(u)))
    return float(BEND * np.arcsinh(y / BEND))


def squeeze(anchor: float) -> Any:
    """Return PyMC's transform between a positive value and t."""
    import pytensor.tensor as pt
    from pymc.logprob.transforms import Transform

    def straight(value: Any) -> Any:
        """Return y, by exponentials: the native backend knows no sinh."""
        return BEND / 2 * (pt.exp(value / BEND) - pt.exp(-value / BEND))

    class Squeeze(Transform):
        name = "squeeze"
        ndim_supp = 0

        def forward(self, value: Any, *inputs: Any) -> Any:
            u = (value / anchor) ** POWER
            y = pt.switch(u > FAR, u, pt.log(pt.expm1(pt.minimum(u, FAR))))
            return BEND * pt.arcsinh(y / BEND)

        def backward(self, value: Any, *inputs: Any) -> Any:
            return anchor * pt.exp(_log_softplus(straight(value)) / POWER)

        def log_jac_det(self, value: Any, *inputs: Any) -> Any:
            y, size = straight(value), pt.abs(value / BEND)
            up = (1.0 / POWER - 1.0) * _log_softplus(y) - pt.softplus(-y)
            return np.log(anchor / POWER) + up + size + pt.log1p(pt.exp(-2 * size)) - np.log(2.0)

    return Squeeze()


def _log_softplus(y: Any) -> Any:
    """Return log(log(1 + exp(y))), also where exp(y) is no number any more."""
    import pytensor.tensor as pt

    return pt.switch(y < -FAR, y, pt.log(pt.softplus(pt.maximum(y, -FAR))))
