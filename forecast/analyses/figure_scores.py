r"""Figures on workers of later years: the model's forecast, two baselines, and their scores.

All are of the logarithm of people. ``carry`` carries the last figure of the same group and
definition forward (else the group's last of any definition) as a random walk; ``trend`` is a
log-linear regression,

.. math:: y = \mu_g + o_d + (b + b_g)(t - 2018) + e,

with ridges that pool definitions and groups. A row's own stated range widens every method's
forecast alike; a bound counts as a figure in the baselines' training, and is scored by the chance
of the side that it lies on (it has no CRPS).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special, stats

from forecast.analyses.rules import Row
from models import workers
from models.observe import COUNTS_AND_FIGURES
from models.ops import NumPy
from models.structure import FIRST_YEAR, GROUPS, Structure
from models.terms import terms_from_draws

FIGURE_BASELINES = ("carry", "trend")
RIDGE = (1e-6, 0.1, 1e-6, 1.0)
"""Precisions, in those of the error: a group's mean, a definition, the slope, a group's own."""
MIDDLE = 2018 - FIRST_YEAR
STEP, OTHER = 0.3, 1.0
"""Sd of a year's change, and between definitions, where no pair of figures tells."""
Columns = Mapping[str, np.ndarray]


def figures_of(columns: Columns) -> np.ndarray:
    """Return log people of each row: its figure, or the bound."""
    return np.where(columns["bound"] == 1, columns["threshold"], columns["value"])


def model_figures(
    draws: Mapping[str, np.ndarray],
    structure: Structure,
    *,
    arrays: Mapping[str, Columns],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return log score, CRPS and PIT of every row of workers under the mean over draws."""
    import scoringrules as sr

    rows = arrays["workers"]
    like = next(one for one in COUNTS_AND_FIGURES if one.table == "workers")
    params = like.params(NumPy, terms_from_draws(draws), arrays, structure=structure)
    logp = like.logp(NumPy, rows["value"], *params)
    y, (centre, scale) = figures_of(rows), params[:2]
    drawn = centre + scale * rng.standard_t(workers.DEGREES, size=centre.shape)
    return {
        "log_score": special.logsumexp(logp, axis=0) - np.log(len(logp)),
        "crps": np.asarray(sr.crps_ensemble(y, drawn, m_axis=0)),
        "pit": workers.student_cdf(NumPy, (y - centre) / scale).mean(axis=0),
    }


def carried(rows: Columns, known: np.ndarray, *, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and sd of the last figure carried forward, for the rows ``at``."""
    y = figures_of(rows)
    step, other = spreads(rows, known)
    out = []
    for i in np.flatnonzero(at):
        group = known & (rows["group"] == rows["group"][i])
        same = group & (rows["definition"] == rows["definition"][i])
        pool = next(mask for mask in (same, group, known) if mask.any())
        j = max(np.flatnonzero(pool), key=lambda k: rows["year"][k])
        years = rows["year"][i] - rows["year"][j]
        out.append((y[j], np.hypot(step * np.sqrt(years), 0.0 if same.any() else other)))
    centre, sd = np.array(out).reshape(-1, 2).T
    return centre, sd


def spreads(rows: Columns, known: np.ndarray) -> tuple[float, float]:
    """Return the sd of a year's change, and that between definitions of a group."""
    y = figures_of(rows)
    steps: list[float] = []
    means: dict[int, list[float]] = {}
    pairs = {(g, d) for g, d in zip(rows["group"][known], rows["definition"][known], strict=True)}
    for g, d in sorted(pairs):
        at = np.flatnonzero(known & (rows["group"] == g) & (rows["definition"] == d))
        at = at[np.argsort(rows["year"][at], kind="stable")]
        gap = np.diff(rows["year"][at])
        steps += list((np.diff(y[at])[gap > 0] ** 2) / gap[gap > 0])
        means.setdefault(g, []).append(y[at].mean())
    apart = [np.var(m, ddof=1) for m in means.values() if len(m) > 1]
    step = float(np.sqrt(np.mean(steps))) if steps else STEP
    return step, float(np.sqrt(np.mean(apart))) if apart else OTHER


def trended(rows: Columns, known: np.ndarray, *, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and sd of the log-linear trend, for the rows ``at``."""
    x, y = _design(rows), figures_of(rows)
    g, d = len(GROUPS), int(rows["definition"].max()) + 1
    precision = np.repeat(RIDGE, (g, d, 1, g))
    inverse = np.linalg.inv(x[known].T @ x[known] + np.diag(precision))
    beta = inverse @ x[known].T @ y[known]
    used = np.trace(x[known] @ inverse @ x[known].T)
    left = max(known.sum() - used, 1.0)
    variance = ((y[known] - x[known] @ beta) ** 2).sum() / left
    spread = 1.0 + np.einsum("ij,jk,ik->i", x[at], inverse, x[at])
    return x[at] @ beta, np.sqrt(variance * spread)


def _design(rows: Columns) -> np.ndarray:
    group = np.eye(len(GROUPS))[rows["group"]]
    definition = np.eye(int(rows["definition"].max()) + 1)[rows["definition"]]
    time = (rows["year"] - MIDDLE)[:, None].astype(float)
    return np.concatenate([group, definition, time, group * time], axis=1)


def normal_scores(
    rows: Columns, found: tuple[np.ndarray, np.ndarray], *, at: np.ndarray
) -> dict[str, np.ndarray]:
    """Return log score and CRPS of normal forecasts (centre, sd) of ``at``, their ranges added."""
    import scoringrules as sr

    (centre, sd), y, bound = found, figures_of(rows)[at], rows["bound"][at] == 1
    wide = np.hypot(sd, rows["spread"][at])
    side = np.where(rows["value"][at] == 1.0, 1.0, -1.0)
    chance = stats.norm.logcdf(side * (y - centre) / wide)
    logs = np.where(bound, chance, stats.norm.logpdf(y, centre, wide))
    return {"log_score": logs, "crps": np.asarray(sr.crps_normal(y, centre, wide))}


def figure_rows(
    found: Mapping[str, Mapping[str, np.ndarray]],
    rows: Columns,
    *,
    known: np.ndarray,
    ids: Sequence[str],
    names: Mapping[str, Any],
) -> list[Row]:
    """Return the scores of the figures that were not known, by method; ``found`` are ours."""
    later = (rows["weight"] > 0) & ~known
    by = {m: {name: x[later] for name, x in scores.items()} for m, scores in found.items()}
    for method, rule in zip(FIGURE_BASELINES, (carried, trended), strict=True):
        by[method] = normal_scores(rows, rule(rows, known, at=later), at=later)
    return [
        {
            **names,
            "target": "workers",
            "method": method,
            "item": ids[int(i)],
            "year": int(rows["year"][i]) + FIRST_YEAR,
            "agenda": GROUPS[rows["group"][i]],
            "log_score": float(scores["log_score"][k]),
            "distance": None if rows["bound"][i] else float(scores["crps"][k]),
            "rule": "crps",
            "hindsight": False,
        }
        for method, scores in by.items()
        for k, i in enumerate(np.flatnonzero(later))
    ]


__all__ = ["FIGURE_BASELINES", "carried", "figure_rows", "model_figures", "spreads", "trended"]
