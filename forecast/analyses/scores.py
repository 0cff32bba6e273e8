r"""Proper scores of forecasts, baselines without the model, and their comparison.

**Predictive chances.** The target of a score is a rating, not the truth behind it. For a work of a
cell (agenda, year, selection, age), rater r of kind q and one draw,

.. math::

    P(y_r = y) &= \sum_k P(k) \sum_{k'} S_q[k, k']\, C_r[k', y] \\
    P(t_r = 1) &= \sum_z P(z)\, [(1 - \rho_{q,z})\, (1 - b_r) + \rho_{q,z}\, a_r] \\
    P(u_r = 1) &= \sum_{k,z} P(k, z) \sum_{s \in \{0, 1\}} P(s \mid k, z)
        \sum_m P(m \mid z)\, [(1 - \rho_{q,s,m})\, (1 - b_r) + \rho_{q,s,m}\, a_r]

with S and C the shared and the own reading of levels (:mod:`models.ratings.formula`), :math:`\rho`
the chance of the shared reading, :math:`a_r, b_r` a rater's sensitivity and specificity, s whether
the work is used, and m the pattern of recorded tracking that the halo depends on. A forecast is the
mean over draws: scores take the logarithm of the mean, never the mean of logarithms. Each work is
forecast by itself, given earlier years only.

**Scores.** The log score is the logarithm of the probability given to what was recorded (higher is
better). The ranked probability score (levels) and the Brier score (yes or no) are distances (lower
is better), from ``scoringrules``. Scores are averaged over a work's raters, who err together.

**Baselines.** ``carry`` repeats the shares of the last year with works, ``pooled`` takes the shares
over all years, and ``ordinal`` regresses on agenda and year. They learn from sampled works alone,
each of weight 1, shared by its raters. Every category gets half a work, which keeps the log score
finite (Krichevsky & Trofimov 1981), with n the works behind the shares :math:`s`:

.. math:: p_k = \frac{n\, s_k + 1/2}{n + K/2}

The baselines of a whole row are the frequencies of distinct rows. One work's weight is spread over
unseen rows, where columns are independent and a rater repeats the one before as often as raters do.

**Comparison.** The gain is the sum over works of the model's log score less the baseline's, with
standard error :math:`\sqrt{n}\, sd` of the works' differences. The skill is one less the ratio of
summed distances, :math:`1 - \sum d_{model} / \sum d_{base}`, with an interval from resampled works.
Both are paired by work, and a work scored from several origins is one cluster.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from forecast.evidence.arrays import answer_codes
from forecast.evidence.load import Tables
from forecast.inference.seeds import stream
from models.components import states
from models.dims import COLUMNS, LEVELS, Structure
from models.ops import NumPy
from models.ratings import formula as ratings
from models.ratings.formula import MISSING, MISSING_LEVEL, NO_ANSWER
from models.terms import terms_from_draws

Row = dict[str, Any]
"""A row of a table, by column; the values are plain and can be written as CSV and JSON."""
MODEL = "model"
PRIOR = "prior"
"""The model without evidence: what its priors, written with hindsight, know by themselves."""
TARGETS = ("level", *COLUMNS)
"""What a rater records of a work."""
JOINT = ("row", "row_with_use")
"""Whole rows: levels and tracking of all raters; the second with their marks of use as well."""
CATEGORIES = {"level": len(LEVELS)} | dict.fromkeys(COLUMNS, 2)
HINDSIGHT = ("capabilities", "alignment", "row_with_use")
"""Targets about use: rated at the close of the evidence, with hindsight, whatever the origin."""
DISTANCES = {"level": "rps", "workers": "crps", "milestones": "crps"} | dict.fromkeys(JOINT, "")
"""Name of a target's distance, where it is not the Brier score."""
BATCH = 50
"""Draws computed together."""
WHOSE = 3
"""Number of answers to 'whose use': own, others, both."""
HALF = 0.5
AGENDA_SD, YEAR_SD = 1.0, 0.3
"""Standard deviations of the ridge on agendas (log-odds) and on the slope (log-odds a year)."""
TINY = 1e-12
PROB, Z = 0.89, 1.5982
"""Probability of an equal-tailed interval, and the standard normal quantile of its upper end."""
RESAMPLES = 1000
COMPARED = ("gain", "gain_se", "gain_lower", "gain_upper", "skill", "skill_lower", "skill_upper")
"""Columns that compare the model with a baseline; empty in the model's own row."""


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

    @classmethod
    def of_tables(cls, tables: Tables, labels: Mapping[str, tuple[str, ...]]) -> "Works":
        """Return every work of the tables, with its answers by the raters of ``labels``."""
        works = tables.works
        return cls(
            tuple(w.work for w in works),
            np.array([labels["agenda"].index(w.agenda) for w in works], dtype=np.int64),
            np.array([w.year for w in works], dtype=np.int64),
            np.array([int(w.selection == "purposive") for w in works], dtype=np.int64),
            answer_codes(tables, labels["rater"]),
        )

    def take(self, mask: np.ndarray) -> "Works":
        """Return the works of a mask."""
        keys = tuple(key for key, chosen in zip(self.keys, mask, strict=True) if chosen)
        arrays = (self.agenda, self.year, self.purposive, self.codes)
        return Works(keys, *(x[mask] for x in arrays))

    def column(self, index: int) -> np.ndarray:
        """Return one of the six columns, dims (work, rater): categories from 0, -1 if missing."""
        n = self.codes.shape[1] // 6
        codes = self.codes[:, index * n : (index + 1) * n]
        if index >= len(TARGETS):
            return codes - NO_ANSWER - 1
        return np.where(codes == (MISSING if index else MISSING_LEVEL), -1, codes)

    def answers(self, target: str) -> np.ndarray:
        """Return what each rater recorded of a target, dims (work, rater); -1 if missing."""
        return self.column(TARGETS.index(target))

    @property
    def rated(self) -> np.ndarray:
        """Which works have an answer."""
        return np.any([self.answers(target) >= 0 for target in TARGETS], axis=(0, 2))

    @property
    def sampled(self) -> "Works":
        """The works that were not chosen on purpose."""
        return self.take(self.purposive == 0)


