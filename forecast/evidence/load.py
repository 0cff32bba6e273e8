"""The evidence tables: find the folder, read and check every table, and name what was read.

Nothing here knows the model: :mod:`forecast.evidence.arrays` turns tables into its arrays. The row
types (:mod:`forecast.evidence.tables`) and pydantic are imported only when a folder is read.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from forecast.config.toml import MOST_SHOWN, near_miss
from models.errors import InputError

if TYPE_CHECKING:
    from forecast.evidence import tables as t
    from forecast.evidence.frame import Frame
    from forecast.evidence.sheet import CellFault

OPTIONAL = ("raters",)
"""Tables whose file may be missing."""

LONG = ("works", "ratings", "uses")
"""Tables that may be long, held by column."""

KEPT_HASHES = "hashes.json"
"""File of a run's evidence that stands for long tables of which distinct rows alone are kept."""

FOLLOWERS = {"works": ("ratings", "uses")}
"""Tables that say nothing once another is switched off."""

DEFAULT_KIND = "language-model"
"""Kind of a rater that raters.csv does not name: the choice that trusts agreement least."""


@dataclass(frozen=True)
class Tables:
    """Every evidence table as typed rows, in the order of the files.

    Works, ratings and uses may be many: they are frames, whose columns are read without making a
    row object; given another sequence of rows, they become one.
    """

    folder: Path
    works: "Frame[t.Work]"
    ratings: "Frame[t.Rating]"
    uses: "Frame[t.UseDate]"
    workers: "tuple[t.Workers, ...]"
    agendas: "tuple[t.Agenda, ...]"
    agenda_fte: "tuple[t.AgendaFte, ...]"
    paper_counts: "tuple[t.PaperCount, ...]"
    fault_counts: "tuple[t.FaultCount, ...]"
    faults: "tuple[t.Fault, ...]"
    diagnosis: "tuple[t.Diagnosis, ...]"
    forecasts: "tuple[t.Forecast, ...]"
    impact_studies: "tuple[t.ImpactStudy, ...]"
    milestones: "tuple[t.Milestone, ...]"
    spillovers: "tuple[t.Spillover, ...]"
    alignment_uses: "tuple[t.AlignmentUse, ...]"
    sources: "tuple[t.Source, ...]"
    raters: "tuple[t.Rater, ...]"

    def __post_init__(self) -> None:
        from forecast.evidence.frame import frame
        from forecast.evidence.tables import ROWS

        for name in LONG:
            object.__setattr__(self, name, frame(ROWS[name], getattr(self, name)))


TABLE_NAMES = tuple(field.name for field in fields(Tables) if field.name != "folder")
"""The tables, each ``NAME.csv`` or ``NAME.parquet`` in the folder."""


class Judged(Protocol):
    """A row that says how it may be used."""

    @property
    def use(self) -> Any:
        """``fit``, ``compare``, ``none``, or ``soft`` in forecasts.csv."""


def load_tables(folder: str | Path, *, off: Sequence[str] = ()) -> Tables:
    """Read and check every table of ``folder``.

    Parameters
    ----------
    folder
        Holds one CSV or Parquet file per table, as described in ``evidence/README.md``.
    off
        Tables to empty after the checks, so that the priors speak in their place. Without works
        there are no ratings and dated uses either.

    Returns
    -------
    Tables

    Raises
    ------
    InputError
        If a file, row or cell is wrong, with file, line, column and remedy of the first 20
        faults; or if ``off`` names no table, or the agendas.
    """
    from forecast.evidence.checks import rule_faults
    from forecast.evidence.read import read_sheet
    from forecast.evidence.sheet import first_faults
    from forecast.evidence.tables import ROWS

    _check_off(off)
    folder = find_evidence(Path(folder))
    if (folder / KEPT_HASHES).is_file():
        raise InputError(
            f"evidence {folder}: the tables were above 20 MB, so the run kept their distinct rows "
            f"alone ({KEPT_HASHES} names the files); give the folder of the full tables"
        )
    sheets = {name: read_sheet(folder, name) for name in ROWS}
    faults = [fault for sheet in sheets.values() for fault in sheet.faults]
    count = sum(sheet.count for sheet in sheets.values())
    order = {sheet.file: i for i, sheet in enumerate(sheets.values())}

    def place(fault: "CellFault") -> tuple[int, int]:
        return order[fault.file], fault.line

    if all(fault.row for fault in faults):  # else a column or table is not there to refer to
        more, others = first_faults(rule_faults(sheets), place)
        faults, count = [*faults, *more], count + others
    _raise(folder, sorted(faults, key=place), count=count)
    rows: dict[str, Any] = {name: sheets[name].rows for name in TABLE_NAMES}
    return switch_off(Tables(folder, **rows), off)


