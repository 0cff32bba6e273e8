r"""``forecast calibrate``: simulation-based calibration of the whole posterior.

**Worlds.** A world is a truth, evidence simulated from it, and the ranks of the truth among the
draws of a fit to that evidence, kept in a small file of its own. Prior calibration draws
:math:`\theta_i` from the prior, :math:`y_i` from the model at the real design, and fits
:math:`p(\theta \mid y_i)`. Around the observed evidence :math:`\theta_i` is drawn from
:math:`p(\theta \mid y)`, and the fit sees :math:`y` and :math:`y_i` together, each row of the
design standing there twice. In both, the rank of the truth among the fit's draws is uniform if
simulator, density and sampler agree (Talts et al. 2018, arXiv:1804.06788; Sailynoja et al. 2025,
arXiv:2502.03279). Forecast-only beliefs and the normals of years to come are part of a truth too,
so that each headline quantity has a true value. Forecasts by others are left out: they weight draws
by what others said, and nothing simulates that.

**Uniformity.** With :math:`u_i` uniform, :math:`z_i = \Phi^{-1}(u_i)` are standard normal, so that
exactly

.. math::

    \sqrt{N}\, \bar z \sim \mathrm{Normal}(0, 1), \qquad \sum_i z_i^2 \sim \chi^2_N,

the most powerful tests of a posterior that is shifted, and of one that is too narrow or too wide
(Cook, Gelman and Rubin 2006, JCGS 15:675). Kolmogorov and Smirnov's test of the :math:`u_i` sees
what is neither. Holm's steps (1979) hold the p-values of all quantities and tests to one level, and
assume nothing of how the quantities depend on each other.

**Coverage.** A truth of uniform rank u lies in the central interval of probability p where
:math:`|u - 1/2| < p / 2`. Of N simulations the count is binomial if the inference is right, with
standard error :math:`\sqrt{p (1 - p) / N}`. Ranks of one simulation depend on each other, so over
several quantities the unit is the simulation: with :math:`c_i` the share of its quantities that are
covered, the error of the mean is :math:`sd(c_i) / \sqrt{N}`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from scipy import stats

from forecast.analyses.result import resumable
from forecast.analyses.scores import Row, covered
from forecast.inference.case import Case, digest, make_case, structure_of
from forecast.inference.diagnostics import Diagnosis, element_label
from forecast.inference.evaluate import answer, harder, judged, posterior
from forecast.inference.forward import future_normals
from forecast.inference.identity import code_hash, sources_hash, versions
from forecast.inference.outcomes import predict
from forecast.inference.sampling import Fit, careful
from forecast.inference.seeds import integer, stream
from forecast.inference.simulate import simulated_case
from forecast.progress import Stages
from forecast.runs.inputs import load_inputs
from models.errors import InputError
from models.prior_draws import prior_draws
from models.quantities import HEADLINE

AROUND = ("prior", "posterior")
MARK = "calibration.json"
SIMULATIONS, DRAWS, TUNE, CHAINS = 200, 500, 500, 2
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
LEVEL = 0.01
"""Chance of any false alarm among all quantities, if all is well."""
TESTS = ("shift", "width", "shape")
POWER = 0.8
PROBS = (0.5, 0.8, 0.95)
"""Probabilities of the central intervals."""
OUTSIDE = 0.01
"""A quantity's count is outside if it lies beyond the central 99% of its binomial."""
Truth = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """A truth, one draw of every variable (leading axis of length one), and its simulated Case."""

    truth: Truth
    case: Case