@dataclass(frozen=True)
class Rated:
    """Predictive chances of what raters record, each the mean over draws.

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
    n, kinds = len(draws["use_rate"]), structure.kind_of
    total: dict[str, float | np.ndarray] = dict.fromkeys((*TARGETS, *JOINT), 0.0)
    for start in range(0, n, BATCH):
        parts = terms_from_draws({name: x[start : start + BATCH] for name, x in draws.items()})
        cell_states = states.cell_states(NumPy, parts, cells, link=structure.link)
        terms = {name: parts["raters"][name] for name in ratings.TERMS}
        by_draw = marginal_chances(cell_states, terms, kind_of=kinds)
        by_draw |= row_chances(cell_states, terms, cell=cell, codes=codes, kind_of=kinds)
        for name, x in by_draw.items():
            total[name] = total[name] + x.sum(axis=0)
    mean = {name: np.asarray(x) / n for name, x in total.items()}
    binary = {name: np.stack([1.0 - mean[name], mean[name]], axis=-1)[cell] for name in COLUMNS}
    chance = {"level": mean["level"][cell]} | binary
    return Rated(chance, {name: mean[name] for name in JOINT})


def marginal_chances(
    cell_states: Any, terms: Mapping[str, Any], *, kind_of: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Return the chance of each rater's answer by cell, dims (draw, cell, rater[, level]).

    Parameters
    ----------
    cell_states
        From :func:`models.components.states.cell_states`.
    terms
        The raters' terms by name.
    """
    state, unused = cell_states
    by = state.reshape((*state.shape[:-1], len(LEVELS), 2))
    chances = {"level": np.einsum("dck,drky->dcry", by.sum(axis=-1), level_reading(terms, kind_of))}
    recorded = _recorded(_shared_reading(terms, 0), terms, column=0, kind_of=kind_of)
    chances["tracking"] = np.einsum("dcz,drz->dcr", by.sum(axis=-2), recorded)
    for c, side in enumerate(COLUMNS[1:], 1):
        none = unused[2 * c - 2] * unused[2 * c - 1]
        used = np.stack([state * none, state * (1.0 - none)], axis=-1)
        used = used.reshape((*by.shape, 2)).sum(axis=-3)  # (draw, cell, tracking, used)
        reading = use_reading(terms, c, kind_of=kind_of)
        chances[side] = np.einsum("dczs,drzs->dcr", used, reading)
    return chances


