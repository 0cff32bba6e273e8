"""Evidence left out: tables, raters, agendas, known cases, sources of worker figures; the ladder.

An item is a Case of less evidence. Weights stand for a fit where Pareto k <= 0.7: the draws' log
weights are minus the log likelihood of what is left out, or, where a rater's answers are taken
away, the change of the log likelihood of the works' rows. Else the Case is fitted anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.analyses.drivers.bars import (
    Bar,
    Refit,
    bars,
    trusted,
    weighted,
    width_error,
    withheld,
)
from forecast.analyses.drivers.material import Material
from forecast.analyses.leaving_out import row_ids, smoothed
from forecast.analyses.predictive import TABLES
from forecast.analyses.structural import without_rater
from forecast.case import Case, with_arrays
from forecast.pointwise import row_cuts
from models.blocks import joined, over_blocks
from models.observe import likelihoods
from models.ops import NumPy
from models.terms import terms_from_draws

Row = dict[str, Any]
THIN = 400
"""Draws at which the works' rows are scored without a rater, with ``quick``."""
LADDER = ("workers", "ratings", "lags", "lists", "fte", "studies", "diagnosis")
"""Arrays of evidence in the order in which they are added; what is not named comes last."""


@dataclass(frozen=True)
class Item:
    """Evidence left out: what kind of thing, its name, how much, and the Case without it.

    ``lost`` is the log likelihood that goes with it, at the draws ``at``.
    """

    kind: str
    name: str
    rows: float
    case: Case
    lost: np.ndarray
    at: np.ndarray