@dataclass(frozen=True)
class Ranking:
    """What one world's fit gives; without a fit no names, and ``why`` says what happened.

    ``numbers`` has dims (name, 2): a uniform number from the truth's rank, and the truth's distance
    from the mean of the draws in their standard deviations.
    """

    names: tuple[str, ...] = ()
    numbers: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    max_rhat: float = np.nan
    min_ess_bulk: float = 0.0
    divergences: int = 0
    good: bool = False
    retried: bool = False
    why: str = ""

    def to_bytes(self) -> bytes:
        """Return the ranking as the content of a file."""
        content = BytesIO()
        columns = vars(self) | {"names": np.array(self.names, dtype=str)}
        np.savez_compressed(content, allow_pickle=False, **columns)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Ranking":
        """Return the ranking of a file's content."""
        with np.load(BytesIO(content)) as file:
            columns = {name: file[name] for name in file.files}
        names, numbers = tuple(columns.pop("names").tolist()), columns.pop("numbers")
        return cls(names, numbers, **{name: x.item() for name, x in columns.items()})

    def row(self, simulation: int) -> Row:
        """Return how the fit did, as a row of fits.csv."""
        return {
            "simulation": simulation,
            "fitted": bool(self.names),
            "max_rhat": self.max_rhat,
            "min_ess_bulk": self.min_ess_bulk,
            "divergences": self.divergences,
            "retried": self.retried,
            "converged": self.good,
            "why": self.why,
        }


@dataclass(frozen=True)
class Calibration:
    """A finished calibration; ``summary`` is the content of calibration.json."""

    folder: Path
    summary: Row

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
        Number of worlds. Finished ones in the folder are used again.
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
    from forecast.inference.parallel import drop_damaged, fit_many, map_kept, runner

    run = runner(cores, scheduler)
    config, tables = load_inputs(priors, evidence=evidence)
    case = replace(make_case(config, tables, seed=seed), experts=())
    sampler = careful(case.sampler)
    sampler = replace(sampler, draws=draws, tune=tune, chains=chains, retry=retry)
    sampler = replace(sampler, backend=backend or sampler.backend)
    case = replace(case, sampler=sampler)
    key = key_of(case)
    folder = Path(out or Path("runs") / f"calibration-{config.name}-{key}")
    finished = resumable(folder, f"simulations-{around}-{key}", what="not of this calibration")
    about: Row = {"name": config.name, "around": around, "seed": seed, "hash": key}
    about |= {"sampler": vars(case.sampler), "base": None}
    truths: list[Truth | None] = [None] * simulations
    with Stages(quiet=quiet) as stages:
        with stages("truths"):
            if around == "posterior":
                fit = fit_many([base_case(case)], finished)[0]
                truths = [around_truth(fit, i) for i in range(simulations)]
                about["base"] = _base_row(fit)
        items = {f"{i:05d}.npz": (i, truth) for i, truth in enumerate(truths)}
        with stages(f"{simulations} simulations"):
            drop_damaged(items, finished, check=Ranking.from_bytes)
            tick = stages.counting(len(items))
            files = map_kept(items, finished, work=simulate, shared=case, run=run, tick=tick)
        with stages("tables and figures"):
            summary = write(folder, [Ranking.from_bytes(file) for file in files], about=about)
    return Calibration(folder, summary)


def key_of(case: Case) -> str:
    """Return the hash of all that the ranks follow from: Case, sources, libraries.

    The number of simulations is none of it, so that more can be added.
    """
    priors = tuple((p.name, p.dist, p.params) for p in case.priors)
    rest = (case.question, case.model, case.sampler, case.seed, case.do)
    mine = sources_hash("forecast/analyses/calibrate.py")
    return digest(priors, case.evidence.key, rest, code_hash(), mine, versions())[:8]


def _base_row(fit: Fit) -> Row:
    """Return how the fit did that truths are taken from."""
    verdict = fit.diagnosis
    return {
        "draws": fit.n,
        "chains": fit.chains,
        "converged": verdict.converged,
        "failures": list(verdict.failures),
        "max_rhat": verdict.max_rhat,
        "min_ess": verdict.min_ess,
    }


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
    place = int(stream(case.seed, "truths").permutation(fit.n)[i % fit.n])
    rng = stream(case.seed, f"truth {i}")
    beliefs = prior_draws(case.by_name, structure_of(case), n=1, rng=rng)
    truth = {name: x for name, x in beliefs.items() if name in fit.compiled.alone}
    return truth | {name: x[place : place + 1] for name, x in fit.draws.items()}


def around_world(case: Case, i: int, *, truth: Truth) -> World:
    """Return world ``i`` around the evidence: its rows, and as many simulated from a truth."""
    alone = replace(case, experts=())
    return World(truth, doubled(alone, simulated_case(alone, truth, seed=world_seed(case, i))))


def world_seed(case: Case, i: int) -> int:
    """Return the seed of world ``i``."""
    return integer(case.seed, f"world {i}")