def level_reading(terms: Mapping[str, Any], kind_of: tuple[int, ...]) -> Any:
    """Return the chance that a rater records each level of a work at each: (draw, rater, 8, 8)."""
    scale = terms["shared_scale"]
    shared = ratings.level_kernel(NumPy, lean=scale * 0.0, scale=scale, slip=terms["shared_slip"])
    own = ratings.level_kernel(NumPy, lean=terms["lean"], scale=terms["scale"], slip=terms["slip"])
    return shared[:, list(kind_of)] @ own


def _shared_reading(terms: Mapping[str, Any], column: int) -> Any:
    """Return the chance of the shared reading if a thing is absent, present: (draw, kind, 2)."""
    absent = 1.0 - terms["shared_specificity"][..., column]
    return np.stack([absent, terms["shared_sensitivity"][..., column]], axis=-1)


def _recorded(
    reading: Any, terms: Mapping[str, Any], *, column: int, kind_of: tuple[int, ...]
) -> Any:
    """Return the chance that each rater records a thing, from its kind's; (draw, rater, ...)."""
    reading = reading[:, list(kind_of)]
    lead = (*terms["own"].shape, len(kind_of), *[1] * (reading.ndim - 2))
    false = (1.0 - terms["specificity"][..., column]).reshape(lead)
    return (1.0 - reading) * false + reading * terms["sensitivity"][..., column].reshape(lead)


def use_reading(terms: Mapping[str, Any], column: int, *, kind_of: tuple[int, ...]) -> Any:
    """Return the chance that a rater marks a use: dims (draw, rater, tracking, used).

    Summed over what the raters record of tracking, which the halo depends on.
    """
    patterns = np.array(list(product((0, 1), repeat=len(kind_of))))
    reading = _shared_reading(terms, 0)
    shared = [reading[..., z][..., None] for z in (0, 1)]
    raters = (1.0 - terms["specificity"][..., 0], terms["sensitivity"][..., 0])
    chance = ratings.binary_terms(NumPy, shared, raters, answers=patterns, kind_of=kind_of)
    odds = terms["halo"][:, None] * ratings.tracked_share(NumPy, patterns)  # (draw, pattern)
    use = _shared_reading(terms, column)[..., None, :]
    moved = ratings.shift(NumPy, use, odds[:, None, :, None])  # (draw, kind, pattern, used)
    reading = np.einsum("dqms,dmz->dqzs", moved, chance)
    return _recorded(reading, terms, column=column, kind_of=kind_of)


def row_chances(
    cell_states: Any,
    terms: Mapping[str, Any],
    *,
    cell: np.ndarray,
    codes: np.ndarray,
    kind_of: tuple[int, ...],
) -> dict[str, np.ndarray]:
    """Return the chance of each work's whole row, dims (draw, work), by :data:`JOINT`."""
    state, unused = cell_states[0][:, cell], [u[:, cell] for u in cell_states[1]]
    columns = ratings.columns_of(codes, len(kind_of))
    answers = ratings.answer_terms(NumPy, terms, columns, kind_of=kind_of)
    pair = answers["level"][..., :, None] * answers["tracking"][..., None, :]
    with_use = ratings.row_probability(NumPy, state, answers, unused=unused)
    return {"row": (state * pair.reshape(state.shape)).sum(axis=-1), "row_with_use": with_use}


