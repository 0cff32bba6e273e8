r"""``forecast value``: what it would be worth to know a belief, or to have a study first.

For squared loss the value of knowing X is :math:`\mathrm{Var}\, E[Y \mid X]`, what it takes off the
variance of the headline Y on average, X being a belief, a block of them (perfect information) or
the summary of a study (sample information); by regression on draws (Strong, Oakley & Brennan 2014,
Med. Decis. Making 34:311; and 2015, 35:570). With a decision the value in its units is

.. math:: E\big[\max_o E[U_o \mid X]\big] - \max_o E[U_o],

estimated as the mean payoff, on draws left out of the regressions, of taking the option that these
say is best: a lower bound but for noise, whose error is that of a mean.

Each study's data are simulated once from each of a run's draws; the few numbers that sum them up
stand in for them, so that a regression on these learns at most what the study tells. A study's own
errors are those stated here.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from forecast.analyses.decide import all_worths, payoffs
from forecast.analyses.result import Result, Row, finished_run, new_folder, outside_of, save
from forecast.analyses.statistics import expected, explained
from forecast.config.load import load_config
from forecast.config.scenarios import decision_of, load_decision
from forecast.inference.evaluate import answer
from forecast.inference.forward import all_draws, taken
from forecast.inference.pointwise import simulated
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from forecast.inference.simulate import by_work
from forecast.progress import Stages
from forecast.runs.open import Run, fit_of
from forecast.runs.summarise import spread
from models.dims import FIRST_YEAR, LAST_YEAR
from models.errors import InputError
from models.parameters import SLOTS
from models.quantities import HEADLINE
from models.ratings.formula import MISSING

STUDIES = {
    "ratings": "200 more sampled works rated, like those rated now and by the same raters",
    "people": "100 works that models rated, rated by people who read without error",
    "survey": "a survey of 100 teams, chosen by their works, on whether they track a milestone",
    "census": "a census of workers in each group, to within 5%",
    "failures": "50 failures of training diagnosed, each world known, with today's tools",
    "one year": "all of these together",
}
"""Every study, in words."""
WORKS, PEOPLE, TEAMS, FAULTS, COUNTED = 200, 100, 100, 50, 0.05
LEVELS = 8
DRAWS = 2000
"""Draws from which studies are simulated."""
NORMAL = 1.5982
"""Normal quantile of 0.945: an 89% interval is so many standard errors either way."""


class Value(Result):
    """Values of information: ``summary`` is value.json."""

    words = ("reports.value", "value_text")


def value(
    run: Run | str | Path,
    *,
    quantity: str = HEADLINE[0],
    decision: str | Path | None = None,
    quick: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Value:
    """Say what knowing each belief, or having each study first, would take off the uncertainty.

    Parameters
    ----------
    run
        A finished run or its folder; ``[decision]`` of its priors file is used if there is one.
    quantity
        Whose variance: a name of headline.json.
    decision
        A TOML file with a table ``[decision]``.
    quick
        Simulate no study: blocks and beliefs alone.
    out
        New folder for value.json, beliefs.csv, studies.csv (but for ``quick``) and the figure.
    seed
        Seed of the bootstrap.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or a folder is at fault.
    """
    if quantity not in HEADLINE:
        raise InputError(
            f"--quantity {quantity}: no such quantity; use one of {', '.join(HEADLINE)}"
        )
    run, folder = finished_run(run, "information has a value"), new_folder(out)
    where = run.folder / "priors.toml" if decision is None else Path(decision)
    text = load_config(where).decision if decision is None else load_decision(where)
    cohort = run.headline["cohort"]
    stated = None if text is None else decision_of(text, since=cohort, where=str(where))
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            fit = fit_of(run)
            y = answer(fit, fit.case, names=[quantity])[quantity]
            gains = None if stated is None else payoffs(all_worths(fit, [stated])[0], stated)
        with stages("beliefs"):
            beliefs = belief_rows(fit, y, gains=gains, seed=seed)
        with stages("studies"):
            places = np.linspace(0, fit.n - 1, 0 if quick else min(fit.n, DRAWS)).astype(int)
            studies = [] if quick else study_rows(fit, y, places=places, gains=gains, seed=seed)
    summary: Row = {"schema": 1, "run": run.folder.name, "converged": run.converged}
    summary |= {"quick": quick, "quantity": quantity, "now": spread(y), "draws": len(places)}
    summary |= outside_of(run.headline) | {"unit": None if stated is None else stated.unit}
    summary |= {"beliefs": beliefs, "studies": studies}
    if folder is not None:
        from reports.figures.choices import write_value_figure

        tables = {"beliefs": beliefs} if quick else {"beliefs": beliefs, "studies": studies}
        save(folder, "value", summary, tables=tables, figures=write_value_figure)
    return Value(summary, run.converged, folder)


def belief_rows(fit: Fit, y: np.ndarray, *, gains: np.ndarray | None, seed: int) -> list[Row]:
    """Return the value of knowing each belief and each block, blocks first, the largest first."""
    draws, ess = all_draws(fit, fit.case), fit.diagnosis.min_ess
    single = {name: [name] for name in SLOTS if draws[name].ndim == 1 and np.ptp(draws[name]) > 0}
    blocks: dict[str, list[str]] = {}
    for name in single:
        blocks.setdefault(SLOTS[name].block, []).append(name)
    rows = []
    for kind, groups in (("block", blocks), ("belief", single)):
        for name, names in groups.items():
            row: Row = {"kind": kind, "name": name, "block": SLOTS[names[0]].block}
            row["reached"] = any(one not in fit.compiled.alone for one in names)
            x = np.column_stack([draws[one] for one in names])
            rows.append(row | valued(y, x, gains=gains, ess=ess, seed=seed))
    return sorted(rows, key=lambda row: (row["kind"] != "block", -row["share"]))


def study_rows(
    fit: Fit, y: np.ndarray, *, places: np.ndarray, gains: np.ndarray | None, seed: int
) -> list[Row]:
    """Return the value of each study, simulated from the draws at the places, largest first."""
    payoff = None if gains is None else gains[:, places]
    ess = fit.diagnosis.min_ess * len(places) / fit.n
    rows = [
        {"study": name, "told": STUDIES[name]}
        | valued(y[places], x, gains=payoff, ess=ess, seed=seed)
        for name, x in simulate_studies(fit, places).items()
    ]
    return sorted(rows, key=lambda row: -row["share"])


def valued(y: np.ndarray, x: np.ndarray, *, gains: np.ndarray | None, ess: float, seed: int) -> Row:
    """Return what knowing x is worth: for y, and in the units of payoffs ``gains`` if given.

    Parameters
    ----------
    y
        Quantity by draw.
    x
        What is known, dims (draw, number).
    gains
        Payoffs, dims (option, draw).
    ess
        Effective number of draws.
    seed
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``share`` of the variance of y, its interval and ``share_se``; ``variance`` and
        ``shrinks``, by how much the sd falls, as a share; ``worth`` and ``worth_se``.
    """
    known = explained(y, x, ess=ess, seed=seed)
    row: Row = {
        "share": known.share,
        "share_lower": known.lower,
        "share_upper": known.upper,
        "share_se": (known.upper - known.lower) / (2.0 * NORMAL),
        "variance": known.share * float(y.var()),
        "shrinks": 1.0 - (1.0 - min(known.share, 1.0)) ** 0.5,
    }
    if gains is not None:
        row["worth"], row["worth_se"] = worth(gains, x, ess=ess)
    return row


def worth(gains: np.ndarray, x: np.ndarray, *, ess: float) -> tuple[float, float]:
    """Return what knowing x adds to the payoff of the best option, and its standard error."""
    ahead = gains - gains[int(gains.mean(axis=1).argmax())]
    fitted = np.stack([expected(d, x) if np.ptp(d) else d for d in ahead])
    gain = ahead[fitted.argmax(axis=0), np.arange(ahead.shape[1])]
    return float(gain.mean()), float(gain.std() / max(ess, 1.0) ** 0.5)


def simulate_studies(fit: Fit, places: np.ndarray) -> dict[str, np.ndarray]:
    """Return what each study would report at draws of a fit, dims (draw, number)."""
    thin, rng, year = taken(fit, places), stream(fit.case.seed, "studies"), LAST_YEAR - FIRST_YEAR
    names = ["tracking_field", "fault_shares", "diagnosis_rate_practice", "workers"]
    draws = answer(thin, fit.case, names=names)
    ratings = rated(thin, rng)
    people = reread(thin.draws, ratings, rng=rng)
    survey = rng.binomial(TEAMS, draws["tracking_field"][:, year])[:, None] / TEAMS
    workers = np.log(draws["workers"][:, :, year])
    census = workers + COUNTED * rng.standard_normal(workers.shape)
    reports = [ratings, people, survey, census, diagnosed(draws, rng)]
    reports.append(np.hstack(reports))
    return {name: np.asarray(x, dtype=float) for name, x in zip(STUDIES, reports, strict=True)}


def rated(fit: Fit, rng: np.random.Generator) -> np.ndarray:
    """Return shares of ratings at each level, and with tracking and each use, of works like now."""
    case, structure = by_work(fit.case), fit.compiled.structure
    rows = case.evidence.arrays["ratings"]
    known = case.evidence.arrays["cells"]["purposive"][rows["cell"]] == 1
    usable = np.flatnonzero((rows["weight"] > 0) & ~known)
    if not len(usable):
        return np.zeros((fit.n, 1))
    replicates = simulated(case, fit.draws, structure=structure, stage="more ratings", most=fit.n)
    chosen = rng.choice(usable, size=WORKS, replace=len(usable) < WORKS)
    value, n = replicates["ratings"][:, chosen], len(structure.raters)
    levels = value[:, :, :n]
    seen = (levels >= 0) & (levels < LEVELS)
    total = np.maximum(seen.sum(axis=(1, 2)), 1)
    shares = [((levels == k) & seen).sum(axis=(1, 2)) / total for k in range(LEVELS)]
    for column in range(1, 4):
        part = value[:, :, column * n : (column + 1) * n]
        stated = part != MISSING
        count = np.maximum(stated.sum(axis=(1, 2)), 1)
        shares.append(((part == 1) & stated).sum(axis=(1, 2)) / count)
    return np.stack(shares, axis=1)


def reread(
    draws: Mapping[str, np.ndarray], seen: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Return how often models saw what people find there, and saw nothing where there is none.

    People's reading is taken as the truth; what models recorded gives the numbers of each.
    """
    sensitivity, specificity = (
        draws[f"shared_{name}"].mean(axis=1) for name in ("sensitivity", "specificity")
    )
    shares = []
    for column in range(3):
        recorded = seen[:, LEVELS + column] if seen.shape[1] > LEVELS else np.full(len(seen), 0.2)
        present = np.rint(PEOPLE * np.clip(recorded, 0.02, 0.98)).astype(int)
        absent = PEOPLE - present
        shares.append(rng.binomial(present, sensitivity[:, column]) / present)
        shares.append(rng.binomial(absent, specificity[:, column]) / absent)
    return np.stack(shares, axis=1)


def diagnosed(draws: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return how failures fall into worlds, and how many of each world are explained."""
    counts = np.array([rng.multinomial(FAULTS, p / p.sum()) for p in draws["fault_shares"]])
    rate = draws["diagnosis_rate_practice"][:, :, -1]
    explained_ones = rng.binomial(counts, np.clip(rate, 0.0, 1.0))
    return np.hstack([counts, explained_ones]) / FAULTS
