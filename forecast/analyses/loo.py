r"""Leaving out evidence: PSIS-LOO, the headline without a row or an agenda, and model comparison.

A distinct row of ratings stands for several works. Leave-one-out leaves out one of them, so its
importance ratio is :math:`1 / p(y_i | \theta)` with the log probability of one work, and the sum
over works counts a row as often as it has works. The *influence* of a row is the headline without
all of its works: the ratio is then :math:`p(y_i | \theta)^{-w_i}`, w its weight. Draws are weighted
by Pareto-smoothed ratios (Vehtari, Gelman & Gabry 2017, Stat. Comput. 27:1413; Vehtari et al. 2024,
JMLR 25:72); a Pareto k above the threshold says that this cannot be trusted. A whole agenda is much
evidence, so its k is most often too large: `forecast check RUN --tables` fits anew instead.
``arviz_stats.loo`` counts every row once and keeps no weights, so only its smoothing is used here.

Models that read the same rows are compared work by work: :math:`\widehat{\mathrm{elpd}}_i` is the
PSIS-LOO log density of work i's answers, and stacking weights (Yao, Vehtari, Simpson & Gelman 2018,
Bayesian Anal. 13:917)

.. math:: \hat w = \arg\max_{w} \sum_i \log \sum_m w_m \exp(\widehat{\mathrm{elpd}}_{i,m}),
    \qquad w_m \ge 0,\; \sum_m w_m = 1

are those of ``az.compare``. The run, another link and other tails can be compared. Without a rater
or without known cases the rows are others; the unit that must establish a level enters no
likelihood; and ends of the raters' errors change a prior, which the same answers cannot tell apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from forecast.analyses.predictive import TABLES
from forecast.analyses.scores import Row
from forecast.inference.case import Case
from forecast.inference.forward import thinned
from forecast.inference.pointwise import log_likelihoods
from forecast.inference.reweighting import MAX_PARETO_K
from forecast.inference.sampling import Fit
from models.likelihoods import Likelihood, likelihoods

HEADLINES = ("alignment_relevant", "alignment_used", "capabilities_relevant")
"""Quantities whose move is shown."""
COLUMNS = ("stacking_weight", "elpd_diff", "elpd_se", "loo_k_bad")
"""What a comparable model gets: weight, elpd less the best model's with its error, Pareto k's."""


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
            return Leaving(ratio - logsumexp(ratio, axis=1, keepdims=True), np.full(1, np.inf))
        halves = np.split(log_likelihood, [n // 2])
        left, right = (leave_one_out_weights(half, reff=reff) for half in halves)
        logs, k = np.concatenate([left.log_weights, right.log_weights]), np.append(left.k, right.k)
    return Leaving(np.asarray(logs), np.where(np.isnan(k), np.inf, k))


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


def _weighted_rows(fit: Fit) -> Iterator[tuple[Likelihood, np.ndarray, np.ndarray]]:
    """Yield each likelihood that has evidence, with the places and weights of its rows."""
    for like in likelihoods(fit.compiled.structure):
        weight = fit.case.evidence.arrays[like.table]["weight"].astype(float)
        rows = np.flatnonzero(weight > 0)
        if len(rows):
            yield like, rows, weight[rows]


def loo_rows(fit: Fit, loglik: dict[str, np.ndarray]) -> tuple[list[Row], dict[str, Leaving]]:
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
    reff, limit, table, weights = relative_efficiency(fit), threshold(fit.n), [], {}
    for like, rows, weight in _weighted_rows(fit):
        one, count = units(weight)
        logs = (loglik[like.name][:, rows] * one).T
        left = weights[like.name] = leave_one_out_weights(logs, reff=reff)
        elpd = logsumexp(left.log_weights + logs, axis=1)
        full = logsumexp(logs - np.log(logs.shape[1]), axis=1)
        n, total = float(count.sum()), float(count @ elpd)
        variance = float(count @ (elpd - total / n) ** 2) * n / max(n - 1.0, 1.0)
        table.append(
            {
                "table": TABLES[like.name],
                "rows": len(rows),
                "units": n,
                "elpd": total,
                "se": variance**0.5,
                "p_loo": float(count @ (full - elpd)),
                "k_max": float(left.k.max()),
                "k_good": int((left.k <= limit).sum()),
                "k_bad": int((left.k > limit).sum()),
                "k_very_bad": int((left.k > 1.0).sum()),
                "k_threshold": limit,
            }
        )
    return table, weights


def influence_rows(
    fit: Fit,
    loglik: dict[str, np.ndarray],
    *,
    quantities: dict[str, np.ndarray],
    left: dict[str, Leaving],
) -> list[Row]:
    """Return each row of evidence with the headline without it, the largest moves first.

    Parameters
    ----------
    quantities
        By draw.
    left
        From :func:`loo_rows`; used again for rows that hold one unit.
    """
    reff, table = relative_efficiency(fit), []
    for like, rows, weight in _weighted_rows(fit):
        logs, k = left[like.name].log_weights.copy(), left[like.name].k.copy()
        many = weight > 1.0
        if many.any():
            without_all = (loglik[like.name][:, rows[many]] * weight[many]).T
            again = leave_one_out_weights(without_all, reff=reff)
            logs[many], k[many] = again.log_weights, again.k
        ids = row_ids(fit.case, like.table)
        table += [
            {"table": TABLES[like.name], "row": ids[row], "weight": float(w), **move}
            for row, w, move in zip(
                rows, weight, _moves(Leaving(logs, k), quantities, reff), strict=True
            )
        ]
    return sorted(table, key=lambda row: -abs(row[f"{HEADLINES[0]}_shift"]))


def agenda_rows(
    fit: Fit, loglik: dict[str, np.ndarray], *, quantities: dict[str, np.ndarray]
) -> list[Row]:
    """Return, by agenda, the headline without the ratings of its works, with Pareto k."""
    evidence, reff = fit.case.evidence, relative_efficiency(fit)
    names, ratings = evidence.labels["agenda"], evidence.arrays["ratings"]
    agenda = evidence.arrays["cells"]["agenda"][ratings["cell"]]
    member = (agenda[:, None] == np.arange(len(names))) * ratings["weight"][:, None]
    rated = np.flatnonzero(member.sum(axis=0) > 0)
    if not len(rated):
        return []
    left = leave_one_out_weights((loglik["ratings"] @ member[:, rated]).T, reff=reff)
    rows = [
        {"agenda": names[a], "works": float(member[:, a].sum()), **move}
        for a, move in zip(rated, _moves(left, quantities, reff), strict=True)
    ]
    return sorted(rows, key=lambda row: -row["works"])


def _moves(left: Leaving, quantities: Mapping[str, np.ndarray], reff: float) -> list[Row]:
    """Return Pareto k of each item, and each headline's shift with its Monte Carlo error."""
    rows: list[Row] = [{"pareto_k": float(k), "trusted": bool(k <= MAX_PARETO_K)} for k in left.k]
    for name in HEADLINES:
        shift, error = shifts(left.log_weights, quantities[name], reff=reff)
        for row, s, e in zip(rows, shift, error, strict=True):
            row |= {f"{name}_shift": float(s), f"{name}_mcse": float(e)}
    return rows


