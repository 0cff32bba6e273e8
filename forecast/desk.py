"""The evidence desk: check, add, rate (hand out, take in), agreement, export.

``import forecast as fc``, then ``fc.desk.add`` and so on. No row is ever lost: see
:mod:`forecast.desk_files`.
"""

import csv
import json
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from forecast.analyses.agreeing import alpha_rows, confusion_of, kappa_rows
from forecast.desk_files import append_rows
from forecast.desk_sheets import ANSWERS, create, sheet_rows, taken, write_sheet
from forecast.desk_works import fresh, read_works
from forecast.evidence import TABLE_NAMES, Tables, find_evidence, load_tables
from models.errors import InputError

KINDS = (".csv", ".json", ".parquet")
"""Files that an export may be."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of raters: ``alpha``, ``kappa`` by pair, and a run's ``confusion`` if asked for."""

    found: dict[str, Any]

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.agreement import agreement_text

        return agreement_text(self.found)


def check(evidence: str | Path | None = None) -> dict[str, int]:
    """Check every table of a folder; return the number of rows by table.

    Raises
    ------
    InputError
        That tells the first 20 faults, with file, row, column and remedy.
    """
    tables = _tables(evidence)
    return {name: len(getattr(tables, name)) for name in TABLE_NAMES}


def add(
    works: str | Path,
    *,
    evidence: str | Path,
    agenda: str | None = None,
    selection: str = "purposive",
) -> tuple[list[str], list[str]]:
    """Add works of a CSV or BibTeX file to works.csv; return new keys, and titles already there.

    Parameters
    ----------
    works
        A BibTeX file, or a CSV with columns of works.csv (and ``authors``, for keys).
    evidence
        Folder of tables.
    agenda
        Key of agendas.csv for works that state none, as those of BibTeX do.
    selection
        ``sampled`` if the works were drawn without regard to what became of them.

    Raises
    ------
    InputError
        If the file or a work is at fault; then nothing is written.
    """
    tables = _tables(evidence)
    defaults = {"selection": selection, "verified": "no"} | ({"agenda": agenda} if agenda else {})
    rows = read_works(Path(works), defaults=defaults)
    for row in rows:
        if not row["agenda"]:
            raise InputError(
                f"{works}: {row['title']}: no agenda; give one for all by --agenda KEY"
            )
    new, there = fresh(rows, tables)
    append_rows(tables.folder, {"works": new}, before=tables)
    return [row["work"] for row in new], there


def hand_out(
    sheet: str | Path,
    *,
    evidence: str | Path,
    rater: str,
    seed: int = 0,
    most: int | None = None,
    unrated: bool = False,
) -> int:
    """Write a blind, shuffled sheet of the works that a rater has not rated; return how many.

    Parameters
    ----------
    sheet
        A new CSV file. It shows key, title, year, venue and gist, and nobody's answers.
    evidence
        Folder of tables.
    rater
        Their name in ratings.csv; each rater has an order of their own.
    seed
        Of the order.
    most
        At most so many works.
    unrated
        Only works that nobody has rated.

    Raises
    ------
    InputError
        If nothing is left to rate, or the file exists.
    """
    rows = sheet_rows(_tables(evidence), rater, seed=seed, most=most, unrated=unrated)
    if not rows:
        raise InputError(f"{rater}: no work is left to rate in {evidence}")
    write_sheet(Path(sheet), rows)
    return len(rows)


def take(
    sheet: str | Path,
    *,
    evidence: str | Path,
    rater: str,
    kind: str = "human",
    note: str | None = None,
) -> dict[str, int]:
    """Take a filled sheet back into ratings.csv and raters.csv; return counts of its rows.

    Parameters
    ----------
    sheet
        As handed out, in any order, with ``level``, ``tracks``, ``cap_use``, ``ali_use`` and
        ``confidence`` filled where the rater can tell.
    evidence
        Folder of tables.
    rater, kind, note
        For raters.csv, if the rater is new there.

    Raises
    ------
    InputError
        If an answer is at fault or contradicts an earlier one; then nothing is written.
    """
    tables = _tables(evidence)
    rows, counts = taken(Path(sheet), tables, rater=rater, kind=kind, note=note)
    append_rows(tables.folder, rows, before=tables)
    return counts


def agreement(evidence: str | Path | None = None, *, run: str | Path | None = None) -> Agreement:
    """Return how far raters agree; with a run, also how its model reads each of them.

    Raises
    ------
    InputError
        If fewer than two raters rated anything.
    """
    tables = _tables(evidence)
    found: dict[str, Any] = {"schema": 1, "alpha": alpha_rows(tables), "kappa": kappa_rows(tables)}
    if not found["kappa"]:
        raise InputError(f"{tables.folder}: fewer than two raters rated anything")
    return Agreement(found | ({"confusion": confusion_of(run)} if run is not None else {}))


def export(out: str | Path, *, evidence: str | Path | None = None) -> int:
    """Write one row a work with every rater's answers (``R1_level``, ...); return how many.

    Parameters
    ----------
    out
        A new file: .csv, .json or .parquet.
    evidence
        Folder of tables; the shipped ones if missing.

    Raises
    ------
    InputError
        If the file exists, or is of another kind.
    """
    path, rows = Path(out), wide_rows(_tables(evidence))
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InputError(f"--out {out}: end it in {', '.join(KINDS)}")
    if kind == ".json":
        create(path, (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
    elif kind == ".csv":
        create(path, _csv(rows))
    else:
        create(path, _parquet(rows))
    return len(rows)


def wide_rows(tables: Tables) -> list[dict[str, Any]]:
    """Return one row a work: its columns, then each rater's answers, None where missing."""
    raters = sorted({row.rater for row in tables.ratings})
    names = [f"{rater}_{name}" for rater in raters for name in ANSWERS]
    rows = {w.work: w.model_dump() | dict.fromkeys(names) for w in tables.works}
    for one in tables.ratings:
        rows[one.work] |= {f"{one.rater}_{name}": getattr(one, name) for name in ANSWERS}
    return list(rows.values())


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if x is None else x for k, x in row.items()} for row in rows)
    return text.getvalue().encode("utf-8")


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), made)
    return made.getvalue()


def _tables(evidence: str | Path | None) -> Tables:
    return load_tables(find_evidence(None if evidence is None else Path(evidence)))


__all__ = ["add", "agreement", "check", "export", "hand_out", "take"]
