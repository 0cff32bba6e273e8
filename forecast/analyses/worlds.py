r"""Worlds of simulation-based calibration: a truth, evidence simulated from it, ranks after a fit.

Prior calibration draws :math:`\theta_i` from the prior, :math:`y_i` from the model at the real
design, and fits :math:`p(\theta \mid y_i)`. Around the observed evidence :math:`\theta_i` is drawn
from :math:`p(\theta \mid y)`, and the fit sees :math:`y` and :math:`y_i` together, each row of the
design standing there twice. In both the rank of the truth among the fit's draws is uniform if
simulator, density and sampler agree (Talts et al. 2018, arXiv:1804.06788; Sailynoja et al. 2025,
arXiv:2502.03279).

Forecast-only beliefs and the normals of years to come are part of a truth too, so that each
headline quantity has a true value. Forecasts by others are left out: they weigh draws by what
others said, and nothing simulates that.
"""

from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np

from forecast.case import Case, structure_of
from forecast.convergence import Diagnosis, element_label
from forecast.engine import answer, judged, posterior
from forecast.forward import future_normals
from forecast.retrying import harder
from forecast.sampling import Fit
from forecast.seeds import integer, stream
from forecast.simulating import simulated_case
from models.errors import InputError
from models.prior_draws import prior_draws
from models.quantities import HEADLINE
from models.relevance import predict

RANKED = 99
"""Draws among which a truth is ranked, evenly spaced among all of a fit's."""
MAX_RHAT, MIN_ESS = 1.05, float(RANKED)
"""Rule of a simulation's fit: enough draws to rank a truth among, not to quote an interval."""
RULE = (
    f"R-hat < {MAX_RHAT} and bulk ESS >= {MIN_ESS:.0f} (as many draws as a truth is ranked among) "
    "for every quantity, no divergent transitions"
)


LEAST_BASE = 4000
"""Draws, at the least, of the fit from which truths around the evidence are taken."""
UNFITTED = (InputError, RuntimeError, np.linalg.LinAlgError)
"""How a fit fails: no point to start from, a chain that dies, a pilot that gives no metric."""
Truth = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """A truth, one draw of every variable (leading axis of length one), and its simulated Case."""

    truth: Truth
    case: Case


def prior_world(case: Case, i: int) -> World:
    """Return world ``i`` of a Case: truth from its priors, evidence simulated at its design."""
    alone = replace(case, experts=())
    rng = stream(case.seed, f"truth {i}")
    truth = prior_draws(alone.by_name, structure_of(alone), n=1, rng=rng)
    return World(truth, simulated_case(alone, truth, seed=world_seed(case, i)))


