r"""Backtests: fit what was knowable at the end of a year, forecast what came later, score it.

What was knowable at the end of a year: the tables as they stood, and the Case that holds them.

Leaving out is a weight of 0: the design (works, agendas, years, raters) keeps its shape, so that
nothing compiles, and every value that was not known is blank. A row counts as known by its own
year, else by the year of its source, else not at all; forecasts by others count by their date.

Ratings carry no date. A rater's level and tracking of a work are taken as known once the work is
there. A *use* that was marked counts as known where it is the work's own, or where a separate use
has been dated by then (uses.csv, spillovers.csv, alignment_uses.csv); else the answer is missing.
A recorded absence of use stays: what has no use by the close of the evidence had none before. Ages
run to the end of the year: YEAR + 1 less mid-year.

One origin of a backtest: from a fit of what was known to scores of what came later.

Dates of first attainment: when a level of the ladder has its first milestone.

A level k that milestones.csv holds to be open at the end of the origin Y has its first milestone in
year T, or none by the close of the evidence. The model's chance that it is still open after y is

.. math:: \frac{\mathrm{E}[1 - F_k(y)]}{\mathrm{E}[1 - F_k(Y)]}, \qquad
    F_k(y) = P(K^* \ge k)\, P(n_k(y) \ge 1),

the expectations over draws (:mod:`models.outcomes.milestones` with one work in place of three). The
baseline ``hazard`` is one rate for all levels: those attained, plus a half, over the level-years at
risk, plus one. The CRPS is cut at the close of the evidence, which keeps it proper for what is
open:

.. math:: \sum_{y = Y + 1}^{2026} \big(P(T \le y) - [T \le y]\big)^2 \quad \text{(years)}

A milestone is a named feat and asks for more than a work rated at its level, so the two events are
not the same one; and few levels were attained in the years forecast.

Figures on workers of later years: the model's forecast, two baselines, and their scores.

All are of the logarithm of people. ``carry`` carries the last figure of the same group and
definition forward (else the group's last of any definition) as a random walk; ``trend`` is a
log-linear regression,

.. math:: y = \mu_g + o_d + (b + b_g)(t - 2018) + e,

with ridges that pool definitions and groups. A row's own stated range widens every method's
forecast alike; a bound counts as a figure in the baselines' training, and is scored by the chance
of the side that it lies on (it has no CRPS).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from forecast.analyses.scores import (
    MODEL,
    PRIOR,
    TARGETS,
    Rated,
    Row,
    Works,
    rated_chances,
    table,
    work_scores,
)
from forecast.config.load import Config
from forecast.evidence.arrays import (
    Arrays,
    answer_codes,
    blank_answers,
    collapsed,
    joined_ids,
    lag_rows,
    padded_rows,
)
from forecast.evidence.load import Tables
from forecast.evidence.read import frame
from forecast.evidence.tables import Rating, UseDate
from forecast.inference.case import Case, make_case, structure_of
from forecast.inference.evaluate import forward
from forecast.inference.forward import taken
from forecast.inference.identity import run_hash
from forecast.inference.outcomes import predict
from forecast.inference.sampling import Fit, careful
from forecast.inference.seeds import stream
from forecast.progress import Stages
from forecast.runs.inputs import load_inputs
from models.batches import limited
from models.components import workers
from models.dims import FIRST_YEAR, GROUPS, LAST_YEAR, STEPS, Structure
from models.errors import InputError
from models.likelihoods import COUNTS_AND_FIGURES
from models.ops import NumPy
from models.outcomes.paths import Asked
from models.prior_draws import prior_draws
from models.terms import terms_from_draws

SIDE_COLUMN = {"cap": "cap_use", "ali": "ali_use"}
ONE = ("total", "spread", "cells", "age")
"""Columns that are 1 where a row is blank, so that its density stays finite; the others are 0."""
BY_ROW = {
    "workers": "workers",
    "paper_counts": "lists",
    "diagnosis": "diagnosis",
}
"""Tables whose rows are rows of arrays under another name, by id."""


def tables_at(tables: Tables, year: int) -> Tables:
    """Return the tables as they stood at the end of ``year``; works stay, as the design."""
    source_year = {row.source: row.year for row in tables.sources}
    study_year = {row.study: row.year or source_year.get(row.source) for row in tables.faults}

    def dated(rows: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(r for r in rows if (r.year or source_year.get(r.source) or year + 1) <= year)

    studies = (r for r in tables.fault_counts if (study_year.get(r.study) or year + 1) <= year)
    made = (row for row in tables.forecasts if row.date and int(row.date[:4]) <= year)
    known = replace(
        tables,
        workers=dated(tables.workers),
        agenda_fte=dated(tables.agenda_fte),
        paper_counts=dated(tables.paper_counts),
        faults=dated(tables.faults),
        diagnosis=dated(tables.diagnosis),
        fault_counts=tuple(studies),
        forecasts=tuple(made),
        milestones=tuple(_milestone_at(row, year) for row in tables.milestones),
        spillovers=tuple(r for r in tables.spillovers if r.capability_year <= year),
        alignment_uses=tuple(r for r in tables.alignment_uses if r.alignment_year <= year),
    )
    return _ratings_at(known, year)


def _milestone_at(row: Any, year: int) -> Any:
    if row.reached is None or row.reached <= year:
        return row
    return row.model_copy(update={"reached": None, "work": None})


def _ratings_at(tables: Tables, year: int) -> Tables:
    """Return the tables with ratings of works up to ``year``, and the uses known by then."""
    there = {row.work for row in tables.works if row.year <= year}
    sourced = _sourced(tables)
    uses, known = [], set(sourced)
    for row in tables.uses:
        if row.work not in there:
            continue
        own_date = row.first_year if row.other else None
        dates = [t for t in (own_date, sourced.get((row.work, row.side))) if t is not None]
        first = next((t for t in dates if t <= year), None) if row.other else None
        if row.own or first is not None:
            known.add((row.work, row.side, row.rater))
            uses.append(
                row.model_copy(update={"other": int(first is not None), "first_year": first})
            )
    ratings = [_rating_at(r, known) for r in tables.ratings if r.work in there]
    return replace(tables, uses=frame(UseDate, uses), ratings=frame(Rating, ratings))


def _sourced(tables: Tables) -> dict[tuple[str, ...], int]:
    """Return the year of the first separate use that a source dates, by work and side."""
    first: dict[tuple[str, ...], int] = {}
    for side, rows, column in (
        ("cap", tables.spillovers, "capability_year"),
        ("ali", tables.alignment_uses, "alignment_year"),
    ):
        for row in rows:
            if row.use != "none" and not row.same_work:
                key, when = (row.mi_work, side), int(getattr(row, column))
                first[key] = min(when, first.get(key, when))
    return first


def _rating_at(row: Any, known: set[tuple[str, ...]]) -> Any:
    """Return a rating whose marks of use that were not known yet are missing."""
    unknown = {
        column: None
        for side, column in SIDE_COLUMN.items()
        if getattr(row, column) == 1 and not {(row.work, side), (row.work, side, row.rater)} & known
    }
    return row.model_copy(update=unknown) if unknown else row


def case_at(case: Case, tables: Tables, *, year: int) -> Case:
    """Return the Case of what was knowable at the end of ``year``: same structure, other weights.

    Parameters
    ----------
    case
        Of all the evidence; its structure is kept.
    tables
        The tables that ``case`` was made from.
    year
        The origin.
    """
    known = tables_at(tables, year)
    arrays = {name: dict(columns) for name, columns in case.evidence.arrays.items()}
    ids = dict(case.evidence.ids)
    for source, name in BY_ROW.items():
        rows = {row.row for row in getattr(known, source)}
        arrays[name] = blanked(arrays[name], [i in rows for i in ids[name]])
    studies = {row.study for row in known.fault_counts}
    arrays["studies"] = blanked(arrays["studies"], [i in studies for i in ids["studies"]])
    fte = [int(i.rsplit("/", 1)[1]) <= year for i in ids["fte"]]
    arrays["fte"] = blanked(arrays["fte"], fte)
    lags, ids["lags"] = lag_rows(known, close=year + 1.0, last=year)
    arrays["lags"] = padded(lags, len(arrays["lags"]["weight"]))
    arrays["cells"] = _cells_at(arrays["cells"], year)
    codes = _codes_at(known, case.evidence.labels["rater"], year=year)
    made = collapsed(codes, case.evidence.cell_of_work)
    arrays["ratings"] = padded_rows(made, len(arrays["ratings"]["weight"]))
    ids["ratings"] = joined_ids(case.evidence.works, made)
    evidence = replace(case.evidence, arrays=arrays, ids=ids, row_of_work=made.row)
    soft = {row.row for row in known.forecasts}
    experts = tuple(expert for expert in case.experts if expert.row in soft)
    return replace(case, evidence=evidence, experts=experts)


def blanked(columns: dict[str, np.ndarray], keep: Sequence[bool]) -> dict[str, np.ndarray]:
    """Return the columns of a table with the rows not kept blank, and of weight 0."""
    n = len(columns["weight"])
    kept = np.array([*keep, *[False] * (n - len(keep))], dtype=bool)
    return {
        name: np.where(kept, values, np.asarray(float(name in ONE), dtype=values.dtype))
        for name, values in columns.items()
    }


def padded(columns: dict[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """Return the columns of a table with blank rows added up to ``n``."""
    some = {name: np.resize(values, n) for name, values in columns.items()}
    return blanked(some, [True] * len(columns["weight"]))


def _cells_at(cells: dict[str, np.ndarray], year: int) -> dict[str, np.ndarray]:
    """Return the cells with ages at the end of ``year``; those of later years keep theirs."""
    born = cells["year"] + FIRST_YEAR
    return cells | {"age": np.where(born <= year, year + 0.5 - born, cells["age"])}


def _codes_at(known: Tables, raters: tuple[str, ...], *, year: int) -> np.ndarray:
    """Return every work's answers, none of works after ``year``; dims (work, 6 x rater)."""
    there = known.works.whole("year") <= year
    return np.where(there[:, None], answer_codes(known, raters), blank_answers(len(raters)))


