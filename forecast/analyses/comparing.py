r"""Scores of many items to a comparison with each baseline, with its uncertainty.

The gain is the sum over works of the model's log score less the baseline's, with a standard error
from the spread of the works' differences, :math:`\sqrt{n}\, sd`. The skill is one less the ratio of
summed distances, :math:`1 - \sum d_{model} / \sum d_{base}`, with an interval from resampling
works. Both are paired by work; a work scored from several origins is one cluster.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from forecast.analyses.rules import MODEL, Row
from forecast.seeds import stream

PROB = 0.89
"""Probability of an interval, equal-tailed."""
RESAMPLES = 1000
COMPARED = ("gain", "gain_se", "gain_lower", "gain_upper", "skill", "skill_lower", "skill_upper")
"""What a baseline's row says of the model; empty in the model's own."""
LEAST = 2
"""Fewest items for which an uncertainty can be told."""
Z = 1.5982
"""Standard normal quantile of the upper end of an 89% interval."""


def by_method(rows: Iterable[Row]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Return (log score, distance) of each item by method."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        distance = np.nan if row["distance"] is None else row["distance"]
        found[row["method"]][row["item"]].append((row["log_score"], distance))
    return found


def compared(rows: Sequence[Row], *, names: Mapping[str, Any], seed: int) -> list[Row]:
    """Return a row for the model, and one for each baseline with the model's gain over it.

    Parameters
    ----------
    rows
        Scores of one target.
    names
        What each row begins with.
    seed
        Of the resampling.
    """
    found = by_method(rows)
    sums = {m: _sums(items) for m, items in found.items()}
    model = sums.get(MODEL)
    out = []
    for method, (logs, distance) in sums.items():
        told: Row = {
            **names,
            "method": method,
            "items": len(found[method]),
            "scores": sum(map(len, found[method].values())),
            "log_score": float(logs.sum()),
            "distance": _mean(found[method]),
        }
        told |= dict.fromkeys(COMPARED)
        if method != MODEL and model is not None:
            told |= gain(model[0], logs) | skill(model[1], distance, seed=seed)
        out.append(told)
    return out


def _sums(items: Mapping[str, Sequence[tuple[float, float]]]) -> tuple[np.ndarray, np.ndarray]:
    """Return each item's summed log score and distance, items in the order of their names."""
    whole = np.array([np.array(items[key]).sum(axis=0) for key in sorted(items)])
    return whole[:, 0], whole[:, 1]


def _mean(items: Mapping[str, Sequence[tuple[float, float]]]) -> float | None:
    found = [d for scores in items.values() for _, d in scores if not np.isnan(d)]
    return float(np.mean(found)) if found else None


def gain(model: np.ndarray, base: np.ndarray) -> Row:
    """Return the summed difference of log scores, its standard error and its 89% interval."""
    d = model - base
    total, n = float(d.sum()), len(d)
    if n < LEAST:
        return {"gain": total, "gain_se": None, "gain_lower": None, "gain_upper": None}
    se = float(np.sqrt(n) * d.std(ddof=1))
    return {
        "gain": total,
        "gain_se": se,
        "gain_lower": total - Z * se,
        "gain_upper": total + Z * se,
    }


def skill(model: np.ndarray, base: np.ndarray, *, seed: int) -> Row:
    """Return one less the ratio of summed distances, with its 89% interval by resampling."""
    some = ~(np.isnan(model) | np.isnan(base))
    model, base = model[some], base[some]
    if not len(model) or not base.sum():
        return {"skill": None, "skill_lower": None, "skill_upper": None}
    point = float(1.0 - model.sum() / base.sum())
    if len(model) < LEAST:
        return {"skill": point, "skill_lower": None, "skill_upper": None}
    times = resampled(len(model), seed)
    ratio = 1.0 - (times @ model) / np.maximum(times @ base, 1e-300)
    low, high = np.quantile(ratio, [0.5 - PROB / 2, 0.5 + PROB / 2])
    return {"skill": point, "skill_lower": float(low), "skill_upper": float(high)}


@lru_cache(maxsize=256)
def resampled(n: int, seed: int) -> np.ndarray:
    """Return how often each of ``n`` items stands in each resample; dims (resample, item)."""
    rng = stream(seed, "resampled items")
    return rng.multinomial(n, np.full(n, 1.0 / n), size=RESAMPLES).astype(float)


def table(rows: Sequence[Row], *, by: Sequence[str], seed: int) -> list[Row]:
    """Return :func:`compared` for each group of rows that share the columns ``by``."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in by)].append(row)
    out = []
    for key, some in groups.items():
        names = dict(zip(by, key, strict=True))
        out += compared(some, names=names, seed=seed)
    return out


__all__ = ["PROB", "by_method", "compared", "gain", "resampled", "skill", "table"]