def doubled(case: Case, other: Case) -> Case:
    """Return ``other`` with the rows of ``case`` before its own; cells are the same in both."""
    observed, simulated = case.evidence, other.evidence
    arrays = {
        table: {name: np.concatenate([observed.arrays[table][name], x]) for name, x in rows.items()}
        for table, rows in simulated.arrays.items()
        if "weight" in rows
    }

    def twice(names: tuple[str, ...]) -> tuple[str, ...]:
        return (*names, *(f"{name} simulated" for name in names))

    ids = {table: twice(names) for table, names in observed.ids.items()}
    labels = observed.labels | {"study": twice(observed.labels["study"])}
    evidence = replace(simulated, arrays=simulated.arrays | arrays, ids=ids, labels=labels)
    return replace(other, evidence=evidence)


def simulate(item: tuple[int, Truth | None], case: Case) -> bytes:
    """Make a world, fit it on one core, and return its ranking; for a process of its own.

    ``item`` is the world's number, and its truth where worlds are made around the evidence. A fit
    that fails is no fault of the caller: its file says why.
    """
    i, truth = item
    world = prior_world(case, i) if truth is None else around_world(case, i, truth=truth)
    once = replace(world.case, sampler=replace(case.sampler, retry=False))
    ranking = ranked(world, once)
    if case.sampler.retry and not ranking.good:
        ranking = replace(ranked(world, harder(once)), retried=True)
    return ranking.to_bytes()


def ranked(world: World, case: Case) -> Ranking:
    """Return the ranking that a fit of the Case gives, or why the fit failed."""
    try:
        return ranks(world, posterior(case, cores=1))
    except UNFITTED as error:
        first = str(error).splitlines()[0] if str(error) else ""
        return Ranking(why=f"{type(error).__name__}: {first}")


def ranks(world: World, fit: Fit) -> Ranking:
    """Return the rank of each truth of a world among the draws of its fit.

    Ties and the place between two draws are broken at random. What never varies has no rank.
    """
    quantities = answer(fit, world.case, names=HEADLINE)
    names, truths, draws = _sampled(world, fit)
    names += HEADLINE
    truths += true_quantities(world)
    draws += [quantities[name] for name in HEADLINE]
    every, truth = np.stack(draws, axis=1), np.array(truths)
    x = every[np.linspace(0, fit.n - 1, RANKED).astype(int)]
    below, ties = (x < truth).sum(axis=0), (x == truth).sum(axis=0)
    u = stream(world.case.seed, "ranks").random(len(truth))
    uniform = (below + u * (ties + 1.0)) / (len(x) + 1.0)
    distance = (truth - every.mean(axis=0)) / every.std(axis=0)
    verdict = judged(fit, quantities).diagnosis
    return Ranking(
        tuple(names),
        np.stack([uniform, distance], axis=1),
        max_rhat=verdict.max_rhat,
        min_ess_bulk=verdict.min_ess_bulk,
        divergences=verdict.divergences,
        good=good(verdict),
    )


def true_quantities(world: World) -> list[float]:
    """Return the true value of each headline quantity of a world."""
    case = world.case
    quantities = predict(
        draws=world.truth,
        future=future_normals(replace(case, seed=integer(case.seed, "true future")), 1),
        structure=structure_of(case),
        question=case.asked,
        do=case.do,
        names=HEADLINE,
    )
    return [float(quantities[name][0]) for name in HEADLINE]


def _sampled(world: World, fit: Fit) -> tuple[list[str], list[float], list[np.ndarray]]:
    """Return the elements of every variable that varies: labels, truths, draws."""
    labels, truths, draws = [], [], []
    for name, values in fit.draws.items():
        if name not in world.truth or name.startswith("beliefs_"):
            continue
        for index in np.ndindex(values.shape[1:]):
            x = values[(slice(None), *index)]
            if np.ptp(x) > 0.0:
                array = fit.tree["posterior"][name] if index else None
                labels.append(name if array is None else element_label(array, name, at=index))
                truths.append(float(world.truth[name][(0, *index)]))
                draws.append(x)
    return labels, truths, draws