def items(m: Material, *, quick: bool = False) -> list[Item]:
    """Return everything that is left out, one at a time.

    With ``quick`` the rows without a rater are scored at fewer draws: they cost seconds.
    """
    at = m.kept[:: max(len(m.kept) // THIN, 1)] if quick else m.kept
    return [*_tables(m), *_raters(m, at), *_agendas(m), *_purposive(m), *_sources(m)]


def left_out_rows(m: Material, *, refit: Refit | None) -> list[Row]:
    """Return one row for each item: how far the target and its width move, and how that is known.

    ``width_change`` is the change of the width of the 89% interval, ``width_mcse`` its error.
    """
    found = items(m, quick=refit is None)
    made = bars(m, [i.case for i in found], refit=refit, cheaply=[reweighed(m, i) for i in found])
    low, high = np.quantile(m.y, (0.055, 0.945))
    rows: list[Row] = [
        {"kind": i.kind, "left_out": i.name, "rows": i.rows}
        | bar.row()
        | {"width_change": (bar.upper - bar.lower) - float(high - low)}
        for i, bar in zip(found, made, strict=True)
    ]
    order = list(dict.fromkeys(i.kind for i in found))
    size = {id(row): abs(row["shift"]) if row["how"] != "withheld" else -1.0 for row in rows}
    return sorted(rows, key=lambda row: (order.index(row["kind"]), -size[id(row)]))


def reweighed(m: Material, item: Item) -> Bar:
    """Return the bar of an item by weights, withheld with its Pareto k if not trusted."""
    if np.ptp(item.lost) == 0.0:
        return replace(weighted(m, np.zeros(len(item.at)), k=0.0, at=item.at), width_mcse=0.0)
    made = smoothed(item.lost[None], reff=m.least)
    k = float(made.k[0])
    if not trusted(k):
        return withheld(k)
    bar = weighted(m, made.log_weights[0], k=k, at=item.at)
    w = np.exp(made.log_weights[0])
    return replace(bar, width_mcse=width_error(m, w / w.sum(), at=item.at))


def ladder_rows(m: Material, *, refit: Refit | None, prior: Mapping[str, float]) -> list[Row]:
    """Return the target as evidence is added: prior alone, then table by table, then the run.

    ``prior`` is the target's summary under the priors alone, with its ``mcse``.
    """
    arrays = m.case.evidence.arrays
    held = [t for t in (*LADDER, *arrays) if np.any(arrays.get(t, {}).get("weight", 0.0))]
    order, named = list(dict.fromkeys(held)), _names(m)
    stages = [_without(m, "", drop=order[i + 1 :]) for i in range(len(order) - 1)]
    made = bars(m, [s.case for s in stages], refit=refit, cheaply=[reweighed(m, s) for s in stages])
    own = float(m.y.std() / m.ess**0.5)
    shift, error = prior["mean"] - m.mean, float(np.hypot(prior["mcse"], own))
    alone = Bar(prior["mean"], prior["lower"], prior["upper"], shift, error, "exact")
    low, high = (float(x) for x in np.quantile(m.y, (0.055, 0.945)))
    rows = [_step("priors alone", alone)]
    rows += [_step(f"+ {named[t]}", bar) for t, bar in zip(order, made, strict=False)]
    last = f"+ {named[order[-1]]} (this run)" if order else "this run: no evidence"
    return [*rows, _step(last, Bar(m.mean, low, high, 0.0, own, "exact"))]


def _step(name: str, bar: Bar) -> Row:
    return {"evidence": name, **bar.row()}


def _names(m: Material) -> dict[str, str]:
    """Return the file of each table of arrays."""
    return {like.table: TABLES[like.name] for like in likelihoods(m.fit.compiled.structure)}


def _without(m: Material, name: str, *, drop: list[str]) -> Item:
    """Return the item of whole tables of arrays ``drop`` left out."""
    case, lost, rows = m.case, np.zeros(len(m.kept)), 0.0
    for like in likelihoods(m.fit.compiled.structure):
        if like.table in drop:
            weight = m.case.evidence.arrays[like.table]["weight"].astype(float)
            lost = lost + m.rows[like.name] @ weight
            case = with_arrays(case, like.table, weight=np.zeros_like(weight))
            rows += float(weight.sum())
    return Item("table", name, rows, case, lost, m.kept)


def _tables(m: Material) -> Iterator[Item]:
    names = _names(m)
    for table, file in names.items():
        if m.case.evidence.arrays[table]["weight"].any():
            yield _without(m, file, drop=[table])


def _some(m: Material, like: tuple[str, str], *, drop: np.ndarray, what: tuple[str, str]) -> Item:
    """Return the item of some rows of a table left out; ``like`` is (likelihood, arrays)."""
    weight = m.case.evidence.arrays[like[1]]["weight"].astype(float)
    gone = np.where(drop, weight, 0.0)
    case = with_arrays(m.case, like[1], weight=weight - gone)
    return Item(*what, float(gone.sum()), case, m.rows[like[0]] @ gone, m.kept)


def _agendas(m: Material) -> Iterator[Item]:
    arrays = m.case.evidence.arrays
    agenda = arrays["cells"]["agenda"][arrays["ratings"]["cell"]]
    for i, name in enumerate(m.case.evidence.labels["agenda"]):
        drop = (agenda == i) & (arrays["ratings"]["weight"] > 0)
        if drop.any():
            yield _some(m, ("ratings", "ratings"), drop=drop, what=("agenda", name))


def _purposive(m: Material) -> Iterator[Item]:
    arrays = m.case.evidence.arrays
    drop = arrays["cells"]["purposive"][arrays["ratings"]["cell"]] == 1
    if (drop & (arrays["ratings"]["weight"] > 0)).any():
        what = ("selection", "known cases (purposive works)")
        yield _some(m, ("ratings", "ratings"), drop=drop, what=what)


def _sources(m: Material) -> Iterator[Item]:
    """Yield the figures of workers by their source."""
    weight = m.case.evidence.arrays["workers"]["weight"]
    of = np.array([m.sources.get(row, "") for row in row_ids(m.case, "workers")])
    for name in dict.fromkeys(of[weight > 0].tolist()):
        drop = (of == name) & (weight > 0)
        yield _some(m, ("worker_figures", "workers"), drop=drop, what=("worker source", name))


def _raters(m: Material, at: np.ndarray) -> Iterator[Item]:
    """Yield each rater's answers left out, as long as another is left."""
    raters = m.case.evidence.labels["rater"]
    real = [i for i, name in enumerate(raters) if not name.startswith("absent-")]
    weight = m.case.evidence.arrays["ratings"]["weight"].astype(float)
    if len(real) < 2 or not weight.any():
        return
    for i in real:
        case = without_rater(m.case, i)
        answers = float((m.case.evidence.arrays["ratings"]["asked"][:, i] * weight).sum())
        own = m.rows["ratings"][np.isin(m.kept, at)]
        lost = (own - rated(m, case, at=at)) @ weight
        yield Item("rater", raters[i], answers, case, lost, at)


def rated(m: Material, case: Case, *, at: np.ndarray) -> np.ndarray:
    """Return the log probability of each row of ratings of a Case at some of the run's draws."""
    like = next(x for x in likelihoods(m.fit.compiled.structure) if x.name == "ratings")
    data, structure = case.evidence.arrays, m.fit.compiled.structure
    draws = {name: x[at] for name, x in m.fit.draws.items()}
    out = np.zeros((len(at), len(data["ratings"]["weight"])))
    for cut in row_cuts(len(case.evidence.ids["ratings"])):
        rows = data | {"ratings": {name: x[cut] for name, x in data["ratings"].items()}}

        def block(some: Any, rows: Any = rows) -> dict[str, np.ndarray]:
            params = like.params(NumPy, terms_from_draws(some), rows, structure=structure)
            return {"x": like.logp(NumPy, rows["ratings"]["value"], *params)}

        out[:, cut] = joined(over_blocks(block, draws, n=len(at)))["x"]
    return out
