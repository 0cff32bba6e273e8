r"""What each piece of evidence does: PSIS-LOO, and the headline without a row or an agenda.

A distinct row of ratings stands for several works. Leave-one-out leaves out one of them, so its
importance ratio is :math:`1 / p(y_i | \theta)` with the log probability of one work, and the sum
over works counts a row as often as it has works. The *influence* of a row is the headline without
all of its works: the ratio is then :math:`p(y_i | \theta)^{-w_i}`, w its weight. Draws are weighed
by Pareto-smoothed ratios (Vehtari, Gelman & Gabry 2017, Stat. Comput. 27:1413; Vehtari et al. 2024,
JMLR 25:72); Pareto k above the threshold says that this cannot be trusted. A whole agenda is much
evidence, so its k is stated and most often too large: `forecast check RUN --tables` fits anew
instead.

Which model predicts the rated works better, and how models would share the weight.

Models that read the same rows are compared work by work: :math:`\widehat{\mathrm{elpd}}_i` is the
PSIS-LOO log density of work i's answers, and stacking weights (Yao, Vehtari, Simpson & Gelman 2018,
Bayesian Anal. 13:917)

.. math:: \hat w = \arg\max_{w} \sum_i \log \sum_m w_m \exp(\widehat{\mathrm{elpd}}_{i,m}),
    \qquad w_m \ge 0,\; \sum_m w_m = 1

are those of ``az.compare``. Comparable are the run, another link and other tails. Where a rater or
known cases are left out the rows are others; who must establish a level enters no likelihood; ends
of the raters' errors change a prior, which the same answers cannot tell apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.analyses.predictive import TABLES
from forecast.inference.case import Case
from forecast.inference.forward import taken
from forecast.inference.pointwise import log_likelihoods
from forecast.inference.reweighting import MAX_PARETO_K
from forecast.inference.sampling import Fit
from models.likelihoods import likelihoods

HEADLINES = ("alignment_relevant", "alignment_used", "capabilities_relevant")
"""Quantities whose move is shown."""


@dataclass(frozen=True)
class Leaving:
    """Draws without something each: smoothed log weights (item, draw), normalised, and Pareto k."""

    log_weights: np.ndarray
    k: np.ndarray


def leave_one_out_weights(log_likelihood: np.ndarray, *, reff: float) -> Leaving:
    """Return Pareto-smoothed weights of draws without each item, dims (item, draw) in and out.

    Where the largest ratios are all equal, as of a chain that stood still, no Pareto distribution
    can be fitted to them: these weights are not smoothed, and their k is infinite.
    """
    from arviz_stats.base import array_stats

    try:
        logs, k = array_stats.psislw(log_likelihood, r_eff=reff)
    except ValueError:
        n = len(log_likelihood)
        if n == 1:
            ratio = -log_likelihood
            return Leaving(ratio - np.logaddexp.reduce(ratio, axis=1)[:, None], np.full(1, np.inf))
        parts = [leave_one_out_weights(x, reff=reff) for x in np.split(log_likelihood, [n // 2])]
        return Leaving(*(np.concatenate(x) for x in zip(*map(_pair, parts), strict=True)))
    return Leaving(np.asarray(logs), np.where(np.isnan(k), np.inf, k))


def _pair(left: Leaving) -> tuple[np.ndarray, np.ndarray]:
    return left.log_weights, left.k


def relative_efficiency(fit: Fit) -> float:
    """Return the least effective number of draws over their number, at most 1."""
    verdict = fit.diagnosis
    least = min(verdict.min_ess_bulk, verdict.min_ess_tail)
    return float(min(least / fit.n, 1.0))


def threshold(n: int) -> float:
    """Return the Pareto k above which weights of n draws are not to be trusted.

    min(1 - 1 / log10 n, 0.7), Vehtari et al. 2024.
    """
    return float(min(1.0 - 1.0 / np.log10(n), MAX_PARETO_K))


def units(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what one unit of each row weighs, and how many of them the row holds.

    A unit is a work, a figure or an event; a row of weight below 1 (a dated use on which raters
    differ) is one unit of that weight.
    """
    one = np.minimum(weight, 1.0)
    return one, np.divide(weight, one, out=np.zeros_like(weight), where=one > 0)


