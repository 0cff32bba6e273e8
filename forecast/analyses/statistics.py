r"""Statistics that several analyses share.

Weighted draws
    Quantiles, and the Monte Carlo error of the difference of two means of the same draws.
Resampled chains
    Stretches of chains, for the bootstrap and the jackknife: neighbouring draws depend on each
    other, so whole stretches are drawn anew or left out.
Shapley values
    For n inputs and a value :math:`v(S)` of each subset, input i gets

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(n-|S|-1)!}{n!} [v(S \cup i) - v(S)],

    and the shares sum to :math:`v(\text{all}) - v(\emptyset)` (Shapley 1953). They are also the
    mean, over all orders in which the inputs may join, of what each adds when it does; a sample of
    orders, each with its reverse, estimates it. With :math:`v(S) = \mathrm{Var}\, E[Y \mid X_S]`
    they are Shapley effects, which stay defined where inputs depend on each other (Owen & Prieur
    2017, SIAM/ASA J. UQ 5:986). Subsets are bit masks: input i is in subset s if bit i is set.
Variance explained
    :math:`\mathrm{Var}\, E[Y \mid X] / \mathrm{Var}\, Y` is what learning X exactly would take off
    the variance of Y on average: the value of partial perfect information (EVPPI) for squared
    loss, by regression on draws (Strong, Oakley & Brennan 2014, Med. Decis. Making 34:311). The
    regression is on normal scores of X and their squares, by ridge, and judged on draws left out
    of the fit, so that many beliefs do not explain by chance. It is a lower bound where
    :math:`E[Y \mid X]` is rougher than this.
Surrogate
    A polynomial of independent standard-normal factors. Hermite polynomials to degree 2 with all
    products of two are orthonormal under such factors (polynomial chaos; Sudret 2008, Rel. Eng.
    Syst. Saf. 93:964), so that the variance is the sum of squared coefficients, and
    :math:`\mathrm{Var}\,E[Y \mid X_S]` the sum of those whose factors all lie in S.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import rankdata

from forecast.inference.seeds import integer, stream

ENDS = (0.055, 0.945)
"""Probabilities at the ends of the 89% equal-tailed interval."""
STEP = 0.02
"""Half the stretch of probability over which a density is taken."""


def paired(
    x: np.ndarray, weights: np.ndarray, *, base: np.ndarray, efficiency: float
) -> tuple[float, float]:
    r"""Return the weighted mean of x less the mean of the base, and its Monte Carlo error.

    The draws are the same, so that the error is that of the difference (delta method),
    :math:`\sum_s [w_s (x_s - \bar x_w) - (b_s - \bar b) / n]^2` over the efficiency, the effective
    number of draws over their number.
    """
    mean, plain = float(weights @ x), float(base.mean())
    part = weights * (x - mean) - (base - plain) / len(base)
    return mean - plain, float(((part**2).sum() / efficiency) ** 0.5)


def interval(y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 89% equal-tailed interval of weighted draws."""
    low, high = quantiles(y, weights, ENDS)
    return low, high


def quantiles(y: np.ndarray, weights: np.ndarray, probs: Sequence[float]) -> list[float]:
    """Return quantiles of weighted draws."""
    order = np.argsort(y)
    cdf = np.cumsum(weights[order]) - 0.5 * weights[order]
    return [float(x) for x in np.interp(probs, cdf, y[order])]