def cell_of_works(
    arrays: Arrays, labels: dict[str, tuple[str, ...]], *, works: Sequence[Any]
) -> np.ndarray:
    """Return each work's place among the cells (agenda, year, selection)."""
    cells = arrays["cells"]
    triples = zip(cells["agenda"], cells["year"], cells["purposive"], strict=True)
    place = {tuple(map(int, triple)): i for i, triple in enumerate(triples)}
    agenda = {name: i for i, name in enumerate(labels["agenda"])}
    return np.array(
        [
            place[agenda[w.agenda], w.year - FIRST_YEAR, int(w.selection == "purposive")]
            for w in works
        ],
        dtype=np.int64,
    )


CHUNK = 100
TINY = 1e-12


def first_dates(rows: Any) -> dict[int, int | None]:
    """Return the year of each level's first milestone, None while it is open."""
    dates: dict[int, int | None] = {}
    for k in STEPS:
        reached = [row.reached for row in rows if row.level == k and row.reached is not None]
        dates[k] = min(reached) if reached else None
    return dates


def open_chances(found: Mapping[str, Any]) -> np.ndarray:
    """Return the chance that no work of a level exists after each year; dims (step, year)."""
    question = Asked(LAST_YEAR, LAST_YEAR, 1, "field")
    parts = {name: found[name] for name in ("draws", "future", "structure")}
    made = predict(**parts, question=question, names=("first",), kind="levels")
    return np.asarray(1.0 - made["first"][:, 1:].mean(axis=0))


