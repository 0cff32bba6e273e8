"""One origin of a backtest: from a fit of what was known to scores of what came later."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from forecast.analyses.baselines import Works
from forecast.analyses.date_scores import date_rows, first_dates, open_chances
from forecast.analyses.figure_scores import figure_rows, model_figures
from forecast.analyses.knowable import cell_of_works, tables_at
from forecast.analyses.rated import TARGETS, Rated, rated_chances
from forecast.analyses.rules import MODEL, PRIOR, Row, work_scores
from forecast.case import Case, structure_of
from forecast.engine import forward
from forecast.evidence import Tables
from forecast.forward import taken
from forecast.rating_rows import answer_codes
from forecast.sampling import Fit
from forecast.seeds import stream
from models.prior_draws import prior_draws
from models.structure import FIRST_YEAR

POINTS = 1000
"""Draws, evenly spaced, over which a forecast is a mean."""


@dataclass(frozen=True)
class Origin:
    """What one origin gives: its training, scores, and what calibration is read from."""

    origin: int
    training: Row
    scores: list[Row] = field(default_factory=list)
    pits: list[Row] = field(default_factory=list)
    chances: list[Row] = field(default_factory=list)


def works_of(tables: Tables, *, labels: Mapping[str, tuple[str, ...]]) -> Works:
    """Return every work of the tables with its answers by the raters of ``labels``."""
    return Works(
        tuple(w.work for w in tables.works),
        np.array([labels["agenda"].index(w.agenda) for w in tables.works], dtype=np.int64),
        np.array([w.year for w in tables.works], dtype=np.int64),
        np.array([int(w.selection == "purposive") for w in tables.works], dtype=np.int64),
        answer_codes(tables, labels["rater"]),
    )


def rated_mask(works: Works) -> np.ndarray:
    """Return which works have an answer."""
    answers = [works.answers(target) >= 0 for target in TARGETS]
    return np.asarray(np.stack(answers).any(axis=(0, 2)))


def thinned(fit: Fit) -> Fit:
    """Return the fit with at most :data:`POINTS` of its draws."""
    return taken(fit, np.linspace(0, fit.n - 1, min(fit.n, POINTS)).astype(int))


def training(case: Case, works: Works, *, origin: int) -> Row:
    """Return the size of what an origin was fitted to."""
    there = (works.year <= origin) & rated_mask(works)
    weights = {name: x["weight"] for name, x in case.evidence.arrays.items() if "weight" in x}
    return {
        "origin": origin,
        "works": int(there.sum()),
        "sampled": int((there & (works.purposive == 0)).sum()),
        "answers": int(sum((works.take(there).answers(t) >= 0).sum() for t in TARGETS)),
        "workers": int((weights["workers"] > 0).sum()),
        "lists": int((weights["lists"] > 0).sum()),
        "fte": int((weights["fte"] > 0).sum()),
        "studies": int((weights["studies"] > 0).sum()),
        "diagnosis": int((weights["diagnosis"] > 0).sum()),
        "dated_uses": float(weights["lags"].sum()),
    }


def scored_origin(fit: Fit, whole: Case, *, tables: Tables, origin: int) -> Origin:
    """Return the scores of all that came after ``origin``.

    Parameters
    ----------
    fit
        Of the Case of what was knowable.
    whole, tables
        All the evidence: what came later is read here, and nowhere else.
    origin
        The year.
    """
    some, labels = thinned(fit), whole.evidence.labels
    every = works_of(tables, labels=labels)
    train = works_of(tables_at(tables, origin), labels=labels)
    train = train.take((train.year <= origin) & rated_mask(train))
    held = (every.year > origin) & (every.purposive == 0) & rated_mask(every)
    works, arrays = every.take(held), whole.evidence.arrays
    cell = cell_of_works(arrays, labels, works=tables.works)[held]
    structure = fit.compiled.structure
    prior = prior_of(whole)
    by = {
        name: rated_chances(x, structure, cells=arrays["cells"], cell=cell, codes=works.codes)
        for name, x in ((MODEL, some.draws), (PRIOR, prior))
    }
    found, names = by[MODEL], {"origin": origin}
    rows = work_scores(by, train, works=works, names=names, agendas=labels["agenda"])
    chance = open_chances(forward(some, fit.case))
    rows += date_rows(first_dates(tables.milestones), chance, origin=origin, names=names)
    figures, pits = _figures(some, whole, prior=prior, origin=origin)
    rows += figures
    for row in rows:
        row["horizon"] = row["year"] - origin
    pits += level_pits(found, works, origin=origin, seed=whole.seed)
    told = training(fit.case, train, origin=origin)
    return Origin(origin, told, rows, pits, chance_rows(found, works, origin=origin))


def prior_of(case: Case) -> dict[str, np.ndarray]:
    """Return draws of every variable from the priors alone."""
    rng = stream(case.seed, "backtest prior")
    return prior_draws(case.by_name, structure_of(case), n=POINTS, rng=rng)


def _figures(
    fit: Fit, whole: Case, *, prior: Mapping[str, np.ndarray], origin: int
) -> tuple[list[Row], list[Row]]:
    """Return the scores, and the PITs, of the figures on workers that came later."""
    columns, ids = whole.evidence.arrays["workers"], whole.evidence.ids["workers"]
    rng = stream(whole.seed, f"backtest figures {origin}")
    structure, arrays = fit.compiled.structure, whole.evidence.arrays
    found = model_figures(fit.draws, structure, arrays=arrays, rng=rng)
    alone = model_figures(prior, structure, arrays=arrays, rng=rng)
    known = fit.case.evidence.arrays["workers"]["weight"] > 0
    by = {MODEL: found, PRIOR: alone}
    rows = figure_rows(by, columns, known=known, ids=ids, names={"origin": origin})
    late = (columns["weight"] > 0) & ~known & (columns["bound"] == 0)
    pits = [
        {
            "origin": origin,
            "target": "workers",
            "item": ids[i],
            "pit": float(found["pit"][i]),
            "horizon": int(columns["year"][i]) + FIRST_YEAR - origin,
        }
        for i in np.flatnonzero(late)
    ]
    return rows, pits


def level_pits(found: Rated, works: Works, *, origin: int, seed: int) -> list[Row]:
    r"""Return a randomised PIT of a level of each work, by one of its raters drawn at random.

    :math:`F(y - 1) + u\,[F(y) - F(y - 1)]` with u uniform (Czado, Gneiting & Held 2009): uniform
    under the forecast though levels are few. One rater, since raters of a work err together.
    """
    rng = stream(seed, f"backtest pit {origin}")
    answers = works.answers("level")
    below = np.cumsum(found.chance["level"], axis=-1) - found.chance["level"]
    rows = []
    for i in np.flatnonzero((answers >= 0).any(axis=1)):
        r = rng.choice(np.flatnonzero(answers[i] >= 0))
        y = answers[i, r]
        u = below[i, r, y] + rng.uniform() * found.chance["level"][i, r, y]
        when = int(works.year[i]) - origin
        rows.append(
            {
                "origin": origin,
                "target": "level",
                "item": works.keys[i],
                "pit": float(min(u, 1.0)),
                "horizon": when,
            }
        )
    return rows


def chance_rows(found: Rated, works: Works, *, origin: int) -> list[Row]:
    """Return the chance of each yes or no that was recorded, beside what was recorded."""
    rows = []
    for target in TARGETS[1:]:
        answers = works.answers(target)
        for i, r in zip(*np.nonzero(answers >= 0), strict=True):
            rows.append(
                {
                    "origin": origin,
                    "target": target,
                    "item": works.keys[i],
                    "rater": int(r),
                    "horizon": int(works.year[i]) - origin,
                    "chance": float(found.chance[target][i, r, 1]),
                    "recorded": int(answers[i, r]),
                }
            )
    return rows


__all__ = ["Origin", "prior_of", "rated_mask", "scored_origin", "thinned", "training", "works_of"]
