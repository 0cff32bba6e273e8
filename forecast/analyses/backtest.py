r"""``forecast backtest``: fit what was knowable at the end of a year, and score what came later.

**What was knowable.** Evidence is left out by a weight of 0: the design (works, agendas, years,
raters) keeps its shape, so nothing is compiled again, and every value that was not known is blank.
A row counts as known by its own year, otherwise by the year of its source, otherwise not at all;
forecasts by others count by their date. Ratings carry no date: a rater's level and tracking of a
work are taken as known once the work exists. A *use* that was marked counts as known if it is the
work's own, or if a separate use has been dated by then (uses.csv, spillovers.csv,
alignment_uses.csv); otherwise the answer is missing. A recorded absence of use stays, since a work
without use by the close of the evidence had none before. Ages run to the end of the year: YEAR + 1
less mid-year.

**Dates of milestones.** A level k that milestones.csv holds to be open at the end of the origin Y
has its first milestone in year T, or none by the close of the evidence. The model's chance that it
is still open after y is

.. math:: \frac{\mathrm{E}[1 - F_k(y)]}{\mathrm{E}[1 - F_k(Y)]}, \qquad
    F_k(y) = P(K^* \ge k)\, P(n_k(y) \ge 1),

with expectations over draws (:func:`models.outcomes.milestones.first_by_year`). The baseline
``hazard`` is one rate for all levels: those attained, plus a half, over the level-years at risk,
plus one. The CRPS is cut at the close of the evidence, and stays proper for what is open:

.. math:: \sum_{y = Y + 1}^{2026} \big(P(T \le y) - [T \le y]\big)^2 \quad \text{(years)}

A milestone is a named feat and asks for more than a work rated at its level, so the two events
differ; and few levels were attained in the years forecast.

**Figures on workers** are forecast as the logarithm of people. ``carry`` carries the last figure of
the same group and definition forward (otherwise the group's last of any definition) as a random
walk; ``trend`` is a log-linear regression,

.. math:: y = \mu_g + o_d + (b + b_g)(t - 2018) + e,

with ridges that pool definitions and groups. A row's own stated range widens every method's
forecast alike. A bound counts as a figure in the baselines' training, and is scored by the chance
of its side (it has no CRPS).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from forecast.analyses.result import resumable
from forecast.analyses.run_checks import first_work_curve
from forecast.analyses.scores import (
    MODEL,
    PRIOR,
    TARGETS,
    Rated,
    Row,
    Works,
    covered,
    rated_chances,
    score_row,
    table,
    work_scores,
)
from forecast.config.load import Config
from forecast.evidence.arrays import (
    answer_codes,
    blank_answers,
    collapsed,
    joined_ids,
    lag_rows,
    padded_rows,
)
from forecast.evidence.frame import frame
from forecast.evidence.load import Tables
from forecast.evidence.tables import Rating, UseDate
from forecast.inference.case import Case, make_case, structure_of
from forecast.inference.forward import thinned
from forecast.inference.identity import run_hash
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

FIRST_ORIGIN, LAST_ORIGIN = FIRST_YEAR + 1, LAST_YEAR - 1
MARK = "backtest.json"
"""The file that marks the folder of a backtest."""
USUAL = "2020-2025"
DRAWS, TUNE = 2500, 1500
"""Draws and tuning steps of each chain."""
POINTS = 1000
"""Draws, evenly spaced, that a forecast averages over."""
WINDOW = (2023, 2026)
"""Years of the hold-outs that are added up, each forecast from the year before."""
SIDE_COLUMN = {"cap": "cap_use", "ali": "ali_use"}
ONE = ("total", "spread", "cells", "age")
"""Columns that are 1 in a blank row, so that its density stays finite; the others are 0."""
ROWS_OF = {"workers": "workers", "paper_counts": "lists", "diagnosis": "diagnosis"}
"""Name of the arrays whose rows are those of a table, by id."""
TINY = 1e-12
BY_NOW = Asked(LAST_YEAR, LAST_YEAR, 1, "field")
"""Asks for one work of the field by the close of the evidence."""
RIDGE = (1e-6, 0.1, 1e-6, 1.0)
"""Precisions, in those of the error: a group's mean, a definition, the slope, a group's own."""
MIDDLE = 2018 - FIRST_YEAR
STEP, OTHER = 0.3, 1.0
"""Sd of a year's change, and between definitions, where no pair of figures shows it."""
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Origin:
    """The training of one origin, its scores, and PIT values and chances for calibration."""

    origin: int
    training: Row
    scores: list[Row]
    pits: list[Row]
    chances: list[Row]


