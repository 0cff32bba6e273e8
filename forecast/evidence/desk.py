"""The evidence desk: check, add, rate (hand out and take back sheets), agreement, export.

``import forecast as fc``, then ``fc.desk.add`` and so on.

No row is ever lost. A change appends rows: the old bytes stay as they are, the new folder is
checked as a whole before anything is touched, the old file is kept in ``.backup``, and the new one
takes its place in one step. Whatever is at fault is refused, and then nothing has changed.
"""

import csv
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from forecast.evidence.imports import new_works, read_rows, read_works
from forecast.evidence.load import (
    DEFAULT_KIND,
    TABLE_NAMES,
    Tables,
    find_evidence,
    hash_tables,
    load_tables,
)
from forecast.evidence.tables import ROWS
from forecast.files import create_file, csv_text, json_text, locked, read_text, replace_file
from forecast.inference.seeds import stream
from models.errors import InputError

BACKUP = ".backup"
SHOWN = ("work", "title", "year", "venue_or_id", "gist")
"""What a rater sees of a work: neither agenda nor selection, nor what others answered."""
ANSWERS = ("level", "tracks", "cap_use", "ali_use", "confidence")
EXPORTS = (".csv", ".json", ".parquet")
"""Endings of the files that an export may be."""
Rows = Sequence[Mapping[str, Any]]


def check(evidence: str | Path | None = None) -> dict[str, int]:
    """Check every table of a folder; return the number of rows by table.

    Raises
    ------
    InputError
        With the first 20 faults: file, row, column and remedy.
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
    new, present = new_works(read_works(Path(works), defaults=defaults), tables)
    append_rows(tables.folder, {"works": new}, before=tables)
    return [row["work"] for row in new], present


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
    tables = _tables(evidence)
    rated = {r.work for r in tables.ratings if unrated or r.rater == rater}
    works = [work for work in tables.works if work.work not in rated]
    if not works:
        raise InputError(f"{rater}: no work is left to rate in {evidence}")
    order = stream(seed, f"sheet of {rater}").permutation(len(works))[:most]
    rows = [{name: getattr(works[i], name) for name in SHOWN} for i in order.tolist()]
    text = csv_text(rows, (*SHOWN, *ANSWERS))
    create_file(Path(sheet), text.encode("utf-8-sig"))  # by the mark, spreadsheets see UTF-8
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

    Rows without an answer are counted as ``blank``, those that the tables hold already as
    ``there``, the others as ``added``.

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
        If the sheet has other columns, a work that is not in works.csv or stands twice, or an
        answer at fault or other than the one this rater gave before; then nothing is written.
    """
    path, tables = Path(sheet), _tables(evidence)
    works = set(tables.works.text("work").to_pylist())
    earlier = {row.work: row for row in tables.ratings if row.rater == rater}
    kinds = {row.rater: str(row.kind) for row in tables.raters}
    known = kinds.get(rater) or (DEFAULT_KIND if earlier else None)
    if known and known != kind:
        raise InputError(
            f"--kind {kind}: {rater} counts as {known} in raters.csv; say --kind {known}"
        )
    counts = {"added": 0, "there": 0, "blank": 0}
    ratings, seen = [], set()
    for line, row in _filled_rows(path):
        work, answers = row["work"], {name: row[name] for name in ANSWERS}
        if work not in works:
            raise InputError(
                f"{path}:{line}: work {work!r} is not in works.csv; was a key changed?"
            )
        if work in seen:
            raise InputError(f"{path}:{line}: work {work} a second time; keep one of the two")
        seen.add(work)
        if not any(answers[name] for name in ANSWERS[:-1]):
            counts["blank"] += 1
        elif work in earlier:
            _check_same(earlier[work], answers, place=f"{path}:{line}")
            counts["there"] += 1
        else:
            counts["added"] += 1
            ratings.append({"work": work, "rater": rater} | answers)
    note = note or f"rated {len(ratings)} works from a blind sheet"
    new_rater = {"rater": rater, "kind": kind, "note": note}
    rows = {"raters": [new_rater] if ratings and rater not in kinds else [], "ratings": ratings}
    append_rows(tables.folder, rows, before=tables)
    return counts


def _filled_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    text = read_text(path, remedy="give the filled sheet")
    first = text.partition("\n")[0]
    mark = ";" if first.count(";") > first.count(",") else ","  # some spreadsheets write semicolons
    header, rows = read_rows(text, path, mark=mark)
    for name in ("work", *ANSWERS):
        if name not in header:
            raise InputError(f"{path}: no column {name}; keep the columns of the sheet")
    return rows


