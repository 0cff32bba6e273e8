"""The evidence desk: check, add, rate (hand out, take in), agreement, export.

``import forecast as fc``, then ``fc.desk.add`` and so on. No row is ever lost: see
:mod:`forecast.evidence.desk`.

Change tables of a folder without ever losing a row.

A change appends rows. The old bytes stay as they are, the new folder is checked as a whole before
anything is touched, the old file is kept in ``.backup``, and the new one takes its place in one
step. Whatever is at fault is refused, and then nothing has changed.

Works to add, from a CSV or a BibTeX file: rows of works.csv with keys of their own.

Blind sheets for raters: handed out shuffled, without anybody's answers, and taken back.
"""

import csv
import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from forecast.analyses.agreement import alpha_rows, confusion_of, kappa_rows
from forecast.analyses.ledger import now
from forecast.config.toml import near_miss
from forecast.evidence.load import DEFAULT_KIND, TABLE_NAMES, Tables, find_evidence, load_tables
from forecast.evidence.read import numbered
from forecast.evidence.tables import ROWS
from forecast.files import locked
from forecast.inference.seeds import stream
from models.errors import InputError

BACKUP = ".backup"
Rows = Sequence[Mapping[str, Any]]


def append_rows(folder: Path, new: Mapping[str, Rows], *, before: Tables) -> list[Path]:
    """Append rows to tables of a folder; return the files that changed.

    Parameters
    ----------
    folder
        Of the tables.
    new
        Rows by table, in the order in which the files are replaced.
    before
        The tables as the rows were made for: a row that went or came since is a fault.

    Raises
    ------
    InputError
        If the tables would be at fault with these rows, or changed meanwhile.
    """
    some = {name: rows for name, rows in new.items() if rows}
    with locked(folder / ".desk.lock"), tempfile.TemporaryDirectory() as made:
        _unchanged(folder, before)
        trial = Path(made) / folder.name
        shutil.copytree(folder, trial, ignore=shutil.ignore_patterns(".*"))
        for name, rows in some.items():
            _extend(trial / f"{name}.csv", name, rows=rows)
        try:
            load_tables(trial)
        except InputError as error:
            told = str(error).replace(str(trial), str(folder))
            raise InputError(
                f"nothing was written, as the tables would be at fault: {told}"
            ) from None
        return [_put(trial / f"{name}.csv", folder / f"{name}.csv") for name in some]


def _unchanged(folder: Path, before: Tables) -> None:
    from forecast.evidence.load import hash_tables

    if hash_tables(load_tables(folder)) != hash_tables(before):
        raise InputError(f"{folder}: was changed by somebody else meanwhile; try again")


def _extend(path: Path, name: str, *, rows: Rows) -> None:
    """Write rows below those of a table, in the order of its columns."""
    if path.with_suffix(".parquet").exists():
        raise InputError(f"{path.stem}.parquet: only CSV tables can be added to; save it as CSV")
    raw = (
        path.read_bytes() if path.exists() else (",".join(ROWS[name].model_fields) + "\n").encode()
    )
    header = next(csv.reader(StringIO(raw.decode("utf-8-sig").splitlines()[0])))
    columns = [column.strip() for column in header]
    end = "\r\n" if b"\r\n" in raw else "\n"
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator=end)
    writer.writerows({key: "" if x is None else x for key, x in row.items()} for row in rows)
    gap = b"" if raw.endswith((b"\n", b"\r")) else end.encode()
    path.write_bytes(raw + gap + text.getvalue().encode("utf-8"))