def switch_off(tables: Tables, off: Sequence[str]) -> Tables:
    """Return ``tables`` with those named in ``off`` emptied."""
    _check_off(off)
    empty: dict[str, Any] = {}
    for name in off:
        empty |= dict.fromkeys((name, *FOLLOWERS.get(name, ())), ())
    return replace(tables, **empty)


def _check_off(off: Sequence[str]) -> None:
    for name in off:
        if name == "agendas":
            raise InputError("[evidence] off: found 'agendas'; remove it: forecasts are per agenda")
        if name not in TABLE_NAMES:
            raise InputError(f"[evidence] off: found {name!r}; {near_miss(name, TABLE_NAMES)}")


def _raise(folder: Path, faults: "Sequence[CellFault]", *, count: int) -> None:
    """Raise one InputError that lists the first of ``count`` faults; none, do nothing."""
    if not count:
        return
    total = f"{count} faults" if count > 1 else "1 fault"
    lines = [f"evidence {folder}: {total}", *(str(fault) for fault in faults[:MOST_SHOWN])]
    if count > MOST_SHOWN:
        lines.append(f"... and {count - MOST_SHOWN} more, not shown")
    raise InputError("\n".join(lines))


def find_evidence(path: Path | None) -> Path:
    """Return the folder of the tables: ``path``, else the shipped ones.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if path is not None:
        if path.is_dir():
            return path
        finding = "a file" if path.exists() else "no such folder"
        raise InputError(f"evidence {path}: found {finding}; give the folder that holds the tables")
    packaged = Path(str(resources.files("forecast"))) / "data" / "evidence"
    checkout = Path(__file__).parents[2] / "evidence"
    for folder in (packaged, checkout):
        if folder.is_dir():
            return folder
    raise InputError(f"evidence: found no shipped tables at {packaged}; give a folder of tables")


def hash_tables(tables: Tables) -> str:
    """Return the SHA-256 of what the tables say.

    Line endings, the order of columns, blanks around a cell and the way a number is written do not
    count; the folder does not either. The order of rows does: sums run in it, and their last digits
    move a sampler's draws.
    """
    digest = hashlib.sha256()
    for name in sorted(TABLE_NAMES):
        rows = getattr(tables, name)
        lines = [rows.digest()] if name in LONG else [row.model_dump_json() for row in rows]
        digest.update("\n".join([f"[{name}]", *lines, ""]).encode())
    return digest.hexdigest()


def rater_kinds(tables: Tables) -> dict[str, str]:
    """Return the kind of every rater that rated or dated anything, or stands in raters.csv.

    A rater without a row there counts as a language model, so that its errors are taken to be
    shared with the other models'.
    """
    rated = {*tables.ratings.distinct("rater"), *tables.uses.distinct("rater")}
    stated = {row.rater: str(row.kind) for row in tables.raters}
    return {name: stated.get(name, DEFAULT_KIND) for name in sorted(rated | set(stated))}


def rows_that_fit[JudgedRow: Judged](rows: Iterable[JudgedRow]) -> tuple[JudgedRow, ...]:
    """Return the rows that may enter a likelihood."""
    return tuple(row for row in rows if row.use == "fit")
