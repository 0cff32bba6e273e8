r"""Predictive checks: whether priors, or the fit, produce evidence like the evidence.

A posterior (or prior) predictive check compares test quantities :math:`T(y)` of the evidence with
:math:`T(y^{rep})`, y^rep drawn from the model (Gelman, Meng & Stern 1996, Statistica Sinica 6:733).
Each gives a row: what was observed, where replicates lie, and a two-sided tail probability, which
counts ties half,

.. math:: p = 2 \min(u, 1 - u), \qquad
    u = P(T^{rep} < T) + \tfrac12 P(T^{rep} = T).

Under a posterior such probabilities lean toward the middle, since the draws have seen the evidence:
a flag is the stronger for it, its absence weaker.

Ratings are replicated work by work, not by distinct row, whose works would then all change
together; of many works, those of an evenly spaced sample. Answers have dims (replicate, work,
6 x rater), coded as :mod:`models.ratings.formula` reads them; observed answers are one replicate.
Agreement of two raters is Cohen's kappa (1960, Educ. Psychol. Meas. 20:37); of levels with weights
linear in their distance (Cohen 1968, Psychol. Bull. 70:213).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np

from forecast.analyses.scores import Row
from forecast.inference.case import Case, structure_of
from forecast.inference.pointwise import simulated
from forecast.inference.simulate import by_work
from models.dims import FIRST_YEAR, GROUPS, LAST_YEAR, LEVELS, SIDES, TASKS, WORLDS
from models.likelihoods import Likelihood, likelihoods
from models.ratings.formula import MISSING, MISSING_LEVEL

COLUMNS = ("level", "tracking", "capabilities use", "alignment use")
"""What each rater answers of a work, in the order of the codes."""
BANDS = {"0": (0, 0), "1-2": (1, 2), "3": (3, 3), "4-7": (4, 7)}
"""Levels that are counted together where works are few."""
YEARS = {"2013-2018": (2013, 2018), "2019-2021": (2019, 2021)} | {
    str(year): (year, year) for year in range(2022, 2027)
}
"""Years of works that are counted together."""
AGES = {str(age): (age, age) for age in range(5)} | {"5-7": (5, 7), "8+": (8, 99)}
"""Ages at the close of the evidence, in whole years, that are counted together."""
FLAGGED = 0.01
"""Two-sided tail probability below which a test quantity is flagged: outside the central 99%."""
MOST_WORKS = 10_000
"""Works whose ratings are replicated: more would fill memory and flag what matters to nobody."""
TAILS = (0.05, 0.5, 0.95)
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
PER_ROW = {
    "worker_figures": "figure (log people; of a bound: whether it holds)",
    "list_counts": "count of works",
    "fte_figures": "figure (log full-time equivalents)",
    "mixed_faults": "faults in bins that mix worlds",
    "found_faults": "faults found",
}
"""Test quantity of each row of a table, by observed variable."""
Array = np.ndarray
Replicates = dict[str, Array]
"""Replicated evidence by likelihood, dims (draw, row ...); of ratings a row is a work."""


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


def replicate(
    case: Case, draws: dict[str, np.ndarray], *, stage: str, most: int | None = None
) -> Replicates:
    """Simulate all evidence of a Case, ratings work by work, from at most ``most`` of the draws.

    ``stage`` names the stream of random numbers.
    """
    works = by_work(checked_works(case))
    return simulated(works, draws, structure=structure_of(case), stage=stage, most=most)


def checked_works(case: Case) -> Case:
    """Return the Case with at most :data:`MOST_WORKS` works, evenly spaced, in its map to rows."""
    evidence, n = case.evidence, len(case.evidence.row_of_work)
    if n <= MOST_WORKS:
        return case
    places = np.linspace(0, n - 1, MOST_WORKS).astype(int)
    works = tuple(evidence.works[i] for i in places)
    rows = evidence.row_of_work[places]
    return replace(case, evidence=replace(evidence, works=works, row_of_work=rows))


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
    rows, row_of_work = case.evidence.arrays["ratings"], case.evidence.row_of_work
    if len(row_of_work) > MOST_WORKS:
        return {name: x for name, x in again.items() if name != "ratings"}
    ratings = np.broadcast_to(rows["value"], (len(again["ratings"]), *rows["value"].shape)).copy()
    distinct, first = np.unique(row_of_work, return_index=True)
    rated = distinct >= 0
    ratings[:, distinct[rated]] = again["ratings"][:, first[rated]]
    return again | {"ratings": ratings}


def level_answers(case: Case, again: Replicates) -> tuple[np.ndarray, np.ndarray] | None:
    """Return all answers on levels, observed (answer,) and replicated (draw, answer), if any."""
    rows = by_work(checked_works(case)).evidence.arrays["ratings"]
    n = len(case.evidence.labels["rater"])
    observed = rows["value"][:, :n]
    given = (observed != MISSING_LEVEL) & (rows["weight"] > 0)[:, None]
    if not given.any():
        return None
    return observed[given].astype(np.int8), again["ratings"][:, :, :n][:, given].astype(np.int8)


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


def check_rows(pairs: Sequence[Pair], *, prior: Sequence[Pair] | None = None) -> list[Row]:
    """Return the table of tail probabilities, one row per test quantity.

    ``lower``, ``median`` and ``upper`` are the 5, 50 and 95% quantiles of replicates; ``flag`` says
    that the tail probability lies below :data:`FLAGGED`; ``p_prior`` is that of the prior alone.
    """
    rows = []
    for i, pair in enumerate(pairs):
        p, known = two_sided(pair.observed, pair.replicated), np.isfinite(pair.replicated).any(0)
        quantiles = np.full((len(TAILS), len(known)), np.nan)
        quantiles[:, known] = np.nanquantile(pair.replicated[:, known], TAILS, axis=0)
        before = None if prior is None else two_sided(prior[i].observed, prior[i].replicated)
        for j, element in enumerate(pair.elements):
            row = {
                "table": pair.table,
                "statistic": pair.name,
                "element": element,
                "per_row": pair.per_row,
                "observed": float(pair.observed[j]),
                **dict(zip(("lower", "median", "upper"), quantiles[:, j].tolist(), strict=True)),
                "p": float(p[j]),
                "flag": bool(p[j] < FLAGGED),
            }
            rows.append(row if before is None else row | {"p_prior": float(before[j])})
    return rows


def summary_rows(rows: Sequence[Row]) -> list[Row]:
    """Return by table: test quantities, how many are flagged, and how many chance would flag."""
    summary = []
    for table in dict.fromkeys(row["table"] for row in rows):
        known = [row for row in rows if row["table"] == table and np.isfinite(row["p"])]
        line = {
            "table": table,
            "quantities": len(known),
            "flagged": sum(row["flag"] for row in known),
            "by_chance": round(FLAGGED * len(known), 1),
        }
        if known and "p_prior" in known[0]:
            line["flagged_prior"] = sum(row["p_prior"] < FLAGGED for row in known)
        summary.append(line)
    return summary


def pairs(case: Case, again: Replicates) -> list[Pair]:
    """Return every test quantity of the evidence, and of evidence replicated."""
    works = by_work(checked_works(case))
    every: list[Pair] = []
    for like in likelihoods(structure_of(case)):
        rows = works.evidence.arrays[like.table]
        mask = rows["weight"] > 0
        if mask.any():
            given = {name: x[mask] for name, x in rows.items()}
            every += _table_pairs(works, like, rows=given, replicated=again[like.name][:, mask])
    return every


def _table_pairs(
    case: Case, like: Likelihood, *, rows: Mapping[str, np.ndarray], replicated: np.ndarray
) -> Iterator[Pair]:
    """Yield the test quantities of one table."""
    table, evidence = TABLES[like.name], case.evidence
    if like.name == "ratings":
        keys, labels = ("agenda", "year", "purposive"), evidence.labels
        cells = {key: evidence.arrays["cells"][key][rows["cell"]] for key in keys}
        design = Design(**cells, agendas=labels["agenda"], raters=labels["rater"])
        observed = rating_statistics(rows["value"][None], design)
        for one, many in zip(observed, rating_statistics(replicated, design), strict=True):
            yield Pair(table, one.name, one.elements, one.values[0], many.values)
        return
    value, new = (np.asarray(x, dtype=np.float64) for x in (rows["value"], replicated))

    def means(name: str, elements: Sequence[str], member: Array, weight: Array, *x: Array) -> Pair:
        """Return sums of values over sums of weights, in the groups of rows that have any."""
        size = weight @ member
        held = size > 0
        names = tuple(one for one, there in zip(elements, held, strict=True) if there)
        observed, replicated = ((v @ member)[..., held] / size[held] for v in x)
        return Pair(table, name, names, observed, replicated)

    if like.name in PER_ROW:
        weights = evidence.arrays[like.table]["weight"]
        ids = tuple(i for i, w in zip(evidence.ids[like.table], weights, strict=True) if w > 0)
        yield Pair(table, PER_ROW[like.name], ids, value, new, per_row=True)
    if like.name == "worker_figures":
        points = (rows["bound"] == 0)[:, None]
        member = 1.0 * ((rows["group"][:, None] == np.arange(len(GROUPS))) & points)
        name = "mean figure by group (log people)"
        yield means(name, GROUPS, member, np.ones(len(value)), value, new)
    elif like.name == "found_faults":
        code = rows["world"] * len(TASKS) + rows["task"]
        member = 1.0 * (code[:, None] == np.arange(len(WORLDS) * len(TASKS)))
        names = tuple(f"{world}, {task}" for world in WORLDS for task in TASKS)
        yield means("share of faults found", names, member, rows["total"], value, new)
    elif like.name == "use_lags":
        member = (rows["side"][:, None] == np.arange(len(SIDES))) * rows["weight"][:, None]
        ones = np.ones(len(value))
        yield means("mean lag of first use (years)", SIDES, member, ones, value, new)
        zero, new_zero = 1.0 * (value == 0), 1.0 * (new == 0)
        yield means("first uses in year 0", SIDES, member, ones, zero, new_zero)


def groups(labels: Mapping[str, tuple[int, int]], x: Array) -> tuple[tuple[str, ...], Array]:
    """Return the labels of ranges that hold something, and membership (element of x, range)."""
    member = np.stack([(x >= low) & (x <= high) for low, high in labels.values()], axis=-1)
    held = member.any(axis=0)
    names = tuple(name for name, one in zip(labels, held, strict=True) if one)
    return names, member[:, held].astype(float)


def rating_statistics(answers: Array, design: Design) -> list[Statistic]:
    """Return every test quantity of the ratings; ``answers`` has dims (replicate, work, code)."""
    n = len(design.raters)
    codes = answers[..., : 4 * n].astype(np.int8).reshape((*answers.shape[:2], 4, n))
    known = codes != np.array([MISSING_LEVEL, MISSING, MISSING, MISSING])[:, None]
    x = np.where(known, codes, 0).astype(np.int8)  # (replicate, work, column, rater)
    count, total = known.sum(axis=-1) * 1.0, x.sum(axis=-1) * 1.0

    def rate(column: int, member: Array) -> Array:
        """Return the mean answer of a column in each group of works."""
        return _ratio(total[:, :, column] @ member, count[:, :, column] @ member)

    agendas = np.unique(design.agenda)
    by_agenda = tuple(design.agendas[i] for i in agendas), 1.0 * (design.agenda[:, None] == agendas)
    statistics = [_levels(known, x)]
    for key, (names, member) in {
        "agenda": by_agenda,
        "year": groups(YEARS, design.year + FIRST_YEAR),
    }.items():
        statistics.append(_bands(count, x[:, :, 0], key=key, names=names, member=member))
        statistics.append(Statistic(f"tracking by {key}", names, rate(1, member)))
    sampled = design.purposive == 0
    ages, by_age = groups(AGES, LAST_YEAR - FIRST_YEAR - design.year)
    labels, kinds = tuple(f"age {age}" for age in ages), 1.0 * np.stack([sampled, ~sampled], -1)
    for column in (2, 3):  # by age only sampled works, whose exposure it is
        use = COLUMNS[column]
        use_by_age = rate(column, by_age * sampled[:, None])
        statistics.append(Statistic(f"{use} by age", labels, use_by_age))
        by_kind = rate(column, kinds)
        statistics.append(Statistic(f"{use} by selection", ("sampled", "known cases"), by_kind))
    statistics += [_kappas(known, x, raters=design.raters), _patterns(known, x)]
    mean = x.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    for c, column_name in enumerate(COLUMNS):
        statistics.append(Statistic(f"mean {column_name} by rater", design.raters, mean[:, c]))
    return [*statistics, _majorities(known, x)]


def _ratio(total: Array, count: Array) -> Array:
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _levels(known: Array, x: Array) -> Statistic:
    names = tuple(f"level {k}" for k in LEVELS)
    total = known[:, :, 0].sum(axis=(1, 2))
    shares = [(known[:, :, 0] & (x[:, :, 0] == k)).sum(axis=(1, 2)) / total for k in LEVELS]
    return Statistic("share of answers by level", names, np.stack(shares, axis=-1))


def _bands(
    count: Array, level: Array, *, key: str, names: tuple[str, ...], member: Array
) -> Statistic:
    """Return the share of answers in each band of levels, by group of works.

    A level that is missing has code 0 in ``level`` and counts for none in ``count``.
    """
    given = count[:, :, 0]
    above = [(level >= low).sum(axis=-1) * 1.0 for low, _ in BANDS.values()][1:]
    edges = [given, *above, 0.0 * given]
    size = given @ member
    parts = [_ratio((a - b) @ member, size) for a, b in pairwise(edges)]
    labels = tuple(f"{name}, level {band}" for band in BANDS for name in names)
    return Statistic(f"levels by {key}", labels, np.concatenate(parts, axis=-1))


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
    return 1.0 - _ratio(seen, chance)


def _kappas(known: Array, x: Array, *, raters: Sequence[str]) -> Statistic:
    names, values = [], []
    for c, column in enumerate(COLUMNS):
        n = len(LEVELS) if c == 0 else 2
        codes = np.where(known[:, :, c], x[:, :, c], n)
        for i, j in combinations(range(len(raters)), 2):
            names.append(f"{column}, {raters[i]} and {raters[j]}")
            values.append(kappa(codes[..., i], codes[..., j], n=n))
    return Statistic("kappa of two raters", tuple(names), np.stack(values, axis=-1))


def _patterns(known: Array, x: Array) -> Statistic:
    """Return how often one rater gives each joint pattern of the three columns."""
    complete = known[:, :, 1:].all(axis=2)
    code = 4 * x[:, :, 1] + 2 * x[:, :, 2] + x[:, :, 3]
    total = np.maximum(complete.sum(axis=(1, 2)), 1)
    names, values = [], []
    for k in range(8):
        marked = [name for name, bit in zip(COLUMNS[1:], (4, 2, 1), strict=True) if k & bit]
        names.append(" and ".join(marked) or "none")
        values.append((complete & (code == k)).sum(axis=(1, 2)) / total)
    return Statistic(
        "joint pattern of one rater's columns", tuple(names), np.stack(values, axis=-1)
    )


def _majorities(known: Array, x: Array) -> Statistic:
    """Return works with both uses, or with each, by most of their raters; and of one level."""
    marked = 2 * x[:, :, 2:].sum(axis=-1) > np.maximum(known[:, :, 2:].sum(axis=-1), 1)
    cap, ali = marked[:, :, 0], marked[:, :, 1]
    level, given = x[:, :, 0], known[:, :, 0]
    high = np.where(given, level, -1).max(axis=-1)
    low = np.where(given, level, len(LEVELS)).min(axis=-1)
    agreed = (high == low) & given.any(axis=-1)
    values = [works.sum(axis=1) for works in (cap & ali, cap & ~ali, ali & ~cap, agreed)]
    names = ("both uses", "capabilities use alone", "alignment use alone", "all give one level")
    return Statistic("works by what most raters say", names, np.stack(values, axis=-1) * 1.0)