@dataclass(frozen=True)
class Backtest:
    """A finished backtest; ``summary`` is the content of backtest.json, ``rows`` the scores."""

    folder: Path
    summary: Row
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
        Folder; ``runs/backtest-NAME-HASH8`` by default. Finished fits in it are used again.
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
    from forecast.inference.parallel import fit_many

    config, tables = load_inputs(priors, evidence=evidence)
    origins = origins_of(until)
    given: Row = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    given["backend"] = backend
    options = replace(careful(config.sampler), **{k: v for k, v in given.items() if v is not None})
    case = replace(make_case(config, tables, seed=seed), sampler=options)
    _check_works(tables, origins)
    name = run_hash(config, tables, case=case)
    folder = Path(out) if out is not None else Path("runs") / f"backtest-{config.name}-{name[:8]}"
    fits_folder = resumable(folder, "fits", what="no backtest's folder")
    cases = [case_at(case, tables, year=origin) for origin in origins]
    if any(structure_of(one) != structure_of(case) for one in cases):
        raise ValueError("an origin changed the structure: it would compile")
    with Stages(quiet=quiet) as stages, limited(cores):
        with stages(f"fits of {len(cases)} origins"):
            fits = fit_many(cases, fits_folder, workers=cores, tick=stages.tick)
        results = []
        for origin, fit in zip(origins, fits, strict=True):
            with stages(f"scores of {origin}"):
                results.append(scored_origin(fit, case, tables=tables, origin=origin))
        with stages("tables and figures"):
            summary = summarised(results, config, case=case)
            write(folder, results, summary=summary)
    return Backtest(folder, summary, [row for one in results for row in one.scores])


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