def loo_rows(fit: Fit, loglik: dict[str, np.ndarray]) -> tuple[list[dict], dict[str, Leaving]]:
    """Return PSIS-LOO by table, and each table's weights of draws without one unit of a row.

    Parameters
    ----------
    loglik
        Log probability of each row, not times its weight; dims (draw, row).

    Returns
    -------
    tuple
        Rows with ``elpd`` (sum over units), its ``se``, ``p_loo`` (effective number of parameters),
        ``units``, ``rows``, counts of Pareto k, and ``k_max``; and :class:`Leaving` by likelihood.
    """
    reff, limit, out, kept = relative_efficiency(fit), threshold(fit.n), [], {}
    for like in likelihoods(fit.compiled.structure):
        weight = fit.case.evidence.arrays[like.table]["weight"].astype(float)
        held = weight > 0
        if not held.any():
            continue
        one, count = (x[held] for x in units(weight))
        logs = (loglik[like.name][:, held] * one).T
        left = kept[like.name] = leave_one_out_weights(logs, reff=reff)
        elpd = _log_mean(left.log_weights + logs)
        full = _log_mean(logs - np.log(logs.shape[1]))
        total = float(count @ elpd)
        n = float(count.sum())
        spread = float(count @ (elpd - total / n) ** 2) * n / max(n - 1.0, 1.0)
        row: dict[str, Any] = {"table": TABLES[like.name], "rows": int(held.sum())}
        row |= {"units": n, "elpd": total, "se": spread**0.5}
        row |= {"p_loo": float(count @ (full - elpd)), "k_max": float(left.k.max())}
        row |= {"k_good": int((left.k <= limit).sum()), "k_bad": int((left.k > limit).sum())}
        out.append(row | {"k_very_bad": int((left.k > 1.0).sum()), "k_threshold": limit})
    return out, kept


def influence_rows(
    fit: Fit,
    loglik: dict[str, np.ndarray],
    *,
    found: dict[str, np.ndarray],
    left: dict[str, Leaving],
) -> list[dict[str, Any]]:
    """Return each row of evidence with the headline without it, the largest moves first.

    Parameters
    ----------
    found
        Quantities by draw.
    left
        From :func:`loo_rows`; used again for rows that hold one unit.
    """
    reff, out = relative_efficiency(fit), []
    for like in likelihoods(fit.compiled.structure):
        weight = fit.case.evidence.arrays[like.table]["weight"].astype(float)
        at = np.flatnonzero(weight > 0)
        if not len(at):
            continue
        made, many = left[like.name], weight[at] > 1.0
        logs, k = made.log_weights.copy(), made.k.copy()
        if many.any():
            anew = (loglik[like.name][:, at[many]] * weight[at[many]]).T
            again = leave_one_out_weights(anew, reff=reff)
            logs[many], k[many] = again.log_weights, again.k
        moves = {name: shifts(logs, found[name], reff=reff) for name in HEADLINES}
        ids = row_ids(fit.case, like.table)
        for i, row in enumerate(at):
            line: dict[str, Any] = {"table": TABLES[like.name], "row": ids[row]}
            out.append(line | {"weight": float(weight[row])} | told(moves, i, k=float(k[i])))
    return sorted(out, key=lambda row: -abs(row[f"{HEADLINES[0]}_shift"]))


