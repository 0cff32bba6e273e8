"""Works to import: rows of works.csv with keys of their own, from the formats of other programs.

A format is a function in :data:`READERS` from the text of a file to rows whose keys are columns of
works.csv, and ``authors``, from which a missing key is made.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from forecast.config.toml import near_miss
from forecast.evidence.load import Tables
from forecast.evidence.read import CsvRows
from forecast.evidence.tables import ROWS
from forecast.files import read_text
from models.errors import InputError

Row = dict[str, str]
COLUMNS = tuple(ROWS["works"].model_fields)
STOP_WORDS = {"a", "an", "the", "of", "on", "in", "to", "and", "for", "with", "towards", "toward"}
STOP_WORDS |= {"is"}
"""Words that a key does not take from a title."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SENTENCES = 2
"""Sentences of an abstract that become the gist."""


def read_works(path: Path, *, defaults: Mapping[str, str]) -> list[Row]:
    """Return the works of a file; ``defaults`` fill columns that are empty.

    Raises
    ------
    InputError
        If the file cannot be read, or a work has no title, year or agenda.
    """
    if path.suffix.lower() == ".parquet":
        raise InputError(f"{path}: found a Parquet file; give the works to add as CSV or BibTeX")
    text = read_text(path, remedy="give a CSV or BibTeX file")
    reader = READERS.get(path.suffix.lower(), _csv_works)
    rows = [dict.fromkeys(COLUMNS, "") | row for row in reader(text, path)]
    for number, row in enumerate(rows, start=1):
        for column in ("title", "year"):
            if not row[column]:
                title = row["title"] or "no title"
                raise InputError(f"{path}: work {number} ({title}): no {column}")
        row.update({key: value for key, value in defaults.items() if not row[key]})
        if not row["agenda"]:
            remedy = "give one for all by --agenda KEY"
            raise InputError(f"{path}: {row['title']}: no agenda; {remedy}")
    return rows


def read_rows(text: str, path: Path, *, mark: str = ",") -> tuple[list[str], list[tuple[int, Row]]]:
    """Return the header of a CSV text, and line and cells of each row that is not blank.

    Cells are by column, without surrounding blanks.

    Raises
    ------
    InputError
        If a quote is broken.
    """
    csv_rows = CsvRows(io.StringIO(text, newline=""), mark=mark)
    header: list[str] | None = None
    rows = []
    try:
        for texts in csv_rows:
            cells = [cell.strip() for cell in texts]
            if header is None:
                header = cells
                continue
            row = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
            rows.append((csv_rows.line, row | {"": "".join(cells[len(header) :])}))
    except csv.Error as error:
        raise InputError(f"{path}:{csv_rows.line}: {error}; mend the line") from None
    return header or [], rows


def _csv_works(text: str, path: Path) -> list[Row]:
    header, rows = read_rows(text, path)
    known = (*COLUMNS, "authors")
    for column in header:
        if column not in known:
            raise InputError(f"{path}: column {column!r}: {near_miss(column, known)}")
    for line, row in rows:
        if row.pop(""):
            raise InputError(f"{path}:{line}: more cells than the header has; mend the line")
    return [{column: _one_line(cell) for column, cell in row.items()} for _, row in rows]


def _bibtex_works(text: str, path: Path) -> list[Row]:
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.middlewares import LatexDecodingMiddleware

    library = parse_string(text, append_middleware=[LatexDecodingMiddleware()])
    for block in library.failed_blocks:
        line, reason = (block.start_line or 0) + 1, _one_line(str(block.error))
        raise InputError(f"{path}:{line}: not read ({reason}); mend the entry")
    return [
        _bibtex_work({key.lower(): _one_line(f.value) for key, f in entry.fields_dict.items()})
        for entry in library.entries
    ]


def _bibtex_work(fields: Mapping[str, str]) -> Row:
    year, _, month = fields.get("date", "").partition("-")
    month = fields.get("month", month[:2]).lower()
    if month[:3] in MONTHS:
        month = str(MONTHS.index(month[:3]) + 1)
    sources = ("eprint", "doi", "url", "booktitle", "journal")
    sentences = re.split(r"(?<=[.!?])\s+", fields.get("abstract", ""))
    return {
        "title": fields.get("title", ""),
        "year": fields.get("year", year),
        "month": month,
        "venue_or_id": next((fields[key] for key in sources if fields.get(key)), ""),
        "authors": fields.get("author", ""),
        "gist": fields.get("gist") or " ".join(sentences[:SENTENCES]),
    }


def _one_line(value: object) -> str:
    return " ".join(str(value or "").split())


READERS: dict[str, Callable[[str, Path], list[Row]]] = {
    ".csv": _csv_works,
    ".bib": _bibtex_works,
    ".bibtex": _bibtex_works,
}
"""The reader of each format, by the ending of its files; any other ending is read as CSV."""


def new_works(rows: Iterable[Row], tables: Tables) -> tuple[list[Row], list[str]]:
    """Return the works that are new, with keys, and the titles of those present already.

    A work is present if its key, its title (letters and digits alone) or its identifier is.
    """
    keys = set(tables.works.text("work").to_pylist())
    seen = {mark for work in tables.works for mark in _marks(work.title, work.venue_or_id)}
    new, present = [], []
    for row in rows:
        marks = _marks(row["title"], row["venue_or_id"])
        if marks & seen or row["work"] in keys:
            present.append(row["title"])
            continue
        row["work"] = row["work"] or _key(row, keys)
        seen |= marks
        keys.add(row["work"])
        new.append({column: row[column] for column in COLUMNS})
    return new, present


def _marks(title: str, venue: str | None) -> set[str]:
    """Return what a work is known by: its title, and a venue that is an identifier or address."""
    names_one_work = re.search(r"\d{4}\.\d{4,5}|10\.\d{4,}/|https?://", venue or "")
    return {_bare(title), *([_bare(venue or "")] if names_one_work else [])}


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"v\d+$", "", "".join(c for c in plain if c.isalnum() or c == ".")).strip(".")


def _key(row: Row, keys: set[str]) -> str:
    """Return author-year-word, as the shipped keys are, and a letter where it is taken."""
    first = re.split(r"\s+and\s+|;", row.get("authors", ""))[0]
    surname = first.split(",")[0] if "," in first else first.split(" ")[-1]
    author, year = "".join(_words(surname)), row["year"]
    words = [word for word in _words(row["title"]) if word not in STOP_WORDS] or ["work"]
    parts = [author, year, words[0]] if author else [words[0], year, words[-1]]
    stem = "-".join(parts)[:70]
    for key in (stem, *(f"{stem}-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")):
        if key not in keys:
            return key
    raise InputError(f"{row['title']}: every key like {stem} is taken; give one in 'work'")


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain)
