r"""Is the sampled prior the stated prior? Two tests of each, parameter by parameter.

- Draws that PyMC's own random variables make are held against the stated distribution function:
  Kolmogorov and Smirnov's D, the largest gap of the two, with its p-value.
- The log density that a sampler moves in is held against the stated one. It is that of an
  unbounded value u, so that with x(u) it must be :math:`\log p(x) + \log |dx/du|`: a wrong
  Jacobian, scale or parameter shows here exactly, without chance.

Both are of the function that adds all scalar priors to the model
(:func:`models.prior.add_grouped`).
"""

from typing import Any

import numpy as np

from forecast.case import Case
from models.prior import Prior, frozen, logpdf, ppf, support

LEAST_P = 1e-4
"""Least p-value of a prior's Kolmogorov-Smirnov test, after Bonferroni over all of them."""
MOST_GAP = 1e-6
"""Most difference of log densities, in nats: rounding of both, several times over."""
PROBABILITIES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles of the stated prior at which densities are compared."""
SHOWN = (0.05, 0.5, 0.95)


def stated_rows(case: Case, n: int) -> list[dict[str, Any]]:
    """Return both tests of each prior, with its quantiles as stated and as drawn.

    ``d`` and ``p`` are Kolmogorov and Smirnov's of ``n`` draws, ``density_gap`` the largest
    difference of log densities (nats), ``ok`` whether both pass.
    """
    from scipy import stats

    drawn, gaps = made_by_pymc(case, n)
    rows = []
    for name, x in drawn.items():
        prior = case.by_name[name]
        test = stats.kstest(x, frozen(prior).cdf)
        row: dict[str, Any] = {"prior": name, "dist": prior.dist}
        row |= {"d": float(test.statistic), "p": float(test.pvalue), "density_gap": gaps[name]}
        for q in SHOWN:
            row |= {f"stated_{q}": float(ppf(prior, q)), f"drawn_{q}": float(np.quantile(x, q))}
        rows.append(row)
    return [row | {"ok": passes(row, len(rows))} for row in rows]


def passes(row: dict[str, Any], n: int) -> bool:
    """Return whether a prior passes both tests, one of ``n`` that are tested."""
    return bool(row["p"] >= LEAST_P / n and row["density_gap"] <= MOST_GAP)


def stated_faults(rows: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each prior that is not sampled as stated."""
    return [
        f"[priors.{row['prior']}]: the sampled prior is not the stated one "
        f"(p = {row['p']:.1e}, log densities differ by {row['density_gap']:.1e})"
        for row in rows
        if not row["ok"]
    ]


def made_by_pymc(case: Case, n: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return ``n`` draws of every scalar prior by PyMC, and each one's gap of log densities."""
    import pymc as pm

    from forecast.seeds import integer
    from models.prior import add_grouped, hyper_names, hyper_values

    priors = case.by_name
    with pm.Model(coords={"hyperparameter": hyper_names(priors)}) as model:
        pm.Data("hyper", hyper_values(priors), dims="hyperparameter")
        add_grouped(tuple(priors), priors)
    vectors = model.free_RVs
    seed = integer(case.seed, "check")
    drawn = pm.draw(vectors, draws=n, random_seed=seed, mode="FAST_COMPILE")
    out: dict[str, np.ndarray] = {}
    gaps: dict[str, float] = {}
    for vector, values in zip(vectors, drawn, strict=True):
        members = model.coords[f"{vector.name.removeprefix('beliefs_')} belief"] or ()
        out |= {name: np.asarray(values)[:, i] for i, name in enumerate(members)}
        found = density_gaps(model, vector, priors=[priors[str(name)] for name in members])
        gaps |= dict(zip(map(str, members), map(float, found), strict=True))
    return dict(sorted(out.items())), gaps


def density_gaps(model: Any, vector: Any, *, priors: list[Prior]) -> np.ndarray:
    """Return the largest difference of log densities of each member of one vector of priors."""
    import pytensor

    value = model.rvs_to_values[vector]
    (logp,) = model.logp(vars=[vector], jacobian=True, sum=False)
    density, gap = pytensor.function([value], logp, mode="FAST_COMPILE"), np.zeros(len(priors))
    for q in PROBABILITIES:
        x = np.array([float(ppf(prior, q)) for prior in priors])
        with np.errstate(all="ignore"):  # a quantile that rounds to an end gives NaN: a fault
            points = [unbounded(prior, v) for prior, v in zip(priors, x, strict=True)]
            stated = np.array([float(logpdf(p, v)) for p, v in zip(priors, x, strict=True)])
            u, jacobian = (np.array(part) for part in zip(*points, strict=True))
            gap = np.maximum(gap, np.abs(density(u) - stated - jacobian))
    return gap


def unbounded(prior: Prior, x: float) -> tuple[float, float]:
    """Return u on the real line, the log or log-odds of x by its support, and log |dx/du|."""
    low, high = support(prior)
    if np.isinf(low):
        return x, 0.0
    if np.isinf(high):
        return float(np.log(x)), float(np.log(x))
    a, b, width = x - low, high - x, high - low
    return float(np.log(a) - np.log(b)), float(np.log(a) + np.log(b) - np.log(width))
