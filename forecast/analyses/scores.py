r"""Proper scores of ratings by work, the same for the model and every baseline.

The log score is the logarithm of the probability given to what was recorded (higher is better); the
ranked probability score (levels, over the ladder) and the Brier score (yes or no) are distances
(lower is better), from ``scoringrules``. A work counts once: its raters' scores are averaged, since
raters of one work err together.

The predictive distribution of what raters record of works that no draw has seen.

The target of a score is a rating, not the truth behind it, so each forecast is of the rating with
its error. For a work of a cell (agenda, year, selection, age), rater r of kind q and one draw,

.. math::

    P(y_r = y) &= \sum_k P(k) \sum_{k'} S_q[k, k']\, C_r[k', y] \\
    P(t_r = 1) &= \sum_z P(z)\, [(1 - \rho_{q,z})\, (1 - b_r) + \rho_{q,z}\, a_r] \\
    P(u_r = 1) &= \sum_{k,z} P(k, z) \sum_{s \in \{0, 1\}} P(s \mid k, z)
        \sum_m P(m \mid z)\, [(1 - \rho_{q,s,m})\, (1 - b_r) + \rho_{q,s,m}\, a_r]

with S and C the shared and the own reading of levels (:mod:`models.ratings.formula`), :math:`\rho`
the
chance of the shared reading, :math:`a_r, b_r` a rater's sensitivity and specificity, s whether the
work is used, and m the pattern of recorded tracking on which the halo rests (all raters are taken
to answer). The chance of a whole row is :func:`models.ratings.formula.row_probability`. A forecast
is the
mean of these over draws: scores take the logarithm of the mean, never the mean of logarithms.
Each work is forecast by itself, given earlier years only: works scored together are not
conditioned on each other.

What a forecaster without the model would say of ratings: three simple baselines.

``carry`` carries the shares of the last year with works forward; ``pooled`` takes the shares over
all years; ``ordinal`` regresses on agenda and year (:mod:`forecast.analyses.scores`). All see the
sampled works alone, each of weight 1 shared by its raters. So that the log score stays finite,
every category gets half a work (Krichevsky & Trofimov 1981, the add-one-half of Laplace's rule):

.. math:: p_k = \frac{n\, s_k + 1/2}{n + K/2}

with n the works behind the shares :math:`s`. Of a whole row the baselines are the frequencies of
distinct rows; one work's weight is spread over rows not seen, where a rater repeats the one before
as often as raters do and columns are independent.

Proportional odds with a ridge: a baseline that regresses a rating on agenda and year.

.. math::

    \mathrm{logit}\, P(Y \le k \mid a, t) = c_k - \alpha_a - \beta\,(t - t_0), \qquad
    c_1 < c_2 < \dots

fitted by maximising the log likelihood less :math:`\tfrac12 \sum_a (\alpha_a / s_a)^2 +
\tfrac12 (\beta / s_t)^2` (McCullagh 1980; the ridge of le Cessie & van Houwelingen 1992). With two
categories it is a logistic regression. Our own, since agendas with a handful of works need the
ridge, which statsmodels' ``OrderedModel`` lacks. A test holds it against closed forms.

Scores of many items to a comparison with each baseline, with its uncertainty.

The gain is the sum over works of the model's log score less the baseline's, with a standard error
from the spread of the works' differences, :math:`\sqrt{n}\, sd`. The skill is one less the ratio of
summed distances, :math:`1 - \sum d_{model} / \sum d_{base}`, with an interval from resampling
works. Both are paired by work; a work scored from several origins is one cluster.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from forecast.inference.seeds import stream
from models.components import states
from models.dims import COLUMNS, LEVELS, Structure
from models.ops import NumPy
from models.ratings import formula as ratings
from models.ratings.formula import MISSING, MISSING_LEVEL, NO_ANSWER
from models.terms import terms_from_draws

CHUNK = 50
"""Draws computed together."""
TARGETS = ("level", *COLUMNS)
"""What a rater records of a work."""
JOINT = ("row", "row_with_use")
"""Whole rows: levels and tracking of all raters; and their marks of use, and whose, as well."""


@dataclass(frozen=True)
class Rated:
    """Chances of what raters record, each the mean over draws.

    ``chance`` holds, by target, dims (work, rater, category); ``joint`` the chance of the whole row
    that was recorded, dims (work,), by :data:`JOINT`.
    """

    chance: dict[str, np.ndarray]
    joint: dict[str, np.ndarray]


def rated_chances(
    draws: Mapping[str, np.ndarray],
    structure: Structure,
    *,
    cells: Mapping[str, np.ndarray],
    cell: np.ndarray,
    codes: np.ndarray,
) -> Rated:
    """Return the predictive chances of the ratings of works.

    Parameters
    ----------
    draws
        Posterior draws by variable, each with a leading draw axis.
    structure
        Of the fit.
    cells
        ``agenda``, ``year`` (indices), ``purposive`` and ``age`` (years), dims (cell,).
    cell
        The cell of each work, dims (work,).
    codes
        What was recorded, dims (work, 6 x rater); used for ``joint`` alone.
    """
    n = len(draws["use_rate"])
    total: dict[str, Any] = dict.fromkeys((*TARGETS, *JOINT), 0.0)
    for start in range(0, n, CHUNK):
        some = {name: values[start : start + CHUNK] for name, values in draws.items()}
        parts = terms_from_draws(some)
        found = states.cell_states(NumPy, parts, cells, link=structure.link)
        terms = {name: parts["raters"][name] for name in ratings.TERMS}
        for name, x in chances(found, terms, kind_of=structure.kind_of).items():
            total[name] = total[name] + x.sum(axis=0)
        for name, x in joint(found, terms, at=cell, codes=codes, kind_of=structure.kind_of).items():
            total[name] = total[name] + x.sum(axis=0)
    mean = {name: np.asarray(x) / n for name, x in total.items()}
    binary = {name: np.stack([1.0 - mean[name], mean[name]], axis=-1)[cell] for name in COLUMNS}
    chance = {"level": mean["level"][cell]} | binary
    return Rated(chance, {name: mean[name] for name in JOINT})


def chances(found: Any, terms: Mapping[str, Any], *, kind_of: tuple[int, ...]) -> dict[str, Any]:
    """Return the chance of each rater's answer by cell; dims (draw, cell, rater[, level]).

    ``found`` is what :func:`models.components.states.cell_states` gives, ``terms`` the raters' by
    name.
    """
    state, unused = found
    by = state.reshape((*state.shape[:-1], len(LEVELS), 2))
    out = {"level": np.einsum("dck,drky->dcry", by.sum(axis=-1), level_reading(terms, kind_of))}
    z, read = by.sum(axis=-2), _column(terms, "tracking")
    out["tracking"] = np.einsum("dcz,drz->dcr", z, _recorded(read, terms, c=0, kind_of=kind_of))
    for c, side in enumerate(COLUMNS[1:], 1):
        none = unused[2 * c - 2] * unused[2 * c - 1]
        used = np.stack([state * none, state * (1.0 - none)], axis=-1)
        used = used.reshape((*by.shape, 2)).sum(axis=-3)  # (draw, cell, tracking, used)
        out[side] = np.einsum("dczs,drzs->dcr", used, use_reading(terms, side, kind_of=kind_of))
    return out


def level_reading(terms: Mapping[str, Any], kind_of: tuple[int, ...]) -> Any:
    """Return the chance that a rater records each level of a work at each: (draw, rater, 8, 8)."""
    scale = terms["shared_scale"]
    shared = ratings.level_kernel(NumPy, lean=scale * 0.0, scale=scale, slip=terms["shared_slip"])
    own = ratings.level_kernel(NumPy, lean=terms["lean"], scale=terms["scale"], slip=terms["slip"])
    return shared[:, list(kind_of)] @ own


def _column(terms: Mapping[str, Any], column: str) -> Any:
    """Return the chance of the shared reading given that a thing is absent, present."""
    c = COLUMNS.index(column)
    absent = 1.0 - terms["shared_specificity"][..., c]
    return np.stack([absent, terms["shared_sensitivity"][..., c]], axis=-1)  # (draw, kind, state)


def _recorded(read: Any, terms: Mapping[str, Any], *, c: int, kind_of: tuple[int, ...]) -> Any:
    """Return the chance that each rater records a thing, from its kind's; (draw, rater, ...)."""
    read = read[:, list(kind_of)]
    lead = (*terms["own"].shape, len(kind_of), *[1] * (read.ndim - 2))
    no = (1.0 - terms["specificity"][..., c]).reshape(lead)
    return (1.0 - read) * no + read * terms["sensitivity"][..., c].reshape(lead)


