"""``forecast score``: score a finished run on rated works that it has not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.backtest import POINTS, draws_of_priors
from forecast.analyses.result import finished_run
from forecast.analyses.scores import MODEL, PRIOR, Row, Works, rated_chances, table, work_scores
from forecast.config.load import load_config
from forecast.evidence.arrays import CLOSE_AGE
from forecast.evidence.frame import frame
from forecast.evidence.load import Tables, find_evidence, load_tables
from forecast.evidence.tables import Rating, UseDate, Work
from forecast.inference.forward import thinned
from forecast.progress import Stages
from forecast.runs.open import Run, fit_of
from models.dims import FIRST_YEAR, LAST_YEAR
from models.errors import InputError


@dataclass(frozen=True)
class Scored:
    """Scores of the works that a run has not seen: their comparison, and rows by work."""

    summary: Row
    rows: list[Row]

    @property
    def converged(self) -> bool:
        """Whether the run converged."""
        return bool(self.summary["converged"])

    def text(self) -> str:
        """Return the table that the terminal shows."""
        from reports.backtest import score_text

        return score_text(self.summary)


def score(
    run: Run | str | Path,
    *,
    evidence: str | Path,
    out: str | Path | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Scored:
    """Score the forecasts of a run for rated works that are not in it.

    Parameters
    ----------
    run
        A run or its folder.
    evidence
        Folder of tables that holds the new works and their ratings; works of the run are ignored.
    out
        Folder to write ``scores.csv`` and ``works.csv`` into.
    seed
        Seed of the resampling behind the intervals.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If there is no new work to score, or one lies outside what the run knows.
    """
    run = finished_run(run, "works can be scored")
    tables = load_tables(find_evidence(Path(evidence)))
    with Stages(quiet=quiet) as stages, stages("scores"):
        scored = _scored(run, tables, seed=seed)
    if out is not None:
        _save(Path(out), scored)
    return scored


def _scored(run: Run, tables: Tables, *, seed: int) -> Scored:
    fit = fit_of(run)
    labels = fit.case.evidence.labels
    off = load_config(run.folder / "priors.toml").evidence.off
    known = load_tables(run.folder / "evidence", off=off)
    works, ignored = new_works(known, tables, labels=labels)
    train = Works.of_tables(known, labels)
    train = train.take(train.rated)
    cells, cell = _cells(works)
    forecasts = {
        name: rated_chances(
            draws, fit.compiled.structure, cells=cells, cell=cell, codes=works.codes
        )
        for name, draws in ((MODEL, thinned(fit, POINTS).draws), (PRIOR, draws_of_priors(fit.case)))
    }
    scores = work_scores(forecasts, train, works=works, agendas=labels["agenda"])
    rows: list[Row] = [{"run": run.folder.name, **row} for row in scores]
    summary = {
        "schema": 1,
        "run": run.folder.name,
        "converged": run.converged,
        "works": len(works),
        "ignored": ignored,
        "purposive": int(works.purposive.sum()),
        "training": len(train),
        "scores": table(rows, by=("target",), seed=seed),
    }
    return Scored(summary, rows)


def new_works(
    known: Tables, tables: Tables, *, labels: Mapping[str, tuple[str, ...]]
) -> tuple[Works, dict[str, int]]:
    """Return the rated works that are not among those known, and how many rows were ignored.

    Raises
    ------
    InputError
        If none is left, or one has a year or an agenda that the run has not.
    """
    seen, raters = {row.work for row in known.works}, set(labels["rater"])
    fresh = [w for w in tables.works if w.work not in seen]
    _check(fresh, labels["agenda"])
    keys = {w.work for w in fresh}
    ratings = [r for r in tables.ratings if r.work in keys]
    added = replace(
        tables,
        works=frame(Work, fresh),
        ratings=frame(Rating, [r for r in ratings if r.rater in raters]),
        uses=frame(UseDate, [u for u in tables.uses if u.work in keys and u.rater in raters]),
    )
    works = Works.of_tables(added, labels)
    works = works.take(works.rated)
    ignored = {
        "in_run": len(tables.works) - len(fresh),
        "unrated": len(fresh) - len(works),
        "ratings_by_unknown_raters": sum(r.rater not in raters for r in ratings),
    }
    if not len(works):
        raise InputError(
            f"--evidence {tables.folder}: found no new rated work ({ignored['in_run']} are in "
            f"the run, {ignored['unrated']} are not rated by {', '.join(sorted(raters))}); add "
            "works to works.csv and their rows to ratings.csv"
        )
    return works, ignored


def _check(works: Sequence[Any], agendas: tuple[str, ...]) -> None:
    for w in works:
        if w.agenda not in agendas:
            raise InputError(
                f"works.csv {w.work}: found agenda {w.agenda}, which the run has not; use one of "
                "its agendas.csv, or run the forecast anew"
            )
        if not FIRST_YEAR <= w.year <= LAST_YEAR:
            raise InputError(
                f"works.csv {w.work}: found year {w.year}; the model's years are "
                f"{FIRST_YEAR}-{LAST_YEAR}: correct it, or leave the work out"
            )


def _cells(works: Works) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the cells of works, read at the close of the evidence, and each work's cell."""
    triples = np.column_stack([works.agenda, works.year - FIRST_YEAR, works.purposive])
    distinct, cell = np.unique(triples, axis=0, return_inverse=True)
    agenda, year, purposive = distinct.T
    age = CLOSE_AGE - (year + FIRST_YEAR)
    return {"agenda": agenda, "year": year, "purposive": purposive, "age": age}, cell.ravel()


def _save(folder: Path, scored: Scored) -> None:
    from forecast.files import write_csv

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_csv(folder / "works.csv", scored.rows)
        write_csv(folder / "scores.csv", scored.summary["scores"])
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
