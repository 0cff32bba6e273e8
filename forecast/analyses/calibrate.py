r"""``forecast calibrate``: simulation-based calibration of the whole posterior.

Worlds are simulated and fitted (:mod:`forecast.analyses.calibrate`), each in its own small file,
and
the ranks of all quantities are judged (:mod:`forecast.analyses.calibrate`). The same code judges
worlds drawn from the prior and around the observed evidence.

Worlds of simulation-based calibration: a truth, evidence simulated from it, ranks after a fit.

Prior calibration draws :math:`\theta_i` from the prior, :math:`y_i` from the model at the real
design, and fits :math:`p(\theta \mid y_i)`. Around the observed evidence :math:`\theta_i` is drawn
from :math:`p(\theta \mid y)`, and the fit sees :math:`y` and :math:`y_i` together, each row of the
design standing there twice. In both the rank of the truth among the fit's draws is uniform if
simulator, density and sampler agree (Talts et al. 2018, arXiv:1804.06788; Sailynoja et al. 2025,
arXiv:2502.03279).

Forecast-only beliefs and the normals of years to come are part of a truth too, so that each
headline quantity has a true value. Forecasts by others are left out: they weigh draws by what
others said, and nothing simulates that.

Are ranks uniform? Three tests of each quantity, and one family-wise verdict over all.

With :math:`u_i` uniform, :math:`z_i = \Phi^{-1}(u_i)` are standard normal, so that exactly

.. math::

    \sqrt{N}\, \bar z \sim \mathrm{Normal}(0, 1), \qquad \sum_i z_i^2 \sim \chi^2_N,

which is the most powerful test of a posterior that is shifted and of one that is too narrow or too
wide (Cook, Gelman and Rubin 2006, JCGS 15:675). Kolmogorov and Smirnov's test of the :math:`u_i`
sees what is neither. The p-values of all quantities and tests are held to one level by Holm's steps
(1979), which assume nothing of how the quantities depend on each other.

How often central intervals of simulated fits hold the truth, with binomial errors.

A truth of uniform rank u lies in the central interval of probability p where
:math:`|u - 1/2| < p / 2`. Of N simulations the count is binomial if the inference is right, with
standard error :math:`\sqrt{p (1 - p) / N}`. Ranks of the quantities of one simulation depend on
each other, so that over several quantities the unit is the simulation: with :math:`c_i` the share
of its quantities that are covered, the error of the mean is :math:`sd(c_i) / \sqrt{N}`.
"""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from forecast.inference.case import Case, digest, make_case, structure_of
from forecast.inference.diagnostics import Diagnosis, element_label
from forecast.inference.evaluate import answer, harder, judged, posterior
from forecast.inference.forward import future_normals
from forecast.inference.identity import code_hash, versions
from forecast.inference.outcomes import predict
from forecast.inference.sampling import Fit, careful
from forecast.inference.seeds import integer, stream
from forecast.inference.simulate import simulated_case
from forecast.progress import Stages
from forecast.runs.inputs import load_inputs
from models.errors import InputError
from models.prior_draws import prior_draws
from models.quantities import HEADLINE

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


LEVEL = 0.01
"""Chance of any false alarm among all quantities, if all is well."""
TESTS = ("shift", "width", "shape")
POWER = 0.8
Row = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What a number of simulations can see of one quantity with probability :data:`POWER`.

    ``shift`` is of normal scores, in posterior standard deviations; ``narrow`` and ``wide`` are
    standard deviations of normal scores: above 1 the posterior is too narrow by that factor,
    below 1 too wide.
    """

    shift: float
    narrow: float
    wide: float


def p_values(u: np.ndarray) -> dict[str, float]:
    """Return the p-value of each of :data:`TESTS` of uniform numbers, dims (simulation,)."""
    z, n = stats.norm.ppf(u), len(u)
    total = stats.chi2(n)
    squares = float(np.sum(z**2))
    return {
        "shift": float(2.0 * stats.norm.sf(abs(z.mean()) * n**0.5)),
        "width": float(min(1.0, 2.0 * min(total.cdf(squares), total.sf(squares)))),
        "shape": float(stats.kstest(u, "uniform").pvalue),
    }


def holm(p: np.ndarray, *, level: float) -> np.ndarray:
    """Return which p-values Holm's steps reject at a family-wise level."""
    order = np.argsort(p)
    steps = level / np.arange(len(p), 0, -1)
    above = np.flatnonzero(p[order] > steps)
    out = np.zeros(len(p), dtype=bool)
    out[order[: above[0] if len(above) else len(p)]] = True
    return out