def still_open(chance: np.ndarray, origin: int) -> np.ndarray:
    """Return the chance to be open after each later year, given open at the origin."""
    i = origin - FIRST_YEAR
    return chance[:, i + 1 :] / np.maximum(chance[:, i : i + 1], TINY)


def hazard(dates: Mapping[int, int | None], origin: int) -> float:
    """Return the yearly chance that an open level is attained, from what was known then."""
    known = {k: t for k, t in dates.items() if t is not None and t <= origin}
    years = sum((known.get(k, origin) - FIRST_YEAR + 1) for k in dates)
    return (len(known) + 0.5) / (years + 1.0)


def date_rows(
    dates: Mapping[int, int | None], chance: np.ndarray, *, origin: int, names: Mapping[str, Any]
) -> list[Row]:
    """Return the scores of the levels open at the origin, by method."""
    years = np.arange(origin + 1, LAST_YEAR + 1)
    constant = (1.0 - hazard(dates, origin)) ** (years - origin)
    by = {MODEL: still_open(chance, origin), "hazard": np.tile(constant, (len(STEPS), 1))}
    rows = []
    for method, curves in by.items():
        for k, curve in zip(STEPS, curves, strict=True):
            when = dates[k]
            if when is not None and when <= origin:
                continue
            logs, distance = date_score(curve, None if when is None else when - origin)
            rows.append(
                {
                    **names,
                    "target": "milestones",
                    "method": method,
                    "item": f"level-{k}",
                    "year": LAST_YEAR if when is None else when,
                    "agenda": "",
                    "log_score": logs,
                    "distance": distance,
                    "rule": "crps",
                    "hindsight": False,
                }
            )
    return rows


