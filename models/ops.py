"""One spelling of the mathematics for two arrays: symbolic graphs and plain draws.

Every formula of a sub-model is written once, with a first argument ``xp`` that is either
:class:`NumPy` (draws lead, ``(..., dims)``) or the result of :func:`graph` (no draws axis).
So the graph that is sampled and the forecast made from its draws cannot drift apart.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import special


class NumPy:
    """The operations on NumPy arrays."""

    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    log1p = staticmethod(np.log1p)
    sqrt = staticmethod(np.sqrt)
    sigmoid = staticmethod(special.expit)
    logit = staticmethod(special.logit)
    gammaln = staticmethod(special.gammaln)
    where = staticmethod(np.where)
    eq = staticmethod(np.equal)
    concatenate = staticmethod(np.concatenate)
    stack = staticmethod(np.stack)
    asarray = staticmethod(np.asarray)

    @staticmethod
    def normal_cdf(x: Any) -> Any:
        """Return the standard normal distribution function."""
        return special.ndtr(x)

    @staticmethod
    def normal_quantile(p: Any) -> Any:
        """Return the standard normal quantile function."""
        return special.ndtri(p)

    @staticmethod
    def cumsum(x: Any) -> Any:
        """Return the running sum along the last axis."""
        return np.cumsum(x, axis=-1)


def graph() -> Any:
    """Return the same operations on PyTensor variables (imported only when asked for)."""
    import pytensor.tensor as pt

    return SimpleNamespace(
        exp=pt.exp,
        log=pt.log,
        log1p=pt.log1p,
        sqrt=pt.sqrt,
        sigmoid=pt.sigmoid,
        logit=lambda p: pt.log(p) - pt.log1p(-p),
        gammaln=pt.gammaln,
        where=pt.switch,
        eq=pt.eq,
        concatenate=pt.concatenate,
        stack=pt.stack,
        asarray=pt.as_tensor_variable,
        normal_cdf=lambda x: 0.5 * pt.erfc(-x / np.sqrt(2.0)),
        normal_quantile=lambda p: -np.sqrt(2.0) * pt.erfcinv(2.0 * p),
        cumsum=lambda x: pt.cumsum(x, axis=-1),
    )


def flatten(x: Any) -> Any:
    """Join the last two axes (level, tracking) into one of 16 states."""
    lead = tuple(x.shape[i] for i in range(x.ndim - 2))
    return x.reshape((*lead, x.shape[x.ndim - 2] * x.shape[x.ndim - 1]))