def shifts(log_weights: np.ndarray, x: np.ndarray, *, reff: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean under each item's weights less the plain mean, and its standard error.

    Both means are of the same draws, so the error is that of their difference (delta method),
    :math:`\sum_s [w_s (x_s - \bar x_w) - (x_s - \bar x) / n]^2`, over the relative efficiency.
    """
    w = np.exp(log_weights)
    w /= w.sum(axis=1, keepdims=True)
    mean, plain = w @ x, x.mean()
    part = w * (x - mean[:, None]) - (x - plain) / len(x)
    return mean - plain, np.sqrt((part**2).sum(axis=1) / reff)


def row_ids(case: Case, table: str) -> list[str]:
    """Return the id of each row of a table of arrays; of padded ones, an empty text."""
    ids = list(case.evidence.ids[table])
    return ids + [""] * (len(case.evidence.arrays[table]["weight"]) - len(ids))


def work_elpd(fit: Fit, *, most: int) -> Any:
    """Return ArviZ's PSIS-LOO of the answers on each rated work, from at most ``most`` draws."""
    import xarray as xr
    from arviz_stats.utils import ELPDDataLOO

    thin, weight = thinned(fit, most), fit.case.evidence.arrays["ratings"]["weight"]
    rated = weight > 0
    logs = log_likelihoods(thin)["ratings"][:, rated].T
    left, limit = leave_one_out_weights(logs, reff=relative_efficiency(fit)), threshold(thin.n)
    row_elpd = logsumexp(left.log_weights + logs, axis=1)
    row_p = logsumexp(logs, axis=1) - np.log(thin.n) - row_elpd
    count = weight[rated].astype(int)  # a row stands for whole works
    elpd, k = np.repeat(row_elpd, count), np.repeat(left.k, count)
    return ELPDDataLOO(
        elpd=float(elpd.sum()),
        se=float((len(elpd) * elpd.var()) ** 0.5),
        p=float(row_p @ count),
        n_samples=thin.n,
        n_data_points=len(elpd),
        scale="log",
        warning=bool((k > limit).any()),
        good_k=limit,
        elpd_i=xr.DataArray(elpd, dims="work"),
        pareto_k=xr.DataArray(k, dims="work"),
    )


def stacked(elpd: Mapping[Any, Any]) -> dict[Any, dict[str, float]]:
    """Return :data:`COLUMNS` of each model, by its key; nothing if fewer than two are compared.

    ``elpd`` are from :func:`work_elpd`, of the same works in the same order.
    """
    import arviz as az

    if len(elpd) < 2:
        return {}
    table = az.compare({str(i): x for i, x in enumerate(elpd.values())}, round_to="none")
    rows = {}
    for i, (key, x) in enumerate(elpd.items()):
        numbers = (float(table.loc[str(i), name]) for name in ("weight", "elpd_diff", "dse"))
        rows[key] = dict(zip(COLUMNS, (*numbers, int((x.pareto_k > x.good_k).sum())), strict=True))
    return rows
