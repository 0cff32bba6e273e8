"""Tables of any number of works, simulated from the model and written as Parquet.

Agenda, year and selection are drawn with replacement from the shipped works; answers, whose use it
was and years of first uses come from the project's own simulators at one draw of the default
priors. All other tables are the shipped ones, without references to single works.
"""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.evidence.arrays import CLOSE
from forecast.evidence.load import find_evidence
from forecast.inference.case import Case, make_case, structure_of
from forecast.inference.pointwise import one_draw
from forecast.inference.seeds import stream
from forecast.runs.inputs import load_inputs
from models.dims import LAST_YEAR, SIDES
from models.likelihoods import likelihoods
from models.ops import NumPy
from models.prior_draws import prior_draws
from models.ratings.formula import MISSING, MISSING_LEVEL, columns_of
from models.terms import terms_from_draws

EMPTY = ("spillovers", "alignment_uses")
"""Tables about single shipped works: a header alone."""
LONG = ("works", "ratings", "uses")
BATCH = 100_000
"""Works simulated at once."""
TEXT = pa.large_string()


@dataclass(frozen=True)
class Design:
    """Which works there are: key, cell and year of each, and the names of their raters."""

    keys: Any
    cell: np.ndarray
    year: np.ndarray
    raters: tuple[str, ...]


def write_tables(folder: Path, works: int, *, raters: int, seed: int) -> None:
    """Write a folder of evidence of ``works`` works, each rated by ``raters`` raters."""
    config, shipped = load_inputs("default")
    names = tuple(shipped.ratings.distinct("rater"))[:raters]
    few = shipped.ratings.take(np.flatnonzero(shipped.ratings.places("rater", names) >= 0))
    case = make_case(config, replace(shipped, ratings=few))
    names = case.evidence.labels["rater"][:raters]
    truth = prior_draws(case.by_name, structure_of(case), n=1, rng=stream(seed, "truth"))
    rng = stream(seed, "simulated works")
    at = rng.integers(0, len(shipped.works), works)
    keys = pa.array([f"w{i:07d}" for i in range(works)], TEXT)
    rows = shipped.works.take(at)
    _copy_others(folder)
    pq.write_table(
        pa.table({**rows.columns, "work": keys, "title": keys}), folder / "works.parquet"
    )
    parts: dict[str, list[Any]] = {"ratings": [], "uses": []}
    for start in range(0, works, BATCH):
        cut = slice(start, start + BATCH)
        cell, year = case.evidence.cell_of_work[at[cut]], rows.whole("year")[cut]
        some = Design(keys[cut], cell, year, names)
        for name, table in _answers(case, truth, design=some, rng=rng):
            parts[name].append(table)
    for name, tables in parts.items():
        pq.write_table(pa.concat_tables(tables), folder / f"{name}.parquet")


def _copy_others(folder: Path) -> None:
    """Copy the shipped tables that are not about works; milestones name no work."""
    folder.mkdir(parents=True)
    for file in sorted(find_evidence(None).glob("*.csv")):
        if file.stem in LONG:
            continue
        if file.stem not in (*EMPTY, "milestones"):
            shutil.copyfile(file, folder / file.name)
            continue
        with file.open(encoding="utf-8", newline="") as source:
            header, *rows = csv.reader(source)
        at = header.index("work") if file.stem == "milestones" else 0
        kept = [[*r[:at], "", *r[at + 1 :]] for r in rows] if file.stem == "milestones" else []
        with (folder / file.name).open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows([header, *kept])


def _answers(
    case: Case, truth: dict[str, np.ndarray], *, design: Design, rng: np.random.Generator
) -> Iterator[tuple[str, Any]]:
    """Yield the tables of ratings and uses of some works, every question asked of every rater."""
    n, all_raters = len(design.cell), len(case.evidence.labels["rater"])
    there = np.arange(all_raters) < len(design.raters)  # one that is absent is asked nothing
    asked = np.tile(there * 1, (n, 6))
    codes = _drawn(
        case, truth, rng=rng, table="ratings", rows={"cell": design.cell, "asked": asked}
    )
    columns = columns_of(codes, all_raters)
    columns = {name: x[:, : len(design.raters)] for name, x in columns.items()}
    work = np.repeat(np.arange(n), len(design.raters))
    rater = np.tile(np.arange(len(design.raters)), n)
    who = {"work": design.keys.take(pa.array(work)), "rater": _words(design.raters, rater)}
    named = {"tracks": "tracking", "cap_use": "capabilities", "ali_use": "alignment"}
    rated = {name: _whole(columns[x].ravel(), MISSING) for name, x in named.items()}
    level = {"level": _whole(columns["level"].ravel(), MISSING_LEVEL)}
    none = pa.nulls(len(work), TEXT)
    yield "ratings", pa.table(who | level | rated | {"confidence": none})
    for i, (side, code) in enumerate(zip(SIDES, ("cap", "ali"), strict=True)):
        whose = columns[f"{side}_whose"].ravel()
        year = _first_years(case, truth, design=design, rng=rng, side=i)[work]
        held = np.flatnonzero(whose > 0)
        other = whose[held] >= 2
        uses = {name: x.take(pa.array(held)) for name, x in who.items()}
        uses |= {"side": _words((code,), np.zeros(len(held), dtype=int))}
        uses |= {"own": _whole(whose[held] % 2), "other": _whole(other * 1)}
        uses |= {"first_year": _whole(np.where(other, year[held], 0), 0)}
        none = pa.nulls(len(held), TEXT)
        yield "uses", pa.table(uses | {"confidence": none, "by": none})


def _first_years(
    case: Case,
    truth: dict[str, np.ndarray],
    *,
    design: Design,
    rng: np.random.Generator,
    side: int,
) -> np.ndarray:
    """Return the year of a first use by others of each work, had it one."""
    rows = {"side": np.full(len(design.year), side), "age": CLOSE - (design.year + 0.5)}
    rows |= {"cells": LAST_YEAR - design.year + 1.0}
    lag = _drawn(case, truth, rng=rng, table="lags", rows=rows)
    return np.asarray(design.year + lag.astype(np.int64))


def _drawn(
    case: Case,
    truth: dict[str, np.ndarray],
    *,
    rng: np.random.Generator,
    table: str,
    rows: dict[str, np.ndarray],
) -> np.ndarray:
    """Return values that the likelihood of a table gives for some rows of its design."""
    structure, parts = structure_of(case), terms_from_draws(truth)
    like = next(x for x in likelihoods(structure) if x.table == table)
    data = case.evidence.arrays | {table: rows}
    params = like.params(NumPy, parts, data, structure=structure)
    return np.asarray(like.random(rng, *one_draw(like, params, at=0)))


def _whole(x: np.ndarray, missing: int | None = None) -> Any:
    mask = None if missing is None else x == missing
    return pa.array(x, pa.int32(), mask=mask)


def _words(words: tuple[str, ...], at: np.ndarray) -> Any:
    return pa.array(words, TEXT).take(pa.array(at))
