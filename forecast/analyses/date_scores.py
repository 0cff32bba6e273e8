r"""Dates of first attainment: when a level of the ladder has its first milestone.

A level k that milestones.csv holds to be open at the end of the origin Y has its first milestone in
year T, or none by the close of the evidence. The model's chance that it is still open after y is

.. math:: \frac{\mathrm{E}[1 - F_k(y)]}{\mathrm{E}[1 - F_k(Y)]}, \qquad
    F_k(y) = P(K^* \ge k)\, P(n_k(y) \ge 1),

the expectations over draws (:mod:`models.milestones` with one work in place of three). The baseline
``hazard`` is one rate for all levels: those attained, plus a half, over the level-years at risk,
plus one. The CRPS is cut at the close of the evidence, which keeps it proper for what is open:

.. math:: \sum_{y = Y + 1}^{2026} \big(P(T \le y) - [T \le y]\big)^2 \quad \text{(years)}

A milestone is a named feat and asks for more than a work rated at its level, so the two events are
not the same one; and few levels were attained in the years forecast.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from forecast.analyses.rules import MODEL, Row
from models import milestones
from models.forecast_paths import make_paths
from models.forecast_states import make_reach
from models.structure import FIRST_YEAR, LAST_YEAR, STEPS

CHUNK = 100
TINY = 1e-12


def first_dates(rows: Any) -> dict[int, int | None]:
    """Return the year of each level's first milestone, None while it is open."""
    dates: dict[int, int | None] = {}
    for k in STEPS:
        reached = [row.reached for row in rows if row.level == k and row.reached is not None]
        dates[k] = min(reached) if reached else None
    return dates


def open_chances(found: Mapping[str, Any]) -> np.ndarray:
    """Return the chance that no work of a level exists after each year; dims (step, year)."""
    draws, future = found["draws"], found["future"]
    total: Any = 0.0
    n = len(draws["use_rate"])
    for i in range(0, n, CHUNK):
        at = slice(i, i + CHUNK)
        some, later = ({k: v[at] for k, v in group.items()} for group in (draws, future))
        structure = found["structure"]
        paths = make_paths(some, later, structure=structure, horizon=LAST_YEAR)
        yearly = milestones.yearly_works(paths, make_reach(paths, structure.link))
        mean = np.cumsum(yearly[:, :-1].sum(axis=1), axis=1)
        total = total + (1.0 - milestones.established(mean, some, m=1)).sum(axis=0)
    return np.asarray(total / n).T


def still_open(chance: np.ndarray, origin: int) -> np.ndarray:
    """Return the chance to be open after each later year, given open at the origin."""
    i = origin - FIRST_YEAR
    return chance[:, i + 1 :] / np.maximum(chance[:, i : i + 1], TINY)


def hazard(dates: Mapping[int, int | None], origin: int) -> float:
    """Return the yearly chance that an open level is attained, from what was known then."""
    known = {k: t for k, t in dates.items() if t is not None and t <= origin}
    years = sum((known.get(k, origin) - FIRST_YEAR + 1) for k in dates)
    return (len(known) + 0.5) / (years + 1.0)


def date_rows(
    dates: Mapping[int, int | None], chance: np.ndarray, *, origin: int, names: Mapping[str, Any]
) -> list[Row]:
    """Return the scores of the levels open at the origin, by method."""
    years = np.arange(origin + 1, LAST_YEAR + 1)
    constant = (1.0 - hazard(dates, origin)) ** (years - origin)
    by = {MODEL: still_open(chance, origin), "hazard": np.tile(constant, (len(STEPS), 1))}
    rows = []
    for method, curves in by.items():
        for k, curve in zip(STEPS, curves, strict=True):
            when = dates[k]
            if when is not None and when <= origin:
                continue
            logs, distance = date_score(curve, None if when is None else when - origin)
            rows.append(
                {
                    **names,
                    "target": "milestones",
                    "method": method,
                    "item": f"level-{k}",
                    "year": LAST_YEAR if when is None else when,
                    "agenda": "",
                    "log_score": logs,
                    "distance": distance,
                    "rule": "crps",
                    "hindsight": False,
                }
            )
    return rows


def date_score(curve: np.ndarray, after: int | None) -> tuple[float, float]:
    """Return the log score and the CRPS of a date.

    Parameters
    ----------
    curve
        The chance to be open after 1, 2, ... years.
    after
        Years until it was attained; None if not within the curve.
    """
    whole = np.concatenate([[1.0], curve])
    p = whole[-1] if after is None else whole[after - 1] - whole[after]
    years = np.arange(1, len(whole))
    there = np.zeros(len(curve)) if after is None else (years >= after).astype(float)
    return float(np.log(max(p, TINY))), float((((1.0 - curve) - there) ** 2).sum())


__all__ = ["date_rows", "date_score", "first_dates", "hazard", "open_chances", "still_open"]
