r"""Near predictions: what this run says of 2027, with rules by which a stranger can resolve it.

Each is a probability or the 5, 50 and 95% quantiles of what the resolver will see, sampling and
rating error included (:mod:`forecast.analyses.near`). Nothing here depends on the question's
horizon.

Near predictions: what the model says of works, figures and lists of 2027, as they will be read.

Everything a resolver will see is drawn, not its mean: which level and use each sampled work truly
has, how three raters read it, how a published figure errs and a list scatters, and workers' paths.

- A *sample* has :data:`PER_AGENDA` works of each agenda, as balanced as the evidence. A work's
  state is drawn from P(level, tracking) of its agenda in 2027, its uses are those documented and
  reported by age :data:`AGE`, and answers come from :func:`models.ratings.simulate.row_random`. The
  year effect of recorded uses, unknown for 2027, is drawn from its pool.
- A *figure* of workers is :math:`\exp(\log W + \epsilon\, t_4)`, as in
:mod:`models.components.workers`; a
  *list* is negative binomial around its level, as in :mod:`models.components.output`.
- A *first work* at level k among those of 2027 has chance
  :math:`P(K^* \ge k)\,P(n_k(2027) \ge 1)`, as in
  :mod:`models.outcomes.milestones`, with one work for three.

The model's dates and chances beside what is known: milestones reached, forecasts by others.

The *backcast* is of the first work at each level or above in the field, by year, as the posterior
has it. It is not held out: the fit has read the ratings of the works that reached these milestones,
though neither milestones.csv nor which work was first. A level's first milestone is the earliest
year in which milestones.csv has one reached. (`forecast backtest` holds years out.)

A *forecast by others* stands beside the model's chance that its level is established by its year.
A stricter event implies the level, so what others say is a lower bound of the level's chance; of a
proxy the two may be compared; another event is listed and not compared. Rows of one cluster count
once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.analyses.predictive import kappa
from forecast.evidence.load import Tables
from forecast.inference.case import Case
from forecast.inference.evaluate import forward
from forecast.inference.forward import all_draws, future, taken
from forecast.inference.outcomes import predict
from forecast.inference.reweighting import reached
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from models.components import maturity, spillover, workers
from models.dims import FIRST_YEAR, LAST_YEAR, LEVELS, SIDES, Structure
from models.ops import NumPy
from models.outcomes.experts import Expert
from models.outcomes.paths import Asked, forecast_years
from models.priors import Array
from models.ratings import formula as ratings
from models.ratings.formula import TERMS
from models.ratings.simulate import row_random
from reports.words import LOWER, UPPER

YEAR = 2027
HORIZON = 2028
"""Last year of the paths: fixed, so that the question's horizon changes no near prediction."""
PER_AGENDA = 5
AGE = 1.0
"""Age in years, from mid-2027, at which sampled works are rated (mid-2028)."""


@dataclass(frozen=True)
class Near:
    """Draws by id: ``values`` of quantities, and ``chances`` of events (their mean is told)."""

    values: dict[str, Array]
    chances: dict[str, Array]


def near_draws(
    draws: Mapping[str, Array],
    year: Mapping[str, Array],
    *,
    structure: Structure,
    rng: np.random.Generator,
) -> Near:
    """Return every near prediction by draw.

    Parameters
    ----------
    draws
        Of every variable, forecast-only ones too, draw axis first.
    year
        What the graph ``near`` says of :data:`YEAR` (:mod:`models.outcomes.graphs`), by draw.
    structure
        Agendas, raters, lists, link.
    rng
        Of the sample, its reading, figures and lists.
    """
    answers = sample_answers(draws, year, structure=structure, rng=rng)
    shares, chances = read(answers, n=len(structure.raters))
    figures = worker_figures(draws, year["log_workers"], rng=rng)
    lists = list_counts(draws, year["relative"], lists=structure.lists, rng=rng)
    return Near(shares | figures | lists, chances | first_works(year["first_works"]))