def verdicts(names: list[str], ranks: np.ndarray, *, level: float = LEVEL) -> list[Row]:
    """Return a row for each quantity: its p-values, which tests fail, shift and width.

    Parameters
    ----------
    names
        Of the quantities.
    ranks
        Uniform numbers if all is well, dims (simulation, quantity).
    level
        Family-wise, over all quantities and tests.
    """
    found = [p_values(u) for u in ranks.T]
    flat = np.array([[p[test] for test in TESTS] for p in found])
    failed = holm(flat.ravel(), level=level).reshape(flat.shape)
    z = stats.norm.ppf(ranks)
    return [
        {
            "name": name,
            "passes": not bad.any(),
            "fails": " ".join(test for test, out in zip(TESTS, bad, strict=True) if out),
            "shift": float(z[:, j].mean()),
            "width": float(np.sqrt(np.mean(z[:, j] ** 2))),
            **{f"p_{test}": found[j][test] for test in TESTS},
        }
        for j, (name, bad) in enumerate(zip(names, failed, strict=True))
    ]


def seen(n: int, quantities: int, *, level: float = LEVEL, power: float = POWER) -> Seen:
    """Return the smallest faults that ``n`` simulations see in one of so many quantities.

    At Holm's first step, the strictest: a fault in several quantities is seen sooner.
    """
    alpha = level / (quantities * len(TESTS))
    total = stats.chi2(n)
    return Seen(
        shift=float((stats.norm.isf(alpha / 2) + stats.norm.ppf(power)) / n**0.5),
        narrow=float((total.isf(alpha / 2) / total.ppf(1.0 - power)) ** 0.5),
        wide=float((total.ppf(alpha / 2) / total.ppf(power)) ** 0.5),
    )


PROBS = (0.5, 0.8, 0.95)
"""Probabilities of the central intervals."""
OUTSIDE = 0.01
"""Chance beyond which a quantity's count is told as outside of what the binomial gives."""


def held(u: np.ndarray, p: float) -> np.ndarray:
    """Return which truths of ranks u lie in their central interval of probability p."""
    return np.abs(u - 0.5) < 0.5 * p


def coverage_rows(names: list[str], ranks: np.ndarray) -> list[Row]:
    """Return each quantity's coverage, its binomial error, and whether chance gives such a count.

    Parameters
    ----------
    names
        Of the quantities.
    ranks
        Uniform numbers if all is well, dims (simulation, quantity).
    """
    n = len(ranks)
    rows: list[Row] = [{"name": name, "simulations": n} for name in names]
    for p in PROBS:
        count, (low, high) = held(ranks, p).sum(axis=0), _bounds(n, p)
        error = (p * (1.0 - p) / n) ** 0.5
        for row, k in zip(rows, count.tolist(), strict=True):
            row |= {f"within_{p:g}": k / n, f"se_{p:g}": error}
            row |= {f"outside_{p:g}": not low <= k <= high}
    return rows


def pooled_rows(names: list[str], ranks: np.ndarray) -> list[Row]:
    """Return coverage over parameters, over headline quantities and over all of them.

    ``se`` is over simulations; ``outside`` counts the quantities whose own count lies outside the
    central 99% of its binomial, and ``by_chance`` how many would.
    """
    headline = np.array([name in HEADLINE for name in names])
    each, out = coverage_rows(names, ranks), []
    groups = {"parameters": ~headline, "headline quantities": headline, "all": headline | True}
    for group, some in groups.items():
        if not some.any():
            continue
        row: Row = {"group": group, "quantities": int(some.sum()), "simulations": len(ranks)}
        for p in PROBS:
            share = held(ranks[:, some], p).mean(axis=1)
            low, high = _bounds(len(ranks), p)
            law = stats.binom(len(ranks), p)
            chance = float(law.cdf(low - 1) + law.sf(high))
            out_of = np.array([one[f"outside_{p:g}"] for one in each])[some]
            row |= {f"within_{p:g}": float(share.mean()), f"se_{p:g}": clustered(share)}
            row |= {f"outside_{p:g}": int(out_of.sum())}
            row |= {f"by_chance_{p:g}": chance * int(some.sum())}
        out.append(row)
    return out


def clustered(share: np.ndarray) -> float:
    """Return the standard error of the mean of one number per simulation."""
    return float(share.std(ddof=1) / len(share) ** 0.5)


def _bounds(n: int, p: float) -> tuple[int, int]:
    """Return the smallest and the largest count inside the central 99% of the binomial."""
    low, high = stats.binom.ppf((OUTSIDE / 2, 1.0 - OUTSIDE / 2), n, p)
    return int(low), int(high)