def baseline_chances(
    train: Works, works: Works, *, target: str, n_agendas: int
) -> dict[str, np.ndarray]:
    """Return each baseline's chances of a rating, dims (work, category).

    Parameters
    ----------
    train
        What was knowable; purposive works are left out here.
    works
        To be forecast; their answers are not read.
    target
        A member of :data:`TARGETS`.
    n_agendas
        Number of agendas.
    """
    k, seen = CATEGORIES[target], train.sampled
    answered = seen.answers(target) >= 0
    rows, raters = np.nonzero(answered)
    weight = 1.0 / np.maximum(answered.sum(axis=1), 1)[rows]
    value, year = seen.answers(target)[rows, raters], seen.year[rows]
    last = year == year.max(initial=0)
    chances = {
        "carry": smoothed(shares(value[last], weight[last], k=k), weight[last].sum()),
        "pooled": smoothed(shares(value, weight, k=k), weight.sum()),
    }
    spread = {name: np.tile(p, (len(works), 1)) for name, p in chances.items()}
    if not len(value):
        return spread | {"ordinal": spread["pooled"]}
    fitted = fit_ordinal(value, seen.agenda[rows], year=year, weight=weight, n_agendas=n_agendas)
    p = fitted.chances(works.agenda, works.year, categories=k)
    return spread | {"ordinal": smoothed(p, weight.sum())}


def shares(value: np.ndarray, weight: np.ndarray, *, k: int) -> np.ndarray:
    """Return the weighted share of each of ``k`` categories; uniform where there is no row."""
    if not weight.sum():
        return np.full(k, 1.0 / k)
    return np.bincount(value, weight, minlength=k) / weight.sum()


def smoothed(share: np.ndarray, n: float) -> np.ndarray:
    """Return shares with half a work added to each category."""
    return (n * share + HALF) / (n + HALF * share.shape[-1])


def baseline_rows(train: Works, works: Works) -> dict[str, dict[str, np.ndarray]]:
    """Return each baseline's chance of the rows recorded, dims (work,), by :data:`JOINT`."""
    seen = train.sampled
    methods = {"carry": seen.take(seen.year == seen.year.max(initial=0)), "pooled": seen}
    return {
        kind: {name: _row_frequency(rows, works, width=width) for name, rows in methods.items()}
        for kind, width in zip(JOINT, (2, 6), strict=True)
    }


def _row_frequency(seen: Works, works: Works, *, width: int) -> np.ndarray:
    """Return a work's weight on the base, and the rest on the rows seen (a Dirichlet process)."""
    n = seen.codes.shape[1] // 6 * width
    same = (works.codes[:, None, :n] == seen.codes[None, :, :n]).all(axis=-1).sum(axis=1)
    base = np.ones(len(works))
    for i in range(width):
        k = CATEGORIES[TARGETS[i]] if i < len(TARGETS) else WHOSE
        base = base * _column_chance(seen.column(i), works.column(i), k=k)
    return np.asarray((same + base) / (len(seen) + 1.0))


def _column_chance(seen: np.ndarray, answers: np.ndarray, *, k: int) -> np.ndarray:
    """Return the chance of a column's answers, dims (work,).

    The first rater's answer has its share. Each further rater repeats the one before as often as
    raters do, and otherwise draws from the shares.
    """
    value = seen[seen >= 0]
    p = smoothed(shares(value, np.ones(len(value)), k=k), float((seen >= 0).any(axis=1).sum()))
    both = (seen[:, 1:] >= 0) & (seen[:, :-1] >= 0)
    repeat = ((seen[:, 1:] == seen[:, :-1])[both].sum() + HALF) / (both.sum() + 1.0)
    chance = np.where(answers >= 0, p[np.maximum(answers, 0)], 1.0)
    for r in range(1, answers.shape[1]):
        asked = (answers[:, r] >= 0) & (answers[:, r - 1] >= 0)
        mixed = repeat * (answers[:, r] == answers[:, r - 1]) + (1.0 - repeat) * chance[:, r]
        chance[:, r] = np.where(asked, mixed, chance[:, r])
    return np.asarray(chance.prod(axis=1))


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
        chances = np.zeros((len(eta), categories))
        chances[:, self.seen] = np.diff(np.concatenate(ends, axis=1), axis=1)
        return chances


