r"""Shapley values, by all subsets or by sampled orders, of anything with a value for each subset.

For n inputs and a value :math:`v(S)` for each subset, input i gets

.. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(n-|S|-1)!}{n!} [v(S \cup i) - v(S)],

and the shares sum to :math:`v(\text{all}) - v(\emptyset)` (Shapley 1953). With
:math:`v(S) = \mathrm{Var}\, E[Y \mid X_S]` they are Shapley effects, which stay defined where
inputs depend on each other (Owen & Prieur 2017, SIAM/ASA J. UQ 5:986). Subsets are bit masks: input
i is in subset s if bit i of s is set. They are also the mean, over all orders in which the inputs
may join, of what each adds when it does; a sample of orders, each with its reverse, estimates it.

How much of a quantity's variance beliefs explain, from paired draws, dependence and all.

:math:`\mathrm{Var}\, E[Y \mid X] / \mathrm{Var}\, Y` is what learning X exactly would take off the
variance of Y on average: the value of partial perfect information for squared loss, by regression
on draws (Strong, Oakley & Brennan 2014, Med. Decis. Making 34:311). The regression is on normal
scores of X and their squares, by ridge; the share is judged on draws left out of the fit, so that
many beliefs do not explain by chance. It is a lower bound where E[Y | X] is rougher than this.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from forecast.inference.seeds import stream

MOST = 10
"""Inputs at most: 1024 subsets."""


def members(mask: int, n: int) -> tuple[int, ...]:
    """Return the inputs of a subset."""
    return tuple(i for i in range(n) if mask >> i & 1)


def subset_values(value: Callable[[tuple[int, ...]], float], n: int) -> np.ndarray:
    """Return the value of each subset of n inputs, by bit mask.

    Raises
    ------
    ValueError
        If there are more inputs than can be enumerated.
    """
    if n > MOST:
        raise ValueError(f"{n} inputs; at most {MOST} are enumerated: join some into groups")
    return np.array([value(members(mask, n)) for mask in range(2**n)])


def shapley(values: np.ndarray) -> np.ndarray:
    """Return each input's Shapley value.

    Parameters
    ----------
    values
        Value of each subset by bit mask, along the last axis; other axes are kept.

    Returns
    -------
    numpy.ndarray
        Dims (..., input); their sum is the value of all less that of none.

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