def date_score(curve: np.ndarray, after: int | None) -> tuple[float, float]:
    """Return the log score and the CRPS of a date.

    Parameters
    ----------
    curve
        The chance to be open after 1, 2, ... years.
    after
        Years until it was attained; None if not within the curve.
    """
    whole = np.concatenate([[1.0], curve])
    p = whole[-1] if after is None else whole[after - 1] - whole[after]
    years = np.arange(1, len(whole))
    there = np.zeros(len(curve)) if after is None else (years >= after).astype(float)
    return float(np.log(max(p, TINY))), float((((1.0 - curve) - there) ** 2).sum())


FIGURE_BASELINES = ("carry", "trend")
RIDGE = (1e-6, 0.1, 1e-6, 1.0)
"""Precisions, in those of the error: a group's mean, a definition, the slope, a group's own."""
MIDDLE = 2018 - FIRST_YEAR
STEP, OTHER = 0.3, 1.0
"""Sd of a year's change, and between definitions, where no pair of figures tells."""
Columns = Mapping[str, np.ndarray]


def figures_of(columns: Columns) -> np.ndarray:
    """Return log people of each row: its figure, or the bound."""
    return np.where(columns["bound"] == 1, columns["threshold"], columns["value"])


def model_figures(
    draws: Mapping[str, np.ndarray],
    structure: Structure,
    *,
    arrays: Mapping[str, Columns],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return log score, CRPS and PIT of every row of workers under the mean over draws."""
    import scoringrules as sr

    rows = arrays["workers"]
    like = next(one for one in COUNTS_AND_FIGURES if one.table == "workers")
    params = like.params(NumPy, terms_from_draws(draws), arrays, structure=structure)
    logp = like.logp(NumPy, rows["value"], *params)
    y, (centre, scale) = figures_of(rows), params[:2]
    drawn = centre + scale * rng.standard_t(workers.DEGREES, size=centre.shape)
    return {
        "log_score": special.logsumexp(logp, axis=0) - np.log(len(logp)),
        "crps": np.asarray(sr.crps_ensemble(y, drawn, m_axis=0)),
        "pit": workers.student_cdf(NumPy, (y - centre) / scale).mean(axis=0),
    }


def carried(rows: Columns, known: np.ndarray, *, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and sd of the last figure carried forward, for the rows ``at``."""
    y = figures_of(rows)
    step, other = spreads(rows, known)
    out = []
    for i in np.flatnonzero(at):
        group = known & (rows["group"] == rows["group"][i])
        same = group & (rows["definition"] == rows["definition"][i])
        pool = next(mask for mask in (same, group, known) if mask.any())
        j = max(np.flatnonzero(pool), key=lambda k: rows["year"][k])
        years = rows["year"][i] - rows["year"][j]
        out.append((y[j], np.hypot(step * np.sqrt(years), 0.0 if same.any() else other)))
    centre, sd = np.array(out).reshape(-1, 2).T
    return centre, sd


def spreads(rows: Columns, known: np.ndarray) -> tuple[float, float]:
    """Return the sd of a year's change, and that between definitions of a group."""
    y = figures_of(rows)
    steps: list[float] = []
    means: dict[int, list[float]] = {}
    pairs = {(g, d) for g, d in zip(rows["group"][known], rows["definition"][known], strict=True)}
    for g, d in sorted(pairs):
        at = np.flatnonzero(known & (rows["group"] == g) & (rows["definition"] == d))
        at = at[np.argsort(rows["year"][at], kind="stable")]
        gap = np.diff(rows["year"][at])
        steps += list((np.diff(y[at])[gap > 0] ** 2) / gap[gap > 0])
        means.setdefault(g, []).append(y[at].mean())
    apart = [np.var(m, ddof=1) for m in means.values() if len(m) > 1]
    step = float(np.sqrt(np.mean(steps))) if steps else STEP
    return step, float(np.sqrt(np.mean(apart))) if apart else OTHER


def trended(rows: Columns, known: np.ndarray, *, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and sd of the log-linear trend, for the rows ``at``."""
    x, y = _design(rows), figures_of(rows)
    g, d = len(GROUPS), int(rows["definition"].max()) + 1
    precision = np.repeat(RIDGE, (g, d, 1, g))
    inverse = np.linalg.inv(x[known].T @ x[known] + np.diag(precision))
    beta = inverse @ x[known].T @ y[known]
    used = np.trace(x[known] @ inverse @ x[known].T)
    left = max(known.sum() - used, 1.0)
    variance = ((y[known] - x[known] @ beta) ** 2).sum() / left
    spread = 1.0 + np.einsum("ij,jk,ik->i", x[at], inverse, x[at])
    return x[at] @ beta, np.sqrt(variance * spread)


def _design(rows: Columns) -> np.ndarray:
    group = np.eye(len(GROUPS))[rows["group"]]
    definition = np.eye(int(rows["definition"].max()) + 1)[rows["definition"]]
    time = (rows["year"] - MIDDLE)[:, None].astype(float)
    return np.concatenate([group, definition, time, group * time], axis=1)


def normal_scores(
    rows: Columns, found: tuple[np.ndarray, np.ndarray], *, at: np.ndarray
) -> dict[str, np.ndarray]:
    """Return log score and CRPS of normal forecasts (centre, sd) of ``at``, their ranges added."""
    import scoringrules as sr

    (centre, sd), y, bound = found, figures_of(rows)[at], rows["bound"][at] == 1
    wide = np.hypot(sd, rows["spread"][at])
    side = np.where(rows["value"][at] == 1.0, 1.0, -1.0)
    chance = stats.norm.logcdf(side * (y - centre) / wide)
    logs = np.where(bound, chance, stats.norm.logpdf(y, centre, wide))
    return {"log_score": logs, "crps": np.asarray(sr.crps_normal(y, centre, wide))}


def figure_rows(
    found: Mapping[str, Mapping[str, np.ndarray]],
    rows: Columns,
    *,
    known: np.ndarray,
    ids: Sequence[str],
    names: Mapping[str, Any],
) -> list[Row]:
    """Return the scores of the figures that were not known, by method; ``found`` are ours."""
    later = (rows["weight"] > 0) & ~known
    by = {m: {name: x[later] for name, x in scores.items()} for m, scores in found.items()}
    for method, rule in zip(FIGURE_BASELINES, (carried, trended), strict=True):
        by[method] = normal_scores(rows, rule(rows, known, at=later), at=later)
    return [
        {
            **names,
            "target": "workers",
            "method": method,
            "item": ids[int(i)],
            "year": int(rows["year"][i]) + FIRST_YEAR,
            "agenda": GROUPS[rows["group"][i]],
            "log_score": float(scores["log_score"][k]),
            "distance": None if rows["bound"][i] else float(scores["crps"][k]),
            "rule": "crps",
            "hindsight": False,
        }
        for method, scores in by.items()
        for k, i in enumerate(np.flatnonzero(later))
    ]


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


FIRST_ORIGIN, LAST_ORIGIN = FIRST_YEAR + 1, LAST_YEAR - 1
MARK = "backtest.json"
"""The file that says that a folder is a backtest's."""
USUAL = "2020-2025"
DRAWS, TUNE = 2500, 1500
"""Draws and tuning steps of each chain."""
WINDOW = (2023, 2026)
"""Years of the hold-outs that are added up, each forecast from the year before."""


@dataclass(frozen=True)
class Backtest:
    """A finished backtest; ``summary`` is what backtest.json holds, ``rows`` the scores by item."""

    folder: Path
    summary: dict[str, Any]
    rows: list[Row]

    @property
    def failed(self) -> tuple[int, ...]:
        """Origins whose fit did not converge."""
        return tuple(row["origin"] for row in self.summary["training"] if not row["converged"])

    @property
    def converged(self) -> bool:
        """Whether every origin's fit converged."""
        return not self.failed

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.backtest import backtest_text

        return f"{backtest_text(self.summary)}\n{self.folder}"


def origins_of(until: str | int | Sequence[str | int]) -> tuple[int, ...]:
    """Return the origins of years and ranges, as ``2022`` or ``2020-2025``.

    Raises
    ------
    InputError
        If one is no year of the model with works after it.
    """
    parts = [until] if isinstance(until, str | int) else list(until)
    years: set[int] = set()
    for part in parts:
        ends = str(part).split("-")
        if not all(end.isdigit() for end in ends) or len(ends) > 2:
            raise InputError(f"--until {part}: found no year; write 2022, or a range as 2020-2025")
        years |= set(range(int(ends[0]), int(ends[-1]) + 1)) or {0}
    wrong = [year for year in sorted(years) if not FIRST_ORIGIN <= year <= LAST_ORIGIN]
    if wrong or not years:
        raise InputError(
            f"--until {' '.join(map(str, parts))}: found {wrong[0] if wrong else 'no year'}; "
            f"name years from {FIRST_ORIGIN} to {LAST_ORIGIN}, ranges rising"
        )
    return tuple(sorted(years))


def backtest(
    priors: str | Path,
    *,
    until: str | int | Sequence[str | int] = USUAL,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int | None = None,
    cores: int | None = None,
    seed: int = 0,
    retry: bool | None = None,
    backend: str | None = None,
    quiet: bool = False,
) -> Backtest:
    """Fit what was knowable at the end of each year, and score forecasts of what came later.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run.run`. The priors are today's, whatever the origin.
    until
        Origins: a year, a range as ``2020-2025``, or several of either.
    out
        Folder; ``runs/backtest-NAME-HASH8`` by default. Fits that lie there are not made again.
    draws, tune, chains
        Sampler options. Thin evidence mixes slowly: with 1000 draws after 1000 steps three of the
        six usual origins missed the rule of convergence.
    cores
        Fits at a time, each on one core; all cores by default.
    seed
        Seed of every random number.
    retry
        Fit an origin once more, with longer tuning, if its fit does not converge.
    backend
        As for :func:`forecast.runs.run.run`.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault, or nothing lies before or after an origin.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    origins = origins_of(until)
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    given["backend"] = backend
    options = replace(careful(config.sampler), **{k: v for k, v in given.items() if v is not None})
    case = replace(make_case(config, tables, seed=seed), sampler=options)
    _check_works(tables, origins)
    name = run_hash(config, tables, case=case)
    folder = Path(out) if out is not None else Path("runs") / f"backtest-{config.name}-{name[:8]}"
    make_folder(folder)
    with Stages(quiet=quiet) as stages, limited(cores):
        fits = _fits(case, tables, origins=origins, folder=folder, cores=cores, stages=stages)
        found = []
        for origin, fit in zip(origins, fits, strict=True):
            with stages(f"scores of {origin}"):
                made = scored_origin(fit, case, tables=tables, origin=origin)
            verdict = fit.diagnosis
            told = {"converged": verdict.converged, "failures": "; ".join(verdict.failures)}
            told["retried"] = verdict.retried
            found.append(replace(made, training=made.training | told))
        with stages("tables and figures"):
            summary = summarised(found, config, case=case)
            write(folder, found, summary=summary)
    return Backtest(folder, summary, [row for one in found for row in one.scores])


def _fits(
    case: Case,
    tables: Tables,
    *,
    origins: Sequence[int],
    folder: Path,
    cores: int | None,
    stages: Stages,
) -> list[Any]:
    """Fit each origin's Case, or read its fit; all share the structure of the whole."""
    from forecast.inference.parallel import fit_many

    cases = [case_at(case, tables, year=origin) for origin in origins]
    if any(structure_of(one) != structure_of(case) for one in cases):
        raise ValueError("an origin changed the structure: it would compile")
    with stages(f"fits of {len(cases)} origins"):
        return fit_many(cases, folder / "fits", workers=cores, tick=stages.tick)


def _check_works(tables: Tables, origins: Sequence[int]) -> None:
    rated = {row.work for row in tables.ratings}
    years = [w.year for w in tables.works if w.work in rated and w.selection == "sampled"]
    for origin in origins:
        if not any(y <= origin for y in years) or not any(y > origin for y in years):
            span = f"{min(years)} to {max(years)}" if years else "no year"
            raise InputError(
                f"--until {origin}: the rated sampled works are of {span}; name a year with works "
                "up to it and after it"
            )


def make_folder(folder: Path) -> None:
    """Make the folder of a backtest, or take one that is there.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "fits").is_dir():
        raise InputError(f"--out {folder}: exists and is no backtest's folder; name another")
    try:
        (folder / "fits").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


def summarised(found: Sequence[Origin], config: Config, *, case: Case) -> dict[str, Any]:
    """Return what a backtest says: training, scores by origin and horizon, and sums ahead."""
    rows, seed = [row for one in found for row in one.scores], case.seed
    every = [row | {"horizon": "all"} for row in rows]
    by = ("origin", "horizon", "target")
    ahead = [row for row in rows if row["horizon"] == 1 and row["target"] != "milestones"]
    window = [row for row in ahead if WINDOW[0] <= row["year"] <= WINDOW[1]]
    dates = [row for row in rows if row["target"] == "milestones"]
    pits = [row for one in found for row in one.pits]
    return {
        "schema": 1,
        "name": config.name,
        "seed": seed,
        "sampler": vars(case.sampler),
        "origins": [one.origin for one in found],
        "training": [one.training for one in found],
        "window": list(WINDOW),
        "years": sorted({row["year"] for row in window if row["target"] == "level"}),
        "scores": table(every + rows, by=by, seed=seed),
        "ahead": table(window, by=("target",), seed=seed),
        "all_horizons": table(
            [r for r in rows if r["target"] != "milestones"], by=("target",), seed=seed
        ),
        "dates": table(dates, by=("target",), seed=seed),
        "coverage": coverage(pits),
    }


def coverage(pits: Sequence[Row]) -> list[Row]:
    """Return how often central intervals held what came, by target, one year ahead and later."""
    out = []
    for target in dict.fromkeys(row["target"] for row in pits):
        for label, kept in (("1", (1, 1)), ("2+", (2, 99))):
            u = [
                r["pit"]
                for r in pits
                if r["target"] == target and kept[0] <= r["horizon"] <= kept[1]
            ]
            row: Row = {"target": target, "horizon": label, "items": len(u)}
            for prob in (0.5, 0.8, 0.95):
                held = sum(abs(x - 0.5) <= prob / 2 for x in u)
                row[f"within_{prob:g}"] = held / len(u) if u else None
            out.append(row)
    return out


def write(folder: Path, found: Sequence[Origin], *, summary: dict[str, Any]) -> None:
    """Write tables, figures and the text of a backtest."""
    from forecast.files import write_csv, write_json
    from reports.backtest import backtest_page
    from reports.figures.scores import write_backtest_figures

    rows = [row for one in found for row in one.scores]
    pits = [row for one in found for row in one.pits]
    chances = [row for one in found for row in one.chances]
    write_csv(folder / "scores.csv", summary["scores"])
    write_csv(folder / "works.csv", rows)
    write_csv(folder / "pit.csv", pits)
    write_csv(folder / "chances.csv", chances)
    write_backtest_figures(folder / "figures", summary, pits=pits, chances=chances)
    page = backtest_page(summary)
    (folder / "backtest.md").write_text(page, encoding="utf-8", newline="\n")
    write_json(folder / MARK, summary)
