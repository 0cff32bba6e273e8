r"""The race: which side uses a work first, given two Poisson processes of uses by others.

With hazards :math:`m_g\, g_g(x)` on the sides cap and ali, and
:math:`G_g(x) = 1 - e^{-x/\text{lag}_g}`,

.. math:: P(\text{cap first by } X) = \int_0^X m_c\, g_c(x)\, e^{-m_c G_c(x) - m_a G_a(x)}\, dx.

With equal lags this is :math:`\frac{m_c}{m_c + m_a} (1 - e^{-(m_c + m_a) G(X)})`. Otherwise
Gauss-Legendre quadrature in :math:`w`, with
:math:`G_c(x) = w^3\, G_c(X)`: the nodes crowd near x = 0, where large means decide the race.
Against adaptive integration sixteen nodes err by less than 2e-4 for means up to 10, 5e-4 at 100 and
0.01 at 1000 uses, for lags up to tenfold apart (tests/models/test_relevance.py).
"""

from typing import Any

import numpy as np

from models.components.spillover import reached

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
"""Gauss-Legendre nodes and weights on (-1, 1)."""
POWER = 3
"""Power by which the nodes crowd near age zero."""


def nodes(xp: Any, lag: Any, other_lag: Any, *, age: Any) -> tuple[Any, Any, Any]:
    """Return u, the other side's G, and the factor of each node; dims (..., node).

    With G of the first side equal to u, :func:`first_by` is m times the sum of the factors times
    exp(-m u - m' G). ``lag`` and ``other_lag`` are mean lags, ``age`` (...) the years until the
    horizon.
    """
    w = 0.5 * (NODES + 1.0)
    top = reached(xp, age, lag)[..., None]
    u = top * w**POWER
    grown = reached(xp, -lag * xp.log1p(-u), other_lag)
    return u, grown, 0.5 * WEIGHTS * POWER * w ** (POWER - 1) * top


def first_by(xp: Any, first: Any, second: Any, *, lag: Any, other_lag: Any, age: Any) -> Any:
    """Return the chance that the first side uses first, and by ``age``.

    Parameters
    ----------
    first, second
        Means m of the two sides, dims (cohort, ...).
    lag, other_lag
        Mean lags of the two sides in years, dims ().
    age
        Years until the horizon, dims (cohort,).
    """
    spread = (slice(None), *[None] * (first.ndim - 1), slice(None))
    u, grown, factor = (x[spread] for x in nodes(xp, lag, other_lag, age=age))
    none_before = xp.exp(-(first[..., None] * u + second[..., None] * grown))
    return first * (factor * none_before).sum(axis=-1)