def use_reading(terms: Mapping[str, Any], side: str, *, kind_of: tuple[int, ...]) -> Any:
    """Return the chance that a rater marks a use: dims (draw, rater, tracking, used).

    Summed over what the raters record of tracking, which the halo rests on.
    """
    patterns = np.array(list(product((0, 1), repeat=len(kind_of))))
    read = _column(terms, "tracking")
    shared = [read[..., z][..., None] for z in (0, 1)]
    raters = (1.0 - terms["specificity"][..., 0], terms["sensitivity"][..., 0])
    chance = ratings.binary_terms(NumPy, shared, raters, answers=patterns, kind_of=kind_of)
    odds = terms["halo"][:, None] * ratings.tracked_share(NumPy, patterns)  # (draw, pattern)
    use = _column(terms, side)[..., None, :]
    moved = ratings.shift(NumPy, use, odds[:, None, :, None])  # (draw, kind, pattern, used)
    read = np.einsum("dqms,dmz->dqzs", moved, chance)
    return _recorded(read, terms, c=COLUMNS.index(side), kind_of=kind_of)


def joint(
    found: Any,
    terms: Mapping[str, Any],
    *,
    at: np.ndarray,
    codes: np.ndarray,
    kind_of: tuple[int, ...],
) -> dict[str, Any]:
    """Return the chance of each work's whole row, dims (draw, work), by :data:`JOINT`."""
    state, unused = found
    here, columns = [u[:, at] for u in unused], ratings.columns_of(codes, len(kind_of))
    answers = ratings.answer_terms(NumPy, terms, columns, kind_of=kind_of)
    whole = ratings.row_probability(NumPy, state[:, at], answers, unused=here)
    pair = answers["level"][..., :, None] * answers["tracking"][..., None, :]
    pair = pair.reshape(state[:, at].shape)
    return {"row": (state[:, at] * pair).sum(axis=-1), "row_with_use": whole}


