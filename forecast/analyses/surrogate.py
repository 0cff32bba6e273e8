r"""A surrogate of a quantity as a polynomial of independent standard-normal factors.

Hermite polynomials to degree 2 with all products of two are orthonormal under such factors
(polynomial chaos; Sudret 2008, Rel. Eng. Syst. Saf. 93:964), so that the variance is the sum of
squared coefficients, and :math:`\mathrm{Var}\,E[Y \mid X_S]` the sum of those whose factors all lie
in S. Validation is on points that no coefficient saw.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from forecast.seeds import integer

SAMPLES = 1024
"""Base samples of SALib's Sobol indices: a power of 2."""


@dataclass(frozen=True)
class Surrogate:
    """Coefficients of orthonormal terms; ``masks`` are bit masks of the factors of each term."""

    coefs: np.ndarray
    masks: np.ndarray
    n: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the quantity at factors, dims (point, factor)."""
        return basis(x)[0] @ self.coefs

    @property
    def variance(self) -> float:
        """Variance under independent standard-normal factors."""
        return float((self.coefs[self.masks > 0] ** 2).sum())

    def closed(self) -> np.ndarray:
        """Return the variance explained by each subset of factors, by bit mask."""
        subsets = np.arange(2**self.n)[:, None]
        within = (self.masks > 0) & (self.masks & ~subsets == 0)
        return within @ self.coefs**2


def basis(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the terms at points, dims (point, term), and the factors of each as bit masks."""
    n = x.shape[1]
    pairs = list(combinations(range(n), 2))
    parts = [np.ones((len(x), 1)), x, (x**2 - 1.0) / 2**0.5]
    parts += [np.stack([x[:, i] * x[:, j] for i, j in pairs], axis=1)] if pairs else []
    one = [1 << i for i in range(n)]
    masks = np.array([0, *one, *one, *(1 << i | 1 << j for i, j in pairs)])
    return np.hstack(parts), masks


def fit(x: np.ndarray, y: np.ndarray, *, penalty: float = 1e-6) -> Surrogate:
    """Return the surrogate of values y at points x, dims (point, factor), by least squares."""
    terms, masks = basis(x)
    gram = terms.T @ terms + penalty * len(y) * np.diag((masks > 0).astype(float))
    return Surrogate(np.linalg.solve(gram, terms.T @ y), masks, x.shape[1])


def accuracy(made: Callable[[np.ndarray], np.ndarray], x: np.ndarray, *, y: np.ndarray) -> float:
    """Return the share of the variance of y at points left out of the fit that it foretells."""
    return float(1.0 - ((y - made(x)) ** 2).mean() / y.var())


def sobol_indices(made: Callable[[np.ndarray], np.ndarray], n: int, *, seed: int) -> dict:
    """Return SALib's first-order and total indices of n factors, with 89% half-widths.

    Returns
    -------
    dict
        ``S1``, ``ST``, ``S1_conf``, ``ST_conf``, each (factor,) (Saltelli et al. 2010).
    """
    from SALib.analyze import sobol as analyse
    from SALib.sample import sobol as sample

    names = [f"x{i}" for i in range(n)]
    problem = {"num_vars": n, "names": names, "dists": ["norm"] * n, "bounds": [[0.0, 1.0]] * n}
    number = integer(seed, "sobol")
    at = sample.sample(problem, SAMPLES, calc_second_order=False, seed=number)
    y = made(at)
    if y.std() == 0.0:
        return {key: np.zeros(n) for key in ("S1", "ST", "S1_conf", "ST_conf")}
    found = analyse.analyze(
        problem, y, calc_second_order=False, conf_level=0.89, seed=number, print_to_console=False
    )
    return {key: np.asarray(found[key]) for key in ("S1", "ST", "S1_conf", "ST_conf")}