def base_case(case: Case) -> Case:
    """Return the Case of the fit around which worlds are made: long enough for many truths."""
    given = case.sampler
    chains = max(given.chains, 4)
    draws, tune = max(given.draws, -(-LEAST_BASE // chains)), max(given.tune, 1000)
    sampler = replace(given, chains=chains, draws=draws, tune=tune)
    return replace(case, sampler=sampler, experts=())


def around_truth(fit: Fit, i: int) -> Truth:
    """Return the truth of world ``i`` around the evidence of a fit.

    A draw of the fit, each once before any comes again, with forecast-only beliefs drawn from
    their priors.
    """
    case = fit.case
    at = int(stream(case.seed, "truths").permutation(fit.n)[i % fit.n])
    rng = stream(case.seed, f"truth {i}")
    beliefs = prior_draws(case.by_name, structure_of(case), n=1, rng=rng)
    truth = {name: x for name, x in beliefs.items() if name in fit.compiled.alone}
    return truth | {name: x[at : at + 1] for name, x in fit.draws.items()}


def around_world(case: Case, i: int, *, truth: Truth) -> World:
    """Return world ``i`` around the evidence: its rows, and as many simulated from a truth."""
    alone = replace(case, experts=())
    return World(truth, doubled(alone, simulated_case(alone, truth, seed=world_seed(case, i))))


def world_seed(case: Case, i: int) -> int:
    """Return the seed of world ``i``."""
    return integer(case.seed, f"world {i}")


def doubled(case: Case, other: Case) -> Case:
    """Return ``other`` with the rows of ``case`` before its own; cells are the same in both."""
    mine, made = case.evidence, other.evidence
    arrays = {
        table: {name: np.concatenate([mine.arrays[table][name], x]) for name, x in columns.items()}
        for table, columns in made.arrays.items()
        if "weight" in columns
    }
    ids = {table: _twice(names) for table, names in mine.ids.items()}
    labels = mine.labels | {"study": _twice(mine.labels["study"])}
    evidence = replace(made, arrays=made.arrays | arrays, ids=ids, labels=labels)
    return replace(other, evidence=evidence)


def _twice(names: tuple[str, ...]) -> tuple[str, ...]:
    return (*names, *(f"{name} simulated" for name in names))


def true_quantities(world: World) -> dict[str, float]:
    """Return the true value of each headline quantity of a world."""
    case = world.case
    found = predict(
        draws=world.truth,
        future=future_normals(replace(case, seed=integer(case.seed, "true future")), 1),
        structure=structure_of(case),
        question=case.asked,
        do=case.do,
        names=HEADLINE,
    )
    return {name: float(found[name][0]) for name in HEADLINE}


Ranked = tuple[list[str], np.ndarray, Diagnosis]
"""Names, their numbers (name, 2), and how the fit did."""


def ranks(world: World, fit: Fit) -> Ranked:
    """Return what is ranked, by name, and of each its rank and how far off the truth is.

    Parameters
    ----------
    world
        What is true.
    fit
        Of the world's Case.

    Returns
    -------
    tuple
        Names; numbers of dims (name, 2): a uniform number that the rank gives, ties and place
        broken at random, and the truth's distance from the mean of the draws in their standard
        deviations; the fit's diagnosis, headline quantities included.
    """
    found = answer(fit, world.case, names=HEADLINE)
    names, truths, draws = _sampled(world, fit)
    true = true_quantities(world)
    truths += [true[name] for name in HEADLINE]
    draws += [found[name] for name in HEADLINE]
    at = np.linspace(0, fit.n - 1, RANKED).astype(int)
    given, x = np.array(truths), np.stack([draw[at] for draw in draws], axis=1)
    below, ties = (x < given).sum(axis=0), (x == given).sum(axis=0)
    u = stream(world.case.seed, "ranks").random(len(given))
    uniform = (below + u * (ties + 1.0)) / (len(at) + 1.0)
    all_draws = np.stack(draws, axis=1)
    away = (given - all_draws.mean(axis=0)) / all_draws.std(axis=0)
    numbers = np.stack([uniform, away], axis=1)
    return [*names, *HEADLINE], numbers, judged(fit, found).diagnosis


def _sampled(world: World, fit: Fit) -> tuple[list[str], list[float], list[np.ndarray]]:
    """Return the elements of every variable that varies: labels, truths, draws."""
    posterior = fit.tree["posterior"]
    labels, truths, draws = [], [], []
    for name, values in fit.draws.items():
        if name not in world.truth or name.startswith("beliefs_"):
            continue
        for at in np.ndindex(values.shape[1:]):
            x = values[(slice(None), *at)]
            if np.ptp(x) > 0.0:
                array = posterior[name] if at else None
                labels.append(name if array is None else element_label(array, name, at=at))
                truths.append(float(world.truth[name][(0, *at)]))
                draws.append(x)
    return labels, truths, draws


def good(verdict: Diagnosis) -> bool:
    """Return whether a fit meets :data:`RULE`."""
    enough = verdict.max_rhat < MAX_RHAT and verdict.min_ess_bulk >= MIN_ESS
    return enough and not verdict.divergences


def simulate(item: tuple[int, Truth | None], case: Case) -> bytes:
    """Make a world, fit it on one core, and return its ranks; for a process of its own.

    ``item`` is the world's number, and its truth where worlds are made around the evidence. A fit
    that fails is no fault of the caller: its file says why.
    """
    i, truth = item
    world = prior_world(case, i) if truth is None else around_world(case, i, truth=truth)
    once = replace(world.case, sampler=replace(case.sampler, retry=False))
    found, why = attempted(world, once)
    retried = case.sampler.retry and (found is None or not good(found[2]))
    if retried:
        found, why = attempted(world, harder(once))
    return to_bytes(found, retried=retried, why=why)


def attempted(world: World, case: Case) -> tuple[Ranked | None, str]:
    """Return the ranks that a fit of the Case gives, or None and why it failed."""
    try:
        return ranks(world, posterior(case, cores=1)), ""
    except UNFITTED as error:
        return None, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def to_bytes(found: Ranked | None, *, retried: bool = False, why: str = "") -> bytes:
    """Return one simulation's ranks and how its fit did as the content of a file.

    ``fit`` holds R-hat, effective draws, divergences, whether it was made twice, and whether it met
    the rule; R-hat is NaN where there is no fit, and ``why`` says what happened.
    """
    names: list[str] = []
    numbers, fit = np.empty((0, 2)), [np.nan, 0.0, 0.0, float(retried), 0.0]
    if found is not None:
        names, numbers, verdict = found
        fit = [verdict.max_rhat, verdict.min_ess_bulk, verdict.divergences, retried, good(verdict)]
    content, judged_by = BytesIO(), np.array(fit, dtype=float)
    np.savez_compressed(
        content,
        names=np.array(names, dtype=str),
        numbers=numbers,
        fit=judged_by,
        why=np.array(why),
    )
    return content.getvalue()


def from_bytes(content: bytes) -> dict[str, np.ndarray]:
    """Return what :func:`to_bytes` wrote: ``names``, ``numbers``, ``fit`` and ``why``."""
    with np.load(BytesIO(content)) as kept:
        return dict(kept)