AGENDA_SD = 1.0
"""Standard deviation of the ridge on agendas, in log-odds."""
YEAR_SD = 0.3
"""Standard deviation of the ridge on the slope, in log-odds a year."""
TINY = 1e-12


@dataclass(frozen=True)
class Ordinal:
    """A fitted regression: categories seen, cutpoints between them, coefficients, centre year."""

    seen: np.ndarray
    cuts: np.ndarray
    agenda: np.ndarray
    slope: float
    centre: float

    def chances(self, agenda: np.ndarray, year: np.ndarray, *, categories: int) -> np.ndarray:
        """Return the chance of each category, dims (row, category); 0 of what was never seen."""
        eta = self.agenda[agenda] + self.slope * (year - self.centre)
        below = special.expit(self.cuts[None, :] - eta[:, None])
        ends = [np.zeros((len(eta), 1)), below, np.ones((len(eta), 1))]
        out = np.zeros((len(eta), categories))
        out[:, self.seen] = np.diff(np.concatenate(ends, axis=1), axis=1)
        return out


def fit_ordinal(
    y: ArrayLike,
    agenda: ArrayLike,
    *,
    year: ArrayLike,
    weight: ArrayLike,
    n_agendas: int,
    sd: tuple[float, float] = (AGENDA_SD, YEAR_SD),
) -> Ordinal:
    """Fit the regression.

    Parameters
    ----------
    y
        Category of each row, from 0.
    agenda, year, weight
        Index of the agenda, year and weight of each row.
    n_agendas
        Number of agendas; one without a row has no effect.
    sd
        Standard deviations of the ridge on agendas and on the slope.
    """
    seen, code = np.unique(np.asarray(y), return_inverse=True)
    years, w = np.asarray(year, dtype=float), np.asarray(weight, dtype=float)
    centre = float(np.average(years, weights=w))
    rows = (code, np.asarray(agenda), years - centre, w)
    if len(seen) == 1:
        return Ordinal(seen, np.zeros(0), np.zeros(n_agendas), 0.0, centre)
    k = len(seen) - 1
    share = np.cumsum(np.bincount(code, weights=w) + 0.5)
    cuts = special.logit(share[:-1] / share[-1])
    start = np.concatenate([cuts[:1], np.log(np.diff(cuts)), np.zeros(n_agendas + 1)])
    precision = np.array([*[sd[0] ** -2] * n_agendas, sd[1] ** -2])
    found = optimize.minimize(
        _loss,
        start,
        args=((rows, k, precision),),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-12, "gtol": 1e-7, "maxiter": 2000},
    )
    cuts, beta = _cuts(found.x[:k]), found.x[k:]
    return Ordinal(seen, cuts, beta[:-1], float(beta[-1]), centre)


def _cuts(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[:1], x[0] + np.cumsum(np.exp(x[1:]))])


