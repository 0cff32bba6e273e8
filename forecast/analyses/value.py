r"""``forecast value``: what it would be worth to know a belief, or to have a study first.

For squared loss the value of knowing X is :math:`\mathrm{Var}\, E[Y \mid X]`, what it takes off the
variance of the headline Y on average, X being a belief, a block of them (perfect information) or
the summary of a study (sample information); by regression on draws (Strong, Oakley & Brennan 2014,
Med. Decis. Making 34:311; and 2015, 35:570). With a decision the value in its units is

.. math:: E\big[\max_o E[U_o \mid X]\big] - \max_o E[U_o],

estimated as the mean payoff, on draws left out of the regressions, of taking the option that these
say is best: a lower bound but for noise, whose error is that of a mean.

Concrete studies, simulated from draws: what each would report, as a few summary numbers.

Each study's data are drawn once from each of a run's draws; the numbers that sum them up stand in
for them, so that a regression on these learns at most what the study tells. A study's own errors
are those stated here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.decide import worths
from forecast.analyses.result import Result, opened, outside_of, target_of
from forecast.analyses.statistics import expected, explained
from forecast.config.load import load_config
from forecast.config.scenarios import Decision, decision_of, load_decision
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
Draws = dict[str, np.ndarray]


def simulate_studies(fit: Fit, at: np.ndarray) -> dict[str, np.ndarray]:
    """Return what each study would report at draws of a fit, dims (draw, number).

    Parameters
    ----------
    fit
        Of a run.
    at
        Places of the draws.
    """
    thin, rng = taken(fit, at), stream(fit.case.seed, "studies")
    year = LAST_YEAR - FIRST_YEAR
    names = ["tracking_field", "fault_shares", "diagnosis_rate_practice", "workers"]
    found = answer(thin, fit.case, names=names)
    out = {"ratings": rated(thin, rng)}
    out["people"] = reread(thin.draws, out["ratings"], rng=rng)
    out["survey"] = rng.binomial(TEAMS, found["tracking_field"][:, year])[:, None] / TEAMS
    workers = np.log(found["workers"][:, :, year])
    out["census"] = workers + COUNTED * rng.standard_normal(workers.shape)
    out["failures"] = diagnosed(found, rng)
    out["one year"] = np.hstack(list(out.values()))
    return {name: np.asarray(out[name], dtype=float) for name in STUDIES}


def rated(fit: Fit, rng: np.random.Generator) -> np.ndarray:
    """Return shares of ratings at each level, and with tracking and each use, of works like now."""
    made = by_work(fit.case)
    rows = made.evidence.arrays["ratings"]
    known = made.evidence.arrays["cells"]["purposive"][rows["cell"]] == 1
    usable = np.flatnonzero((rows["weight"] > 0) & ~known)
    if not len(usable):
        return np.zeros((fit.n, 1))
    structure = fit.compiled.structure
    found = simulated(made, fit.draws, structure=structure, stage="more ratings", most=fit.n)
    chosen = rng.choice(usable, size=WORKS, replace=len(usable) < WORKS)
    value = found["ratings"][:, chosen]
    n = len(structure.raters)
    levels = value[:, :, :n]
    seen = (levels >= 0) & (levels < LEVELS)
    total = np.maximum(seen.sum(axis=(1, 2)), 1)
    out = [((levels == k) & seen).sum(axis=(1, 2)) / total for k in range(LEVELS)]
    for column in range(1, 4):
        part = value[:, :, column * n : (column + 1) * n]
        there = part != MISSING
        out.append(((part == 1) & there).sum(axis=(1, 2)) / np.maximum(there.sum(axis=(1, 2)), 1))
    return np.stack(out, axis=1)


def reread(
    draws: Mapping[str, np.ndarray], seen: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Return how often models saw what people find there, and saw nothing where there is none.

    People's reading is taken as the truth; what models recorded gives the numbers of each.
    """
    sensitivity, specificity = (
        draws[f"shared_{name}"].mean(axis=1) for name in ("sensitivity", "specificity")
    )
    out = []
    for column in range(3):
        recorded = seen[:, LEVELS + column] if seen.shape[1] > LEVELS else 0.2
        there = np.rint(PEOPLE * np.clip(recorded, 0.02, 0.98)).astype(int) + np.zeros(
            len(seen), int
        )
        hits = rng.binomial(there, sensitivity[:, column]) / there
        clear = rng.binomial(PEOPLE - there, specificity[:, column]) / (PEOPLE - there)
        out += [hits, clear]
    return np.stack(out, axis=1)


