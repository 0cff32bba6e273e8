"""From draws to the numbers that are shown: headline.json, claims, what was learned."""

from dataclasses import replace
from typing import Any

import numpy as np

from forecast.engine import forward
from forecast.forward import all_draws, future_normals, taken
from forecast.sampling import Fit
from forecast.soft import asked_of, reached, reached_from
from models.milestones import milestone_dates
from models.quantities import CLAIMS, HEADLINE, QUANTITIES
from models.slots import SLOTS
from reports.learned import status
from reports.verdicts import verdicts
from reports.words import CHANCES

PROB = 0.89
"""Mass of every interval: ArviZ's default, equal-tailed."""
TAILS = ((1 - PROB) / 2, 0.5, (1 + PROB) / 2)
TINY = 1e-12
"""Distance from an end of its support at which a draw's logarithm is taken."""
BINS, SHARE = 25, 0.01
"""Bins of a belief's draws, and the least share of variance that is told: three times its error."""
Quantities = dict[str, np.ndarray]


def spread(x: np.ndarray) -> dict[str, float]:
    """Return mean, median, sd and the equal-tailed interval of draws."""
    lower, median, upper = np.quantile(x, TAILS)
    return {
        "mean": float(x.mean()),
        "median": float(median),
        "sd": float(x.std()),
        "lower": float(lower),
        "upper": float(upper),
    }


def with_mcse(x: np.ndarray, chains: int) -> dict[str, float]:
    """Return :func:`spread` and the Monte Carlo standard error of the mean."""
    from arviz_stats.base import array_stats

    error = array_stats.mcse(x.reshape(chains, -1), method="mean") if np.ptp(x) else 0.0
    return spread(x) | {"mcse": float(error)}


def headline(fit: Fit, posterior: Quantities, *, prior: Quantities, converged: bool) -> dict:
    """Return the content of headline.json (schema 1)."""
    from models.relevance import cohorts

    chains, question = fit.case.sampler.chains, fit.case.question
    agendas, years = fit.compiled.structure.agendas, cohorts(fit.case.asked)
    return {
        "schema": 1,
        "cohort": question.cohort,
        "horizon": question.horizon,
        "interval": {"kind": "eti", "prob": PROB},
        "converged": converged,
        "quantities": {name: with_mcse(posterior[name], chains) for name in HEADLINE},
        "prior": {name: with_mcse(prior[name], 1) for name in HEADLINE},
        "by_agenda": {
            a: {n: with_mcse(posterior[f"agenda_{n}"][:, i], chains) for n in HEADLINE}
            for i, a in enumerate(agendas)
        },
        "by_cohort": {
            str(t): {n: with_mcse(posterior[f"cohort_{n}"][:, i], chains) for n in HEADLINE}
            for i, t in enumerate(years)
        },
        "milestones": {str(k): v for k, v in milestone_dates(posterior["established"]).items()},
    }


