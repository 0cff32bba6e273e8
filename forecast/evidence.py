"""The evidence tables: find the folder, read and check every table, and name what was read.

Nothing here knows the model: :mod:`forecast.arrays` turns tables into its arrays. The row types
(:mod:`forecast.tables`) and pydantic are imported only when a folder is read.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from forecast.faults import MOST_SHOWN, near_miss
from models.errors import InputError

if TYPE_CHECKING:
    from forecast import tables as t
    from forecast.csv_files import CellFault

OPTIONAL = ("raters",)
"""Tables whose file may be missing."""

FOLLOWERS = {"works": ("ratings", "uses")}
"""Tables that say nothing once another is switched off."""

DEFAULT_KIND = "language-model"
"""Kind of a rater that raters.csv does not name: the choice that trusts agreement least."""


@dataclass(frozen=True)
class Tables:
    """Every evidence table as typed rows, in the order of the files."""

    folder: Path
    works: "tuple[t.Work, ...]"
    ratings: "tuple[t.Rating, ...]"
    uses: "tuple[t.UseDate, ...]"
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


TABLE_NAMES = tuple(field.name for field in fields(Tables) if field.name != "folder")
"""The tables, each ``NAME.csv`` in the folder."""


class Judged(Protocol):
    """A row that says how it may be used."""

    @property
    def use(self) -> Any:
        """``fit``, ``compare``, ``none``, or ``soft`` in forecasts.csv."""


def load_tables(folder: Path, *, off: Sequence[str] = ()) -> Tables:
    """Read and check every table of ``folder``.

    Parameters
    ----------
    folder
        Holds one CSV file per table, as described in ``evidence/README.md``.
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
    from forecast.csv_files import read_sheet
    from forecast.evidence_rules import rule_faults
    from forecast.tables import ROWS

    _check_off(off)
    folder = find_evidence(folder)
    sheets = {name: read_sheet(folder / f"{name}.csv", name) for name in ROWS}
    faults = [fault for sheet in sheets.values() for fault in sheet.faults]
    unread = {fault.file for fault in faults if not fault.row}
    if not unread:  # else most references would dangle
        faults += rule_faults(sheets)
    order = {f"{name}.csv": at for at, name in enumerate(ROWS)}
    _raise(folder, sorted(faults, key=lambda fault: (order[fault.file], fault.line)))
    rows: dict[str, Any] = {name: tuple(sheets[name].rows) for name in TABLE_NAMES}
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


def _raise(folder: Path, faults: "Sequence[CellFault]") -> None:
    """Raise one InputError that lists the first faults; none, do nothing."""
    if not faults:
        return
    count = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
    lines = [f"evidence {folder}: {count}", *(str(fault) for fault in faults[:MOST_SHOWN])]
    if len(faults) > MOST_SHOWN:
        lines.append(f"... and {len(faults) - MOST_SHOWN} more, not shown")
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
        found = "a file" if path.exists() else "no such folder"
        raise InputError(f"evidence {path}: found {found}; give the folder that holds the tables")
    packaged = Path(str(resources.files("forecast"))) / "data" / "evidence"
    checkout = Path(__file__).parent.parent / "evidence"
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
        lines = [row.model_dump_json() for row in getattr(tables, name)]
        digest.update("\n".join([f"[{name}]", *lines, ""]).encode())
    return digest.hexdigest()


def rater_kinds(tables: Tables) -> dict[str, str]:
    """Return the kind of every rater that rated or dated anything, or stands in raters.csv.

    A rater without a row there counts as a language model, so that its errors are taken to be
    shared with the other models'.
    """
    rated = {row.rater for row in tables.ratings} | {row.rater for row in tables.uses}
    stated = {row.rater: str(row.kind) for row in tables.raters}
    return {name: stated.get(name, DEFAULT_KIND) for name in sorted(rated | set(stated))}


def rows_that_fit[JudgedRow: Judged](rows: Iterable[JudgedRow]) -> tuple[JudgedRow, ...]:
    """Return the rows that may enter a likelihood."""
    return tuple(row for row in rows if row.use == "fit")
