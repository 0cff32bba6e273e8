"""The checks that every run makes of itself.

Replicated evidence (:mod:`forecast.analyses.predictive`), PSIS-LOO and influence of rows
(:mod:`forecast.analyses.loo`), near predictions that can turn out wrong
(:mod:`forecast.analyses.near`), and two comparisons of the model's dates with what is known:

- The *backcast* is of the first work at each level or above in the field, by year, as the posterior
  has it. It is not held out: the fit has read the ratings of the works that reached these
  milestones, though neither milestones.csv nor which work was first. A level's first milestone is
  the earliest year in which milestones.csv has one reached. (`forecast backtest` holds years out.)
- A *forecast by others* stands beside the model's chance that its level is established by its year.
  A stricter event implies the level, so the forecast is a lower bound of the level's chance; a
  proxy may be compared with it; another event is listed and not compared. Rows of one cluster count
  once.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.analyses import loo, near, predictive
from forecast.analyses.predictive import Pair, Replicates
from forecast.analyses.scores import Row
from forecast.evidence.load import Tables
from forecast.inference.evaluate import forward
from forecast.inference.forward import taken, thinned
from forecast.inference.outcomes import predict
from forecast.inference.pointwise import kept_draws
from forecast.inference.reweighting import reached
from forecast.inference.sampling import Fit
from models.dims import FIRST_YEAR, LAST_YEAR, LEVELS
from models.outcomes.experts import Expert
from models.outcomes.paths import Asked, forecast_years
from reports.words import LOWER, UPPER

MOST = 2000
"""Draws from which rows are left out: half of a default run's, at half of its time."""
SHOWN = 12
"""Rows of a long table that the report shows."""
CONTRADICTS = ("the model is lower", "lower", "higher")


@dataclass(frozen=True)
class RunChecks:
    """Rows by table, and the test quantities from which figures are drawn.

    ``levels`` are all answers on levels, observed (answer,) and replicated (draw, answer).
    """

    tables: dict[str, list[Row]]
    pairs: list[Pair]
    levels: tuple[np.ndarray, np.ndarray] | None = None

    def context(self) -> Row:
        """Return what the report reads: short tables, and counts of the long ones."""
        tables = self.tables
        flagged = [row for row in tables["predictive"] if row["flag"]]
        return {
            "summary": predictive.summary_rows(tables["predictive"]),
            "flagged": sorted(flagged, key=lambda row: row["p"]),
            "loo": tables["loo"],
            "influence": tables["influence"][:SHOWN],
            "agenda_influence": tables["agenda_influence"],
            "backcast": tables["backcast"],
            "others": tables["others"],
            "clusters": cluster_counts(tables["others"]),
            "near": tables["near"],
        }


def run_checks(
    fit: Fit,
    quantities: dict[str, np.ndarray],
    *,
    tables: Tables,
    loglik: dict[str, np.ndarray],
    again: dict[str, Replicates],
) -> RunChecks:
    """Return the checks of a fit.

    Parameters
    ----------
    quantities
        Quantities by draw.
    tables
        Milestones and forecasts by others are read here.
    loglik
        Log probability of each row, dims (draw, row), of the draws
        :func:`forecast.inference.pointwise.kept_draws`.
    again
        Evidence replicated from ``posterior`` and ``prior``.
    """
    pairs, before = (predictive.pairs(fit.case, again[key]) for key in ("posterior", "prior"))
    kept = kept_draws(fit)
    places = np.linspace(0, len(kept) - 1, min(len(kept), MOST)).astype(int)
    thin, loglik = taken(fit, kept[places]), {name: x[places] for name, x in loglik.items()}
    headline = {name: quantities[name][kept[places]] for name in loo.HEADLINES}
    loo_rows, left = loo.loo_rows(thin, loglik)
    rows = {
        "predictive": predictive.check_rows(pairs, prior=before),
        "loo": loo_rows,
        "influence": loo.influence_rows(thin, loglik, quantities=headline, left=left),
        "agenda_influence": loo.agenda_rows(thin, loglik, quantities=headline),
        "backcast": backcast_rows(first_work_curve(thinned(fit, near.MOST)), tables),
        "others": other_rows(fit, tables),
        "near": near.near_rows(fit),
    }
    return RunChecks(rows, pairs, predictive.level_answers(fit.case, again["posterior"]))


def statistics_groups(checks: RunChecks) -> dict[str, Any]:
    """Return the test quantities as groups of a tree: observed, and replicated.

    Variables bear the names of the statistics, each with a dim of its own for its elements;
    ``level answers`` are all answers on levels, of all raters and works.
    """
    import xarray as xr

    observed, replicated, coords = {}, {}, {}
    for pair in checks.pairs:
        dim = f"{pair.name}: element"
        coords[dim] = list(pair.elements)
        observed[pair.name] = ((dim,), pair.observed)
        replicated[pair.name] = (("chain", "draw", dim), pair.replicated[None])
    if checks.levels is not None:
        dim = "answer of a rater"
        observed["level answers"] = ((dim,), checks.levels[0])
        replicated["level answers"] = (("chain", "draw", dim), checks.levels[1][None])
    return {
        "observed_statistics": xr.Dataset(observed, coords),
        "replicated_statistics": xr.Dataset(replicated, coords),
    }


