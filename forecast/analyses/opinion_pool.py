r"""Several worldviews as one forecast: linear, logarithmic, and weighted by stacking.

The linear pool is :math:`\sum_i w_i p_i`, and its interval that of the mixture of the worldviews'
draws; the logarithmic pool of an event's chances is
:math:`\mathrm{logit}\, p = \sum_i w_i \,\mathrm{logit}\, p_i` (Genest & Zidek 1986, Statist. Sci.
1:114). Stacking weights are those by which a linear pool would have predicted the rated works best
(:mod:`forecast.analyses.stacking`): they judge what evidence can tell, which is little of what
divides worldviews.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.crux_rows import SHOWN, own
from forecast.analyses.stacking import stacked, work_elpd
from forecast.faults import near_miss, read_toml
from forecast.sampling import Fit
from forecast.summaries import TAILS
from models.errors import InputError

SCORED = 1000
"""Draws from which works are scored."""
Row = dict[str, Any]


def weights_of(
    names: Sequence[str], stated: Sequence[str], *, file: str | Path | None = None
) -> dict[str, float]:
    """Return the weight of each worldview, summing to 1; equal where none is stated.

    Raises
    ------
    InputError
        If a weight is of nobody, no number, negative or missing, or all are 0.
    """
    found = dict(_file_weights(file)) if file is not None else {}
    for text in stated:
        name, _, number = text.partition("=")
        found[name.strip()] = number
    if not found:
        return dict.fromkeys(names, 1.0 / len(names))
    out = {}
    for name, value in found.items():
        if name not in names:
            raise InputError(f"weight of {name!r}: no such worldview; {near_miss(name, names)}")
        try:
            out[name] = float(value)
        except (TypeError, ValueError):
            raise InputError(f"weight of {name!r}: found {value!r}; write NAME=NUMBER") from None
        if not 0.0 <= out[name] < np.inf:
            raise InputError(f"weight of {name!r}: found {value}; give a number of 0 or more")
    missing = [name for name in names if name not in out]
    if missing:
        raise InputError(
            f"weights: found none for {', '.join(missing)}; state each, or none at all"
        )
    if not sum(out.values()):
        raise InputError("weights: found 0 for all; give some worldview more")
    return {name: out[name] / sum(out.values()) for name in names}


def _file_weights(file: str | Path) -> Mapping[str, Any]:
    table = read_toml(Path(file)).data.get("weights")
    if not isinstance(table, Mapping):
        raise InputError(f"{file}: found no table [weights]; add it, with NAME = NUMBER")
    return table


def pool_rows(fits: Mapping[str, Fit], shares: Mapping[str, float]) -> list[Row]:
    """Return the pooled forecasts, one row for each way and quantity."""
    scored = stacked({name: work_elpd(fit, most=SCORED) for name, fit in fits.items()})
    best = {name: row["stacking_weight"] for name, row in scored.items()}
    draws = {name: own(fit) for name, fit in fits.items()}
    out = []
    for name in SHOWN:
        x = {who: found[name] for who, found in draws.items()}
        out += [
            {"quantity": name, "way": "linear"} | mixture(x, shares) | _told(shares),
            {"quantity": name, "way": "logarithmic"} | geometric(x, shares) | _told(shares),
            {"quantity": name, "way": "stacking"} | mixture(x, best) | _told(best),
        ]
    return out


def mixture(x: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Row:
    """Return mean and interval of the linear pool of draws."""
    values = np.concatenate([x[who] for who in x])
    w = np.concatenate([np.full(len(x[who]), shares[who] / len(x[who])) for who in x])
    order = np.argsort(values)
    at = np.searchsorted(np.cumsum(w[order]) / w.sum(), TAILS).clip(0, len(values) - 1)
    lower, median, upper = values[order][at]
    ends = {"lower": float(lower), "median": float(median), "upper": float(upper)}
    return {"mean": float(w @ values / w.sum())} | ends


def geometric(x: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Row:
    """Return the logarithmic pool of the means; it has no interval."""
    p = np.clip([x[who].mean() for who in x], 1e-12, 1.0 - 1e-12)
    w = np.array([shares[who] for who in x])
    mean = 1.0 / (1.0 + np.exp(-(w @ (np.log(p) - np.log1p(-p)))))
    return {"mean": float(mean), "lower": None, "median": None, "upper": None}


def _told(shares: Mapping[str, float]) -> Row:
    return {f"weight {who}": share for who, share in shares.items()}


__all__ = ["geometric", "mixture", "pool_rows", "weights_of"]
