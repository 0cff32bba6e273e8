r"""Near predictions: what a run says of 2027, with rules by which a stranger can resolve it.

Each is a probability or the 5, 50 and 95% quantiles of what the resolver will see, and none depends
on the question's horizon. Everything a resolver will see is drawn, not its mean: which level and
use each sampled work truly has, how three raters read it, how a published figure errs and a list
scatters, and workers' paths.

- A *sample* has :data:`PER_AGENDA` works of each agenda, as balanced as the evidence. A work's
  state is drawn from P(level, tracking) of its agenda in 2027, its uses are those documented and
  reported by age :data:`AGE`, and answers come from :func:`models.ratings.simulate.row_random`. The
  year effect of recorded uses, unknown for 2027, is drawn from its pool.
- A *figure* of workers is :math:`\exp(\log W + \epsilon\, t_4)`, as in
  :mod:`models.components.workers`; a *list* is negative binomial around its level, as in
  :mod:`models.components.output`.
- A *first work* at level k among those of 2027 has chance
  :math:`P(K^* \ge k)\,P(n_k(2027) \ge 1)`, as in :mod:`models.outcomes.milestones`, with one work
  for three.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np

from forecast.analyses.predictive import kappa
from forecast.analyses.scores import Row
from forecast.inference.case import Case
from forecast.inference.forward import all_draws, future, thinned
from forecast.inference.outcomes import predict
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from models.components import maturity, spillover, workers
from models.dims import LEVELS, SIDES, Structure
from models.ops import NumPy
from models.outcomes.paths import Asked
from models.priors import Array
from models.ratings import formula as ratings
from models.ratings.formula import TERMS
from models.ratings.simulate import row_random

YEAR = 2027
HORIZON = 2028
"""Last year of the paths: fixed, so that the question's horizon changes no near prediction."""
PER_AGENDA = 5
AGE = 1.0
"""Age in years, from mid-2027, at which sampled works are rated (mid-2028)."""


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


QUESTION = Asked(YEAR, HORIZON, 1, "field")
"""What is asked of the forecast: works of that year by its end."""


def near_rows(fit: Fit) -> list[Row]:
    """Return one row per near prediction, ready for a ledger.

    ``kind`` is ``probability`` (then ``probability``) or ``quantiles`` (then ``q05``, ``q50`` and
    ``q95``); a list that this run's evidence does not hold is left out.
    """
    thin, case = thinned(fit, MOST), near_case(fit.case)
    draws, structure = all_draws(thin, case), fit.compiled.structure
    year = predict(draws, future(thin, case), structure=structure, question=QUESTION, kind="near")
    rng = stream(fit.case.seed, "near predictions")
    predictions = near_draws(draws, year, structure=structure, rng=rng)
    rows: list[Row] = []
    for key, (quantity, unit, rule) in RULES.items():
        if key not in predictions:
            continue
        x, event = predictions[key], unit == "probability"
        low, median, high = (None, None, None) if event else map(float, np.nanquantile(x, TAILS))
        rows.append(
            {
                "id": f"near-{key}",
                "quantity": quantity,
                "unit": unit,
                "kind": "probability" if event else "quantiles",
                "probability": float(x.mean()) if event else None,
                "q05": low,
                "q50": median,
                "q95": high,
                "rule": rule.strip(),
                "made_on": MADE,
                "resolves_on": RESOLVES,
            }
        )
    return rows


def near_case(case: Case) -> Case:
    """Return the Case with the horizon of near predictions and no intervention."""
    asked = replace(case.question, horizon=HORIZON, cohort=min(case.question.cohort, HORIZON))
    return replace(case, question=asked, do=())


def near_draws(
    draws: Mapping[str, Array],
    year: Mapping[str, Array],
    *,
    structure: Structure,
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Return every near prediction by draw; of an event, its chance.

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
    first = year["first_works"]  # (draw, step)
    return {
        **read(answers, n=len(structure.raters)),
        **worker_figures(draws, year["log_workers"], rng=rng),
        **list_counts(draws, year["relative"], lists=structure.lists, rng=rng),
        "level-6-work": first[:, 5],
        "level-7-work": first[:, 6],
    }


def sample_answers(
    draws: Mapping[str, Array],
    year: Mapping[str, Array],
    *,
    structure: Structure,
    rng: np.random.Generator,
) -> Array:
    """Return the answers of all raters on a balanced sample; dims (draw, work, 6 x rater)."""
    agendas = len(structure.agendas)

    def by_state(x: Array) -> Array:
        """Return (draw, agenda, tracking, level) as (draw, agenda, state), level-major."""
        return np.ascontiguousarray(x.swapaxes(-1, -2)).reshape((*x.shape[:2], -1))[:, :agendas]

    unused = []
    for side in SIDES:
        m = year[f"{side}_mean"]
        effect = draws[f"{side}_year_sd"] * rng.standard_normal(len(m))
        m = m * np.exp(effect)[:, None, None, None]
        seen = spillover.seen_age(NumPy, AGE, draws["reporting_delay"])
        grown = spillover.reached(NumPy, seen, draws[f"{side}_lag"])
        both = draws[f"{side}_own"], grown
        unused += [by_state(np.exp(-m * x[:, None, None, None])) for x in both]
    raters = ratings.terms(NumPy, draws)
    cell = np.repeat(np.arange(agendas), PER_AGENDA)
    asked = np.ones((len(cell), 6 * len(structure.raters)), dtype=int)
    by_draw = (by_state(year["state"]), *unused, *(raters[name] for name in TERMS))
    answers = [
        row_random(rng, *(x[i] for x in by_draw), cell, asked, kind_of=structure.kind_of)
        for i in range(len(by_draw[0]))
    ]
    return np.stack(answers)


def read(answers: Array, *, n: int) -> dict[str, Array]:
    """Return what n raters say of a sample: shares, agreement, and whether events happened.

    The level of a work is its raters' median (the lower of two middle ones); it tracks or is used
    if most of them say so.
    """
    columns = answers[..., : 4 * n].reshape((*answers.shape[:2], 4, n))
    raters = np.moveaxis(columns[:, :, 0], -1, 0)
    level = np.sort(columns[:, :, 0], axis=-1)[..., (n - 1) // 2]
    track, cap, ali = (2 * columns[:, :, c].sum(axis=-1) > n for c in (1, 2, 3))
    agree = [kappa(a, b, n=len(LEVELS)) for a, b in combinations(raters, 2)]
    return {
        "tracking": track.mean(axis=1),
        "level-0": (level == 0).mean(axis=1),
        "level-4": (level == 4).mean(axis=1),
        "alignment-use": ali.mean(axis=1),
        "capabilities-use": cap.mean(axis=1),
        "no-use": (~cap & ~ali).mean(axis=1),
        "agreement": np.mean(agree, axis=0),
        "level-5-sampled": (level >= 5).any(axis=1).astype(float),
        "more-alignment": (ali.sum(axis=1) > cap.sum(axis=1)).astype(float),
    }


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
    counts, size = {}, draws["list_dispersion"]
    for i, name in enumerate(lists):
        if name != "none":
            rate = rng.gamma(size, draws["list_level"][:, i] * relative / size)
            counts[f"list-{name}"] = rng.poisson(np.minimum(rate, 1e9)).astype(float)
    return counts