def _check_same(earlier: Any, answers: Mapping[str, str], *, place: str) -> None:
    for name in ANSWERS:
        old = getattr(earlier, name)
        if answers[name] != ("" if old is None else str(old)):
            raise InputError(
                f"{place}: {earlier.rater} answered {name} = {old} before, and now "
                f"{answers[name] or 'nothing'}; nothing is written over: mend ratings.csv by hand"
            )


def agreement(
    evidence: str | Path | None = None, *, run: str | Path | None = None
) -> dict[str, Any]:
    """Return how far raters agree: ``alpha``, ``kappa`` by pair; of a run also ``confusion``.

    Raises
    ------
    InputError
        If fewer than two raters rated anything.
    """
    from forecast.analyses.agreement import agreement_of

    return agreement_of(_tables(evidence), run=run)


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
    path, tables = Path(out), _tables(evidence)
    ending = path.suffix.lower()
    if ending not in EXPORTS:
        raise InputError(f"--out {out}: end it in {', '.join(EXPORTS)}")
    raters = tables.ratings.distinct("rater")
    names = [f"{rater}_{name}" for rater in raters for name in ANSWERS]
    by_work = {work.work: work.model_dump() | dict.fromkeys(names) for work in tables.works}
    for row in tables.ratings:
        by_work[row.work] |= {f"{row.rater}_{name}": getattr(row, name) for name in ANSWERS}
    rows = list(by_work.values())
    if ending == ".parquet":
        create_file(path, _parquet(rows))
    elif ending == ".json":
        create_file(path, f"{json_text(rows)}\n".encode())
    else:
        create_file(path, csv_text(rows, list(rows[0]) if rows else []).encode())
    return len(rows)


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), data)
    return data.getvalue()


def append_rows(folder: Path, new: Mapping[str, Rows], *, before: Tables) -> list[Path]:
    """Append rows to tables of a folder; return the files that changed.

    Parameters
    ----------
    folder
        Of the tables.
    new
        Rows by table, in the order in which the files are replaced.
    before
        The tables for which the rows were prepared: a row added or removed since is a fault.

    Raises
    ------
    InputError
        If the tables would be at fault with these rows, or changed meanwhile.
    """
    names = [name for name, rows in new.items() if rows]
    with locked(folder / ".desk.lock"), tempfile.TemporaryDirectory() as temporary:
        if hash_tables(load_tables(folder)) != hash_tables(before):
            raise InputError(f"{folder}: was changed by somebody else meanwhile; try again")
        trial = Path(temporary) / folder.name
        shutil.copytree(folder, trial, ignore=shutil.ignore_patterns(".*"))
        for name in names:
            path = trial / f"{name}.csv"
            path.write_bytes(_extended(path, name, rows=new[name]))
        try:
            load_tables(trial)
        except InputError as error:
            faults = str(error).replace(str(trial), str(folder))
            raise InputError(
                f"nothing was written, as the tables would be at fault: {faults}"
            ) from None
        paths = [folder / f"{name}.csv" for name in names]
        for path in paths:
            _back_up(path)
            replace_file(path, (trial / path.name).read_bytes())
        return paths


def _extended(path: Path, name: str, *, rows: Rows) -> bytes:
    """Return a table with rows below its own, in the order of its columns."""
    if path.with_suffix(".parquet").exists():
        raise InputError(f"{path.stem}.parquet: only CSV tables can be added to; save it as CSV")
    raw = path.read_bytes() if path.exists() else f"{','.join(ROWS[name].model_fields)}\n".encode()
    header = next(csv.reader(StringIO(raw.decode("utf-8-sig").splitlines()[0])))
    columns = [column.strip() for column in header]
    line_end = "\r\n" if b"\r\n" in raw else "\n"
    gap = "" if raw.endswith((b"\n", b"\r")) else line_end
    text = csv_text(rows, columns, header=False, line_end=line_end)
    return raw + f"{gap}{text}".encode()


def _back_up(path: Path) -> None:
    if path.exists():
        folder = path.parent / BACKUP
        folder.mkdir(exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        shutil.copy2(path, folder / f"{path.stem}-{stamp}.csv")


def _tables(evidence: str | Path | None) -> Tables:
    return load_tables(find_evidence(None if evidence is None else Path(evidence)))