def sample_answers(
    draws: Mapping[str, Array],
    year: Mapping[str, Array],
    *,
    structure: Structure,
    rng: np.random.Generator,
) -> Array:
    """Return the answers of all raters on a balanced sample; dims (draw, work, 6 x rater)."""
    agendas = len(structure.agendas)
    state, unused = _by_state(year["state"]), []
    for side in SIDES:
        m = year[f"{side}_mean"]
        effect = draws[f"{side}_year_sd"] * rng.standard_normal(len(m))
        m = m * np.exp(effect)[:, None, None, None]
        seen = spillover.seen_age(NumPy, AGE, draws["reporting_delay"])
        grown = spillover.reached(NumPy, seen, draws[f"{side}_lag"])
        own = draws[f"{side}_own"]
        unused += [_by_state(np.exp(-m * x[:, None, None, None])) for x in (own, grown)]
    raters = ratings.terms(NumPy, draws)
    cell = np.repeat(np.arange(agendas), PER_AGENDA)
    asked = np.ones((len(cell), 6 * len(structure.raters)), dtype=int)
    out = []
    for i in range(len(state)):
        terms = [raters[name][i] for name in TERMS]
        parts = [x[i, :agendas] for x in unused]
        answers = row_random(
            rng, state[i, :agendas], *parts, *terms, cell, asked, kind_of=structure.kind_of
        )
        out.append(answers)
    return np.stack(out)


def _by_state(x: Array) -> Array:
    """Return (draw, agenda, tracking, level) as (draw, agenda, state), level-major."""
    return np.ascontiguousarray(x.swapaxes(-1, -2)).reshape((*x.shape[:2], -1))


