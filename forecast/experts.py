"""The soft rows of forecasts.csv, as the model takes them: see :mod:`models.experts`."""

from collections import Counter
from typing import Any

from forecast.evidence import Tables
from models.errors import InputError
from models.experts import Expert, logit, scale_of
from models.structure import FIRST_YEAR


def experts_of(tables: Tables, weight: float) -> tuple[Expert, ...]:
    """Return the soft rows; those of one cluster share ``weight``, so that it counts once.

    Raises
    ------
    InputError
        If a soft row is about no level, a year before the model's, or another event.
    """
    rows = [row for row in tables.forecasts if row.use == "soft"]
    size = Counter(row.cluster for row in rows)
    return tuple(_expert(row, weight / size[row.cluster]) for row in rows)


def _expert(row: Any, weight: float) -> Expert:
    if not row.level or row.by_year < FIRST_YEAR or row.relation == "other":
        raise InputError(
            f"forecasts.csv {row.row}: found level {row.level}, by_year {row.by_year}, relation "
            f"{row.relation}; a soft row takes level 1 to 7, a year from {FIRST_YEAR} and "
            "relation proxy or stricter: set its use to compare"
        )
    ends = [x for x in (row.low, row.probability, row.high) if x is not None]
    low, high = ends[0], ends[-1]
    return Expert(
        row.row,
        level=row.level,
        year=row.by_year,
        logit=0.5 * float(logit(low) + logit(high)),
        scale=scale_of(low, high),
        bound=row.relation == "stricter",
        weight=weight,
    )