AROUND = ("prior", "posterior")
MARK = "calibration.json"
SIMULATIONS, DRAWS, TUNE, CHAINS = 200, 500, 500, 2


@dataclass(frozen=True)
class Calibration:
    """A finished calibration; ``summary`` is what calibration.json holds."""

    folder: Path
    summary: dict[str, Any]

    @property
    def converged(self) -> bool:
        """Whether every simulation's fit, and the one around which they are, met the rule."""
        base = self.summary["base"]
        return not self.summary["not_converged"] and (base is None or base["converged"])

    @property
    def passed(self) -> bool:
        """Whether the ranks of every quantity are uniform at the family-wise level."""
        return not self.summary["failing"]

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.calibrate import calibration_text

        return f"{calibration_text(self.summary)}\n{self.folder}"


def calibrate(
    priors: str | Path,
    *,
    simulations: int = SIMULATIONS,
    around: str = AROUND[0],
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    cores: int | None = None,
    scheduler: str | None = None,
    seed: int = 0,
    retry: bool = False,
    backend: str | None = None,
    quiet: bool = False,
) -> Calibration:
    """Simulate evidence from known truths at the real design, fit it, and judge the truths' ranks.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run.run`; the evidence gives the design.
    simulations
        Number of worlds. Those that lie in the folder are not made again.
    around
        Where truths come from: ``prior``, or ``posterior`` of the evidence, which then stands
        beside the simulated evidence in each fit.
    out
        Folder; ``runs/calibration-NAME-HASH8`` by default.
    draws, tune, chains
        Sampler options of each fit.
    cores, scheduler
        Fits at a time on this machine, or the address of a Dask scheduler.
    seed
        Seed of every random number.
    retry
        Fit a world once more, with longer tuning, where its fit does not meet the rule.
    backend
        As for :func:`forecast.runs.run.run`.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault.
    """
    if around not in AROUND:
        raise InputError(f"--around {around}: found no such place; use one of {', '.join(AROUND)}")
    from forecast.inference.parallel import drop_damaged, map_kept, runner

    run = runner(cores, scheduler)
    config, tables = load_inputs(priors, evidence=evidence)
    case = replace(make_case(config, tables, seed=seed), experts=())
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    given["backend"] = backend or case.sampler.backend
    case = replace(case, sampler=replace(careful(case.sampler), **given))
    key = key_of(case)
    folder = Path(out or Path("runs") / f"calibration-{config.name}-{key}")
    kept_in = make_folder(folder, around, key=key)
    about = {"name": config.name, "around": around, "seed": seed, "hash": key}
    about |= {"sampler": vars(case.sampler)}
    with Stages(quiet=quiet) as stages:
        with stages("truths"):
            truths, base = truths_of(case, around, n=simulations, folder=kept_in)
        items = {f"{i:05d}.npz": (i, truth) for i, truth in enumerate(truths)}
        with stages(f"{simulations} simulations"):
            drop_damaged(items, kept_in, check=from_bytes)
            work, tick = simulate, stages.counting(len(items))
            found = map_kept(items, kept_in, work=work, shared=case, run=run, tick=tick)
        with stages("tables and figures"):
            summary = write(folder, found, about=about | {"base": base})
    return Calibration(folder, summary)


def key_of(case: Case) -> str:
    """Return the hash of all that the ranks follow from: Case, sources, libraries.

    The number of simulations is none of it, so that more can be added.
    """
    priors = tuple((p.name, p.dist, p.params) for p in case.priors)
    rest = (case.question, case.model, case.sampler, case.seed, case.do)
    return digest(priors, case.evidence.key, rest, code_hash(), versions())[:8]


def truths_of(
    case: Case, around: str, *, n: int, folder: Path
) -> tuple[list[Truth | None], Row | None]:
    """Return the truth of each world, and how the fit did that they are taken from.

    Around the prior each world draws its own: there is nothing to pass and no fit.
    """
    if around == AROUND[0]:
        return [None] * n, None
    from forecast.inference.parallel import fit_many

    fit = fit_many([base_case(case)], folder)[0]
    made = fit.diagnosis
    told: Row = {"draws": fit.n, "chains": fit.chains, "converged": made.converged}
    told |= {"failures": list(made.failures), "max_rhat": made.max_rhat, "min_ess": made.min_ess}
    return [around_truth(fit, i) for i in range(n)], told


