r"""What a forecaster without the model would say of ratings: three simple baselines.

``carry`` carries the shares of the last year with works forward; ``pooled`` takes the shares over
all years; ``ordinal`` regresses on agenda and year (:mod:`forecast.analyses.ordinal`). All see the
sampled works alone, each of weight 1 shared by its raters. So that the log score stays finite,
every category gets half a work (Krichevsky & Trofimov 1981, the add-one-half of Laplace's rule):

.. math:: p_k = \frac{n\, s_k + 1/2}{n + K/2}

with n the works behind the shares :math:`s`. Of a whole row the baselines are the frequencies of
distinct rows; one work's weight is spread over rows not seen, where a rater repeats the one before
as often as raters do and columns are independent.
"""

from dataclasses import dataclass

import numpy as np

from forecast.analyses.ordinal import fit_ordinal
from forecast.analyses.rated import JOINT, TARGETS
from models.ratings import MISSING, MISSING_LEVEL, NO_ANSWER
from models.structure import LEVELS

BASELINES = ("carry", "pooled", "ordinal")
JOINT_BASELINES = ("carry", "pooled")
CATEGORIES = {"level": len(LEVELS), "tracking": 2, "capabilities": 2, "alignment": 2}
HALF = 0.5
WHOSE = 3
"""Answers to 'whose use': own, others, both."""


@dataclass(frozen=True)
class Works:
    """Works by key: index of the agenda, year, whether purposive, and answers (work, 6 x rater)."""

    keys: tuple[str, ...]
    agenda: np.ndarray
    year: np.ndarray
    purposive: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, at: np.ndarray) -> "Works":
        """Return some of the works, by a mask."""
        keys = tuple(key for key, kept in zip(self.keys, at, strict=True) if kept)
        arrays = (self.agenda, self.year, self.purposive, self.codes)
        return Works(keys, *(x[at] for x in arrays))

    def answers(self, target: str) -> np.ndarray:
        """Return what each rater recorded, dims (work, rater); -1 where it is missing."""
        n = self.codes.shape[1] // 6
        i = TARGETS.index(target)
        found = self.codes[:, i * n : (i + 1) * n]
        return np.where(found == (MISSING_LEVEL if target == "level" else MISSING), -1, found)


def forecasts(train: Works, works: Works, *, target: str, n_agendas: int) -> dict[str, np.ndarray]:
    """Return each baseline's chances of a rating, dims (work, category).

    Parameters
    ----------
    train
        What was knowable; purposive works are left out here.
    works
        To be forecast; their answers are not read.
    target
        A member of :data:`forecast.analyses.rated.TARGETS`.
    n_agendas
        Number of agendas.
    """
    k, seen = CATEGORIES[target], train.take(train.purposive == 0)
    y = seen.answers(target)
    rows, raters = np.nonzero(y >= 0)
    weight = 1.0 / np.maximum((y >= 0).sum(axis=1), 1)[rows]
    value, year = y[rows, raters], seen.year[rows]
    last = year == year.max() if len(year) else np.zeros(0, dtype=bool)
    out = {
        "carry": smoothed(shares(value[last], weight[last], k=k), weight[last].sum()),
        "pooled": smoothed(shares(value, weight, k=k), weight.sum()),
    }
    spread = {name: np.tile(p, (len(works), 1)) for name, p in out.items()}
    if not len(value):
        return spread | {"ordinal": spread["pooled"]}
    fitted = fit_ordinal(value, seen.agenda[rows], year=year, weight=weight, n_agendas=n_agendas)
    p = fitted.chances(works.agenda, works.year, categories=k)
    return spread | {"ordinal": smoothed(p, weight.sum())}


def shares(value: np.ndarray, weight: np.ndarray, *, k: int) -> np.ndarray:
    """Return the weighted share of each of ``k`` categories; even where there is no row."""
    if not weight.sum():
        return np.full(k, 1.0 / k)
    return np.bincount(value, weight, minlength=k) / weight.sum()


def smoothed(share: np.ndarray, n: float) -> np.ndarray:
    """Return shares with half a work added to each category."""
    k = share.shape[-1]
    return (n * share + HALF) / (n + HALF * k)


def row_forecasts(train: Works, works: Works) -> dict[str, dict[str, np.ndarray]]:
    """Return each baseline's chance of the rows recorded, dims (work,), by kind of row."""
    seen = train.take(train.purposive == 0)
    last = seen.take(seen.year == seen.year.max()) if len(seen) else seen
    of = {"carry": last, "pooled": seen}
    return {
        kind: {name: _row_chances(rows, works, width=width) for name, rows in of.items()}
        for kind, width in zip(JOINT, (2, 6), strict=True)
    }


def _row_chances(seen: Works, works: Works, *, width: int) -> np.ndarray:
    """Return a work's weight on the base, and the rest on the rows seen (a Dirichlet process)."""
    n = seen.codes.shape[1] // 6 * width
    same = (works.codes[:, None, :n] == seen.codes[None, :, :n]).all(axis=-1).sum(axis=1)
    base = np.ones(len(works))
    for column in range(width):
        base = base * _column_chance(_answers(seen, column), _answers(works, column), column=column)
    return np.asarray((same + base) / (len(seen) + 1.0))


def _answers(works: Works, column: int) -> np.ndarray:
    """Return the answers of one of the six columns, from 0, and -1 where there is none."""
    if column < len(TARGETS):
        return works.answers(TARGETS[column])
    n = works.codes.shape[1] // 6
    return works.codes[:, column * n : (column + 1) * n] - NO_ANSWER - 1


def _column_chance(seen: np.ndarray, got: np.ndarray, *, column: int) -> np.ndarray:
    """Return the chance of a column's answers, dims (work,).

    The first rater's answer has its share; each further rater repeats the one before as often
    as raters do, and else draws from the shares.
    """
    k = CATEGORIES[TARGETS[column]] if column < len(TARGETS) else WHOSE
    value = seen[seen >= 0]
    p = smoothed(shares(value, np.ones(len(value)), k=k), float((seen >= 0).any(axis=1).sum()))
    both = (seen[:, 1:] >= 0) & (seen[:, :-1] >= 0)
    repeat = ((seen[:, 1:] == seen[:, :-1])[both].sum() + HALF) / (both.sum() + 1.0)
    chance = np.where(got >= 0, p[np.maximum(got, 0)], 1.0)
    for r in range(1, got.shape[1]):
        asked = (got[:, r] >= 0) & (got[:, r - 1] >= 0)
        mixed = repeat * (got[:, r] == got[:, r - 1]) + (1.0 - repeat) * chance[:, r]
        chance[:, r] = np.where(asked, mixed, chance[:, r])
    return np.asarray(chance.prod(axis=1))


__all__ = ["BASELINES", "CATEGORIES", "JOINT_BASELINES", "Works", "forecasts", "row_forecasts"]
