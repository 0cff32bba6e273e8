"""Predictive checks: do priors, or the fit, produce evidence like the evidence.

Ratings are replicated work by work, not by distinct row, whose works would then all change
together; of many works, those of an evenly spaced sample. Each test quantity gives a row: what was
observed, where replicates lie, and a two-sided tail probability (:mod:`models.discrepancies`).
Under a posterior such probabilities lean toward the middle, since the draws have seen the evidence:
a flag is the stronger for it, its absence weaker.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.case import Case, structure_of
from forecast.pointwise import simulated
from forecast.simulating import by_work
from models.discrepancies import Design, rating_statistics, two_sided
from models.observe import likelihoods
from models.ratings import MISSING_LEVEL
from models.structure import GROUPS, SIDES, TASKS, WORLDS

FLAGGED = 0.01
"""Two-sided tail probability below which a test quantity is flagged: outside the central 99%."""
MOST_WORKS = 10_000
"""Works whose ratings are replicated: more would fill memory and flag what matters to nobody."""
TAILS = (0.005, 0.05, 0.5, 0.95, 0.995)
TABLES = {
    "worker_figures": "workers",
    "list_counts": "paper_counts",
    "fte_figures": "agenda_fte",
    "mixed_faults": "fault_counts",
    "found_faults": "diagnosis",
    "use_lags": "uses",
    "ratings": "ratings",
}
"""Evidence table of each observed variable."""


@dataclass(frozen=True)
class Pair:
    """One family of test quantities: of the evidence (element,) and of replicates (draw, element).

    ``per_row``: each element is a row of the table, not a summary of many.
    """

    table: str
    name: str
    elements: tuple[str, ...]
    observed: np.ndarray
    replicated: np.ndarray
    per_row: bool = False


Replicates = dict[str, np.ndarray]
"""Replicated evidence by likelihood, dims (draw, row ...); of ratings a row is a work."""


def replicate(
    case: Case, draws: dict[str, np.ndarray], *, stage: str, most: int | None = None
) -> Replicates:
    """Simulate all evidence of a Case, ratings work by work, from at most ``most`` of the draws.

    ``stage`` names the stream of random numbers.
    """
    some = by_work(checked_works(case))
    return simulated(some, draws, structure=structure_of(case), stage=stage, most=most)


def checked_works(case: Case) -> Case:
    """Return the Case with at most :data:`MOST_WORKS` works, evenly spaced, in its map to rows."""
    n = len(case.evidence.row_of_work)
    if n <= MOST_WORKS:
        return case
    at = np.linspace(0, n - 1, MOST_WORKS).astype(int)
    some = tuple(case.evidence.works[i] for i in at)
    row = case.evidence.row_of_work[at]
    return replace(case, evidence=replace(case.evidence, works=some, row_of_work=row))


def of_both(
    case: Case, draws: dict[str, np.ndarray], *, prior: dict[str, np.ndarray]
) -> tuple[dict[str, Replicates], dict[str, Replicates]]:
    """Return replicates of posterior and prior, by work, and the groups of a tree, by row."""
    sets = {"posterior": draws, "prior": prior}
    again = {key: replicate(case, x, stage=key) for key, x in sets.items()}
    return again, {f"{key}_predictive": by_row(case, x) for key, x in again.items()}


def by_row(case: Case, again: Replicates) -> Replicates:
    """Return replicates with the ratings of each distinct row: those of the first of its works.

    Of a sample of works, which leaves rows out, there are none.
    """
    rows, at = case.evidence.arrays["ratings"], case.evidence.row_of_work
    if len(at) > MOST_WORKS:
        return {name: x for name, x in again.items() if name != "ratings"}
    new = np.broadcast_to(rows["value"], (len(again["ratings"]), *rows["value"].shape)).copy()
    held, first = np.unique(at, return_index=True)
    new[:, held[held >= 0]] = again["ratings"][:, first[held >= 0]]
    return again | {"ratings": new}


def level_answers(case: Case, again: Replicates) -> tuple[np.ndarray, np.ndarray] | None:
    """Return all answers on levels, observed (answer,) and replicated (draw, answer), if any."""
    rows = by_work(checked_works(case)).evidence.arrays["ratings"]
    n = len(case.evidence.labels["rater"])
    seen = rows["value"][:, :n]
    given = (seen != MISSING_LEVEL) & (rows["weight"] > 0)[:, None]
    if not given.any():
        return None
    return seen[given].astype(np.int8), again["ratings"][:, :, :n][:, given].astype(np.int8)


def pairs(case: Case, again: Replicates) -> list[Pair]:
    """Return every test quantity of the evidence, and of evidence replicated."""
    made, out = by_work(checked_works(case)), []
    for like in likelihoods(structure_of(case)):
        rows = made.evidence.arrays[like.table]
        held = rows["weight"] > 0
        if held.any():
            some = {name: x[held] for name, x in rows.items()}
            show = _SHOWN.get(like.name, _each_row)
            out += list(show(made, like.name, rows=some, new=again[like.name][:, held]))
    return out


def check_rows(found: list[Pair], *, prior: list[Pair] | None = None) -> list[dict[str, Any]]:
    """Return the table of tail probabilities, one row per test quantity.

    ``lower``, ``median`` and ``upper`` are the 5, 50 and 95% quantiles of replicates; ``flag`` says
    that the tail probability lies below :data:`FLAGGED`; ``p_prior`` is that of the prior alone.
    """
    rows = []
    for i, pair in enumerate(found):
        p, q = two_sided(pair.observed, pair.replicated), _quantiles(pair.replicated)
        before = None if prior is None else two_sided(prior[i].observed, prior[i].replicated)
        for j, element in enumerate(pair.elements):
            row: dict[str, Any] = {"table": pair.table, "statistic": pair.name, "element": element}
            row |= {"per_row": pair.per_row, "observed": float(pair.observed[j])}
            row |= dict(zip(("lower", "median", "upper"), map(float, q[1:4, j]), strict=True))
            row |= {"p": float(p[j]), "flag": bool(p[j] < FLAGGED)}
            rows.append(row if before is None else row | {"p_prior": float(before[j])})
    return rows


def summary_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return by table: test quantities, how many are flagged, and how many chance would flag."""
    out = []
    for table in dict.fromkeys(row["table"] for row in rows):
        some = [row for row in rows if row["table"] == table and np.isfinite(row["p"])]
        flags = [row for row in some if row["flag"]]
        line: dict[str, Any] = {"table": table, "quantities": len(some), "flagged": len(flags)}
        line |= {"by_chance": round(FLAGGED * len(some), 1)}
        if some and "p_prior" in some[0]:
            line |= {"flagged_prior": sum(row["p_prior"] < FLAGGED for row in some)}
        out.append(line)
    return out


