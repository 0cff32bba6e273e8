r"""Predictive checks: do priors, or the fit, produce evidence like the evidence.

Ratings are replicated work by work, not by distinct row, whose works would then all change
together; of many works, those of an evenly spaced sample. Each test quantity gives a row: what was
observed, where replicates lie, and a two-sided tail probability
(:mod:`forecast.analyses.predictive`).
Under a posterior such probabilities lean toward the middle, since the draws have seen the evidence:
a flag is the stronger for it, its absence weaker.

Test quantities of ratings: what a reader would look at, of observed and of replicated answers.

A posterior (or prior) predictive check compares :math:`T(y)` with :math:`T(y^{rep})`, y^rep drawn
from the model (Gelman, Meng & Stern 1996, Statistica Sinica 6:733). All functions take answers with
dims (replicate, work, 6 x rater), coded as :mod:`models.ratings.formula` reads them; observed
answers are one replicate. The tail probability is two-sided and counts ties half,

.. math:: p = 2 \min(u, 1 - u), \qquad
    u = P(T^{rep} < T) + \tfrac12 P(T^{rep} = T).

Agreement of two raters is Cohen's kappa (1960, Educ. Psychol. Meas. 20:37); of levels with weights
linear in their distance (Cohen 1968, Psychol. Bull. 70:213).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from forecast.inference.case import Case, structure_of
from forecast.inference.pointwise import simulated
from forecast.inference.simulate import by_work
from models.dims import FIRST_YEAR, GROUPS, LEVELS, SIDES, TASKS, WORLDS
from models.likelihoods import likelihoods
from models.priors import Array
from models.ratings.formula import MISSING, MISSING_LEVEL

COLUMNS = ("level", "tracking", "capabilities use", "alignment use")
"""What each rater answers of a work, in the order of the codes."""
BANDS = {"0": (0, 0), "1-2": (1, 2), "3": (3, 3), "4-7": (4, 7)}
"""Levels that are counted together where works are few."""
YEARS = {"2013-2018": (2013, 2018), "2019-2021": (2019, 2021)} | {
    str(year): (year, year) for year in range(2022, 2027)
}
"""Years of works that are counted together."""
AGES = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3": (3, 3), "4": (4, 4), "5-7": (5, 7)} | {
    "8+": (8, 99)
}
"""Ages at the close of the evidence, in whole years, that are counted together."""
LAST = 2026


@dataclass(frozen=True)
class Design:
    """Which works were rated: index of the agenda and of the year, and whether a known case."""

    agenda: Array
    year: Array
    purposive: Array
    agendas: tuple[str, ...]
    raters: tuple[str, ...]


@dataclass(frozen=True)
class Statistic:
    """One family of test quantities: ``values`` has dims (replicate, element)."""

    name: str
    elements: tuple[str, ...]
    values: Array


def two_sided(observed: Array, replicated: Array) -> Array:
    """Return the two-sided tail probability of each element; NaN where one is undefined.

    Parameters
    ----------
    observed
        Dims (element,).
    replicated
        Dims (replicate, element); undefined replicates count for nothing.
    """
    known = np.isfinite(replicated)
    n = np.maximum(known.sum(axis=0), 1)
    below = (known & (replicated < observed)).sum(axis=0) / n
    same = (known & (replicated == observed)).sum(axis=0) / n
    u = below + 0.5 * same
    p = 2.0 * np.minimum(u, 1.0 - u)
    return np.where(np.isfinite(observed) & known.any(axis=0), p, np.nan)


def groups(labels: Mapping[str, tuple[int, int]], x: Array) -> tuple[tuple[str, ...], Array]:
    """Return the labels of ranges that hold something, and membership (element of x, range)."""
    member = np.stack([(x >= low) & (x <= high) for low, high in labels.values()], axis=-1)
    held = member.any(axis=0)
    names = tuple(name for name, one in zip(labels, held, strict=True) if one)
    return names, member[:, held].astype(float)


def rating_statistics(answers: Array, design: Design) -> list[Statistic]:
    """Return every test quantity of the ratings."""
    known, x = _answers(answers, len(design.raters))
    agendas = np.unique(design.agenda)
    by_agenda = (
        tuple(design.agendas[i] for i in agendas),
        (design.agenda[:, None] == agendas).astype(float),
    )
    by_year = groups(YEARS, design.year + FIRST_YEAR)
    count, total = known.sum(axis=-1) * 1.0, x.sum(axis=-1) * 1.0
    out = [_levels(known, x)]
    for key, (names, member) in {"agenda": by_agenda, "year": by_year}.items():
        out.append(_bands(count, x=x[:, :, 0], key=key, names=names, member=member))
        rate = _rate(count, total, column=1, member=member)
        out.append(Statistic(f"tracking by {key}", names, rate))
    for column in (2, 3):
        out += _uses(count, total, column=column, design=design)
    out += [_kappas(known, x, raters=design.raters), _patterns(known, x)]
    return [*out, *_raters(known, x, raters=design.raters), _both(known, x)]


def _answers(answers: Array, n: int) -> tuple[Array, Array]:
    """Return which answers were given and their codes; dims (replicate, work, column, rater)."""
    codes = answers[..., : 4 * n].astype(np.int8).reshape((*answers.shape[:2], 4, n))
    missing = np.array([MISSING_LEVEL, MISSING, MISSING, MISSING])[:, None]
    known = codes != missing
    return known, np.where(known, codes, 0).astype(np.int8)


def _rate(count: Array, total: Array, *, column: int, member: Array) -> Array:
    """Return the mean answer of a column in each group of works; dims (replicate, group).

    ``count`` and ``total`` are the answers given and their sum, dims (replicate, work, column).
    """
    return _ratio(total[:, :, column] @ member, count[:, :, column] @ member)


def _ratio(total: Array, count: Array) -> Array:
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _levels(known: Array, x: Array) -> Statistic:
    names = tuple(f"level {k}" for k in LEVELS)
    total = known[:, :, 0].sum(axis=(1, 2))
    at = [(known[:, :, 0] & (x[:, :, 0] == k)).sum(axis=(1, 2)) / total for k in LEVELS]
    return Statistic("share of answers by level", names, np.stack(at, axis=-1))


def _bands(count: Array, *, x: Array, key: str, names: tuple[str, ...], member: Array) -> Statistic:
    """Return the share of answers in each band of levels, by group of works.

    A level that is missing has code 0 in ``x`` and counts for none in ``count``.
    """
    given = count[:, :, 0]
    above = [(x >= low).sum(axis=-1) * 1.0 for low, _ in BANDS.values()][1:]
    edges = [given, *above, 0.0 * given]
    size = given @ member
    parts = [_ratio((a - b) @ member, size) for a, b in pairwise(edges)]
    labels = tuple(f"{name}, level {band}" for band in BANDS for name in names)
    return Statistic(f"levels by {key}", labels, np.concatenate(parts, axis=-1))


def _uses(count: Array, total: Array, *, column: int, design: Design) -> list[Statistic]:
    """Return rates of use by age (sampled works; the exposure) and for known cases."""
    sampled = design.purposive == 0
    names, member = groups(AGES, LAST - FIRST_YEAR - design.year)
    rate = _rate(count, total, column=column, member=member * sampled[:, None])
    kinds = np.stack([sampled, ~sampled], axis=-1).astype(float)
    by_kind = _rate(count, total, column=column, member=kinds)
    what = COLUMNS[column]
    return [
        Statistic(f"{what} by age", tuple(f"age {name}" for name in names), rate),
        Statistic(f"{what} by selection", ("sampled", "known cases"), by_kind),
    ]


def kappa(a: Array, b: Array, *, n: int) -> Array:
    """Return Cohen's kappa of codes 0 to n - 1, dims (replicate, work), linear weights.

    With two codes these are no weights. Works that either left out bear the code n. NaN where no
    disagreement was to be expected.
    """
    both = (a < n) & (b < n)
    distance = np.abs(np.arange(n)[:, None] - np.arange(n))
    size = np.maximum(both.sum(axis=-1), 1)
    seen = (np.abs(a - b) * both).sum(axis=-1) / size
    shares = [
        np.stack([((x == k) & both).sum(axis=-1) / size for k in range(n)], axis=-1) for x in (a, b)
    ]
    chance = np.einsum("si,ij,sj->s", shares[0], distance, shares[1])
    return 1.0 - np.divide(seen, chance, out=np.full(len(seen), np.nan), where=chance > 0)


def _kappas(known: Array, x: Array, *, raters: Sequence[str]) -> Statistic:
    names, values = [], []
    for c, column in enumerate(COLUMNS):
        n = len(LEVELS) if c == 0 else 2
        codes = np.where(known[:, :, c], x[:, :, c], n)
        for i in range(len(raters)):
            for j in range(i + 1, len(raters)):
                names.append(f"{column}, {raters[i]} and {raters[j]}")
                values.append(kappa(codes[..., i], codes[..., j], n=n))
    return Statistic("kappa of two raters", tuple(names), np.stack(values, axis=-1))


def _patterns(known: Array, x: Array) -> Statistic:
    """Return how often one rater gives each joint pattern of the three columns."""
    whole = known[:, :, 1:].all(axis=2)
    code = 4 * x[:, :, 1] + 2 * x[:, :, 2] + x[:, :, 3]
    total = np.maximum(whole.sum(axis=(1, 2)), 1)
    values = [(whole & (code == k)).sum(axis=(1, 2)) / total for k in range(8)]
    return Statistic(
        "joint pattern of one rater's columns",
        tuple(_pattern(k) for k in range(8)),
        np.stack(values, axis=-1),
    )


def _pattern(k: int) -> str:
    names = ("tracking", "capabilities use", "alignment use")
    marked = [name for name, bit in zip(names, (4, 2, 1), strict=True) if k & bit]
    return " and ".join(marked) or "none"


def _raters(known: Array, x: Array, *, raters: Sequence[str]) -> list[Statistic]:
    count = np.maximum(known.sum(axis=1), 1)
    mean = x.sum(axis=1) / count
    return [
        Statistic(f"mean {what} by rater", tuple(raters), mean[:, c])
        for c, what in enumerate(COLUMNS)
    ]


def _both(known: Array, x: Array) -> Statistic:
    """Return works with both uses, or with each, by most of their raters."""
    marked = 2 * x[:, :, 2:].sum(axis=-1) > np.maximum(known[:, :, 2:].sum(axis=-1), 1)
    cap, ali = marked[:, :, 0], marked[:, :, 1]
    level, given = x[:, :, 0], known[:, :, 0]
    high = np.where(given, level, -1).max(axis=-1)
    low = np.where(given, level, len(LEVELS)).min(axis=-1)
    agreed = (high == low) & given.any(axis=-1)
    values = [x.sum(axis=1) for x in (cap & ali, cap & ~ali, ali & ~cap, agreed)]
    names = ("both uses", "capabilities use alone", "alignment use alone", "all give one level")
    return Statistic("works by what most raters say", names, np.stack(values, axis=-1) * 1.0)


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
