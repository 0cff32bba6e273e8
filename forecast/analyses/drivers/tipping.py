"""Tipping points: where a prior's centre must lie for the target to cross a threshold.

The centre is moved over the prior's own 1 to 99% (:mod:`moves`), its ends answered as in the
tornado, and the crossing is found by the secant between the two places around it. Its error is
that of the target there, divided by the slope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from forecast.analyses.drivers.bars import Bar, Refit, bars, cheap
from forecast.analyses.drivers.material import Material
from forecast.analyses.drivers.moves import moments, place, point, shifted
from forecast.case import with_prior
from models.prior import Prior, ppf

Row = dict[str, Any]
PLACES = {"low": 0.05, "high": 0.95}
"""Moves of the tornado that are places here."""
ENDS = (0.01, 0.99)
STEPS = 2
"""Secant steps after the first; each costs one reweighting."""
CLOSE = 0.25
"""Errors of the target within which a crossing is found."""


@dataclass(frozen=True)
class Place:
    """A place of a prior's centre, where it is unbounded, and the target's mean there."""

    u: float
    mean: float
    mcse: float
    how: str


def thresholds(m: Material, own: float | None) -> dict[str, float]:
    """Return the thresholds by name: half and double the target's mean, and the user's own."""
    made = {"half": 0.5 * m.mean, "double": 2.0 * m.mean}
    return made if own is None else made | {"yours": own}


def tipping_rows(
    m: Material, tornado: list[Row], *, at: dict[str, float], refit: Refit | None
) -> list[Row]:
    """Return one row for each prior and threshold, those that cross first.

    ``value`` is the middle of the prior at the crossing, in the belief's unit, ``error`` its Monte
    Carlo error, ``quantile`` its place in the prior as stated; all empty where there is no crossing
    from ``from_quantile`` to ``to_quantile``, the places whose answer is known.
    """
    known = {(r["parameter"], r["move"]): r for r in tornado if r["move"] in PLACES}
    priors = [prior for prior in m.case.priors if (prior.name, "low") in known]
    ends = [(prior, point(prior, q)) for prior in priors for q in ENDS]
    cases = [with_prior(m.case, shifted(prior, u)) for prior, u in ends]
    made = bars(m, cases, refit=refit, cheaply=[cheap(m, case, thin=True) for case in cases])
    rows = []
    for prior in priors:
        rows_of = {key: known[prior.name, key] for key in PLACES}
        far = [_place(u, bar) for (p, u), bar in zip(ends, made, strict=True) if p is prior]
        places = _places(m, prior, rows=rows_of, far=[one for one in far if one])
        for threshold in at.items():
            rows.append(_row(m, prior, places=places, threshold=threshold, quick=refit is None))
    return sorted(rows, key=lambda r: (r["quantile"] is None, abs((r["quantile"] or 0.5) - 0.5)))


def _place(u: float, bar: Bar) -> Place | None:
    return Place(u, bar.mean, bar.mcse, bar.how) if bar.known else None


def _places(
    m: Material, prior: Prior, *, rows: dict[str, Row], far: Sequence[Place]
) -> list[Place]:
    """Return the known places in order: own centre, 5 and 95%, and 1 and 99%."""
    found = [Place(moments(prior)[0], m.mean, 0.0, "exact"), *far]
    for key, q in PLACES.items():
        row = rows[key]
        if row["how"] != "withheld":
            found.append(Place(point(prior, q), row["mean"], row["mcse"], row["how"]))
    return sorted(found, key=lambda place: place.u)


def _row(
    m: Material, prior: Prior, *, places: list[Place], threshold: tuple[str, float], quick: bool
) -> Row:
    name, value = threshold
    row: Row = {"parameter": prior.name, "block": prior.block, "threshold": name}
    row |= {"target": value, "value": None, "error": None, "quantile": None, "how": "none"}
    ends = [place(prior, one.u) for one in (places[0], places[-1])]
    row |= {"from_quantile": ends[0], "to_quantile": ends[1]}
    pair = _around(places, value)
    if pair is None:
        return row
    found, slope = _secant(m, prior, pair=pair, value=value, quick=quick)
    middle = float(ppf(shifted(prior, found.u), 0.5))
    step = 1e-4 * moments(prior)[1]
    rate = (float(ppf(shifted(prior, found.u + step), 0.5)) - middle) / step
    error = abs(found.mcse / slope * rate) if slope else None
    return (
        row
        | {"value": middle, "error": error, "quantile": place(prior, found.u)}
        | {"how": found.how}
    )


def _around(places: list[Place], value: float) -> tuple[Place, Place] | None:
    """Return the neighbours between which the target crosses a value, nearest to the centre."""
    pairs = [
        (a, b)
        for a, b in pairwise(places)
        if (a.mean - value) * (b.mean - value) <= 0 and a.mean != b.mean
    ]
    middle = float(np.median([place.u for place in places]))
    return min(pairs, key=lambda p: abs(0.5 * (p[0].u + p[1].u) - middle), default=None)


def _secant(
    m: Material, prior: Prior, *, pair: tuple[Place, Place], value: float, quick: bool
) -> tuple[Place, float]:
    """Return the place of the crossing, and the slope of the target there."""
    a, b = pair
    for _ in range(STEPS):
        u = a.u + (value - a.mean) * (b.u - a.u) / (b.mean - a.mean)
        bar = cheap(m, with_prior(m.case, shifted(prior, u)), thin=quick)
        if not bar.known:
            break
        c = Place(u, bar.mean, bar.mcse, bar.how)
        a, b = (a, c) if (a.mean - value) * (c.mean - value) <= 0 else (c, b)
        if abs(bar.mean - value) < CLOSE * max(bar.mcse, 1e-12):
            break
    slope = (b.mean - a.mean) / (b.u - a.u) if b.u != a.u else 0.0
    u = a.u + (value - a.mean) / slope if slope else a.u
    nearer = min((a, b), key=lambda p: abs(p.mean - value))
    how = nearer.how if nearer.mcse else max((a, b), key=lambda p: p.mcse).how
    return Place(u, value, max(a.mcse, b.mcse), how), slope
