"""First uses by others, counted by side, year of the work and lag, without a loop over works."""

import numpy as np

from forecast.evidence import Tables, rows_that_fit
from models.structure import SIDES

CODES = {"capabilities": "cap", "alignment": "ali"}
"""How uses.csv writes a side."""


def lag_weights(tables: Tables, *, last: int) -> dict[tuple[str, int, int], float]:
    """Return the weight of each (side, year, lag), sorted: an event weighs 1, shared by its raters.

    A sourced use enters where no rater dated the event, the first of a work and side. Lags are
    truncated at ``last``.
    """
    year = tables.works.whole("year")
    event, lag = dated_events(tables)
    more = sourced_events(tables)
    new = ~np.isin(more[0], event)
    event, lag = np.append(event, more[0][new]), np.append(lag, more[1][new])
    _, first, at, count = np.unique(
        event, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first[at], kind="stable")  # sums run event by event, as they stand
    event, lag, weight = event[order], lag[order], 1 / count[at[order]]
    born = year[event // 2]
    lag = np.minimum(np.maximum(lag, 0), last - born)
    names = np.array(sorted(range(len(SIDES)), key=lambda i: SIDES[i]))
    keys = np.column_stack([np.argsort(names)[event % 2], born, lag])
    found, inverse = np.unique(keys, axis=0, return_inverse=True)
    total = np.bincount(inverse.ravel(), weights=weight, minlength=len(found))
    return {
        (SIDES[names[side]], int(born), int(lag)): float(w)
        for (side, born, lag), w in zip(found.tolist(), total, strict=True)
    }


def lag_room(
    weight: dict[tuple[str, int, int], float], *, last: int
) -> list[tuple[tuple[str, int, int], float]]:
    """Return the rows of weight 0 that make room for every lag that as many events may have."""
    held: dict[tuple[str, int], list[float]] = {}
    for (side, year, _), w in weight.items():
        held.setdefault((side, year), []).append(w)
    return [
        ((side, year, 0), 0.0)
        for (side, year), some in held.items()
        for _ in range(min(round(sum(some)), last - year + 1) - len(some))
    ]


def dated_events(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return the event (2 x work + side) and the lag of each first use that a rater dates."""
    uses, years = tables.uses, tables.works.whole("year")
    first = uses.whole("first_year")
    held = first >= 0
    work = uses.places("work", tables.works.text("work"))[held]
    side = uses.places("side", [CODES[side] for side in SIDES])[held]
    return 2 * work + side, first[held] - years[work]


def sourced_events(tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return event and lag of the uses of a known work that a source dates, one of each event."""
    import pyarrow as pa

    from forecast.columns.csv_files import TEXT
    from forecast.columns.frames import places

    lag_of: dict[int, int] = {}
    sourced = {"capabilities": tables.spillovers, "alignment": tables.alignment_uses}
    for side, rows in sourced.items():
        fit = rows_that_fit(rows)
        keys = pa.array([row.mi_work for row in fit], TEXT)
        at = places(keys, tables.works.text("work"))
        for row, work in zip(fit, at.tolist(), strict=True):
            if work >= 0:
                lag_of.setdefault(2 * work + SIDES.index(side), row.lag)
    return np.array(list(lag_of), dtype=np.int64), np.array(list(lag_of.values()), dtype=np.int64)
