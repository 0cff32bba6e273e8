"""Read one table of a folder, as CSV or Parquet, into a sheet of typed rows and its faults."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from forecast.columns.csv_files import TEXT, read_csv
from forecast.columns.sheets import CellFault, Sheet, show, whole_file
from forecast.columns.typed_columns import ODD, type_columns
from forecast.tables import ROWS, Row

KINDS = (".csv", ".parquet")
"""Kinds of files that a table may be; the first is meant where there is none."""


def read_sheet(folder: Path, name: str) -> Sheet:
    """Read table ``name`` of a folder; what is wrong with it is in the sheet's faults."""
    found = [path for kind in KINDS if (path := folder / f"{name}{kind}").exists()]
    if len(found) > 1:
        both = f"{found[1].name} beside it"
        return whole_file(name, found[0].name, found=both, remedy="keep one of the two")
    if not found:
        return _missing(folder, name)
    sheet = _text(found[0], name)
    if sheet.faults and not sheet.columns:
        return sheet
    if name in ODD:
        return type_columns(sheet, typed_row)
    rows, faults = [], []
    for at in range(len(sheet)):
        row, wrong = typed_row(sheet, at)
        rows.append(row)
        faults += wrong
    good = np.array([row is not None for row in rows], dtype=bool)
    made = Sheet(name, sheet.file, sheet.columns, sheet.number_lines, tuple(rows), good)
    return made.told((*sheet.faults, *faults))


def _text(path: Path, name: str) -> Sheet:
    """Return the columns of a file as text."""

    def check(header: Sequence[str], line: int) -> tuple[CellFault, ...]:
        return tuple(_header_faults(name, header, file=path.name, line=line))

    try:
        if path.suffix == ".parquet":
            from forecast.columns.parquet_files import read_parquet

            return read_parquet(path, name, check_header=check)
        return read_csv(path.read_bytes(), name, check_header=check, say_header=_header(name))
    except OSError as error:
        found = error.strerror or str(error)
        return whole_file(name, path.name, found=found, remedy="give a readable file")


def _missing(folder: Path, name: str) -> Sheet:
    if name == "raters":
        none = pa.array([], TEXT)
        return Sheet(name, f"{name}.csv", dict.fromkeys(ROWS[name].model_fields, none))
    files = {path.name: path.stem for kind in KINDS for path in folder.glob(f"*{kind}")}
    near = get_close_matches(f"{name}.csv", files, n=1)
    hint = f" (is it {near[0]}?)" if near and files[near[0]] not in ROWS else ""
    remedy = "add it; a header line alone is an empty table"
    return whole_file(name, f"{name}.csv", found=f"no such file{hint}", remedy=remedy)


def _header(name: str) -> str:
    return ",".join(ROWS[name].model_fields)


def _header_faults(
    name: str, header: Sequence[str], *, file: str, line: int
) -> Iterator[CellFault]:
    fields = ROWS[name].model_fields
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        yield CellFault(file, line, "", "", show(header[0]), "separate the columns with commas")
        return
    missing = [n for n, field in fields.items() if field.is_required() and n not in header]
    for column in dict.fromkeys(header):
        if column not in fields:
            near = get_close_matches(column, missing or fields, n=1)
            remedy = f"rename it to {near[0]}?" if near else f"use the columns {_header(name)}"
            yield CellFault(file, line, "", show(column)[1:-1], "an unknown column", remedy)
        elif header.count(column) > 1:
            yield CellFault(file, line, "", column, "the column twice", "remove one")
    for column in missing:
        yield CellFault(file, line, "", column, "no such column", "add it to header and rows")


def typed_row(sheet: Sheet, at: int) -> tuple[Row | None, list[CellFault]]:
    """Return row ``at`` with its types, or None and what is wrong with it."""
    row_type = ROWS[sheet.name]
    fields = row_type.model_fields
    given = {
        column: cell
        for column, cell in sheet.cells(at).items()
        if cell is not None or fields[column].is_required()
    }
    try:
        return row_type.model_validate(given), []
    except ValidationError as error:
        faults = []
        for one in error.errors(include_url=False):
            ctx = one.get("ctx", {})
            column = str(ctx["column"] if "column" in ctx else one["loc"][0])
            remedy = ctx["remedy"] if "remedy" in ctx else _choose(one["input"], ctx["expected"])
            faults.append(sheet.fault(at, column, remedy=remedy))
        return None, faults


def _choose(given: object, expected: str) -> str:
    """Return the remedy of a cell that must be one of a few words."""
    words = re.findall(r"'([^']*)'", expected)
    near = get_close_matches(str(given), words, n=1)
    return f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(words)}"