def tables_at(tables: Tables, year: int) -> Tables:
    """Return the tables as they stood at the end of ``year``; works stay, as the design."""
    source_year = {row.source: row.year for row in tables.sources}
    study_year = {row.study: row.year or source_year.get(row.source) for row in tables.faults}
    existing = {row.work for row in tables.works if row.year <= year}

    def dated(rows: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(r for r in rows if (r.year or source_year.get(r.source) or year + 1) <= year)

    def milestone(row: Any) -> Any:
        if row.reached is None or row.reached <= year:
            return row
        return row.model_copy(update={"reached": None, "work": None})

    uses = list(_uses_at(tables, year, existing=existing))
    known: set[tuple[str, ...]] = {(use.work, use.side, use.rater) for use in uses}
    known |= set(_sourced_uses(tables, year))
    ratings = [_rating_at(r, known) for r in tables.ratings if r.work in existing]
    studies = [r for r in tables.fault_counts if (study_year.get(r.study) or year + 1) <= year]
    return replace(
        tables,
        workers=dated(tables.workers),
        agenda_fte=dated(tables.agenda_fte),
        paper_counts=dated(tables.paper_counts),
        faults=dated(tables.faults),
        diagnosis=dated(tables.diagnosis),
        fault_counts=tuple(studies),
        forecasts=tuple(r for r in tables.forecasts if r.date and int(r.date[:4]) <= year),
        milestones=tuple(milestone(row) for row in tables.milestones),
        spillovers=tuple(r for r in tables.spillovers if r.capability_year <= year),
        alignment_uses=tuple(r for r in tables.alignment_uses if r.alignment_year <= year),
        uses=frame(UseDate, uses),
        ratings=frame(Rating, ratings),
    )


def _sourced_uses(tables: Tables, year: int) -> dict[tuple[str, str], int]:
    """Return the first year, up to ``year``, of a separate use with a source, by work and side."""
    first: dict[tuple[str, str], int] = {}
    for side, rows, column in (
        ("cap", tables.spillovers, "capability_year"),
        ("ali", tables.alignment_uses, "alignment_year"),
    ):
        for row in rows:
            if row.use != "none" and not row.same_work and getattr(row, column) <= year:
                key = row.mi_work, side
                first[key] = min(int(getattr(row, column)), first.get(key, year))
    return first


def _uses_at(tables: Tables, year: int, *, existing: set[str]) -> Iterator[UseDate]:
    """Yield the uses known by the end of ``year``, each with the date known then."""
    sourced = _sourced_uses(tables, year)
    for row in tables.uses:
        if row.work not in existing:
            continue
        dates = (row.first_year, sourced.get((row.work, row.side))) if row.other else ()
        first = next((date for date in dates if date is not None and date <= year), None)
        if row.own or first is not None:
            yield row.model_copy(update={"other": int(first is not None), "first_year": first})


def _rating_at(row: Any, known: set[tuple[str, ...]]) -> Any:
    """Return a rating whose marks of use that were not known yet are missing."""
    unknown = {
        column: None
        for side, column in SIDE_COLUMN.items()
        if getattr(row, column) == 1 and not known & {(row.work, side), (row.work, side, row.rater)}
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
    known, whole = tables_at(tables, year), case.evidence
    arrays = {name: dict(columns) for name, columns in whole.arrays.items()}
    ids = dict(whole.ids)
    for source, name in ROWS_OF.items():
        rows = {row.row for row in getattr(known, source)}
        arrays[name] = blanked(arrays[name], [i in rows for i in ids[name]])
    studies = {row.study for row in known.fault_counts}
    arrays["studies"] = blanked(arrays["studies"], [i in studies for i in ids["studies"]])
    years = [int(i.rsplit("/", 1)[1]) for i in ids["fte"]]
    arrays["fte"] = blanked(arrays["fte"], [y <= year for y in years])
    lags, ids["lags"] = lag_rows(known, close=year + 1.0, last=year)
    n = len(arrays["lags"]["weight"])
    lags = {name: np.resize(x, n) for name, x in lags.items()}
    arrays["lags"] = blanked(lags, [True] * len(ids["lags"]))
    cells = arrays["cells"]
    born = cells["year"] + FIRST_YEAR  # ages of works of later years stay as they are
    arrays["cells"] = cells | {"age": np.where(born <= year, year + 0.5 - born, cells["age"])}
    raters = whole.labels["rater"]
    blank = blank_answers(len(raters))
    exists = (known.works.whole("year") <= year)[:, None]
    distinct = collapsed(np.where(exists, answer_codes(known, raters), blank), whole.cell_of_work)
    arrays["ratings"] = padded_rows(distinct, len(arrays["ratings"]["weight"]))
    ids["ratings"] = joined_ids(whole.works, distinct)
    evidence = replace(whole, arrays=arrays, ids=ids, row_of_work=distinct.row)
    soft = {row.row for row in known.forecasts}
    experts = tuple(expert for expert in case.experts if expert.row in soft)
    return replace(case, evidence=evidence, experts=experts)


def blanked(columns: Columns, chosen: Sequence[bool]) -> dict[str, np.ndarray]:
    """Return a table with its other rows, padded ones too, blank and of weight 0."""
    n = len(columns["weight"])
    mask = np.array([*chosen, *[False] * (n - len(chosen))], dtype=bool)
    return {
        name: np.where(mask, values, np.asarray(float(name in ONE), dtype=values.dtype))
        for name, values in columns.items()
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
    evidence, structure = whole.evidence, fit.compiled.structure
    labels, thin = evidence.labels, thinned(fit, POINTS)
    every = Works.of_tables(tables, labels)
    train = Works.of_tables(tables_at(tables, origin), labels)
    train = train.take((train.year <= origin) & train.rated)
    later = (every.year > origin) & (every.purposive == 0) & every.rated
    works, cell, cells = every.take(later), evidence.cell_of_work[later], evidence.arrays["cells"]
    draws = {MODEL: thin.draws, PRIOR: draws_of_priors(whole)}
    rated = {
        name: rated_chances(x, structure, cells=cells, cell=cell, codes=works.codes)
        for name, x in draws.items()
    }
    rng = stream(whole.seed, f"backtest figures {origin}")
    figures = {
        name: model_figures(x, structure, arrays=evidence.arrays, rng=rng)
        for name, x in draws.items()
    }
    known = fit.case.evidence.arrays["workers"]["weight"] > 0
    rows, ids = evidence.arrays["workers"], evidence.ids["workers"]
    scores = [
        *work_scores(rated, train, works=works, agendas=labels["agenda"]),
        *date_scores(
            first_dates(tables.milestones),
            1.0 - first_work_curve(thin, question=BY_NOW)[1:],
            origin=origin,
        ),
        *figure_scores(figures, rows, known=known, ids=ids),
    ]
    pits = [*figure_pits(figures[MODEL]["pit"], rows, known=known, ids=ids, origin=origin)]
    pits += level_pits(rated[MODEL], works, origin=origin, seed=whole.seed)
    return Origin(
        origin,
        training(fit, train, origin=origin),
        [{"origin": origin, **row, "horizon": row["year"] - origin} for row in scores],
        pits,
        [*recorded_chances(rated[MODEL], works, origin=origin)],
    )


def draws_of_priors(case: Case) -> dict[str, np.ndarray]:
    """Return draws of every variable from the priors alone."""
    rng = stream(case.seed, "backtest prior")
    return prior_draws(case.by_name, structure_of(case), n=POINTS, rng=rng)


def training(fit: Fit, works: Works, *, origin: int) -> Row:
    """Return the size of what an origin was fitted to, and how the fit did."""
    arrays, verdict = fit.case.evidence.arrays, fit.diagnosis
    weights = {name: x["weight"] for name, x in arrays.items() if "weight" in x}
    return {
        "origin": origin,
        "works": len(works),
        "sampled": len(works.sampled),
        "answers": int(sum((works.answers(t) >= 0).sum() for t in TARGETS)),
        **{
            name: int((weights[name] > 0).sum())
            for name in ("workers", "lists", "fte", "studies", "diagnosis")
        },
        "dated_uses": float(weights["lags"].sum()),
        "converged": verdict.converged,
        "failures": "; ".join(verdict.failures),
        "retried": verdict.retried,
    }


def level_pits(rated: Rated, works: Works, *, origin: int, seed: int) -> Iterator[Row]:
    r"""Yield a randomised PIT of a level of each work, by one of its raters drawn at random.

    :math:`F(y - 1) + u\,[F(y) - F(y - 1)]` with u uniform (Czado, Gneiting & Held 2009) is uniform
    under the forecast though levels are few. One rater, since raters of a work err together.
    """
    rng = stream(seed, f"backtest pit {origin}")
    answers, chance = works.answers("level"), rated.chance["level"]
    below = np.cumsum(chance, axis=-1) - chance
    for i in np.flatnonzero((answers >= 0).any(axis=1)):
        r = rng.choice(np.flatnonzero(answers[i] >= 0))
        y = answers[i, r]
        u = below[i, r, y] + rng.uniform() * chance[i, r, y]
        yield {
            "origin": origin,
            "target": "level",
            "item": works.keys[i],
            "pit": float(min(u, 1.0)),
            "horizon": int(works.year[i]) - origin,
        }


def recorded_chances(rated: Rated, works: Works, *, origin: int) -> Iterator[Row]:
    """Yield the chance of each yes or no that was recorded, beside what was recorded."""
    for target in TARGETS[1:]:
        answers = works.answers(target)
        for i, r in zip(*np.nonzero(answers >= 0), strict=True):
            yield {
                "origin": origin,
                "target": target,
                "item": works.keys[i],
                "rater": int(r),
                "horizon": int(works.year[i]) - origin,
                "chance": float(rated.chance[target][i, r, 1]),
                "recorded": int(answers[i, r]),
            }


def first_dates(milestones: Any) -> dict[int, int | None]:
    """Return the year of each level's first milestone, None while it is open."""
    dates: dict[int, int | None] = dict.fromkeys(STEPS)
    for row in milestones:
        if row.level in dates and row.reached is not None:
            dates[row.level] = min(row.reached, dates[row.level] or row.reached)
    return dates


def still_open(chance: np.ndarray, origin: int) -> np.ndarray:
    """Return the chance to be open after each later year, given open at the origin."""
    i = origin - FIRST_YEAR
    return chance[:, i + 1 :] / np.maximum(chance[:, i : i + 1], TINY)


def hazard(dates: Mapping[int, int | None], origin: int) -> float:
    """Return the yearly chance that an open level is attained, from what was known then."""
    known = {k: t for k, t in dates.items() if t is not None and t <= origin}
    years = sum((known.get(k, origin) - FIRST_YEAR + 1) for k in dates)
    return (len(known) + 0.5) / (years + 1.0)


def date_scores(
    dates: Mapping[int, int | None], chance: np.ndarray, *, origin: int
) -> Iterator[Row]:
    """Yield the scores of the levels open at the origin, by method.

    ``chance`` is the model's that a level is open after each year, dims (step, year).
    """
    years = np.arange(origin + 1, LAST_YEAR + 1)
    constant = (1.0 - hazard(dates, origin)) ** (years - origin)
    by = {MODEL: still_open(chance, origin), "hazard": np.tile(constant, (len(STEPS), 1))}
    for method, curves in by.items():
        for k, curve in zip(STEPS, curves, strict=True):
            when = dates[k]
            if when is not None and when <= origin:
                continue
            logs, distance = date_score(curve, None if when is None else when - origin)
            year, item = LAST_YEAR if when is None else when, f"level-{k}"
            yield score_row(
                "milestones", method, item, year=year, log_score=logs, distance=distance
            )


def date_score(curve: np.ndarray, after: int | None) -> tuple[float, float]:
    """Return the log score and the CRPS of a date.

    Parameters
    ----------
    curve
        The chance to be open after 1, 2, ... years.
    after
        Years until it was attained; None if not within the curve.
    """
    still = np.concatenate([[1.0], curve])
    p = still[-1] if after is None else still[after - 1] - still[after]
    attained = np.arange(1, len(still)) >= (np.inf if after is None else after)
    return float(np.log(max(p, TINY))), float(((1.0 - curve - attained) ** 2).sum())


def log_people(columns: Columns) -> np.ndarray:
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
    y, (centre, scale) = log_people(rows), params[:2]
    drawn = centre + scale * rng.standard_t(workers.DEGREES, size=centre.shape)
    return {
        "log_score": special.logsumexp(logp, axis=0) - np.log(len(logp)),
        "crps": np.asarray(sr.crps_ensemble(y, drawn, m_axis=0)),
        "pit": workers.student_cdf(NumPy, (y - centre) / scale).mean(axis=0),
    }


def carried(
    rows: Columns, known: np.ndarray, *, later: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and sd of the last known figure carried forward, for the ``later`` rows."""
    y = log_people(rows)
    step, other = spreads(rows, known)
    normals = []
    for i in np.flatnonzero(later):
        group = known & (rows["group"] == rows["group"][i])
        same = group & (rows["definition"] == rows["definition"][i])
        pool = next(mask for mask in (same, group, known) if mask.any())
        j = max(np.flatnonzero(pool), key=lambda k: rows["year"][k])
        years = rows["year"][i] - rows["year"][j]
        normals.append((y[j], np.hypot(step * np.sqrt(years), 0.0 if same.any() else other)))
    centre, sd = np.array(normals).reshape(-1, 2).T
    return centre, sd


def spreads(rows: Columns, known: np.ndarray) -> tuple[float, float]:
    """Return the sd of a year's change, and that between definitions of a group."""
    y = log_people(rows)
    steps: list[float] = []
    means: dict[int, list[float]] = {}
    pairs = {(g, d) for g, d in zip(rows["group"][known], rows["definition"][known], strict=True)}
    for g, d in sorted(pairs):
        series = np.flatnonzero(known & (rows["group"] == g) & (rows["definition"] == d))
        series = series[np.argsort(rows["year"][series], kind="stable")]
        gap = np.diff(rows["year"][series])
        steps += list((np.diff(y[series])[gap > 0] ** 2) / gap[gap > 0])
        means.setdefault(g, []).append(y[series].mean())
    apart = [np.var(m, ddof=1) for m in means.values() if len(m) > 1]
    step = float(np.sqrt(np.mean(steps))) if steps else STEP
    return step, float(np.sqrt(np.mean(apart))) if apart else OTHER


def trended(
    rows: Columns, known: np.ndarray, *, later: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and sd of the log-linear trend, for the ``later`` rows."""
    g, d = len(GROUPS), int(rows["definition"].max()) + 1
    group, definition = np.eye(g)[rows["group"]], np.eye(d)[rows["definition"]]
    time = (rows["year"] - MIDDLE)[:, None].astype(float)
    x = np.concatenate([group, definition, time, group * time], axis=1)
    y, precision = log_people(rows), np.repeat(RIDGE, (g, d, 1, g))
    inverse = np.linalg.inv(x[known].T @ x[known] + np.diag(precision))
    beta = inverse @ x[known].T @ y[known]
    parameters = np.trace(x[known] @ inverse @ x[known].T)
    variance = ((y[known] - x[known] @ beta) ** 2).sum() / max(known.sum() - parameters, 1.0)
    spread = 1.0 + np.einsum("ij,jk,ik->i", x[later], inverse, x[later])
    return x[later] @ beta, np.sqrt(variance * spread)


def normal_scores(
    rows: Columns, normal: tuple[np.ndarray, np.ndarray], *, later: np.ndarray
) -> dict[str, np.ndarray]:
    """Return log score and CRPS of normal forecasts (centre, sd), the rows' ranges added."""
    import scoringrules as sr

    (centre, sd), y, bound = normal, log_people(rows)[later], rows["bound"][later] == 1
    wide = np.hypot(sd, rows["spread"][later])
    side = np.where(rows["value"][later] == 1.0, 1.0, -1.0)
    chance = stats.norm.logcdf(side * (y - centre) / wide)
    logs = np.where(bound, chance, stats.norm.logpdf(y, centre, wide))
    return {"log_score": logs, "crps": np.asarray(sr.crps_normal(y, centre, wide))}


def figure_scores(
    figures: Mapping[str, Columns], rows: Columns, *, known: np.ndarray, ids: Sequence[str]
) -> Iterator[Row]:
    """Yield the scores of the figures that were not known, by method; ``figures`` are ours."""
    later = (rows["weight"] > 0) & ~known
    by = {method: {name: x[later] for name, x in ours.items()} for method, ours in figures.items()}
    for method, rule in {"carry": carried, "trend": trended}.items():
        by[method] = normal_scores(rows, rule(rows, known, later=later), later=later)
    for method, scores in by.items():
        for k, i in enumerate(np.flatnonzero(later)):
            yield score_row(
                "workers",
                method,
                ids[int(i)],
                year=rows["year"][i] + FIRST_YEAR,
                agenda=GROUPS[rows["group"][i]],
                log_score=scores["log_score"][k],
                distance=None if rows["bound"][i] else scores["crps"][k],
            )


def figure_pits(
    pit: np.ndarray, rows: Columns, *, known: np.ndarray, ids: Sequence[str], origin: int
) -> Iterator[Row]:
    """Yield the PIT of each later figure that is no bound."""
    for i in np.flatnonzero((rows["weight"] > 0) & ~known & (rows["bound"] == 0)):
        yield {
            "origin": origin,
            "target": "workers",
            "item": ids[int(i)],
            "pit": float(pit[i]),
            "horizon": int(rows["year"][i]) + FIRST_YEAR - origin,
        }


def summarised(results: Sequence[Origin], config: Config, *, case: Case) -> Row:
    """Return the summary: training, scores by origin and horizon, sums one year ahead, coverage."""
    rows, seed = [row for one in results for row in one.scores], case.seed
    dates = [row for row in rows if row["target"] == "milestones"]
    others = [row for row in rows if row["target"] != "milestones"]
    first, last = WINDOW
    window = [row for row in others if row["horizon"] == 1 and first <= row["year"] <= last]
    both = [row | {"horizon": "all"} for row in rows] + rows
    return {
        "schema": 1,
        "name": config.name,
        "seed": seed,
        "sampler": vars(case.sampler),
        "origins": [one.origin for one in results],
        "training": [one.training for one in results],
        "window": list(WINDOW),
        "years": sorted({row["year"] for row in window if row["target"] == "level"}),
        "scores": table(both, by=("origin", "horizon", "target"), seed=seed),
        "ahead": table(window, by=("target",), seed=seed),
        "all_horizons": table(others, by=("target",), seed=seed),
        "dates": table(dates, by=("target",), seed=seed),
        "coverage": coverage([row for one in results for row in one.pits]),
    }


def coverage(pits: Sequence[Row]) -> list[Row]:
    """Return the share of outcomes in central intervals, by target, one year ahead and later."""
    rows = []
    for target in dict.fromkeys(row["target"] for row in pits):
        for horizon in ("1", "2+"):
            some = [r for r in pits if r["target"] == target]
            u = np.array([r["pit"] for r in some if (r["horizon"] == 1) == (horizon == "1")])
            row: Row = {"target": target, "horizon": horizon, "items": len(u)}
            for p in (0.5, 0.8, 0.95):
                row[f"within_{p:g}"] = float(covered(u, p).mean()) if len(u) else None
            rows.append(row)
    return rows


def write(folder: Path, results: Sequence[Origin], *, summary: Row) -> None:
    """Write tables, figures and the text of a backtest."""
    from forecast.files import write_csv, write_json
    from reports.backtest import backtest_page
    from reports.figures.scores import write_backtest_figures

    pits = [row for one in results for row in one.pits]
    chances = [row for one in results for row in one.chances]
    write_csv(folder / "scores.csv", summary["scores"])
    write_csv(folder / "works.csv", [row for one in results for row in one.scores])
    write_csv(folder / "pit.csv", pits)
    write_csv(folder / "chances.csv", chances)
    write_backtest_figures(folder / "figures", summary, pits=pits, chances=chances)
    page = backtest_page(summary)
    (folder / "backtest.md").write_text(page, encoding="utf-8", newline="\n")
    write_json(folder / MARK, summary)