def fit_ordinal(
    y: ArrayLike,
    agenda: ArrayLike,
    *,
    year: ArrayLike,
    weight: ArrayLike,
    n_agendas: int,
    sd: tuple[float, float] = (AGENDA_SD, YEAR_SD),
) -> Ordinal:
    r"""Fit a proportional-odds regression on agenda and year, with a ridge.

    .. math::

        \mathrm{logit}\, P(Y \le k \mid a, t) = c_k - \alpha_a - \beta\,(t - t_0), \qquad
        c_1 < c_2 < \dots

    maximises the log likelihood less :math:`\tfrac12 \sum_a (\alpha_a / s_a)^2 +
    \tfrac12 (\beta / s_t)^2` (McCullagh 1980; le Cessie & van Houwelingen 1992). With two
    categories it is a logistic regression. Agendas with a handful of works need the ridge, which
    statsmodels' ``OrderedModel`` lacks.

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
    if len(seen) == 1:
        return Ordinal(seen, np.zeros(0), np.zeros(n_agendas), 0.0, centre)
    k = len(seen) - 1
    share = np.cumsum(np.bincount(code, weights=w) + 0.5)
    cuts = special.logit(share[:-1] / share[-1])
    start = np.concatenate([cuts[:1], np.log(np.diff(cuts)), np.zeros(n_agendas + 1)])
    rows = (code, np.asarray(agenda), years - centre, w)
    fitted = optimize.minimize(
        ordinal_loss,
        start,
        args=(rows, k, np.array([*[sd[0] ** -2] * n_agendas, sd[1] ** -2])),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-12, "gtol": 1e-7, "maxiter": 2000},
    )
    beta = fitted.x[k:]
    return Ordinal(seen, _cutpoints(fitted.x[:k]), beta[:-1], float(beta[-1]), centre)


def _cutpoints(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[:1], x[0] + np.cumsum(np.exp(x[1:]))])


def ordinal_loss(
    x: np.ndarray, rows: tuple[np.ndarray, ...], k: int, precision: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the penalised negative log likelihood and its gradient.

    Parameters
    ----------
    x
        First cutpoint, logs of the steps to the next ones, coefficients of agendas and year.
    rows
        Code, agenda, year and weight of each row.
    k, precision
        Number of cutpoints, and precisions of the coefficients.
    """
    code, agenda, years, w = rows
    cuts, beta = _cutpoints(x[:k]), x[k:]
    eta = beta[agenda] + beta[-1] * years
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    high, low = special.expit(ends[code + 1] - eta), special.expit(ends[code] - eta)
    p = np.maximum(high - low, TINY)
    up, down = w * high * (1.0 - high) / p, w * low * (1.0 - low) / p
    by_cut = np.bincount(code + 1, up, minlength=k + 2) - np.bincount(code, down, minlength=k + 2)
    later = np.cumsum(by_cut[-2:0:-1])[::-1]  # the two ends do not move
    by_eta = down - up
    by_beta = np.append(np.bincount(agenda, by_eta, minlength=len(beta) - 1), by_eta @ years)
    gradient = -np.concatenate([later[:1], later[1:] * np.exp(x[1:k]), by_beta])
    gradient[k:] += precision * beta
    return float(0.5 * precision @ beta**2 - w @ np.log(p)), gradient


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
        Levels have the ranked probability score, the others Brier's.
    """
    import scoringrules as sr

    code, given = np.maximum(answers, 0), answers >= 0
    logs = np.log(np.take_along_axis(chance, code[..., None], axis=-1)[..., 0])
    if target == "level":
        distance = sr.rps_score(code + 1, chance)
    else:
        distance = sr.brier_score(code, np.clip(chance[..., 1], 0.0, 1.0))
    n = np.where(given.any(axis=1), given.sum(axis=1), np.nan)
    return (logs * given).sum(axis=1) / n, (np.asarray(distance) * given).sum(axis=1) / n


def score_row(
    target: str,
    method: str,
    item: str,
    *,
    year: int,
    agenda: str = "",
    log_score: float,
    distance: float | None,
) -> Row:
    """Return the row of one method's scores of one item; NaN is no distance."""
    return {
        "target": target,
        "method": method,
        "item": item,
        "year": int(year),
        "agenda": agenda,
        "log_score": float(log_score),
        "distance": None if distance is None or np.isnan(distance) else float(distance),
        "rule": DISTANCES.get(target, "brier"),
        "hindsight": target in HINDSIGHT,
    }