def _loss(x: np.ndarray, given: Any) -> tuple[float, np.ndarray]:
    """Return the penalised negative log likelihood and its gradient.

    ``given`` are the rows (code, agenda, year, weight), the number of cutpoints, and precisions.
    """
    rows, k, precision = given
    code, agenda, years, w = rows
    cuts, beta = _cuts(x[:k]), x[k:]
    eta = beta[agenda] + beta[-1] * years
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    high, low = special.expit(ends[code + 1] - eta), special.expit(ends[code] - eta)
    p = np.maximum(high - low, TINY)
    up, down = w * high * (1.0 - high) / p, w * low * (1.0 - low) / p
    by_cut = np.bincount(code + 1, up, minlength=k + 2) - np.bincount(code, down, minlength=k + 2)
    by_cut = by_cut[1:-1]  # by the cutpoints; the ends do not move
    steps = np.exp(x[1:k])
    later = np.cumsum(by_cut[::-1])[::-1]
    by_eta = down - up
    by_beta = np.append(np.bincount(agenda, by_eta, minlength=len(beta) - 1), by_eta @ years)
    gradient = -np.concatenate([later[:1], later[1:] * steps, by_beta])
    gradient[k:] += precision * beta
    return float(0.5 * precision @ beta**2 - w @ np.log(p)), gradient


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
        A member of :data:`forecast.analyses.scores.TARGETS`.
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


MODEL = "model"
PRIOR = "prior"
"""The model given no evidence: what its priors, written with hindsight, know by themselves."""
HINDSIGHT = ("capabilities", "alignment", "row_with_use")
"""Targets about use: rated at the close of the evidence, with hindsight, whatever the origin."""
RULE = {"level": "rps", "workers": "crps", "milestones": "crps"}
"""Which distance a target has, where it is not the Brier score; rows have none."""
Row = dict[str, Any]


def distance_name(target: str) -> str:
    """Return the name of a target's distance, or nothing."""
    return "" if target in JOINT else RULE.get(target, "brier")


def answer_scores(
    chance: np.ndarray, answers: np.ndarray, *, target: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log score and the distance of each work, the mean over its raters.

    Parameters
    ----------
    chance
        Dims (work, rater, category).
    answers
        What was recorded, dims (work, rater), -1 where it is missing; NaN for a work of none.
    target
        Levels are scored by the ranked probability score, the others by Brier's.
    """
    import scoringrules as sr

    at, got = np.maximum(answers, 0), answers >= 0
    logs = np.log(np.take_along_axis(chance, at[..., None], axis=-1)[..., 0])
    if target == "level":
        distance = sr.rps_score(at + 1, chance)
    else:
        distance = sr.brier_score(at, np.clip(chance[..., 1], 0.0, 1.0))
    n = np.where(got.any(axis=1), got.sum(axis=1), np.nan)
    return (logs * got).sum(axis=1) / n, (np.asarray(distance) * got).sum(axis=1) / n


def work_scores(
    found: Mapping[str, Rated],
    train: Works,
    *,
    works: Works,
    names: Mapping[str, Any],
    agendas: tuple[str, ...],
) -> list[Row]:
    """Return the scores of works by target and method.

    Parameters
    ----------
    found
        Forecasts of them by the model, and by its priors alone.
    train
        The works that the baselines may learn from.
    works
        What is scored.
    names
        What each row begins with.
    agendas
        Their names, in the order of the indices.
    """
    rows: list[Row] = []
    for target in TARGETS:
        answers = works.answers(target)
        by = forecasts(train, works, target=target, n_agendas=len(agendas))
        spread = {name: np.repeat(p[:, None], answers.shape[1], axis=1) for name, p in by.items()}
        ours = {name: one.chance[target] for name, one in found.items()}
        for method, chance in (ours | spread).items():
            logs, distance = answer_scores(chance, answers, target=target)
            told = dict(names) | {"target": target, "method": method}
            rows += _rows(works, logs, distance=distance, told=told, agendas=agendas)
    for kind, by in row_forecasts(train, works).items():
        for method, p in ({name: one.joint[kind] for name, one in found.items()} | by).items():
            told = dict(names) | {"target": kind, "method": method}
            nothing = np.full(len(works), np.nan)
            rows += _rows(works, np.log(p), distance=nothing, told=told, agendas=agendas)
    return rows


def _rows(
    works: Works,
    logs: np.ndarray,
    *,
    distance: np.ndarray,
    told: Mapping[str, Any],
    agendas: tuple[str, ...],
) -> Iterator[Row]:
    """Yield a row for each work that has a score."""
    for i in np.flatnonzero(np.isfinite(logs)):
        yield {
            **told,
            "item": works.keys[i],
            "year": int(works.year[i]),
            "agenda": agendas[works.agenda[i]],
            "log_score": float(logs[i]),
            "distance": None if np.isnan(distance[i]) else float(distance[i]),
            "rule": distance_name(str(told["target"])),
            "hindsight": told["target"] in HINDSIGHT,
        }


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