def first_work_curve(fit: Fit, *, question: Asked | None = None) -> np.ndarray:
    """Return the chance of a first work at each level by year, mean over draws; (level, year).

    Years end with the horizon of the question, by default the fit's own.
    """
    asked = question or fit.case.asked
    parts = forward(fit, replace(fit.case, do=())) | {"question": asked}
    curve = predict(**parts, names=("first",), kind="levels")["first"].mean(axis=0)
    return np.maximum.accumulate(curve, axis=-1)[:, : len(forecast_years(asked.horizon))]


def backcast_rows(curve: np.ndarray, tables: Tables) -> list[Row]:
    """Return, by level, the year of its first milestone beside the model's.

    ``lower``, ``median`` and ``upper`` are the years by which the chance of a first work reaches
    5.5, 50 and 94.5%; ``p_by_reached`` is that chance at the end of the milestone's year,
    ``p_before`` a year earlier, and ``p_by_2026`` at the close of the evidence. ``outside`` says
    that the milestone's year lies outside the interval, whose end is open if it is not reached.
    """
    rows = []
    for level, chance in zip(LEVELS, curve, strict=True):
        milestones = [m for m in tables.milestones if m.level == level]
        reached_ones = [m for m in milestones if m.reached]
        first = min(reached_ones, key=lambda m: m.reached or 0, default=None)
        year = None if first is None else first.reached
        low, median, high = (_year(chance, q) for q in (LOWER, 0.5, UPPER))
        outside = None
        if year is not None:
            outside = low is None or year < low or (high is not None and year > high)
        rows.append(
            {
                "level": level,
                "milestone": first.name if first else "",
                "reached": year,
                "open": len(milestones) - len(reached_ones),
                "lower": low,
                "median": median,
                "upper": high,
                "p_before": _chance_by(chance, year and year - 1),
                "p_by_reached": _chance_by(chance, year),
                "p_by_2026": _chance_by(chance, LAST_YEAR),
                "outside": outside,
            }
        )
    return rows


def _year(chance: np.ndarray, q: float) -> int | None:
    return FIRST_YEAR + int(np.argmax(chance >= q)) if chance[-1] >= q else None


def _chance_by(chance: np.ndarray, year: int | None) -> float | None:
    if year is None:
        return None
    i = year - FIRST_YEAR
    return float(chance[min(i, len(chance) - 1)]) if i >= 0 else 0.0


def other_rows(fit: Fit, tables: Tables) -> list[Row]:
    """Return each forecast by others that has a number, beside the model's chance of its level.

    ``mean``, ``lower`` and ``upper`` are of the model's chance that the level is established by the
    year; ``counts`` is the row's part of its cluster among rows that are compared (0 for another
    event); ``verdict`` says how the two stand.
    """
    rows = [r for r in tables.forecasts if r.use in ("compare", "soft") and _numbers(r)]
    rows = [r for r in rows if r.level and r.by_year and r.by_year >= FIRST_YEAR]
    if not rows:
        return []
    events = tuple(
        Expert(r.row, r.level or 0, r.by_year or 0, logit=0.0, scale=1.0, bound=False, weight=0.0)
        for r in rows
    )
    chance = reached(thinned(fit, near.MOST), replace(fit.case, experts=events))
    size = Counter(r.cluster for r in rows if r.relation != "other")
    compared = []
    for r, x in zip(rows, chance.T, strict=True):
        stated = min(_numbers(r)), max(_numbers(r))
        lower, upper = (float(v) for v in np.quantile(x, (LOWER, UPPER)))
        compared.append(
            {
                "row": r.row,
                "forecaster": r.forecaster,
                "quantity": r.quantity,
                "level": r.level,
                "by_year": r.by_year,
                "relation": r.relation,
                "use": r.use,
                "cluster": r.cluster,
                "said_low": stated[0],
                "said_high": stated[1],
                "mean": float(x.mean()),
                "lower": lower,
                "upper": upper,
                "counts": 0.0 if r.relation == "other" else 1.0 / size[r.cluster],
                "verdict": verdict(r.relation, said=stated, ours=(lower, upper)),
            }
        )
    return compared


def verdict(relation: str, *, said: tuple[float, float], ours: tuple[float, float]) -> str:
    """Return how a forecast by others stands to the interval of the model's chance."""
    if relation == "other":
        return "another event: not compared"
    if ours[1] < said[0]:
        return "the model is lower, below the bound" if relation == "stricter" else "lower"
    if relation == "stricter":
        return "consistent with the bound"
    return "higher" if ours[0] > said[1] else "overlap"


def cluster_counts(rows: list[Row]) -> dict[str, float]:
    """Return how many clusters are compared, and how many contradict, each counted once."""
    bad = [row["counts"] for row in rows if row["verdict"].split(",")[0] in CONTRADICTS]
    return {"clusters": sum(row["counts"] for row in rows), "contradict": float(sum(bad))}


def _numbers(row: Any) -> list[float]:
    return [x for x in (row.low, row.probability, row.high) if x is not None]
