r"""Every mixture of two worldviews from a few fits: draws pooled, weighed by their densities.

Fits :math:`k` of the same evidence differ in priors alone, so that the density of each at any draw,
relative to the first worldview, is a sum of changes of log priors, :math:`u_k(x)`, and of what
forecasts by others weigh. The draws of all fits together are draws of the mixture

.. math:: m(x) = \sum_k \tfrac{N_k}{N}\, e^{u_k(x) - f_k}, \qquad
    f_k = \log \tfrac1N \sum_x e^{u_k(x)} / m(x)

whose normalising constants :math:`f_k` solve these equations (Shirts & Chodera 2008, J. Chem. Phys.
129:124105), and weights :math:`e^{u(x)} / m(x)` make them draws of any other mixture of beliefs.
Where the effective number of draws is too small a mixture is fitted itself, with its opposite, and
joins the pool. Errors are by a jackknife over stretches of the chains, the same of every fit,
with the constants solved anew each time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp

from forecast.inference.case import Case
from forecast.inference.reweighting import LEAST_ESS, MAX_PARETO_K, log_weights, smoothed, soft_part
from forecast.inference.sampling import Fit
from models.priors import Array, logpdf

GROUPS = 20
"""Stretches of the chains that the jackknife leaves out in turn."""
STEPS, CLOSE = 2000, 1e-6
"""Most steps of the equations for the constants, and the change at which they are solved."""
CHECKED = 64
"""Mixtures with the fewest effective draws of which Pareto k is found."""
ROWS = 64
"""Mixtures weighed at a time."""


@dataclass(frozen=True)
class Pool:
    """Draws of several fits of ``a``'s evidence, each under priors of ``a`` or of ``b``.

    ``fit`` holds the joined draws under ``a``; ``names`` the sampled beliefs that differ, and
    ``ratio`` log prior of ``b`` less that of ``a``, dims (belief, draw). ``group`` is the stretch
    of each draw; ``density`` is :math:`u_k`, dims (fit, draw), ``counts`` the fits' draws and
    ``members`` their beliefs as in ``b``, dims (fit, belief).
    """

    a: Case
    b: Case
    fit: Fit
    names: tuple[str, ...]
    ratio: Array
    group: Array
    density: Array
    counts: Array
    members: Array

    @cached_property
    def solution(self) -> tuple[Array, Array]:
        """Return log m at each draw, and the constants."""
        return solved(self.density, self.counts, start=np.zeros(len(self.counts)))

    @property
    def log_mix(self) -> Array:
        """Return log m at each draw."""
        return self.solution[0]

    @cached_property
    def log_mix_without(self) -> Array:
        """Return log m with the constants of the pool without each stretch, (stretch, draw)."""
        parts = []
        for g in range(GROUPS):
            kept = self.group != g
            counts = self.counts * kept.mean()
            _, f = solved(self.density[:, kept], counts, start=self.solution[1])
            parts.append(mixture(self.density, self.counts, f=f))
        return np.stack(parts)

    def member(self, names: Sequence[str]) -> Array:
        """Return which sampled beliefs are among the names, as zeros and ones."""
        return np.array([float(name in names) for name in self.names])

    def soft(self, case: Case) -> Array:
        """Return what forecasts by others weigh in a Case, less what they do in ``a``."""
        if soft_part(case) == soft_part(self.a):
            return np.zeros(self.fit.n)
        return log_weights(self.fit, case) - log_weights(self.fit, self.a)

    def log_weights(self, members: Array, soft: Array | float = 0.0) -> Array:
        """Return the log weights of mixtures, dims (mixture, draw); ``members`` (mixture, name)."""
        return np.asarray(members @ self.ratio + soft - self.log_mix)


def pooled(a: Case, b: Case, *, fits: Sequence[Fit]) -> Pool:
    """Return the pool of fits, each of ``a`` with some beliefs as in ``b``."""
    one, mine, other = fits[0], a.by_name, b.by_name
    names = tuple(n for n in mine if n not in one.compiled.alone and differs(mine[n], other[n]))
    places = [np.arange(f.n) if f.chosen is None else f.chosen for f in fits]
    draws = {n: np.concatenate([f.draws[n] for f in fits]) for n in one.draws}
    whole = replace(one, case=a, draws=draws, chosen=np.concatenate(places))
    change = (logpdf(other[n], draws[n]) - logpdf(mine[n], draws[n]) for n in names)
    ratio = np.array([x.reshape(whole.n, -1).sum(axis=1) for x in change]).reshape(-1, whole.n)
    group = np.concatenate([_stretches(f) for f in fits])
    counts = np.array([f.n for f in fits], dtype=float)
    made = Pool(a, b, whole, names, ratio, group, np.zeros((0, 0)), counts, np.zeros((0, 0)))
    members = np.array(
        [made.member([n for n in names if not differs(f.case.by_name[n], other[n])]) for f in fits]
    ).reshape(len(fits), len(names))
    soft = np.array([made.soft(f.case) for f in fits])
    return replace(made, members=members, density=members @ ratio + soft)


def differs(one: Any, other: Any) -> bool:
    """Return whether two priors say different things."""
    return bool((one.dist, one.params) != (other.dist, other.params))


def _stretches(fit: Fit) -> Array:
    within = (np.arange(fit.n // fit.chains) * GROUPS) // (fit.n // fit.chains)
    return np.tile(within, fit.chains)


def mixture(density: Array, counts: Array, *, f: Array) -> Array:
    """Return log m at each draw."""
    share = np.log(counts / counts.sum())
    return np.asarray(logsumexp(density + (share - f)[:, None], axis=0))


def solved(density: Array, counts: Array, *, start: Array) -> tuple[Array, Array]:
    """Return log m at each draw and the constants, that of the first fit being 0."""
    f = start
    for _ in range(STEPS):
        log_mix = mixture(density, counts, f=f)
        new = logsumexp(density - log_mix, axis=1)
        new = new - new[0]
        done = np.abs(new - f).max() < CLOSE
        f = new
        if done:
            break
    return mixture(density, counts, f=f), f


def effective(pool: Pool, members: Array) -> Array:
    """Return the effective number of draws of each mixture, whatever else the beliefs are."""
    out = np.empty(len(members))
    for i in range(0, len(members), ROWS):
        logs = pool.log_weights(members[i : i + ROWS])
        w = np.exp(logs - logs.max(axis=1, keepdims=True))
        out[i : i + ROWS] = w.sum(axis=1) ** 2 / (w**2).sum(axis=1)
    return out


def bridged(
    pool: Pool,
    fits: list[Fit],
    *,
    members: Array,
    make: Callable[[list[Case]], list[Fit]],
    most: int,
) -> tuple[Pool, list[Fit]]:
    """Return the pool with as many mixtures fitted as the given ones need, and all fits.

    Parameters
    ----------
    pool, fits
        What is there already.
    members
        Mixtures that must be weighed, dims (mixture, sampled belief), zeros and ones.
    make
        Fits Cases.
    most
        Fits at most, those that are there included.
    """
    found = list(fits)
    while len(found) < most and len(members):
        worst = least_trusted(pool, members)
        if worst is None:
            break
        asked = [members[worst], 1.0 - members[worst]][: most - len(found)]
        cases = [mixed(pool.a, pool.b, names=named(pool, row)) for row in asked]
        known = [f.case.priors for f in found]
        new = [case for case in cases if case.priors not in known]
        if not new:  # fitted, and still too few: the weights of its own draws are uneven
            break
        found += make(new)
        pool = pooled(pool.a, pool.b, fits=found)
    return pool, found


def named(pool: Pool, row: Array) -> list[str]:
    """Return the names that a row of zeros and ones chooses."""
    return [name for name, there in zip(pool.names, row, strict=True) if there]


def mixed(a: Case, b: Case, *, names: Sequence[str]) -> Case:
    """Return the Case ``a`` with the named beliefs as in ``b``."""
    other, chosen = b.by_name, set(names)
    return replace(a, priors=tuple(other[p.name] if p.name in chosen else p for p in a.priors))


def least_trusted(pool: Pool, members: Array) -> int | None:
    """Return the mixture whose weights are worst, None where all can be trusted."""
    ess = effective(pool, members)
    if ess.min() < LEAST_ESS:
        return int(ess.argmin())
    low, k = shapes(pool, members, ess=ess, most=CHECKED)
    return int(low[k.argmax()]) if len(k) and k.max() > MAX_PARETO_K else None


def shapes(pool: Pool, members: Array, *, ess: Array, most: int) -> tuple[Any, Array]:
    """Return the mixtures with the fewest effective draws, and Pareto k of each.

    One that was fitted is left out: no weight can be above N over the draws of its fit.
    """
    fitted = (members[:, None, :] == pool.members[None]).all(axis=-1).any(axis=1)
    low = np.argsort(np.where(fitted, np.inf, ess))[: min(most, int((~fitted).sum()))]
    k = [smoothed(pool.log_weights(members[i : i + 1])[0]).pareto_k for i in low]
    return low, np.array(k)


def trust(pool: Pool, members: Array) -> dict[str, Any]:
    """Return how far the weights can be trusted: least effective draws, and largest Pareto k.

    Pareto k is found of the :data:`CHECKED` mixtures with the fewest effective draws.
    """
    ess = effective(pool, members)
    low, k = shapes(pool, members, ess=ess, most=CHECKED)
    return {
        "mixtures": len(members),
        "least_ess": float(ess.min()),
        "k_checked": len(low),
        "largest_k": float(k.max()) if len(k) else 0.0,
        "untrusted": int(((k > MAX_PARETO_K) | (ess[low] < LEAST_ESS)).sum()),
    }


__all__ = ["Pool", "bridged", "differs", "mixed", "pooled", "trust"]