def _quantiles(x: np.ndarray) -> np.ndarray:
    held = np.isfinite(x).any(axis=0)
    out = np.full((len(TAILS), x.shape[1]), np.nan)
    out[:, held] = np.nanquantile(x[:, held], TAILS, axis=0)
    return out


def _ratings(case: Case, name: str, *, rows: Any, new: np.ndarray) -> Iterator[Pair]:
    cells = case.evidence.arrays["cells"]
    at, labels = rows["cell"], case.evidence.labels
    agenda, year, known = (cells[key][at] for key in ("agenda", "year", "purposive"))
    design = Design(agenda, year, known, agendas=labels["agenda"], raters=labels["rater"])
    old = rating_statistics(rows["value"][None], design)
    for seen, made in zip(old, rating_statistics(new, design), strict=True):
        yield Pair(TABLES[name], seen.name, seen.elements, seen.values[0], made.values)


def _each_row(case: Case, name: str, *, rows: Any, new: np.ndarray) -> Iterator[Pair]:
    ids = {"worker_figures": "workers", "list_counts": "lists", "fte_figures": "fte"}
    ids |= {"mixed_faults": "studies", "found_faults": "diagnosis"}
    known = case.evidence.ids[ids[name]]
    weights = case.evidence.arrays[ids[name]]["weight"]
    held = tuple(key for key, w in zip(known, weights, strict=True) if w > 0)
    yield Pair(TABLES[name], ROW[name], held, _float(rows["value"]), _float(new), per_row=True)


def _workers(case: Case, name: str, *, rows: Any, new: np.ndarray) -> Iterator[Pair]:
    yield from _each_row(case, name, rows=rows, new=new)
    points = rows["bound"] == 0
    member = (rows["group"][:, None] == np.arange(len(GROUPS))) & points[:, None]
    yield _mean(
        name, "mean figure by group (log people)", elements=GROUPS, member=member, x=rows, new=new
    )


def _found(case: Case, name: str, *, rows: Any, new: np.ndarray) -> Iterator[Pair]:
    yield from _each_row(case, name, rows=rows, new=new)
    code = rows["world"] * len(TASKS) + rows["task"]
    member = code[:, None] == np.arange(len(WORLDS) * len(TASKS))
    labels = tuple(f"{world}, {task}" for world in WORLDS for task in TASKS)
    total = rows["total"] @ member
    held = total > 0
    seen, made = ((x @ member)[..., held] / total[held] for x in (_float(rows["value"]), new))
    names = tuple(label for label, one in zip(labels, held, strict=True) if one)
    yield Pair(TABLES[name], "share of faults found", names, seen, made)


def _lags(case: Case, name: str, *, rows: Any, new: np.ndarray) -> Iterator[Pair]:
    side = rows["side"][:, None] == np.arange(len(SIDES))
    member = side * rows["weight"][:, None]
    yield _mean(
        name, "mean lag of first use (years)", elements=SIDES, member=member, x=rows, new=new
    )
    none = {"value": rows["value"] == 0}
    yield _mean(name, "first uses in year 0", elements=SIDES, member=member, x=none, new=new == 0)


def _mean(
    name: str, label: str, *, elements: tuple[str, ...], member: Any, x: Any, new: Any
) -> Pair:
    """Return weighted means of a table's values in groups of its rows."""
    size = member.sum(axis=0)
    held = size > 0
    seen, made = ((_float(v) @ member)[..., held] / size[held] for v in (x["value"], new))
    names = tuple(one for one, there in zip(elements, held, strict=True) if there)
    return Pair(TABLES[name], label, names, seen, made)


def _float(x: Any) -> np.ndarray:
    return np.asarray(x, dtype=np.float64)


ROW = {
    "worker_figures": "figure (log people; of a bound: whether it holds)",
    "list_counts": "count of works",
    "fte_figures": "figure (log full-time equivalents)",
    "mixed_faults": "faults in bins that mix worlds",
    "found_faults": "faults found",
}
_SHOWN: dict[str, Any] = {
    "ratings": _ratings,
    "worker_figures": _workers,
    "found_faults": _found,
    "use_lags": _lags,
}