def agenda_rows(
    fit: Fit, loglik: dict[str, np.ndarray], *, found: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return, by agenda, the headline without the ratings of its works, with Pareto k."""
    arrays, labels = fit.case.evidence.arrays, fit.case.evidence.labels["agenda"]
    ratings, reff = arrays["ratings"], relative_efficiency(fit)
    agenda = arrays["cells"]["agenda"][ratings["cell"]]
    member = (agenda[:, None] == np.arange(len(labels))) * ratings["weight"][:, None]
    held = np.flatnonzero(member.sum(axis=0) > 0)
    if not len(held):
        return []
    left = leave_one_out_weights((loglik["ratings"] @ member[:, held]).T, reff=reff)
    moves = {name: shifts(left.log_weights, found[name], reff=reff) for name in HEADLINES}
    rows = [
        {"agenda": labels[a], "works": float(member[:, a].sum())}
        | told(moves, i, k=float(left.k[i]))
        for i, a in enumerate(held)
    ]
    return sorted(rows, key=lambda row: -row["works"])


def told(moves: dict[str, tuple[np.ndarray, np.ndarray]], i: int, *, k: float) -> dict[str, Any]:
    """Return Pareto k of an item, and the shift of each headline with its Monte Carlo error."""
    out: dict[str, Any] = {"pareto_k": k, "trusted": bool(k <= MAX_PARETO_K)}
    for name, (shift, error) in moves.items():
        out |= {f"{name}_shift": float(shift[i]), f"{name}_mcse": float(error[i])}
    return out


def shifts(log_weights: np.ndarray, x: np.ndarray, *, reff: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean under each item's weights less the plain mean, and its standard error.

    Both means are of the same draws, so that the error is that of their difference (delta method),
    :math:`\sum_s [w_s (x_s - \bar x_w) - (x_s - \bar x) / n]^2`, over the relative efficiency.
    """
    w = np.exp(log_weights)
    w /= w.sum(axis=1, keepdims=True)
    mean, plain = w @ x, x.mean()
    part = w * (x - mean[:, None]) - (x - plain) / len(x)
    return mean - plain, np.sqrt((part**2).sum(axis=1) / reff)


def row_ids(case: Case, table: str) -> list[str]:
    """Return the id of each row of a table of arrays; of padded ones, an empty text."""
    known = list(case.evidence.ids[table])
    n = len(case.evidence.arrays[table]["weight"])
    return known + [""] * (n - len(known))


def _log_mean(logs: np.ndarray) -> np.ndarray:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(logs, axis=-1))


COLUMNS = ("stacking_weight", "elpd_diff", "elpd_se", "loo_k_bad")
"""What a comparable row gets: weight, elpd less the best model's with its error, Pareto k's."""


def work_elpd(fit: Fit, *, most: int) -> Any:
    """Return ArviZ's PSIS-LOO of the answers on each rated work, from at most ``most`` draws."""
    import xarray as xr
    from arviz_stats.utils import ELPDDataLOO

    thin = taken(fit, np.linspace(0, fit.n - 1, min(fit.n, most)).astype(int))
    weight = fit.case.evidence.arrays["ratings"]["weight"]
    held = weight > 0
    logs = log_likelihoods(thin)["ratings"][:, held].T
    left, limit = leave_one_out_weights(logs, reff=relative_efficiency(fit)), threshold(thin.n)
    count = weight[held].astype(int)  # a row stands for whole works
    one, full = np.logaddexp.reduce(left.log_weights + logs, axis=1), _log_mean_weights(logs)
    elpd, k, p = (np.repeat(x, count) for x in (one, left.k, full - one))
    return ELPDDataLOO(
        elpd=float(elpd.sum()),
        se=float((len(elpd) * elpd.var()) ** 0.5),
        p=float(p.sum()),
        n_samples=thin.n,
        n_data_points=len(elpd),
        scale="log",
        warning=bool((k > limit).any()),
        good_k=limit,
        elpd_i=xr.DataArray(elpd, dims="work"),
        pareto_k=xr.DataArray(k, dims="work"),
    )


def stacked(found: Mapping[Any, Any]) -> dict[Any, dict[str, float]]:
    """Return :data:`COLUMNS` of each model, by its key; nothing if fewer than two are compared.

    Parameters
    ----------
    found
        From :func:`work_elpd`, of the same works in the same order.
    """
    import arviz as az

    if len(found) < 2:
        return {}
    keys = {str(i): key for i, key in enumerate(found)}
    table = az.compare({i: found[key] for i, key in keys.items()}, round_to="none")
    out = {}
    for i, key in keys.items():
        bad = int((found[key].pareto_k > found[key].good_k).sum())
        row = table.loc[i]
        numbers = (*(float(row[name]) for name in ("weight", "elpd_diff", "dse")), bad)
        out[key] = dict(zip(COLUMNS, numbers, strict=True))
    return out


def _log_mean_weights(logs: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp.reduce(logs, axis=1) - np.log(logs.shape[1]))
