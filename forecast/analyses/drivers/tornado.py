"""Every prior moved to its own 5 and 95%, and its spread halved and doubled."""

from typing import Any

from forecast.analyses.drivers.bars import Bar, Refit, bars
from forecast.analyses.drivers.material import Material
from forecast.analyses.drivers.moves import LABELS, moved
from forecast.case import Case, with_prior
from models.prior import Prior, ppf

Row = dict[str, Any]


def tornado(m: Material, *, refit: Refit | None) -> list[Row]:
    """Return one row for each prior and move, the prior that moves the target most first.

    Each has ``parameter``, ``block``, ``move`` (a key of :data:`moves.LABELS`), ``centre`` (the
    middle of the moved prior, in the belief's unit) and the columns of :class:`bars.Bar`.
    """
    named: list[tuple[Prior, str, Prior]] = [
        (prior, key, new)
        for prior in m.case.priors
        if prior.name in m.stated
        for key, new in moved(prior).items()
    ]
    cases: list[Case] = [with_prior(m.case, new) for _, _, new in named]
    found = bars(m, cases, refit=refit)
    rows = [
        told(prior, new, move=move, bar=bar)
        for (prior, move, new), bar in zip(named, found, strict=True)
    ]
    most = {row["parameter"]: 0.0 for row in rows}
    for row in rows:
        if row["shift"] == row["shift"]:
            most[row["parameter"]] = max(most[row["parameter"]], abs(row["shift"]))
    order = list(LABELS)
    return sorted(
        rows, key=lambda r: (-most[r["parameter"]], r["parameter"], order.index(r["move"]))
    )


def told(prior: Prior, new: Prior, *, move: str, bar: Bar) -> Row:
    """Return the row of one bar."""
    row: Row = {"parameter": prior.name, "block": prior.block, "move": move}
    return row | {"centre": float(ppf(new, 0.5))} | bar.row()


def largest(rows: list[Row]) -> list[Row]:
    """Return, for each prior in order, its largest known move in either direction, and its error.

    ``most`` is that move's shift, ``move`` which it is; ``withheld`` counts moves without a number.
    """
    out: dict[str, Row] = {}
    for row in rows:
        one = out.setdefault(
            row["parameter"],
            {"parameter": row["parameter"], "block": row["block"], "most": 0.0, "mcse": 0.0}
            | {"move": "", "withheld": 0},
        )
        if row["how"] == "withheld":
            one["withheld"] += 1
        elif abs(row["shift"]) > abs(one["most"]):
            one |= {"most": row["shift"], "mcse": row["mcse"], "move": row["move"]}
    return list(out.values())
