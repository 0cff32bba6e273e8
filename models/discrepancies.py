r"""Test quantities of ratings: what a reader would look at, of observed and of replicated answers.

A posterior (or prior) predictive check compares :math:`T(y)` with :math:`T(y^{rep})`, y^rep drawn
from the model (Gelman, Meng & Stern 1996, Statistica Sinica 6:733). All functions take answers with
dims (replicate, work, 6 x rater), coded as :mod:`models.ratings` reads them; observed answers are
one replicate. The tail probability is two-sided and counts ties half,

.. math:: p = 2 \min(u, 1 - u), \qquad
    u = P(T^{rep} < T) + \tfrac12 P(T^{rep} = T).

Agreement of two raters is Cohen's kappa (1960, Educ. Psychol. Meas. 20:37); of levels with weights
linear in their distance (Cohen 1968, Psychol. Bull. 70:213).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.prior import Array
from models.ratings import MISSING, MISSING_LEVEL
from models.structure import FIRST_YEAR, LEVELS

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