def width_parts(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    r"""Return what each draw does to the width of the 89% interval, to first order.

    A quantile q at p moves by :math:`w_s (p - [y_s \le q]) / f(q)`; the density f is that between
    the quantiles at :math:`p \pm 0.02`. The error of a width is the root of the sum of squares.
    """
    total = np.zeros(len(y))
    for sign, p in zip((-1.0, 1.0), ENDS, strict=True):
        low, q, high = quantiles(y, weights, (p - STEP, p, p + STEP))
        total += sign * weights * (p - (y <= q)) * (high - low) / (2.0 * STEP)
    return total


def stretches(n: int, length: int, *, times: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield, for a block bootstrap, the places of n draws or a few more, in stretches."""
    for _ in range(times):
        starts = rng.integers(0, n - length + 1, size=-(-n // length))
        yield (starts[:, None] + np.arange(length)).ravel()


def jackknife(values: np.ndarray) -> np.ndarray:
    """Return the standard error of row 0 from the other rows, each without one stretch."""
    parts = values[1:]
    return np.asarray(((len(parts) - 1) * parts.var(axis=0)) ** 0.5)


def shapley(values: np.ndarray) -> np.ndarray:
    """Return each input's Shapley value, dims (..., input).

    Parameters
    ----------
    values
        Value of each subset by bit mask, along the last axis; other axes stay.

    Raises
    ------
    ValueError
        If there is not one value for each subset.
    """
    values = np.asarray(values, dtype=float)
    n = values.shape[-1].bit_length() - 1
    if values.shape[-1] != 2**n:
        raise ValueError(f"{values.shape[-1]} values; a value for each subset makes a power of 2")
    masks = np.arange(2**n)
    size = np.array([mask.bit_count() for mask in range(2**n)])
    weight = np.array([1.0 / (n * comb(n - 1, k)) if k < n else 0.0 for k in range(n + 1)])
    parts = []
    for i in range(n):
        without = masks[masks >> i & 1 == 0]
        gain = values[..., without | 1 << i] - values[..., without]
        parts.append(gain @ weight[size[without]])
    return np.stack(parts, axis=-1) if parts else values[..., :0]


def random_orders(n: int, count: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return orders of n inputs, each followed by its reverse; dims (order, place)."""
    first = np.array([rng.permutation(n) for _ in range(-(-count // 2))]).reshape(-1, n)
    return np.stack([first, first[:, ::-1]], axis=1).reshape(-1, n)


def joining(orders: np.ndarray) -> np.ndarray:
    """Return the subset before the first input joins and after each; dims (order, 1 + place)."""
    joined = np.cumsum(1 << orders, axis=1)
    return np.hstack([np.zeros((len(orders), 1), dtype=joined.dtype), joined])


def shapley_by_orders(values: np.ndarray, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each input's Shapley value from sampled orders, and its standard error.

    Parameters
    ----------
    values
        Value of each subset of :func:`joining`, dims (..., order, 1 + place).
    orders
        From :func:`random_orders`; an order and its reverse count as one draw.

    Returns
    -------
    tuple
        Values and errors, dims (..., input); the values sum to that of all less that of none.
    """
    place = np.broadcast_to(np.argsort(orders), values.shape[:-1] + orders.shape[1:])
    gains = np.take_along_axis(np.diff(values, axis=-1), place, axis=-1)
    pairs = gains.reshape((*gains.shape[:-2], -1, 2, gains.shape[-1])).mean(axis=-2)
    return pairs.mean(axis=-2), pairs.std(axis=-2) / max(pairs.shape[-2] - 1, 1) ** 0.5


FOLDS = 5
PENALTIES = (1e-4, 1e-2, 1e-1)
"""Ridge penalties tried, per draw; that of the least error on draws left out is used."""
BOOTSTRAPS = 200


@dataclass(frozen=True)
class Share:
    """A share of variance with its 89% interval."""

    share: float
    lower: float
    upper: float


def expected(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return E[Y | X] at each draw, from a ridge regression on the other folds.

    Parameters
    ----------
    y
        Quantity by draw.
    x
        Beliefs, dims (draw, belief); draws in the order of the chains, since folds are stretches of
        them, so that a draw's neighbours in its chain do not stand in for it.
    """
    scores = ndtri((rankdata(x, axis=0) - 0.5) / len(x))
    scores = np.where(np.ptp(x, axis=0) > 0, scores, 0.0)
    features = np.hstack([scores, scores**2 - 1.0])
    fits = [_cross_fitted(y, features, penalty=penalty) for penalty in PENALTIES]
    return min(fits, key=lambda fitted: float(((y - fitted) ** 2).sum()))


def _cross_fitted(y: np.ndarray, features: np.ndarray, *, penalty: float) -> np.ndarray:
    fitted, draws = np.empty(len(y)), np.arange(len(y))
    for test in np.array_split(draws, FOLDS):
        train = np.setdiff1d(draws, test)
        mean, centre = y[train].mean(), features[train].mean(axis=0)
        a = features[train] - centre
        gram = a.T @ a + penalty * len(train) * np.eye(a.shape[1])
        slopes = np.linalg.solve(gram, a.T @ (y[train] - mean))
        fitted[test] = mean + (features[test] - centre) @ slopes
    return fitted


def explained(y: np.ndarray, x: np.ndarray, *, ess: float, seed: int) -> Share:
    """Return the share of the variance of y that x explains.

    Parameters
    ----------
    y, x
        As for :func:`expected`.
    ess
        Effective number of draws: the bootstrap draws stretches so long that there are as many.
    seed
        Seed of the bootstrap.
    """
    missed = (y - expected(y, x)) ** 2

    def share(draws: np.ndarray | slice) -> float:
        variance = y[draws].var()
        return float(max(0.0, 1.0 - missed[draws].mean() / variance)) if variance else 0.0

    length, rng = max(1, round(len(y) / max(ess, 1.0))), stream(seed, "evppi")
    resampled = [share(draws) for draws in stretches(len(y), length, times=BOOTSTRAPS, rng=rng)]
    lower, upper = np.quantile(resampled, ENDS)
    return Share(share(slice(None)), float(lower), float(upper))


def rank_correlations(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Spearman's correlation of y with each column of x, plain and partial.

    The partial one is that given all other columns. A constant column has 0.
    """
    ranks = rankdata(np.column_stack([y, x]), axis=0)
    sd = ranks.std(axis=0)
    scores = (ranks - ranks.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    correlation = scores.T @ scores / len(y)
    inverse = np.linalg.pinv(correlation, hermitian=True)
    partial = -inverse[0, 1:] / np.sqrt(inverse[0, 0] * np.diag(inverse)[1:].clip(1e-300))
    return correlation[0, 1:], partial


def fisher(r: np.ndarray, *, n: float, given: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the 89% interval of correlations of n effective draws, by Fisher's transform.

    ``given`` is the number of other columns of a partial correlation.
    """
    half = ndtri(ENDS[1]) / max(n - given - 3.0, 1.0) ** 0.5
    z = np.arctanh(np.clip(r, -0.999999, 0.999999))
    return np.tanh(z - half), np.tanh(z + half)


SOBOL_SAMPLES = 1024
"""Base samples of SALib's Sobol indices: a power of 2."""


@dataclass(frozen=True)
class Surrogate:
    """Coefficients of orthonormal terms; ``masks`` are bit masks of the factors of each term."""

    coefs: np.ndarray
    masks: np.ndarray
    n: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the quantity at factors, dims (point, factor)."""
        return _terms(x)[0] @ self.coefs

    @property
    def variance(self) -> float:
        """Variance under independent standard-normal factors."""
        return float((self.coefs[self.masks > 0] ** 2).sum())

    def closed(self) -> np.ndarray:
        """Return the variance explained by each subset of factors, by bit mask."""
        subsets = np.arange(2**self.n)[:, None]
        within = (self.masks > 0) & (self.masks & ~subsets == 0)
        return within @ self.coefs**2

    def shares(self) -> dict[str, np.ndarray]:
        """Return each factor's ``first``-order, ``total`` and ``shapley`` share, in closed form."""
        closed, variance = self.closed(), max(self.variance, 1e-300)
        single = 1 << np.arange(self.n)
        return {
            "first": closed[single] / variance,
            "total": 1.0 - closed[(2**self.n - 1) ^ single] / variance,
            "shapley": shapley(closed) / variance,
        }


def _terms(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the terms at points, dims (point, term), and the factors of each as bit masks."""
    n = x.shape[1]
    pairs = list(combinations(range(n), 2))
    parts = [np.ones((len(x), 1)), x, (x**2 - 1.0) / 2**0.5]
    parts += [np.stack([x[:, i] * x[:, j] for i, j in pairs], axis=1)] if pairs else []
    single = [1 << i for i in range(n)]
    return np.hstack(parts), np.array([0, *single, *single, *(1 << i | 1 << j for i, j in pairs)])


def fit_surrogate(x: np.ndarray, y: np.ndarray, *, penalty: float = 1e-6) -> Surrogate:
    """Return the surrogate of values y at points x, dims (point, factor), by least squares."""
    terms, masks = _terms(x)
    gram = terms.T @ terms + penalty * len(y) * np.diag((masks > 0).astype(float))
    return Surrogate(np.linalg.solve(gram, terms.T @ y), masks, x.shape[1])


def sobol_indices(
    function: Callable[[np.ndarray], np.ndarray], n: int, *, seed: int
) -> dict[str, np.ndarray]:
    """Return SALib's first-order and total indices of n factors, with 89% half-widths.

    Returns
    -------
    dict
        ``S1``, ``ST``, ``S1_conf``, ``ST_conf``, each (factor,) (Saltelli et al. 2010).
    """
    from SALib.analyze import sobol as analyse
    from SALib.sample import sobol as sample

    names, number = [f"x{i}" for i in range(n)], integer(seed, "sobol")
    problem = {"num_vars": n, "names": names, "dists": ["norm"] * n, "bounds": [[0.0, 1.0]] * n}
    y = function(sample.sample(problem, SOBOL_SAMPLES, calc_second_order=False, seed=number))
    keys = ("S1", "ST", "S1_conf", "ST_conf")
    if y.std() == 0.0:
        return {key: np.zeros(n) for key in keys}
    options = {"calc_second_order": False, "conf_level": 0.89, "print_to_console": False}
    indices = analyse.analyze(problem, y, seed=number, **options)
    return {key: np.asarray(indices[key]) for key in keys}


MIXTURE_STEPS, MIXTURE_CLOSE = 2000, 1e-6
"""Most steps of the equations for the constants, and the change at which they are solved."""


def log_mixture(density: np.ndarray, counts: np.ndarray, constants: np.ndarray) -> np.ndarray:
    r"""Return :math:`\log \sum_k \tfrac{N_k}{N} e^{u_k(x) - f_k}` at each draw x.

    Parameters
    ----------
    density
        Log densities :math:`u_k`, dims (fit, draw).
    counts
        Draws :math:`N_k` of each fit.
    constants
        Log normalising constants :math:`f_k`.
    """
    share = np.log(counts / counts.sum())
    return np.asarray(logsumexp(density + (share - constants)[:, None], axis=0))


def normalising_constants(
    density: np.ndarray, counts: np.ndarray, *, start: np.ndarray
) -> np.ndarray:
    r"""Return the log normalising constants of a pool of fits, that of the first being 0.

    They solve :math:`f_k = \log \sum_x e^{u_k(x)} / m(x)`, up to a constant, with m of
    :func:`log_mixture` (Shirts & Chodera 2008, J. Chem. Phys. 129:124105).
    """
    constants = start
    for _ in range(MIXTURE_STEPS):
        new = logsumexp(density - log_mixture(density, counts, constants), axis=1)
        new = new - new[0]
        change, constants = np.abs(new - constants).max(), new
        if change < MIXTURE_CLOSE:
            break
    return constants