def some_orders(n: int, many: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return orders of n inputs, each followed by its reverse; dims (order, place)."""
    first = np.array([rng.permutation(n) for _ in range(-(-many // 2))]).reshape(-1, n)
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
        From :func:`some_orders`; an order and its reverse count as one draw.

    Returns
    -------
    tuple
        Values and errors, dims (..., input); the values sum to that of all less that of none.
    """
    gains = np.take_along_axis(
        np.diff(values, axis=-1),
        np.broadcast_to(np.argsort(orders), values.shape[:-1] + orders.shape[1:]),
        axis=-1,
    )
    pairs = gains.reshape((*gains.shape[:-2], -1, 2, gains.shape[-1])).mean(axis=-2)
    n = pairs.shape[-2]
    return pairs.mean(axis=-2), pairs.std(axis=-2) / max(n - 1, 1) ** 0.5


FOLDS = 5
PENALTIES = (1e-4, 1e-2, 1e-1)
"""Ridge penalties tried, per draw; that of the least error on draws left out is kept."""
BOOTSTRAPS = 200
ENDS = (0.055, 0.945)
"""Quantiles that end an interval."""


@dataclass(frozen=True)
class Share:
    """A share with its interval, and E[Y | X] at each draw, fitted without that draw."""

    share: float
    lower: float
    upper: float
    fitted: np.ndarray


def scores(x: np.ndarray) -> np.ndarray:
    """Return normal scores of each column, dims (draw, column); a constant column becomes 0."""
    x = np.asarray(x, dtype=float)
    out = ndtri((rankdata(x, axis=0) - 0.5) / len(x))
    return np.where(np.ptp(x, axis=0) > 0, out, 0.0)


def features(x: np.ndarray) -> np.ndarray:
    """Return normal scores of the columns, and their squares less 1."""
    z = scores(x)
    return np.hstack([z, z**2 - 1.0])


def expected(y: np.ndarray, x: np.ndarray, *, blocks: int = FOLDS) -> np.ndarray:
    """Return E[Y | X] at each draw, from a ridge regression on the other folds.

    Parameters
    ----------
    y
        Quantity by draw.
    x
        Beliefs, dims (draw, belief); draws in the order of the chains, since folds are stretches of
        them, so that a draw's neighbours in its chain do not stand in for it.
    blocks
        Number of folds.
    """
    made = [_left_out(y, features(x), blocks=blocks, penalty=penalty) for penalty in PENALTIES]
    return min(made, key=lambda fitted: float(((y - fitted) ** 2).sum()))


def _left_out(y: np.ndarray, f: np.ndarray, *, blocks: int, penalty: float) -> np.ndarray:
    out = np.empty(len(y))
    for test in np.array_split(np.arange(len(y)), blocks):
        train = np.setdiff1d(np.arange(len(y)), test)
        mean, centre = y[train].mean(), f[train].mean(axis=0)
        a = f[train] - centre
        gram = a.T @ a + penalty * len(train) * np.eye(a.shape[1])
        slopes = np.linalg.solve(gram, a.T @ (y[train] - mean))
        out[test] = mean + (f[test] - centre) @ slopes
    return out


def explained(y: np.ndarray, x: np.ndarray, *, ess: float, seed: int) -> Share:
    """Return the share of the variance of y that x explains, with its interval.

    Parameters
    ----------
    y, x
        As for :func:`expected`.
    ess
        Effective number of draws: the bootstrap draws stretches so long that there are as many.
    seed
        Seed of the bootstrap.
    """
    fitted = expected(y, x)
    length = max(1, round(len(y) / max(ess, 1.0)))
    rng, many = stream(seed, "evppi"), -(-len(y) // length)
    found = []
    for _ in range(BOOTSTRAPS):
        starts = rng.integers(0, len(y) - length + 1, size=many)
        found.append(_share(y, fitted, at=(starts[:, None] + np.arange(length)).ravel()))
    lower, upper = np.quantile(found, ENDS)
    return Share(_share(y, fitted, at=np.arange(len(y))), float(lower), float(upper), fitted)


def _share(y: np.ndarray, fitted: np.ndarray, *, at: np.ndarray) -> float:
    variance = y[at].var()
    if variance == 0.0:
        return 0.0
    return float(max(0.0, 1.0 - ((y[at] - fitted[at]) ** 2).mean() / variance))


def rank_correlations(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of y with each column."""
    table = np.column_stack([scores_of_ranks(y[:, None]), scores_of_ranks(x)])
    return (table.T @ table / len(y))[0, 1:]


def partial_rank_correlations(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the correlation of ranks of y with each column, the other columns held."""
    ranks = np.column_stack([scores_of_ranks(y[:, None]), scores_of_ranks(x)])
    inverse = np.linalg.pinv(ranks.T @ ranks / len(y), hermitian=True)
    return -inverse[0, 1:] / np.sqrt(inverse[0, 0] * np.diag(inverse)[1:].clip(1e-300))


def scores_of_ranks(x: np.ndarray) -> np.ndarray:
    """Return standardised ranks of each column; a constant column becomes 0."""
    ranks = rankdata(x, axis=0)
    sd = ranks.std(axis=0)
    return (ranks - ranks.mean(axis=0)) / np.where(sd > 0, sd, 1.0)


def fisher(r: np.ndarray, *, n: float, held: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the 89% interval of correlations of n effective draws, by Fisher's transform.

    ``held`` is the number of columns held (partial correlations).
    """
    half = ndtri(ENDS[1]) / max(n - held - 3.0, 1.0) ** 0.5
    z = np.arctanh(np.clip(r, -0.999999, 0.999999))
    return np.tanh(z - half), np.tanh(z + half)