def make_folder(folder: Path, around: str, *, key: str) -> Path:
    """Make the folder, or take one of the same calibration; return where simulations are kept.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    kept_in = folder / f"simulations-{around}-{key}"
    if folder.is_dir() and any(folder.iterdir()) and not kept_in.is_dir():
        raise InputError(f"--out {folder}: exists and is not of this calibration; name another")
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    return kept_in


def write(folder: Path, found: list[bytes], *, about: Row) -> Row:
    """Judge the simulations; write tables, figures, page and calibration.json; return the last.

    Raises
    ------
    InputError
        If too few worlds could be fitted for any verdict.
    """
    from forecast.files import write_csv, write_json
    from reports.calibrate import write_calibration

    every = [from_bytes(content) for content in found]
    fits = [told(i, one) for i, one in enumerate(every)]
    at, made = fitted(every)
    names, numbers = common([one["names"].tolist() for one in made], made)
    ranks = numbers[..., 0]
    rows, covered = verdicts(names, ranks), coverage_rows(names, ranks)
    summary: Row = {"schema": 1} | about | summarised(rows, fits, n=len(made))
    summary |= {"coverage": pooled_rows(names, ranks)}
    summary |= {"headline_coverage": [row for row in covered if row["name"] in HEADLINE]}
    write_csv(folder / "verdicts.csv", rows)
    write_csv(folder / "coverage.csv", covered)
    write_csv(folder / "fits.csv", fits)
    write_csv(folder / "ranks.csv", long(names, numbers, at=at))
    write_calibration(folder, summary, rows=rows, ranks=dict(zip(names, ranks.T, strict=True)))
    write_json(folder / MARK, summary)
    return summary


def fitted(every: list[dict[str, np.ndarray]]) -> tuple[list[int], list[dict[str, np.ndarray]]]:
    """Return the worlds that have a fit, and their numbers.

    Raises
    ------
    InputError
        If fewer than two have one.
    """
    at = [i for i, one in enumerate(every) if len(one["names"])]
    if len(at) < 2:
        why = next((str(one["why"]) for one in every if str(one["why"])), "no reason is known")
        raise InputError(f"calibrate: {len(at)} of {len(every)} worlds could be fitted ({why})")
    return at, [every[i] for i in at]


def common(labels: list[list[str]], made: list[dict[str, np.ndarray]]) -> tuple[list[str], Any]:
    """Return the quantities that every simulation has, and their numbers (simulation, name, 2).

    One that never varied in some fit (a distinct row's constant, say) has no rank there.
    """
    shared = [name for name in labels[0] if all(name in some for some in labels)]
    at = [[some.index(name) for name in shared] for some in labels]
    return shared, np.stack([one["numbers"][i] for one, i in zip(made, at, strict=True)])


def told(i: int, one: dict[str, np.ndarray]) -> Row:
    """Return how the fit of a simulation did, and whether it met :data:`worlds.RULE`."""
    r_hat, ess, divergences, retried, good = (float(x) for x in one["fit"])
    numbers = {"max_rhat": r_hat, "min_ess_bulk": ess, "divergences": int(divergences)}
    row: Row = {"simulation": i, "fitted": bool(len(one["names"])), **numbers}
    return row | {"retried": bool(retried), "converged": bool(good), "why": str(one["why"])}


def summarised(rows: list[Row], fits: list[Row], *, n: int) -> Row:
    """Return the verdict, what could have been seen, and how the fits did."""
    failing = [row for row in rows if not row["passes"]]
    least = min(min(row[f"p_{test}"] for test in TESTS) for row in rows)
    headline = [row for row in rows if row["name"] in HEADLINE]
    return {
        "simulations": n,
        "asked": len(fits),
        "quantities": len(rows),
        "level": LEVEL,
        "failing": failing,
        "least_p": least,
        "least_p_corrected": min(1.0, least * len(rows) * len(TESTS)),
        "seen": vars(seen(n, len(rows))),
        "headline": headline,
        "rule": RULE,
        "not_converged": [fit["simulation"] for fit in fits if not fit["converged"]],
        "not_fitted": {str(fit["simulation"]): fit["why"] for fit in fits if not fit["fitted"]},
        "divergent": sum(fit["divergences"] > 0 for fit in fits),
        "retried": [fit["simulation"] for fit in fits if fit["retried"]],
    }


def long(names: list[str], numbers: np.ndarray, *, at: list[int]) -> list[Row]:
    """Return one row for each simulation, by its number, and quantity."""
    return [
        {"simulation": i, "name": name, "rank": float(u), "distance": float(away)}
        for i, one in zip(at, numbers, strict=True)
        for name, (u, away) in zip(names, one, strict=True)
    ]
