"""Fit a family of distributions to stated quantiles, and refuse what does not fit.

Each quantile is a pair (probability, value). The fit is least squares on the quantile function,
on the scale on which the family is natural: the values themselves on the real line, their
logarithms on the positive half, their logits on (0, 1). There a misfit at a small value counts
as much as one at a large value. Location-scale families are then linear and solved exactly.
Quartiles of the others are fitted by PreliZ's ``quartile``, the one call it has for stated
quantiles, and by our least squares when its answer misses.

SciPy and PreliZ are imported only here and only when a family needs them.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.priors import FAMILIES, Array

FAR = 1e6
"""Stands for an infinite gap, which a search cannot use."""

TOLERANCE = 0.05
"""Largest misfit allowed, as a share of the spread of the stated values on the fit's scale.

A person who states quantiles rounds them: two digits of a value move it by up to five percent
of itself. A larger misfit means that the family has another shape than was stated.
"""

SHAPES: dict[str, tuple[str, ...]] = {"StudentT": ("nu",), "TruncatedNormal": ("lower", "upper")}
"""Parameters that stand beside quantiles as numbers: a few points do not determine them."""

Pairs = Sequence[tuple[float, float]]


class MisfitError(ValueError):
    """No member of the family comes close enough to the stated quantiles."""


def free_params(dist: str) -> tuple[str, ...]:
    """Return the parameters of ``dist`` that quantiles determine."""
    return tuple(one for one in FAMILIES[dist].params if one not in SHAPES.get(dist, ()))


@dataclass(frozen=True)
class _Target:
    """A family, its shape numbers, and the stated probabilities and values."""

    dist: str
    p: Array
    v: Array
    shape: Mapping[str, float]

    def values(self, params: Mapping[str, float]) -> Array:
        """Return the quantiles of the family with ``params``."""
        return np.asarray(FAMILIES[self.dist].frozen(**params).ppf(self.p), dtype=float)

    def scale(self, x: Array) -> Array:
        """Return ``x`` on the scale on which the family is fitted."""
        kind = FAMILIES[self.dist].support
        with np.errstate(all="ignore"):
            log = np.log(x) if kind in ("positive", "unit") else x
            return np.asarray(log - np.log1p(-x) if kind == "unit" else log)

    def gaps(self, params: Mapping[str, float]) -> Array:
        """Return fitted less stated quantiles, on the scale of the fit."""
        with np.errstate(all="ignore"):
            gaps = self.scale(self.values(params)) - self.scale(self.v)
        return np.nan_to_num(gaps, nan=FAR, posinf=FAR, neginf=-FAR)

    def misfit(self, params: Mapping[str, float]) -> float:
        """Return the largest gap as a share of the spread (1 where there is but one value)."""
        stated = self.scale(self.v)
        spread = float(stated[-1] - stated[0]) if len(stated) > 1 else 1.0
        return float(np.abs(self.gaps(params)).max()) / spread


def _target(dist: str, pairs: Pairs, *, shape: Mapping[str, float]) -> _Target:
    p, v = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    return _Target(dist, p, v, shape)


def fit(dist: str, pairs: Pairs, *, shape: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the parameters of ``dist`` whose quantiles come closest to ``pairs``.

    Parameters
    ----------
    dist
        A key of ``models.priors.FAMILIES``.
    pairs
        Probability and value, both strictly rising; as many as :func:`free_params` at least.
    shape
        The numbers of ``SHAPES[dist]``.

    Raises
    ------
    MisfitError
        If the misfit is above :data:`TOLERANCE`.
    """
    target = _target(dist, pairs, shape=shape or {})
    free = _linear(target) or _quartile(target) or _least_squares(target)
    stated = {**target.shape, **free}
    params = {name: float(stated[name]) for name in FAMILIES[dist].params}
    worst = target.misfit(params)
    if worst > TOLERANCE:
        closest = ", ".join(f"{value:.4g}" for value in target.values(params))
        raise MisfitError(
            f"a misfit of {worst:.0%} of the spread, where {TOLERANCE:.0%} is allowed "
            f"(the closest {dist} has {closest} at these probabilities)"
        )
    return params


def misfit(dist: str, pairs: Pairs, *, params: Mapping[str, float]) -> float:
    """Return the largest distance of a quantile from its stated value, as a share of the spread.

    Both are taken on the scale of the fit; with one pair the spread counts as 1.
    """
    return _target(dist, pairs, shape={}).misfit(params)


def _linear(target: _Target) -> dict[str, float] | None:
    """Solve the families whose scaled quantiles are a line in known standard quantiles."""
    scaled = target.scale(target.v)
    if target.dist in ("HalfNormal", "Exponential"):
        name, sign = ("sigma", 1) if target.dist == "HalfNormal" else ("lam", -1)
        unit = np.log(target.values({name: 1.0}))
        return {name: float(np.exp(sign * np.mean(scaled - unit)))}
    if target.dist == "Uniform":
        lower, width = _line(target.p, scaled)
        return {"lower": lower, "upper": lower + width}
    if target.dist in ("Normal", "LogNormal", "LogitNormal", "StudentT"):
        standard = FAMILIES["StudentT" if target.dist == "StudentT" else "Normal"]
        unit = np.asarray(
            standard.frozen(**{"mu": 0.0, "sigma": 1.0, **target.shape}).ppf(target.p)
        )
        mu, sigma = _line(unit, scaled)
        return {"mu": mu, "sigma": sigma}
    return None


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Return intercept and slope of the least-squares line."""
    slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
    return float(y.mean() - slope * x.mean()), slope


def _quartile(target: _Target) -> dict[str, float] | None:
    """Fit Beta or Gamma to quartiles by PreliZ; None where that misses or does not apply."""
    dist = target.dist
    if dist not in ("Beta", "Gamma") or not np.array_equal(target.p, [0.25, 0.5, 0.75]):
        return None
    import preliz

    fitted: Any = getattr(preliz, dist)()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        preliz.quartile(fitted, *target.v.tolist(), plot=False)
    params = {name: float(getattr(fitted, name)) for name in FAMILIES[dist].params}
    return params if target.misfit(params) <= TOLERANCE else None


def _least_squares(target: _Target) -> dict[str, float]:
    """Fit on the quantile function, from several starts, positive parameters by their logs."""
    from scipy.optimize import least_squares

    free = free_params(target.dist)
    logs = np.array([name in FAMILIES[target.dist].positive for name in free])

    def params(x: Array) -> dict[str, float]:
        natural = np.where(logs, np.exp(np.clip(x, -60, 60)), x)
        return {**target.shape, **dict(zip(free, natural.tolist(), strict=True))}

    def gaps(x: Array) -> Array:
        return target.gaps(params(x))

    fits = [least_squares(gaps, start, x_scale="jac") for start in _starts(target)]
    best = min(fits, key=lambda one: float(one.cost))
    return {name: value for name, value in params(best.x).items() if name in free}


def _starts(target: _Target) -> list[Array]:
    """Return first guesses on the scale of the search."""
    middle, spread = float(np.median(target.v)), float(target.v[-1] - target.v[0])
    if target.dist == "Beta":
        return [np.log([middle * n + 0.1, (1 - middle) * n + 0.1]) for n in (0.5, 3.0, 30.0, 1e3)]
    if target.dist == "Gamma":
        return [np.log([a, a / middle]) for a in (0.3, 2.0, 20.0, 400.0)]
    return [np.array([middle, np.log(spread * k)]) for k in (0.3, 1.0, 4.0)]
