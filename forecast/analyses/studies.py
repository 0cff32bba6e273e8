"""Concrete studies, simulated from draws: what each would report, as a few summary numbers.

Each study's data are drawn once from each of a run's draws; the numbers that sum them up stand in
for them, so that a regression on these learns at most what the study tells. A study's own errors
are those stated here.
"""

from collections.abc import Mapping

import numpy as np

from forecast.engine import answer
from forecast.forward import taken
from forecast.pointwise import simulated
from forecast.sampling import Fit
from forecast.seeds import stream
from forecast.simulating import by_work
from models.ratings import MISSING
from models.structure import FIRST_YEAR, LAST_YEAR

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


__all__ = ["STUDIES", "simulate_studies"]
