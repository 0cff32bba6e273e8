"""Read one CSV file of a known row type into a sheet: cells, typed rows and their line numbers."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forecast.tables import KEYS, ROWS, Row

Cells = Mapping[str, str | None]


@dataclass(frozen=True)
class CellFault:
    """One fault of one file; ``line`` 0 is the whole file, an empty ``column`` the whole line."""

    file: str
    line: int
    row: str
    column: str
    found: str
    remedy: str

    def __str__(self) -> str:
        line = f" row {self.line}" if self.line else ""
        row = f" ({self.row})" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{line}{row}{column}: found {self.found}; {self.remedy}"


@dataclass(frozen=True)
class Sheet:
    """A file as read. ``lines``, ``cells`` and ``rows`` run in parallel; a bad row is None."""

    name: str
    lines: tuple[int, ...] = ()
    cells: tuple[Cells, ...] = ()
    rows: tuple[Row | None, ...] = ()
    faults: tuple[CellFault, ...] = ()

    def fault(self, at: int, column: str, *, remedy: str, found: str | None = None) -> CellFault:
        """Return the fault of one cell of row ``at``; ``found`` replaces the cell's own text."""
        cells = self.cells[at]
        what = found or show(cells.get(column))
        return CellFault(
            f"{self.name}.csv", self.lines[at], row_name(self.name, cells), column, what, remedy
        )

    def good(self) -> Iterator[tuple[int, Any]]:
        """Yield position and row (of the table's own type) of each line that could be typed."""
        return ((at, row) for at, row in enumerate(self.rows) if row is not None)


def show(text: str | None) -> str:
    """Return a cell as a message quotes it: on one line, without hidden characters, cut short."""
    if text is None:
        return "an empty cell"
    return ascii(text) if len(text) <= 60 else f"{ascii(text[:57])[:-1]}...'"


def row_name(name: str, cells: Cells) -> str:
    """Return the id that a message gives a row; works and raters are joined by a slash."""
    parts = [cells.get(column) or "?" for column in KEYS.get(name, ("row",))]
    return show("/".join(parts))[1:-1]


def whole_file(name: str, found: str, *, remedy: str, line: int = 0) -> Sheet:
    """Return the sheet of a file that could not be read at all."""
    return Sheet(name, faults=(CellFault(f"{name}.csv", line, "", "", found, remedy),))


def read_sheet(path: Path, name: str) -> Sheet:
    """Read ``path`` as table ``name``; what is wrong with it is in the sheet's faults."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return _missing(path, name)
    except OSError as error:
        return whole_file(name, error.strerror or str(error), remedy="give a readable file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{raw[error.start]:02x}, which is not UTF-8"
        line = raw.count(b"\n", 0, error.start) + 1
        return whole_file(name, found, remedy="save the file as UTF-8", line=line)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        return whole_file(
            name, f"broken CSV ({error})", remedy="check the quotes from there on", line=start
        )
    return _sheet(name, lines)


def _missing(path: Path, name: str) -> Sheet:
    if name == "raters":
        return Sheet(name)
    near = get_close_matches(path.name, (p.name for p in path.parent.glob("*.csv")), n=1)
    hint = f" (is it {near[0]}?)" if near and near[0][:-4] not in ROWS else ""
    return whole_file(
        name, f"no such file{hint}", remedy="add it; a header line alone is an empty table"
    )


def _sheet(name: str, lines: Sequence[tuple[int, list[str]]]) -> Sheet:
    """Type the rows of a file whose first line is its header."""
    if not lines:
        return whole_file(name, "an empty file", remedy=f"start with the header {_header(name)}")
    start, first = lines[0]
    header = [cell.strip() for cell in first]
    faults = tuple(_header_faults(name, header, line=start))
    if faults:
        return Sheet(name, faults=faults)
    cells = tuple(dict(zip(header, map(_clean, row), strict=False)) for _, row in lines[1:])
    sheet = Sheet(name, tuple(line for line, _ in lines[1:]), cells)
    rows: list[Row | None] = []
    found: list[CellFault] = []
    for at, (_, row) in enumerate(lines[1:]):
        if len(row) != len(header):
            remedy = f"give {len(header)}, and quote a cell that holds a comma"
            found.append(sheet.fault(at, "", remedy=remedy, found=f"{len(row)} cells"))
            rows.append(None)
            continue
        typed, wrong = _typed(sheet, at)
        rows.append(typed)
        found += wrong
    return Sheet(name, sheet.lines, cells, tuple(rows), tuple(found))


def _clean(cell: str) -> str | None:
    return cell.strip().replace("\r\n", "\n") or None


def _header(name: str) -> str:
    return ",".join(ROWS[name].model_fields)


def _header_faults(name: str, header: Sequence[str], *, line: int) -> Iterator[CellFault]:
    file, fields = f"{name}.csv", ROWS[name].model_fields
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


def _typed(sheet: Sheet, at: int) -> tuple[Row | None, list[CellFault]]:
    """Return row ``at`` with its types, or None and what is wrong with it."""
    row_type = ROWS[sheet.name]
    fields = row_type.model_fields
    given = {
        column: cell
        for column, cell in sheet.cells[at].items()
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
