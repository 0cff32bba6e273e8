"""The model's dates and chances beside what is known: milestones reached, forecasts by others.

The *backcast* is of the first work at each level or above in the field, by year, as the posterior
has it. It is not held out: the fit has read the ratings of the works that reached these milestones,
though neither milestones.csv nor which work was first. A level's first milestone is the earliest
year in which milestones.csv has one reached. (`forecast backtest` holds years out.)

A *forecast by others* stands beside the model's chance that its level is established by its year.
A stricter event implies the level, so what others say is a lower bound of the level's chance; of a
proxy the two may be compared; another event is listed and not compared. Rows of one cluster count
once.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from forecast.evidence import Tables
from forecast.forward import all_draws, future, taken
from forecast.sampling import Fit
from forecast.soft import reached
from models import milestones
from models.experts import Expert
from models.forecast_paths import forecast_years, make_paths
from models.forecast_states import make_reach
from models.structure import FIRST_YEAR, LAST_YEAR, LEVELS
from reports.words import LOWER, UPPER

MOST = 500
"""Draws used: chances are means over them."""


def first_curve(fit: Fit) -> np.ndarray:
    """Return the chance of a first work at each level by year, mean over draws; (level, year)."""
    thin, case = _thin(fit), fit.case
    draws = all_draws(thin, case)
    structure, horizon = fit.compiled.structure, case.question.horizon
    paths = make_paths(draws, future(thin, case), structure=structure, horizon=horizon)
    yearly = milestones.yearly_works(paths, make_reach(paths, structure.link))
    found = milestones.first_by_year(yearly, paths.works, draws=draws).mean(axis=0)
    return np.maximum.accumulate(found, axis=-1)[:, : len(forecast_years(horizon))]


def backcast_rows(curve: np.ndarray, tables: Tables) -> list[dict[str, Any]]:
    """Return, by level, the year of its first milestone beside the model's.

    ``lower``, ``median`` and ``upper`` are the years by which the chance of a first work reaches
    5.5, 50 and 94.5%; ``p_by_reached`` is that chance at the end of the milestone's year,
    ``p_before`` a year earlier, and ``p_by_2026`` at the close of the evidence. ``outside`` says
    that the milestone's year lies outside the interval.
    """
    rows = []
    for level, chance in zip(LEVELS, curve, strict=True):
        known = [m for m in tables.milestones if m.level == level and m.reached]
        first = min(known, key=lambda m: m.reached or 0, default=None)
        year = None if first is None else first.reached
        row: dict[str, Any] = {"level": level, "milestone": first.name if first else ""}
        row |= {"reached": year, "open": sum(m.level == level for m in tables.milestones)}
        row["open"] -= len(known)
        ends = [_year(chance, q) for q in (LOWER, 0.5, UPPER)]
        row |= dict(zip(("lower", "median", "upper"), ends, strict=True))
        row |= {"p_before": _by(chance, year, back=1), "p_by_reached": _by(chance, year)}
        row |= {"p_by_2026": _by(chance, LAST_YEAR), "outside": _outside(year, ends)}
        rows.append(row)
    return rows


def _outside(year: int | None, ends: list[int | None]) -> bool | None:
    """Return whether a year lies outside an interval of years; an end not reached is open."""
    if year is None:
        return None
    low, _, high = ends
    return low is None or year < low or (high is not None and year > high)


def _year(chance: np.ndarray, q: float) -> int | None:
    return FIRST_YEAR + int(np.argmax(chance >= q)) if chance[-1] >= q else None


def _by(chance: np.ndarray, year: int | None, *, back: int = 0) -> float | None:
    if year is None:
        return None
    at = year - back - FIRST_YEAR
    return float(chance[min(at, len(chance) - 1)]) if at >= 0 else 0.0


def other_rows(fit: Fit, tables: Tables) -> list[dict[str, Any]]:
    """Return each forecast by others that has a number, beside the model's chance of its level.

    ``mean``, ``lower`` and ``upper`` are of the model's chance that the level is established by the
    year; ``counts`` is the row's part of its cluster among rows that are compared (0 for another
    event); ``verdict`` says how the two stand.
    """
    rows = [r for r in tables.forecasts if r.use in ("compare", "soft") and _numbers(r)]
    rows = [r for r in rows if r.level and r.by_year and r.by_year >= FIRST_YEAR]
    if not rows:
        return []
    asked = tuple(_asked(r) for r in rows)
    thin = _thin(fit)
    chance = reached(thin, replace(fit.case, experts=asked))
    size = Counter(r.cluster for r in rows if r.relation != "other")
    out = []
    for i, r in enumerate(rows):
        low, high = min(_numbers(r)), max(_numbers(r))
        lower, upper = (float(x) for x in np.quantile(chance[:, i], (LOWER, UPPER)))
        row: dict[str, Any] = {"row": r.row, "forecaster": r.forecaster, "quantity": r.quantity}
        row |= {"level": r.level, "by_year": r.by_year, "relation": r.relation, "use": r.use}
        row |= {"cluster": r.cluster, "said_low": low, "said_high": high}
        row |= {"mean": float(chance[:, i].mean()), "lower": lower, "upper": upper}
        row["counts"] = 0.0 if r.relation == "other" else 1.0 / size[r.cluster]
        out.append(row | {"verdict": verdict(r.relation, said=(low, high), ours=(lower, upper))})
    return out


def verdict(relation: str, *, said: tuple[float, float], ours: tuple[float, float]) -> str:
    """Return how a forecast by others stands to the interval of the model's chance."""
    if relation == "other":
        return "another event: not compared"
    if ours[1] < said[0]:
        return "the model is lower, below the bound" if relation == "stricter" else "lower"
    if relation == "stricter":
        return "consistent with the bound"
    return "higher" if ours[0] > said[1] else "overlap"


def cluster_counts(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how many clusters are compared, and how many contradict, each counted once."""
    bad = [row["counts"] for row in rows if row["verdict"].split(",")[0] in CONTRADICTS]
    return {"clusters": sum(row["counts"] for row in rows), "contradict": float(sum(bad))}


CONTRADICTS = ("the model is lower", "lower", "higher")


def _numbers(row: Any) -> list[float]:
    return [x for x in (row.low, row.probability, row.high) if x is not None]


def _asked(row: Any) -> Expert:
    return Expert(row.row, row.level, row.by_year, logit=0.0, scale=1.0, bound=False, weight=0.0)


def _thin(fit: Fit) -> Fit:
    return taken(fit, np.linspace(0, fit.n - 1, min(fit.n, MOST)).astype(int))