def good(verdict: Diagnosis) -> bool:
    """Return whether a fit meets :data:`RULE`."""
    enough = verdict.max_rhat < MAX_RHAT and verdict.min_ess_bulk >= MIN_ESS
    return enough and not verdict.divergences


def write(folder: Path, rankings: Sequence[Ranking], *, about: Row) -> Row:
    """Judge the simulations; write tables, figures, page and calibration.json; return the last.

    Raises
    ------
    InputError
        If fewer than two worlds could be fitted.
    """
    from forecast.files import write_csv, write_json
    from reports.calibrate import write_calibration

    fits = [ranking.row(i) for i, ranking in enumerate(rankings)]
    names, numbers = common(rankings)
    ranks = numbers[..., 0]
    rows, coverage = verdicts(names, ranks), coverage_rows(names, ranks)
    summary: Row = {"schema": 1} | about | summarised(rows, fits, n=len(numbers))
    summary |= {"coverage": pooled_rows(names, ranks)}
    summary |= {"headline_coverage": [row for row in coverage if row["name"] in HEADLINE]}
    fitted = [fit["simulation"] for fit in fits if fit["fitted"]]
    long = [
        {"simulation": i, "name": name, "rank": float(u), "distance": float(distance)}
        for i, one in zip(fitted, numbers, strict=True)
        for name, (u, distance) in zip(names, one, strict=True)
    ]
    write_csv(folder / "verdicts.csv", rows)
    write_csv(folder / "coverage.csv", coverage)
    write_csv(folder / "fits.csv", fits)
    write_csv(folder / "ranks.csv", long)
    write_calibration(folder, summary, rows=rows, ranks=dict(zip(names, ranks.T, strict=True)))
    write_json(folder / MARK, summary)
    return summary


def common(rankings: Sequence[Ranking]) -> tuple[list[str], np.ndarray]:
    """Return the quantities that every fitted world has, and their numbers (world, name, 2).

    One that never varied in some fit (a distinct row's constant, say) has no rank there.

    Raises
    ------
    InputError
        If fewer than two worlds could be fitted.
    """
    fitted = [ranking for ranking in rankings if ranking.names]
    if len(fitted) < 2:
        why = next((ranking.why for ranking in rankings if ranking.why), "no reason is known")
        raise InputError(
            f"calibrate: {len(fitted)} of {len(rankings)} worlds could be fitted ({why})"
        )
    shared = set.intersection(*(set(ranking.names) for ranking in fitted))
    names = [name for name in fitted[0].names if name in shared]
    places = [[ranking.names.index(name) for name in names] for ranking in fitted]
    return names, np.stack([one.numbers[i] for one, i in zip(fitted, places, strict=True)])


def summarised(rows: Sequence[Row], fits: Sequence[Row], *, n: int) -> Row:
    """Return the verdict, the faults that could have been seen, and how the fits did."""
    least = min(row[f"p_{test}"] for row in rows for test in TESTS)
    return {
        "simulations": n,
        "asked": len(fits),
        "quantities": len(rows),
        "level": LEVEL,
        "failing": [row for row in rows if not row["passes"]],
        "least_p": least,
        "least_p_corrected": min(1.0, least * len(rows) * len(TESTS)),
        "seen": detectable(n, len(rows)),
        "headline": [row for row in rows if row["name"] in HEADLINE],
        "rule": RULE,
        "not_converged": [fit["simulation"] for fit in fits if not fit["converged"]],
        "not_fitted": {str(fit["simulation"]): fit["why"] for fit in fits if not fit["fitted"]},
        "divergent": sum(fit["divergences"] > 0 for fit in fits),
        "retried": [fit["simulation"] for fit in fits if fit["retried"]],
    }


def p_values(u: np.ndarray) -> dict[str, float]:
    """Return the p-value of each of :data:`TESTS` of uniform numbers, dims (simulation,)."""
    z, n = stats.norm.ppf(u), len(u)
    squares, chi2 = float(np.sum(z**2)), stats.chi2(n)
    return {
        "shift": float(2.0 * stats.norm.sf(abs(z.mean()) * n**0.5)),
        "width": float(min(1.0, 2.0 * min(chi2.cdf(squares), chi2.sf(squares)))),
        "shape": float(stats.kstest(u, "uniform").pvalue),
    }


