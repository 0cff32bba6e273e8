"""Blind sheets for raters: handed out shuffled, without anybody's answers, and taken back."""

import csv
import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from forecast.columns.csv_files import numbered
from forecast.evidence import DEFAULT_KIND, Tables
from forecast.seeds import stream
from models.errors import InputError

SHOWN = ("work", "title", "year", "venue_or_id", "gist")
"""What a rater sees of a work: neither agenda nor selection, nor what others answered."""
ANSWERS = ("level", "tracks", "cap_use", "ali_use", "confidence")
Row = dict[str, Any]


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


__all__ = ["create", "sheet_rows", "taken", "write_sheet"]