def claim_rows(
    posterior: Quantities,
    prior: Quantities,
    *,
    coords: dict[str, Any],
    learned: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Return one row per claim and quantity (and element), prior beside posterior.

    ``sd_ratio`` and ``shift`` are those of :func:`moved`; ``evidence`` is the claim's verdict of
    :mod:`reports.verdicts`.
    """
    rows = []
    for claim, stated in CLAIMS.items():
        for name in stated.quantities:
            for label, at in _elements(name, coords):
                row: dict[str, Any] = {"claim": claim, "who": stated.who, "quantity": name}
                row |= {"element": label, "unit": QUANTITIES[name].unit}
                draws = [values[name][(slice(None), *at)] for values in (prior, posterior)]
                for group, x in zip(("prior", "posterior"), draws, strict=True):
                    row |= {f"{group}_{key}": value for key, value in spread(x).items()}
                rows.append(row | moved(*draws, unit=row["unit"]))
    told = verdicts(rows, learned)
    return [row | {"evidence": told[row["claim"]][0]} for row in rows]


def moved(before: np.ndarray, after: np.ndarray, *, unit: str) -> dict[str, float]:
    """Return ``sd_ratio`` and ``shift`` of a quantity.

    The sds are of chances as they are and of the logarithm of anything else that is positive, whose
    own sd its longest tail would set; the shift is that of :func:`shift`.
    """
    support = "unit" if unit in CHANCES else "real" if unit == "log ratio" else "positive"
    x, y = (unbounded(v, support=support) if support == "positive" else v for v in (before, after))
    if not np.ptp(x):
        return {"sd_ratio": 1.0, "shift": 0.0}
    ratio = float(y.std() / x.std())
    return {"sd_ratio": ratio, "shift": shift(before, after, support=support)}


def _elements(name: str, coords: dict[str, Any]) -> list[tuple[str, tuple]]:
    """Return label and index of each element; of years the last observed and the horizon."""
    choices = []
    for dim in QUANTITIES[name].dims:
        labels = list(coords[dim])
        keep = list(range(len(labels)))
        if dim == "forecast_year":
            keep = sorted({labels.index(2026), len(labels) - 1} if 2026 in labels else {0})
        choices.append([(f"{labels[i]}", i) for i in keep])
    out: list[tuple[str, tuple]] = [("", ())]
    for choice in choices:
        out = [(f"{a} {b}".strip(), (*at, i)) for a, at in out for b, i in choice]
    return out


def learned_rows(fit: Fit, prior: Quantities) -> list[dict[str, Any]]:
    """Return for each scalar prior: diagnostics, prior and posterior, and what was learned.

    ``sd_ratio``, ``shift`` and ``learned`` are those of :mod:`reports.learned`.
    """
    found = {name: rest for name, *rest in fit.diagnosis.rows}
    rows = []
    for belief in fit.case.priors:
        name, alone = belief.name, belief.name in fit.compiled.alone
        if fit.draws.get(name, prior[name]).ndim > 1:
            continue
        before = prior[name]
        after = before if alone else fit.draws[name]
        r_hat, bulk, tail = found.get(name, [np.nan] * 3)
        ratio = 1.0 if alone else float(after.std() / before.std())
        moved = 0.0 if alone else shift(before, after, support=SLOTS[name].support)
        rows.append(
            {"parameter": name, "block": belief.block, "claims": " ".join(belief.claims)}
            | {"forecast_only": alone, "r_hat": r_hat, "ess_bulk": bulk, "ess_tail": tail}
            | {f"prior_{key}": value for key, value in spread(before).items()}
            | {f"posterior_{key}": value for key, value in spread(after).items()}
            | {"sd_ratio": ratio, "contraction": 1.0 - ratio**2, "shift": moved}
            | {"learned": status(ratio, moved, untouched=alone)}
        )
    return rows


def shift(before: np.ndarray, after: np.ndarray, *, support: str) -> float:
    """Return how far the posterior mean lies from the prior's, in prior sds, where unbounded."""
    x, y = (unbounded(draws, support=support) for draws in (before, after))
    return float((y.mean() - x.mean()) / x.std())


def unbounded(x: np.ndarray, *, support: str) -> np.ndarray:
    """Return draws on the scale of the real line: as they are, their log or their logit."""
    x = np.asarray(x, dtype=np.float64)  # a single one has nothing between 1 - TINY and 1
    if support == "positive":
        return np.log(np.maximum(x, TINY))
    if support == "unit":
        inside = np.clip(x, TINY, 1.0 - TINY)
        return np.log(inside) - np.log1p(-inside)
    return x


def untouched_share(fit: Fit, posterior: Quantities, *, most: int = 2000) -> float:
    """Return the share of the headline's variance that rests on priors no evidence touches.

    Pick-freeze: the forecast is made again with the same forecast-only priors and permuted sampled
    draws; the correlation of the two is the share explained by the former alone (Sobol's closed
    first-order index of that group). ``most`` draws are used, evenly spread over all.
    """
    from models.late import headline, make_early

    at = np.linspace(0, fit.n - 1, min(fit.n, most)).astype(int)
    thin, order = taken(fit, at), np.roll(at, len(at) // 2)
    sampled = {name: values[order] for name, values in fit.draws.items()}
    parts = forward(replace(thin, draws=sampled), fit.case)
    again = headline(make_early(**parts), parts["draws"], question=fit.case.asked)
    pair = (posterior["alignment_relevant"][at], again["alignment_relevant"])
    return float(np.clip(np.corrcoef(*pair)[0, 1], 0.0, 1.0))


def variance_parts(fit: Fit, posterior: Quantities) -> list[dict[str, Any]]:
    """Return the beliefs that no evidence touches and that move the headline, largest first.

    ``share`` is what knowing that one belief would take off the headline's variance (Sobol's
    first-order index), from its draws sorted into bins, less what bins explain by chance; below
    :data:`SHARE` it is that chance, and the belief is left out.
    """
    y, shares, draws = posterior["alignment_relevant"], {}, all_draws(fit, fit.case)
    for name in fit.compiled.alone:
        parts = np.array_split(y[np.argsort(draws[name])], BINS)
        within = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
        shares[name] = float(1.0 - within / (len(y) - BINS) / y.var())
    told = sorted(shares.items(), key=lambda one: -one[1])
    return [{"parameter": name, "share": share} for name, share in told if share >= SHARE]


def prior_quantities(fit: Fit, prior: Quantities) -> Quantities:
    """Return the quantities under the prior alone, but for those by cohort, which nothing reads."""
    from models.relevance import predict

    return predict(
        prior,
        future_normals(fit.case, len(prior["use_rate"])),
        structure=fit.compiled.structure,
        question=fit.case.asked,
        names=[name for name in QUANTITIES if not name.startswith("cohort_")],
    )


def expert_rows(fit: Fit, prior: Quantities, *, tables: Any) -> list[dict[str, Any]]:
    """Return each forecast by others that may weigh, and the model's own of the same."""
    case = fit.case
    if not case.experts:
        return []
    n = len(prior["use_rate"])
    before = reached_from(prior, future_normals(asked_of(case), n), fit=fit, case=case)
    after, told = reached(fit, case), {row.row: row for row in tables.forecasts}
    rows = []
    for i, expert in enumerate(case.experts):
        said = told[expert.row]
        row: dict[str, Any] = {"row": expert.row, "forecaster": said.forecaster}
        row |= {"level": expert.level, "by_year": expert.year, "relation": said.relation}
        row |= {"low": said.low, "probability": said.probability, "high": said.high}
        row |= {"prior": spread(before[:, i]), "posterior": spread(after[:, i])}
        row |= {"weight": expert.weight, "error": expert.scale}
        rows.append(row | dict(zip(("pareto_k", "ess"), fit.soft or (None, None), strict=True)))
    return rows
