r"""Shapley values, by all subsets or by sampled orders, of anything with a value for each subset.

For n inputs and a value :math:`v(S)` for each subset, input i gets

.. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(n-|S|-1)!}{n!} [v(S \cup i) - v(S)],

and the shares sum to :math:`v(\text{all}) - v(\emptyset)` (Shapley 1953). With
:math:`v(S) = \mathrm{Var}\, E[Y \mid X_S]` they are Shapley effects, which stay defined where
inputs depend on each other (Owen & Prieur 2017, SIAM/ASA J. UQ 5:986). Subsets are bit masks: input
i is in subset s if bit i of s is set. They are also the mean, over all orders in which the inputs
may join, of what each adds when it does; a sample of orders, each with its reverse, estimates it.
"""

from collections.abc import Callable
from math import comb

import numpy as np

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