def _put(new: Path, old: Path) -> Path:
    """Keep the old file, and let the new one take its place in one step."""
    if old.exists():
        kept = old.parent / BACKUP
        kept.mkdir(exist_ok=True)
        stamp = now().strftime("%Y%m%dT%H%M%S%f")
        shutil.copy2(old, kept / f"{old.stem}-{stamp}.csv")
    number, beside = tempfile.mkstemp(prefix=f".{old.stem}-", dir=old.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(new.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(new, beside)
        Path(beside).replace(old)
    finally:
        Path(beside).unlink(missing_ok=True)
    return old


COLUMNS = tuple(ROWS["works"].model_fields)
SMALL = {"a", "an", "the", "of", "on", "in", "to", "and", "for", "with", "towards", "toward", "is"}
"""Words that say nothing in a key."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SENTENCES = 2
"""Sentences of an abstract that stand for a gist."""
Row = dict[str, Any]


def read_works(path: Path, *, defaults: Mapping[str, str]) -> list[Row]:
    """Return the works of a CSV or BibTeX file; ``defaults`` fill columns that are empty.

    Raises
    ------
    InputError
        If the file cannot be read, or a work has no title or year.
    """
    if path.suffix.lower() == ".parquet":
        raise InputError(f"{path}: found a Parquet file; give the works to add as CSV or BibTeX")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: found {error.strerror}; give a CSV or BibTeX file") from None
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: found bytes that are not UTF-8; save the file as UTF-8"
        ) from None
    made = (
        _bibtex(text, path)
        if path.suffix.lower() in {".bib", ".bibtex"}
        else _works_from_csv(text, path)
    )
    rows = [{**dict.fromkeys(COLUMNS, ""), **row} for row in made]
    for number, row in enumerate(rows, start=1):
        for column in ("title", "year"):
            if not row[column]:
                raise InputError(
                    f"{path}: work {number} ({row['title'] or 'no title'}): no {column}"
                )
        row.update({key: value for key, value in defaults.items() if not row[key]})
    return rows


def _works_from_csv(text: str, path: Path) -> list[Row]:
    header, rows = numbered(text, path)
    known = (*COLUMNS, "authors")
    for column in header:
        if column not in known:
            raise InputError(f"{path}: column {column!r}: {near_miss(column, known)}")
    for line, row in rows:
        if "" in row:
            raise InputError(f"{path}:{line}: more cells than the header has; mend the line")
    return [{key: _line(x) for key, x in row.items()} for _, row in rows]


def _line(x: Any) -> str:
    return " ".join(str(x or "").split())


def _bibtex(text: str, path: Path) -> list[Row]:
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.middlewares import LatexDecodingMiddleware

    library = parse_string(text, append_middleware=[LatexDecodingMiddleware()])
    for block in library.failed_blocks:
        told = _line(str(block.error))
        raise InputError(f"{path}:{(block.start_line or 0) + 1}: not read ({told}); mend the entry")
    return [
        _entry({k.lower(): _line(f.value) for k, f in e.fields_dict.items()})
        for e in library.entries
    ]


def _entry(fields: Mapping[str, str]) -> Row:
    year, _, month = fields.get("date", "").partition("-")
    month = fields.get("month", month[:2]).lower()
    number = MONTHS.index(month[:3]) + 1 if month[:3] in MONTHS else month
    where = next(
        (fields[k] for k in ("eprint", "doi", "url", "booktitle", "journal") if fields.get(k)), ""
    )
    row = {"title": fields.get("title", ""), "year": fields.get("year", year), "month": str(number)}
    row |= {"venue_or_id": where, "authors": fields.get("author", "")}
    return row | {"gist": fields.get("gist") or _gist(fields.get("abstract", ""))}


def _gist(abstract: str) -> str:
    return " ".join(re.split(r"(?<=[.!?])\s+", abstract)[:SENTENCES])


def fresh(rows: Iterable[Row], tables: Tables) -> tuple[list[Row], list[str]]:
    """Return the rows that are new, with keys, and the titles that are there already.

    A work is there already if its key, its title (letters and digits alone) or its identifier is.
    """
    keys = {work.work for work in tables.works}
    seen = {_bare(work.title) for work in tables.works}
    seen |= {_bare(work.venue_or_id) for work in tables.works if _is_id(work.venue_or_id)}
    new, there = [], []
    for row in rows:
        marks = {_bare(row["title"])} | (
            {_bare(row["venue_or_id"])} if _is_id(row["venue_or_id"]) else set()
        )
        if marks & seen or row["work"] in keys:
            there.append(row["title"])
            continue
        seen |= marks
        row["work"] = row["work"] or _key(row, keys)
        keys.add(row["work"])
        new.append({column: row[column] for column in COLUMNS})
    return new, there


def _is_id(text: str | None) -> bool:
    """Return whether a venue names one work: arXiv's number, a DOI, an address."""
    return bool(re.search(r"\d{4}\.\d{4,5}|10\.\d{4,}/|https?://", text or ""))


def _bare(text: str | None) -> str:
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    return re.sub(r"v\d+$", "", "".join(c for c in plain if c.isalnum() or c == ".")).strip(".")


def _key(row: Row, keys: set[str]) -> str:
    """Return author-year-word, as the shipped keys are, and a letter where it is taken."""
    first = re.split(r"\s+and\s+|;", row.get("authors", ""))[0]
    author = first.split(",")[0] if "," in first else first.split(" ")[-1]
    words = [w for w in _words(row["title"]) if w not in SMALL] or ["work"]
    named = "".join(_words(author))
    parts = (
        [named, str(row["year"]), words[0]] if named else [words[0], str(row["year"]), words[-1]]
    )
    stem = "-".join(parts)[:70]
    tries = (stem, *(f"{stem}-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"))
    free = [key for key in tries if key not in keys]
    if not free:
        raise InputError(f"{row['title']}: every key like {stem} is taken; give one in 'work'")
    return free[0]


def _words(text: str) -> Sequence[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain)


SHOWN = ("work", "title", "year", "venue_or_id", "gist")
"""What a rater sees of a work: neither agenda nor selection, nor what others answered."""
ANSWERS = ("level", "tracks", "cap_use", "ali_use", "confidence")


def sheet_rows(
    tables: Tables, rater: str, *, seed: int = 0, most: int | None = None, unrated: bool = False
) -> list[Row]:
    """Return the works that a rater has not rated, in an order of their own.

    Parameters
    ----------
    tables
        Of the folder.
    rater
        Their name: the order is that of its own stream of randomness.
    seed
        Of the order.
    most
        At most so many.
    unrated
        Only works that nobody has rated.
    """
    done = {r.work for r in tables.ratings if unrated or r.rater == rater}
    left = [work for work in tables.works if work.work not in done]
    order = stream(seed, f"sheet of {rater}").permutation(len(left))[:most]
    blank = dict.fromkeys(ANSWERS, "")
    return [{name: getattr(left[int(i)], name) for name in SHOWN} | blank for i in order]


def write_sheet(path: Path, rows: list[Row]) -> None:
    """Write a sheet; one that exists is never written over.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    """
    text = StringIO()
    writer = csv.DictWriter(text, (*SHOWN, *ANSWERS), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if x is None else x for k, x in row.items()} for row in rows)
    create(path, text.getvalue().encode("utf-8-sig"))  # spreadsheets take it for UTF-8 by the mark


def create(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all.

    Raises
    ------
    InputError
        If it exists, or cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise InputError(f"--out {path}: exists, and may hold answers; name another") from None
    except OSError as error:
        if error.filename is None:
            path.unlink(missing_ok=True)
        raise InputError(
            f"--out {path}: cannot be written ({os.strerror(error.errno or 0)})"
        ) from None


def taken(
    path: Path, tables: Tables, *, rater: str, kind: str, note: str | None
) -> tuple[dict[str, list[Row]], dict[str, int]]:
    """Return the rows that a filled sheet adds, by table, and counts of what it held.

    Rows without an answer are counted as blank, those that the tables hold already as there.

    Raises
    ------
    InputError
        If the sheet has other columns, a work that is not in works.csv or stands twice, or an
        answer that differs from the one this rater gave before.
    """
    works = {work.work for work in tables.works}
    held = {r.work: r for r in tables.ratings if r.rater == rater}
    people = {row.rater: str(row.kind) for row in tables.raters}
    known = people.get(rater) or (DEFAULT_KIND if held else None)
    if known and known != kind:
        raise InputError(
            f"--kind {kind}: {rater} counts as {known} in raters.csv; say --kind {known}"
        )
    counts, rows, seen = {"added": 0, "there": 0, "blank": 0}, [], set()
    for line, row in _read(path):
        key, answers = row["work"], {name: row[name] for name in ANSWERS}
        if key not in works:
            raise InputError(f"{path}:{line}: work {key!r} is not in works.csv; was a key changed?")
        if key in seen:
            raise InputError(f"{path}:{line}: work {key} a second time; keep one of the two")
        seen.add(key)
        if not any(answers[name] for name in ANSWERS[:-1]):
            counts["blank"] += 1
        elif key in held:
            _same(held[key], answers, place=f"{path}:{line}")
            counts["there"] += 1
        else:
            rows.append({"work": key, "rater": rater} | answers)
    counts["added"] = len(rows)
    told = {
        "rater": rater,
        "kind": kind,
        "note": note or f"rated {len(rows)} works from a blind sheet",
    }
    return {"raters": [] if rater in people or not rows else [told], "ratings": rows}, counts


def _same(held: Any, answers: Mapping[str, str], *, place: str) -> None:
    for name in ANSWERS:
        old = getattr(held, name)
        if answers[name] != ("" if old is None else str(old)):
            raise InputError(
                f"{place}: {held.rater} answered {name} = {old} before, and now "
                f"{answers[name] or 'nothing'}; nothing is written over: mend ratings.csv by hand"
            )


def _read(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: found {error.strerror}; give the filled sheet") from None
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: found bytes that are not UTF-8; save the sheet as UTF-8"
        ) from None
    head = text.splitlines()[0] if text.strip() else ""
    mark = ";" if head.count(";") > head.count(",") else ","  # some spreadsheets write semicolons
    header, rows = numbered(text, path, mark=mark)
    missing = [name for name in ("work", *ANSWERS) if name not in header]
    if missing:
        raise InputError(f"{path}: no column {missing[0]}; keep the columns of the sheet")
    return rows


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
        create(path, _folder_csv(rows))
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


def _folder_csv(rows: list[dict[str, Any]]) -> bytes:
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
