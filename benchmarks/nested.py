"""Hold the value of information against refits in which the belief is known.

Run from the checkout: ``python -m benchmarks.nested [PRIORS] [POINTS] [FOLDER]``. The value of
knowing X is Var E[Y | X]: ``forecast value`` finds it by regression on one run's draws; here the
model is fitted anew with X held at each of some values, equally likely given the evidence. Fits
that lie in FOLDER are not made again.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.special import ndtri

from forecast.analyses.value import valued
from forecast.inference.case import Case, make_case, with_prior
from forecast.inference.evaluate import answer
from forecast.inference.parallel import fit_many
from forecast.inference.sampling import Fit
from forecast.runs.inputs import load_inputs
from forecast.runs.summarise import with_mcse

QUANTITY = "alignment_used"
BELIEFS = ("use_rate", "alignment_own")
"""The two sampled beliefs that ``forecast value`` puts first for the quantity."""
SEEDS = (0, 1, 2)
"""Of the runs whose regressions are averaged."""
POINTS = 12
CLOSE = 0.01
"""How far a belief that is held may stray, in its posterior standard deviations."""


def held(case: Case, name: str, *, at: float, scale: float) -> Case:
    """Return the Case with a belief held within ``scale`` of a value."""
    prior = case.by_name[name]
    if prior.dist not in {"Normal", "LogNormal"}:
        raise ValueError(f"{name}: {prior.dist} cannot be held here")
    mu, sigma = (math.log(at), scale / at) if prior.dist == "LogNormal" else (at, scale)
    return with_prior(case, replace(prior, params=(("mu", mu), ("sigma", sigma))))


def nested(
    fits: Sequence[Fit], name: str, *, points: int, folder: Path, quantity: str = QUANTITY
) -> dict[str, float]:
    """Return the share of variance that knowing a belief takes off, by regression and by refits.

    Parameters
    ----------
    fits
        Of the same evidence with seeds of their own; the belief is held at values of the first.
    name
        A sampled belief.
    points
        Refits: the belief is held at as many quantiles of its posterior, each of equal weight.
    folder
        Where fits are kept.
    quantity
        Whose variance.

    Returns
    -------
    dict
        ``regression``, the mean over the fits, and ``refits`` with their standard errors; and
        ``seed 0`` and so on, the regression of each. The error of the refits is of Monte Carlo
        alone; what noise of the means adds to their variance is taken off. The whole variance is
        theirs too: within refits and between them.
    """
    told = [regressed(fit, name, quantity=quantity) for fit in fits]
    share, error = (np.array([row[key] for row in told]) for key in ("share", "share_se"))
    x = fits[0].draws[name]
    values = np.quantile(x, (np.arange(points) + 0.5) / points)
    scale = CLOSE * float(x.std())
    made = fit_many([held(fits[0].case, name, at=float(v), scale=scale) for v in values], folder)
    rows = [with_mcse(answer(f, f.case, names=[quantity])[quantity], f.chains) for f in made]
    mean, noise, sd = (np.array([row[key] for row in rows]) for key in ("mean", "mcse", "sd"))
    found, mcse = variance(mean, noise, at=values, x=x)
    whole = found + float((sd**2).mean())
    return {
        "regression": float(share.mean()),
        "regression_se": float((error**2).sum() ** 0.5) / len(fits),
        "refits": found / whole,
        "refits_se": mcse / whole,
        "missed": sum(not f.diagnosis.converged for f in made),
    } | {f"seed {f.case.seed}": row["share"] for f, row in zip(fits, told, strict=True)}


def regressed(fit: Fit, name: str, *, quantity: str) -> dict[str, float]:
    """Return what ``forecast value`` says of a belief."""
    x, y = fit.draws[name], answer(fit, fit.case, names=[quantity])[quantity]
    return valued(y, x[:, None], gains=None, ess=fit.diagnosis.min_ess, seed=fit.case.seed)


def variance(
    mean: np.ndarray, error: np.ndarray, *, at: np.ndarray, x: np.ndarray
) -> tuple[float, float]:
    """Return the variance over x of a curve known at some values with errors, and its error.

    The curve runs straight between the values, and beyond them as before, on the scale of normal
    scores of x. With m the means, it is m' A m; what errors of the means add is taken off.
    """
    order, ranks = np.sort(x), np.linspace(0.5, len(x) - 0.5, len(x)) / len(x)
    places = ndtri(np.interp(at, order, ranks))
    curves = make_interp_spline(places, np.eye(len(at)), k=1)(ndtri(ranks))
    away = curves - curves.mean(axis=0)
    a = away.T @ away / len(x)
    found = mean @ a @ mean - np.trace(a * error**2)
    spread = 4 * ((a @ (mean - mean.mean()) * error) ** 2).sum()
    spread += 2 * (a**2 * np.outer(error, error) ** 2).sum()
    return float(found), float(spread**0.5)


def main(*given: str) -> None:
    """Print the share of variance of each belief by both ways, and their distance."""
    priors, points = (*given[:2], *("default", str(POINTS))[len(given) :])
    with TemporaryDirectory() as made:
        folder = Path(given[2] if len(given) > 2 else made)
        fits = fit_many([make_case(*load_inputs(priors), seed=seed) for seed in SEEDS], folder)
        print(f"{QUANTITY}: belief, regression (by seed) | refits | distance | missed the rule")
        for name in BELIEFS:
            row = nested(fits, name, points=int(points), folder=folder)
            error = math.hypot(row["regression_se"], row["refits_se"])
            away = (row["regression"] - row["refits"]) / error
            one, other = (f"{row[k]:.4f} +- {row[k + '_se']:.4f}" for k in ("regression", "refits"))
            by_seed = ", ".join(f"{row[f'seed {seed}']:.4f}" for seed in SEEDS)
            print(f"{name} {one} ({by_seed}) | {other} | {away:+.1f} | {row['missed']}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