def work_scores(
    forecasts: Mapping[str, Rated], train: Works, *, works: Works, agendas: tuple[str, ...]
) -> Iterator[Row]:
    """Yield the scores of works by target and method.

    Parameters
    ----------
    forecasts
        By the model, and by its priors alone.
    train
        The works that the baselines may learn from.
    works
        What is scored.
    agendas
        Their names, in the order of the indices.
    """
    scores: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    for target in TARGETS:
        answers = works.answers(target)
        by = {name: rated.chance[target] for name, rated in forecasts.items()}
        baselines = baseline_chances(train, works, target=target, n_agendas=len(agendas))
        by |= {n: np.repeat(p[:, None], answers.shape[1], axis=1) for n, p in baselines.items()}
        for method, chance in by.items():
            scores[target, method] = answer_scores(chance, answers, target=target)
    for kind, baselines in baseline_rows(train, works).items():
        by = {name: rated.joint[kind] for name, rated in forecasts.items()} | baselines
        for method, p in by.items():
            scores[kind, method] = np.log(p), np.full(len(works), np.nan)
    for (target, method), (logs, distance) in scores.items():
        for i in np.flatnonzero(np.isfinite(logs)):
            yield score_row(
                target,
                method,
                works.keys[i],
                year=works.year[i],
                agenda=agendas[works.agenda[i]],
                log_score=logs[i],
                distance=distance[i],
            )


def table(rows: Sequence[Row], *, by: Sequence[str], seed: int) -> list[Row]:
    """Return :func:`compared` for each group of rows that share the columns ``by``."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in by)].append(row)
    return [
        dict(zip(by, key, strict=True)) | row
        for key, group in groups.items()
        for row in compared(group, seed=seed)
    ]


def compared(rows: Sequence[Row], *, seed: int) -> list[Row]:
    """Return a row for each method, with the model's gain and skill over each baseline.

    Parameters
    ----------
    rows
        Scores of one target.
    seed
        Of the resampling.
    """
    items: dict[str, dict[str, list[tuple[float, float]]]]
    items = defaultdict(lambda: defaultdict(list))
    for row in rows:
        distance = np.nan if row["distance"] is None else row["distance"]
        items[row["method"]][row["item"]].append((row["log_score"], distance))
    sums = {m: np.array([np.sum(x[key], axis=0) for key in sorted(x)]).T for m, x in items.items()}
    compared_rows = []
    for method, (logs, distances) in sums.items():
        pairs = [pair for scores in items[method].values() for pair in scores]
        known = [distance for _, distance in pairs if not np.isnan(distance)]
        row = {
            "method": method,
            "items": len(logs),
            "scores": len(pairs),
            "log_score": float(logs.sum()),
            "distance": float(np.mean(known)) if known else None,
        } | dict.fromkeys(COMPARED)
        if method != MODEL and MODEL in sums:
            model_logs, model_distances = sums[MODEL]
            row |= gain(model_logs, logs) | skill(model_distances, distances, seed=seed)
        compared_rows.append(row)
    return compared_rows


def gain(model: np.ndarray, base: np.ndarray) -> dict[str, float | None]:
    """Return the summed difference of log scores, its standard error and its 89% interval.

    A single item has no error.
    """
    difference = model - base
    total, n = float(difference.sum()), len(difference)
    if n < 2:
        return {"gain": total, "gain_se": None, "gain_lower": None, "gain_upper": None}
    se = float(np.sqrt(n) * difference.std(ddof=1))
    lower, upper = total - Z * se, total + Z * se
    return {"gain": total, "gain_se": se, "gain_lower": lower, "gain_upper": upper}


def skill(model: np.ndarray, base: np.ndarray, *, seed: int) -> dict[str, float | None]:
    """Return one less the ratio of summed distances, with its 89% interval by resampling."""
    known = ~(np.isnan(model) | np.isnan(base))
    model, base = model[known], base[known]
    if not len(model) or not base.sum():
        return {"skill": None, "skill_lower": None, "skill_upper": None}
    point = float(1.0 - model.sum() / base.sum())
    if len(model) < 2:
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


def covered(u: np.ndarray, p: float) -> np.ndarray:
    """Return which outcomes with PIT (or rank) u lie in their central interval of probability p."""
    return np.abs(u - 0.5) < 0.5 * p