def diagnosed(found: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return how failures fall into worlds, and how many of each world are explained."""
    shares = found["fault_shares"]
    counts = np.array([rng.multinomial(FAULTS, p / p.sum()) for p in shares])
    rate = found["diagnosis_rate_practice"][:, :, -1]
    solved = rng.binomial(counts, np.clip(rate, 0.0, 1.0))
    return np.hstack([counts, solved]) / FAULTS


DRAWS = 2000
"""Draws from which studies are simulated."""
NORMAL = 1.5982
"""Normal quantile of 0.945: an 89% interval is so many standard errors either way."""
Row = dict[str, Any]


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
    made = opened(run, "information has a value")
    target = target_of(out)
    stated = _decision(made, decision)
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            fit = fit_of(made)
            y = answer(fit, fit.case, names=[quantity])[quantity]
            gains = None if stated is None else payoffs(fit, stated)
        with stages("beliefs"):
            beliefs = belief_rows(fit, y, gains=gains, seed=seed)
        with stages("studies"):
            at = np.linspace(0, fit.n - 1, 0 if quick else min(fit.n, DRAWS)).astype(int)
            studies = study_rows(fit, y, at=at, gains=gains, seed=seed) if len(at) else []
    summary: Row = {"schema": 1, "run": made.folder.name, "converged": made.converged}
    summary |= {"quick": quick, "quantity": quantity, "now": spread(y), "draws": len(at)}
    summary |= outside_of(made)
    summary |= {"unit": None if stated is None else stated.unit}
    summary |= {"beliefs": beliefs, "studies": studies}
    if target is not None:
        _write(target, summary)
    return Value(summary, made.converged, target)


def _decision(made: Run, file: str | Path | None) -> Decision | None:
    path = made.folder / "priors.toml"
    text = load_decision(file) if file is not None else load_config(path).decision
    if text is None:
        return None
    return decision_of(text, since=made.headline["cohort"], where=str(file or path))


def payoffs(fit: Fit, decision: Decision) -> np.ndarray:
    """Return each option's payoff less its cost, dims (option, draw)."""
    stated = np.array([one.payoffs for one in decision.options])
    costs = np.array([one.cost for one in decision.options])
    return np.asarray(np.einsum("osj,oj->os", worths(fit, decision), stated) - costs[:, None])


def belief_rows(fit: Fit, y: np.ndarray, *, gains: np.ndarray | None, seed: int) -> list[Row]:
    """Return the value of knowing each belief and each block, blocks first, the largest first."""
    draws, ess = all_draws(fit, fit.case), fit.diagnosis.min_ess
    single = {n: draws[n] for n in SLOTS if draws[n].ndim == 1 and np.ptp(draws[n]) > 0}
    rows = []
    for kind, sets in (("block", _blocks(single)), ("belief", {n: [n] for n in single})):
        made = []
        for name, names in sets.items():
            x = np.column_stack([single[one] for one in names])
            row: Row = {"kind": kind, "name": name, "block": SLOTS[names[0]].block}
            row["reached"] = any(one not in fit.compiled.alone for one in names)
            made.append(row | valued(y, x, gains=gains, ess=ess, seed=seed))
        rows += sorted(made, key=lambda one: -float(one["share"]))
    return rows


def study_rows(
    fit: Fit, y: np.ndarray, *, at: np.ndarray, gains: np.ndarray | None, seed: int
) -> list[Row]:
    """Return the value of each study, simulated from draws at places ``at``, the largest first."""
    some = None if gains is None else gains[:, at]
    ess = fit.diagnosis.min_ess * len(at) / fit.n
    rows = [
        {"study": name, "told": STUDIES[name]} | valued(y[at], x, gains=some, ess=ess, seed=seed)
        for name, x in simulate_studies(fit, at).items()
    ]
    return sorted(rows, key=lambda one: -float(one["share"]))


def _blocks(names: Sequence[str] | dict[str, np.ndarray]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name in names:
        out.setdefault(SLOTS[name].block, []).append(name)
    return out


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
    found = explained(y, x, ess=ess, seed=seed)
    error = (found.upper - found.lower) / (2.0 * NORMAL)
    row: Row = {"share": found.share, "share_lower": found.lower, "share_upper": found.upper}
    row |= {"share_se": error, "variance": found.share * float(y.var())}
    row["shrinks"] = 1.0 - (1.0 - min(found.share, 1.0)) ** 0.5
    if gains is not None:
        row |= dict(zip(("worth", "worth_se"), worth(gains, x, ess=ess), strict=True))
    return row


def worth(gains: np.ndarray, x: np.ndarray, *, ess: float) -> tuple[float, float]:
    """Return what knowing x adds to the payoff of the best option, and its standard error."""
    best = int(gains.mean(axis=1).argmax())
    ahead = gains - gains[best]
    fitted = np.stack([expected(d, x) if np.ptp(d) else d for d in ahead])
    got = ahead[fitted.argmax(axis=0), np.arange(ahead.shape[1])]
    return float(got.mean()), float(got.std() / max(ess, 1.0) ** 0.5)


def _write(folder: Path, summary: Row) -> None:
    from forecast.files import write_csv, write_json
    from reports.figures.choices import write_value_figure

    folder.mkdir(parents=True)
    write_csv(folder / "beliefs.csv", summary["beliefs"])
    if not summary["quick"]:
        write_csv(folder / "studies.csv", summary["studies"])
    write_value_figure(folder, summary)
    write_json(folder / "value.json", summary)
