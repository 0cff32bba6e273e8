"""Works to add, from a CSV or a BibTeX file: rows of works.csv with keys of their own."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from forecast.columns.csv_files import numbered
from forecast.evidence import Tables
from forecast.faults import near_miss
from forecast.tables import ROWS
from models.errors import InputError

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
    made = _bibtex(text, path) if path.suffix.lower() in {".bib", ".bibtex"} else _csv(text, path)
    rows = [{**dict.fromkeys(COLUMNS, ""), **row} for row in made]
    for number, row in enumerate(rows, start=1):
        for column in ("title", "year"):
            if not row[column]:
                raise InputError(
                    f"{path}: work {number} ({row['title'] or 'no title'}): no {column}"
                )
        row.update({key: value for key, value in defaults.items() if not row[key]})
    return rows


def _csv(text: str, path: Path) -> list[Row]:
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


__all__ = ["fresh", "read_works"]
