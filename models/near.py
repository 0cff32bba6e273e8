r"""Near predictions: what the model says of works, figures and lists of 2027, as they will be read.

Everything a resolver will see is drawn, not its mean: which level and use each sampled work truly
has, how three raters read it, how a published figure errs and a list scatters, and workers' paths.

- A *sample* has :data:`PER_AGENDA` works of each agenda, as balanced as the evidence. A work's
  state is drawn from P(level, tracking) of its agenda in 2027, its uses are those documented and
  reported by age :data:`AGE`, and answers come from :func:`models.ratings_random.row_random`. The
  year effect of recorded uses, unknown for 2027, is drawn from its pool.
- A *figure* of workers is :math:`\exp(\log W + \epsilon\, t_4)`, as in :mod:`models.workers`; a
  *list* is negative binomial around its level, as in :mod:`models.output`.
- A *first work* at level k among those of 2027 has chance
  :math:`P(K^* \ge k)\,P(n_k(2027) \ge 1)`, as in :mod:`models.milestones`, with one work for three.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models import maturity, milestones, output, spillover, workers
from models.discrepancies import kappa
from models.forecast_paths import Paths, make_paths
from models.forecast_states import States, documented_mean, make_states
from models.ops import NumPy
from models.prior import Array
from models.ratings import TERMS
from models.ratings_random import row_random
from models.structure import FIRST_YEAR, LEVELS, SIDES, Structure
from models.terms import terms_from_draws

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
    future: Mapping[str, Array],
    *,
    structure: Structure,
    rng: np.random.Generator,
) -> Near:
    """Return every near prediction by draw.

    Parameters
    ----------
    draws
        Of every variable, forecast-only ones too, draw axis first.
    future
        Standard normals up to :data:`HORIZON`, as :func:`models.forecast_paths.make_paths` takes.
    structure
        Agendas, raters, lists, link.
    rng
        Of the sample, its reading, figures and lists.
    """
    paths = make_paths(draws, future, structure=structure, horizon=HORIZON)
    states = make_states(paths, structure.link)
    answers = sample_answers(draws, paths, states=states, structure=structure, rng=rng)
    shares, chances = read(answers, n=len(structure.raters))
    figures = worker_figures(draws, paths, rng=rng)
    lists = list_counts(draws, paths, lists=structure.lists, rng=rng)
    return Near(shares | figures | lists, chances | first_works(draws, paths, reach=states.reach))


def sample_answers(
    draws: Mapping[str, Array],
    paths: Paths,
    *,
    states: States,
    structure: Structure,
    rng: np.random.Generator,
) -> Array:
    """Return the answers of all raters on a balanced sample; dims (draw, work, 6 x rater)."""
    agendas = len(structure.agendas)
    state = _by_state(states.joint(YEAR))
    unused = []
    for side in SIDES:
        m = documented_mean(paths, side, year=YEAR)
        effect = draws[f"{side}_year_sd"] * rng.standard_normal(len(m))
        m = m * np.exp(effect)[:, None, None, None]
        seen = spillover.seen_age(NumPy, AGE, draws["reporting_delay"])
        grown = spillover.reached(NumPy, seen, paths.spillover["lag"][:, SIDES.index(side)])
        own = draws[f"{side}_own"]
        unused += [_by_state(np.exp(-m * x[:, None, None, None])) for x in (own, grown)]
    raters = terms_from_draws(dict(draws))["raters"]
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
    draws: Mapping[str, Array], paths: Paths, *, rng: np.random.Generator
) -> dict[str, Array]:
    """Return figures of workers of 2027 as they would be published, in reference definitions."""
    size = paths.log_workers[:, :, YEAR - FIRST_YEAR]
    error = draws["worker_error"][:, None] * rng.standard_t(workers.DEGREES, size=size.shape)
    figure = np.exp(size + error)
    return {
        "alignment-workers": figure[:, 0],
        "interpretability-workers": figure[:, maturity.INTERPRETABILITY],
        "worker-ratio": figure[:, spillover.CAPABILITIES] / figure[:, 0],
    }


def list_counts(
    draws: Mapping[str, Array],
    paths: Paths,
    *,
    lists: tuple[str, ...],
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Return the number of works of 2027 on each hand-made list that has counts."""
    people = paths.log_workers[:, maturity.INTERPRETABILITY]
    relative = output.relative_output(NumPy, people, draws["output_elasticity"])
    relative = relative[:, YEAR - FIRST_YEAR]
    out, size = {}, draws["list_dispersion"]
    for i, name in enumerate(lists):
        if name != "none":
            rate = rng.gamma(size, draws["list_level"][:, i] * relative / size)
            out[f"list-{name}"] = rng.poisson(np.minimum(rate, 1e9)).astype(float)
    return out


def first_works(draws: Mapping[str, Array], paths: Paths, *, reach: Array) -> dict[str, Array]:
    """Return the chance that the field's works of 2027 hold one at level 6, or 7, or above."""
    yearly = milestones.yearly_works(paths, reach)[:, :-1, YEAR - FIRST_YEAR].sum(axis=1)
    f = milestones.established(yearly, draws, m=1)
    return {"level-6-work": f[:, 5], "level-7-work": f[:, 6]}
