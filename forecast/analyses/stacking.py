r"""Which model predicts the rated works better, and how models would share the weight.

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
from typing import Any

import numpy as np

from forecast.analyses.leaving_out import relative_efficiency, smoothed, threshold
from forecast.forward import taken
from forecast.pointwise import log_likelihoods
from forecast.sampling import Fit

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
    left, limit = smoothed(logs, reff=relative_efficiency(fit)), threshold(thin.n)
    count = weight[held].astype(int)  # a row stands for whole works
    one, full = np.logaddexp.reduce(left.log_weights + logs, axis=1), _logmean(logs)
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


def _logmean(logs: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp.reduce(logs, axis=1) - np.log(logs.shape[1]))