def holm(p: np.ndarray, *, level: float) -> np.ndarray:
    """Return which p-values Holm's steps reject at a family-wise level; SciPy has no such steps."""
    order = np.argsort(p)
    within = p[order] <= level / np.arange(len(p), 0, -1)
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order] = np.logical_and.accumulate(within)
    return rejected


def verdicts(names: Sequence[str], ranks: np.ndarray, *, level: float = LEVEL) -> list[Row]:
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
    p = [p_values(u) for u in ranks.T]
    flat = np.array([[one[test] for test in TESTS] for one in p])
    fails = holm(flat.ravel(), level=level).reshape(flat.shape)
    z = stats.norm.ppf(ranks)
    return [
        {
            "name": name,
            "passes": not fails[j].any(),
            "fails": " ".join(test for test, bad in zip(TESTS, fails[j], strict=True) if bad),
            "shift": float(z[:, j].mean()),
            "width": float(np.sqrt(np.mean(z[:, j] ** 2))),
            **{f"p_{test}": p[j][test] for test in TESTS},
        }
        for j, name in enumerate(names)
    ]


def detectable(
    n: int, quantities: int, *, level: float = LEVEL, power: float = POWER
) -> dict[str, float]:
    """Return the smallest faults that ``n`` simulations see in one of so many quantities.

    With probability ``power``, at Holm's first step, the strictest: a fault in several quantities
    is seen sooner. ``shift`` is of normal scores, in posterior standard deviations; ``narrow`` and
    ``wide`` are standard deviations of normal scores: above 1 the posterior is too narrow by that
    factor, below 1 too wide.
    """
    alpha = level / (quantities * len(TESTS))
    chi2 = stats.chi2(n)
    return {
        "shift": float((stats.norm.isf(alpha / 2) + stats.norm.ppf(power)) / n**0.5),
        "narrow": float((chi2.isf(alpha / 2) / chi2.ppf(1.0 - power)) ** 0.5),
        "wide": float((chi2.ppf(alpha / 2) / chi2.ppf(power)) ** 0.5),
    }


def _bounds(n: int, p: float) -> tuple[int, int]:
    """Return the smallest and the largest count inside the central 99% of the binomial."""
    low, high = stats.binom.ppf((OUTSIDE / 2, 1.0 - OUTSIDE / 2), n, p)
    return int(low), int(high)


def coverage_rows(names: Sequence[str], ranks: np.ndarray) -> list[Row]:
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
        low, high = _bounds(n, p)
        for row, k in zip(rows, covered(ranks, p).sum(axis=0).tolist(), strict=True):
            row |= {f"within_{p:g}": k / n, f"se_{p:g}": (p * (1.0 - p) / n) ** 0.5}
            row |= {f"outside_{p:g}": not low <= k <= high}
    return rows


def pooled_rows(names: Sequence[str], ranks: np.ndarray) -> list[Row]:
    """Return coverage over parameters, over headline quantities and over all of them.

    ``se`` is over simulations; ``outside`` counts the quantities whose own count lies outside the
    central 99% of its binomial, and ``by_chance`` how many would.
    """
    headline, n = np.array([name in HEADLINE for name in names]), len(ranks)
    each, rows = coverage_rows(names, ranks), []
    groups = {"parameters": ~headline, "headline quantities": headline, "all": headline | True}
    for group, members in groups.items():
        if not members.any():
            continue
        row: Row = {"group": group, "quantities": int(members.sum()), "simulations": n}
        for p in PROBS:
            share = covered(ranks[:, members], p).mean(axis=1)
            low, high = _bounds(n, p)
            by_chance = float(stats.binom.cdf(low - 1, n, p) + stats.binom.sf(high, n, p))
            outside = sum(each[j][f"outside_{p:g}"] for j in np.flatnonzero(members))
            row |= {f"within_{p:g}": float(share.mean()), f"se_{p:g}": clustered(share)}
            row |= {f"outside_{p:g}": int(outside)}
            row |= {f"by_chance_{p:g}": by_chance * int(members.sum())}
        rows.append(row)
    return rows


def clustered(share: np.ndarray) -> float:
    """Return the standard error of the mean of one number per simulation."""
    return float(share.std(ddof=1) / len(share) ** 0.5)