def read(answers: Array, *, n: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return what n raters say of a sample: shares and agreement, and chances of events.

    The level of a work is its raters' median (the lower of two middle ones); it tracks or is used
    if most of them say so.
    """
    columns = answers[..., : 4 * n].reshape((*answers.shape[:2], 4, n))
    level = np.sort(columns[:, :, 0], axis=-1)[..., (n - 1) // 2]
    track, cap, ali = (2 * columns[:, :, c].sum(axis=-1) > n for c in (1, 2, 3))
    couples = [(i, j) for i in range(n) for j in range(i + 1, n)]
    agree = [kappa(columns[:, :, 0, i], columns[:, :, 0, j], n=len(LEVELS)) for i, j in couples]
    values: dict[str, Array] = {
        "tracking": track.mean(axis=1),
        "level-0": (level == 0).mean(axis=1),
        "level-4": (level == 4).mean(axis=1),
        "alignment-use": ali.mean(axis=1),
        "capabilities-use": cap.mean(axis=1),
        "no-use": (~cap & ~ali).mean(axis=1),
        "agreement": np.mean(agree, axis=0),
    }
    more = ali.sum(axis=1) > cap.sum(axis=1)
    chances: dict[str, Array] = {
        "level-5-sampled": (level >= 5).any(axis=1).astype(np.float64),
        "more-alignment": more.astype(np.float64),
    }
    return values, chances


def worker_figures(
    draws: Mapping[str, Array], log_workers: Array, *, rng: np.random.Generator
) -> dict[str, Array]:
    """Return figures of workers as they would be published, in reference definitions.

    ``log_workers`` are those of the year, dims (draw, group).
    """
    error = draws["worker_error"][:, None] * rng.standard_t(workers.DEGREES, size=log_workers.shape)
    figure = np.exp(log_workers + error)
    return {
        "alignment-workers": figure[:, 0],
        "interpretability-workers": figure[:, maturity.INTERPRETABILITY],
        "worker-ratio": figure[:, spillover.CAPABILITIES] / figure[:, 0],
    }


def list_counts(
    draws: Mapping[str, Array],
    relative: Array,
    *,
    lists: tuple[str, ...],
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Return the number of works of the year on each hand-made list that has counts.

    ``relative`` are works of the year for each work of 2025, dims (draw,).
    """
    out, size = {}, draws["list_dispersion"]
    for i, name in enumerate(lists):
        if name != "none":
            rate = rng.gamma(size, draws["list_level"][:, i] * relative / size)
            out[f"list-{name}"] = rng.poisson(np.minimum(rate, 1e9)).astype(float)
    return out


def first_works(chance: Array) -> dict[str, Array]:
    """Return the chance that the field's works of the year hold one at level 6, or 7, or above.

    ``chance`` has dims (draw, step).
    """
    return {"level-6-work": chance[:, 5], "level-7-work": chance[:, 6]}


MADE = "2026-11-22"
"""The close of the evidence: the date from which these count."""
MOST = 500
"""Draws used: the standard error of a quantile's probability is then below 0.023."""
TAILS = (0.05, 0.5, 0.95)
SAMPLE = (
    "Sample: on 2028-01-15, for each agenda of agendas.csv, list its works dated 2027 that fit the "
    f"agenda's description (arXiv and the venues of works.csv), order them by the SHA-256 of their "
    f"arXiv or DOI identifier, and take the first {PER_AGENDA}; all, if there are fewer. "
    "Rating: from 2028-05-01 to 2028-06-30 three language models, each alone and in an order of "
    "its own, read title and a gist of at most 30 words and answer level, tracks, cap_use and "
    "ali_use by RUBRIC.md as shipped with this run, uses known by the day of rating. "
)
MAJORITY = "A work counts if at least two of the three say so. "
MEDIAN = "A work's level is the median of the three. "
WORKS = (
    "Works: any public work dated 2027 may be named until 2028-05-31; each is rated as the sample "
    "is, but from its full text. Yes if the median level of one is at least {level}. Not modelled: "
    "a work that raters overrate, or that nobody names. "
)
# id: (quantity, unit, rule, resolves on)
RULES: dict[str, tuple[str, str, str]] = {
    "tracking": ("works of 2027 that track some milestone", "share", SAMPLE + MAJORITY),
    "level-0": ("works of 2027 at level 0", "share", SAMPLE + MEDIAN),
    "level-4": ("works of 2027 at level 4", "share", SAMPLE + MEDIAN),
    "capabilities-use": (
        "works of 2027 with a capabilities use by mid-2028",
        "share",
        SAMPLE + MAJORITY,
    ),
    "alignment-use": (
        "works of 2027 with an alignment use by mid-2028",
        "share",
        SAMPLE + MAJORITY,
    ),
    "no-use": ("works of 2027 with neither use by mid-2028", "share", SAMPLE + MAJORITY),
    "agreement": (
        "agreement of raters on the level of works of 2027",
        "kappa",
        SAMPLE + "Mean over the three pairs of Cohen's kappa with linear weights. ",
    ),
    "level-5-sampled": (
        "a sampled work of 2027 at level 5 or above",
        "probability",
        SAMPLE + MEDIAN + "Yes if any has level 5 or above. ",
    ),
    "more-alignment": (
        "more sampled works of 2027 with an alignment use than with a capabilities use",
        "probability",
        SAMPLE + MAJORITY + "Yes if the first number is strictly larger. ",
    ),
    "alignment-workers": (
        "alignment workers in 2027",
        "people",
        "The first published estimate for 2027 of technical AI safety staff in full-time "
        "equivalents (definition technical-fte of workers.csv: McAleese's series or its "
        "successor), central figure, published by 2028-06-30; void if there is none. ",
    ),
    "interpretability-workers": (
        "mechanistic-interpretability workers in 2027",
        "people",
        "The first published estimate for 2027 of people who work full-time on mechanistic "
        "interpretability in the narrow sense (definition mech-interp of workers.csv), central "
        "figure, published by 2028-06-30; void if there is none. ",
    ),
    "worker-ratio": (
        "capabilities to alignment workers in 2027",
        "ratio",
        "Distinct authors of the papers of 2027 at the 21 conferences of definition author-pool of "
        "workers.csv, over the figure of near-alignment-workers; void without it. ",
    ),
    "list-white-box-outputs": (
        "white-box outputs of 2027 listed by the yearly review of AI safety",
        "works",
        "Distinct links under interpretability (white-box) in the edition of the review "
        "(shallow-review of sources.csv) that covers December 2026 to November 2027; void if there "
        "is no edition by 2028-06-30. ",
    ),
    "level-6-work": (
        "a work of 2027 at level 6 or above",
        "probability",
        WORKS.format(level=6),
    ),
    "level-7-work": ("a work of 2027 at level 7", "probability", WORKS.format(level=7)),
}
"""Quantity, unit and resolution rule of each near prediction, by id."""
RESOLVES = "2028-06-30"


def near_rows(fit: Fit) -> list[dict[str, Any]]:
    """Return one row per near prediction, ready for a ledger.

    ``kind`` is ``probability`` (then ``probability``) or ``quantiles`` (then ``q05``, ``q50`` and
    ``q95``); a list that this run's evidence does not hold is left out.
    """
    at = np.linspace(0, fit.n - 1, min(fit.n, MOST)).astype(int)
    thin, case = taken(fit, at), near_case(fit.case)
    draws, structure = all_draws(thin, case), fit.compiled.structure
    question = Asked(YEAR, HORIZON, 1, "field")
    year = predict(draws, future(thin, case), structure=structure, question=question, kind="near")
    rng = stream(fit.case.seed, "near predictions")
    found = near_draws(draws, year, structure=structure, rng=rng)
    rows = []
    for key, (quantity, unit, rule) in RULES.items():
        row: dict[str, Any] = {"id": f"near-{key}", "quantity": quantity, "unit": unit}
        if key in found.chances:
            row |= {"kind": "probability", "probability": float(found.chances[key].mean())}
            row |= dict.fromkeys(("q05", "q50", "q95"))
        elif key in found.values:
            low, mid, high = (float(x) for x in np.nanquantile(found.values[key], TAILS))
            row |= {"kind": "quantiles", "probability": None}
            row |= {"q05": low, "q50": mid, "q95": high}
        else:
            continue
        rows.append(row | {"rule": rule.strip(), "made_on": MADE, "resolves_on": RESOLVES})
    return rows


def near_case(case: Case) -> Case:
    """Return the Case with the horizon of near predictions, nothing done."""
    asked = replace(case.question, horizon=HORIZON, cohort=min(case.question.cohort, HORIZON))
    return replace(case, question=asked, do=())


def first_curve(fit: Fit) -> np.ndarray:
    """Return the chance of a first work at each level by year, mean over draws; (level, year)."""
    parts = forward(_thin(fit), replace(fit.case, do=()))
    chance = predict(**parts, names=("first",), kind="levels")["first"].mean(axis=0)
    years = forecast_years(fit.case.question.horizon)
    return np.maximum.accumulate(chance, axis=-1)[:, : len(years)]


def backcast_rows(curve: np.ndarray, tables: Tables) -> list[dict[str, Any]]:
    """Return, by level, the year of its first milestone beside the model's.

    ``lower``, ``median`` and ``upper`` are the years by which the chance of a first work reaches
    5.5, 50 and 94.5%; ``p_by_reached`` is that chance at the end of the milestone's year,
    ``p_before`` a year earlier, and ``p_by_2026`` at the close of the evidence. ``outside`` says
    that the milestone's year lies outside the interval.
    """
    rows = []
    for level, chance in zip(LEVELS, curve, strict=True):
        known = [m for m in tables.milestones if m.level == level and m.reached]
        first = min(known, key=lambda m: m.reached or 0, default=None)
        year = None if first is None else first.reached
        row: dict[str, Any] = {"level": level, "milestone": first.name if first else ""}
        row |= {"reached": year, "open": sum(m.level == level for m in tables.milestones)}
        row["open"] -= len(known)
        ends = [_year(chance, q) for q in (LOWER, 0.5, UPPER)]
        row |= dict(zip(("lower", "median", "upper"), ends, strict=True))
        row |= {"p_before": _by(chance, year, back=1), "p_by_reached": _by(chance, year)}
        row |= {"p_by_2026": _by(chance, LAST_YEAR), "outside": _outside(year, ends)}
        rows.append(row)
    return rows


def _outside(year: int | None, ends: list[int | None]) -> bool | None:
    """Return whether a year lies outside an interval of years; an end not reached is open."""
    if year is None:
        return None
    low, _, high = ends
    return low is None or year < low or (high is not None and year > high)


def _year(chance: np.ndarray, q: float) -> int | None:
    return FIRST_YEAR + int(np.argmax(chance >= q)) if chance[-1] >= q else None


def _by(chance: np.ndarray, year: int | None, *, back: int = 0) -> float | None:
    if year is None:
        return None
    at = year - back - FIRST_YEAR
    return float(chance[min(at, len(chance) - 1)]) if at >= 0 else 0.0


def other_rows(fit: Fit, tables: Tables) -> list[dict[str, Any]]:
    """Return each forecast by others that has a number, beside the model's chance of its level.

    ``mean``, ``lower`` and ``upper`` are of the model's chance that the level is established by the
    year; ``counts`` is the row's part of its cluster among rows that are compared (0 for another
    event); ``verdict`` says how the two stand.
    """
    rows = [r for r in tables.forecasts if r.use in ("compare", "soft") and _numbers(r)]
    rows = [r for r in rows if r.level and r.by_year and r.by_year >= FIRST_YEAR]
    if not rows:
        return []
    asked = tuple(_asked(r) for r in rows)
    thin = _thin(fit)
    chance = reached(thin, replace(fit.case, experts=asked))
    size = Counter(r.cluster for r in rows if r.relation != "other")
    out = []
    for i, r in enumerate(rows):
        low, high = min(_numbers(r)), max(_numbers(r))
        lower, upper = (float(x) for x in np.quantile(chance[:, i], (LOWER, UPPER)))
        row: dict[str, Any] = {"row": r.row, "forecaster": r.forecaster, "quantity": r.quantity}
        row |= {"level": r.level, "by_year": r.by_year, "relation": r.relation, "use": r.use}
        row |= {"cluster": r.cluster, "said_low": low, "said_high": high}
        row |= {"mean": float(chance[:, i].mean()), "lower": lower, "upper": upper}
        row["counts"] = 0.0 if r.relation == "other" else 1.0 / size[r.cluster]
        out.append(row | {"verdict": verdict(r.relation, said=(low, high), ours=(lower, upper))})
    return out


def verdict(relation: str, *, said: tuple[float, float], ours: tuple[float, float]) -> str:
    """Return how a forecast by others stands to the interval of the model's chance."""
    if relation == "other":
        return "another event: not compared"
    if ours[1] < said[0]:
        return "the model is lower, below the bound" if relation == "stricter" else "lower"
    if relation == "stricter":
        return "consistent with the bound"
    return "higher" if ours[0] > said[1] else "overlap"


def cluster_counts(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how many clusters are compared, and how many contradict, each counted once."""
    bad = [row["counts"] for row in rows if row["verdict"].split(",")[0] in CONTRADICTS]
    return {"clusters": sum(row["counts"] for row in rows), "contradict": float(sum(bad))}


CONTRADICTS = ("the model is lower", "lower", "higher")


def _numbers(row: Any) -> list[float]:
    return [x for x in (row.low, row.probability, row.high) if x is not None]


def _asked(row: Any) -> Expert:
    return Expert(row.row, row.level, row.by_year, logit=0.0, scale=1.0, bound=False, weight=0.0)


def _thin(fit: Fit) -> Fit:
    return taken(fit, np.linspace(0, fit.n - 1, min(fit.n, MOST)).astype(int))
