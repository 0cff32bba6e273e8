"""Read one table of a folder, as CSV or Parquet, into a sheet of typed rows and its faults.

Every table is first columns of text, so that one set of rules judges CSV and Parquet alike. Most
tables are then typed row by row by their pydantic types. Works, ratings and uses may hold millions
of rows: they are typed by column, and pydantic looks only at the rows that fail.

CSV is split by Python's reader, which alone numbers the lines and refuses a broken quote. A million
ratings are read and typed in 3.2 s of processor time (1.5 s with Arrow's reader, which needs
Python's beside it for every file with a fault).
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from pydantic import TypeAdapter, ValidationError

from forecast.evidence import tables
from forecast.evidence.frame import TEXT, Frame, arrow_type
from forecast.evidence.sheet import CellFault, Sheet, bad_file, row_name, show
from forecast.evidence.tables import ROWS, Row

FORMATS = (".csv", ".parquet")
"""Formats that a table may have; the first is meant where there is no file."""
CSV_BLOCK = 100_000
"""Rows held as Python's strings at once."""


class CsvRows:
    """The rows of a CSV text that are not blank; ``line`` is the first line of the current row.

    After ``csv.Error`` it is the line of the row that the reader could not end.
    """

    def __init__(self, text: io.TextIOBase, *, mark: str = ",") -> None:
        self.line = 1
        self._reader = csv.reader(text, strict=True, delimiter=mark)

    def __iter__(self) -> Iterator[list[str]]:
        for cells in self._reader:
            if any(cell.strip() for cell in cells):
                yield cells
            self.line = self._reader.line_num + 1


def read_sheet(folder: Path, name: str) -> Sheet:
    """Read table ``name`` of a folder; what is wrong with it is in the sheet's faults."""
    paths = [path for ending in FORMATS if (path := folder / f"{name}{ending}").exists()]
    if len(paths) > 1:
        both = f"{paths[1].name} beside it"
        return bad_file(name, paths[0].name, finding=both, remedy="keep one of the two")
    if not paths:
        return _missing(folder, name)
    try:
        if paths[0].suffix == ".parquet":
            sheet = read_parquet(paths[0], name)
        else:
            sheet = read_csv(paths[0].read_bytes(), name)
    except OSError as error:
        reason = error.strerror or str(error)
        return bad_file(name, paths[0].name, finding=reason, remedy="give a readable file")
    if not sheet.columns:
        return sheet
    return type_columns(sheet) if name in CONTRADICTIONS else type_rows(sheet)


def _missing(folder: Path, name: str) -> Sheet:
    if name == "raters":
        empty = pa.array([], TEXT)
        return Sheet(name, f"{name}.csv", dict.fromkeys(ROWS[name].model_fields, empty))
    files = {path.name: path.stem for ending in FORMATS for path in folder.glob(f"*{ending}")}
    near = get_close_matches(f"{name}.csv", files, n=1)
    hint = f" (is it {near[0]}?)" if near and files[near[0]] not in ROWS else ""
    remedy = "add it; a header line alone is an empty table"
    return bad_file(name, f"{name}.csv", finding=f"no such file{hint}", remedy=remedy)


def read_csv(raw: bytes, name: str) -> Sheet:
    """Return the columns of a CSV file as text, or what is wrong with it."""
    file = f"{name}.csv"
    csv.field_size_limit(max(csv.field_size_limit(), len(raw)))
    rows = CsvRows(io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline=""))
    header: list[str] = []
    columns: list[list[Any]] = []
    block: list[list[str]] = []
    lines: list[int] = []
    faults: list[CellFault] = []
    try:
        for cells in rows:
            if not columns:
                header, columns = [cell.strip() for cell in cells], [[] for _ in cells]
                faults = list(_header_faults(name, header, file=file, line=rows.line))
                if faults:
                    return Sheet(name, file, {}, faults=tuple(faults), count=len(faults))
            elif len(cells) != len(header):
                filled = zip(header, (cell.strip() or None for cell in cells), strict=False)
                key, finding = row_name(name, dict(filled)), f"{len(cells)} cells"
                remedy = f"give {len(header)}, and quote a cell that holds a comma"
                faults.append(CellFault(file, rows.line, key, "", finding, remedy))
            else:
                block.append(cells)
                lines.append(rows.line)
                if len(block) == CSV_BLOCK:
                    _flush(block, columns)
    except UnicodeDecodeError:
        return _not_utf8(raw, name)
    except csv.Error as error:
        finding, remedy = f"broken CSV ({error})", "check the quotes from there on"
        return bad_file(name, file, finding=finding, remedy=remedy, line=rows.line)
    if not columns:
        remedy = f"start with the header {_header(name)}"
        return bad_file(name, file, finding="an empty file", remedy=remedy)
    _flush(block, columns)
    arrays = [clean(pa.concat_arrays(parts)) for parts in columns]
    sheet = Sheet(name, file, dict(zip(header, arrays, strict=True)), lines=lines)
    return sheet.with_faults(faults)


def _flush(block: list[list[str]], columns: list[list[Any]]) -> None:
    """Move rows of text into Arrow arrays, which take a tenth of the memory."""
    cells = zip(*block, strict=True) if block else ((),) * len(columns)
    for parts, column in zip(columns, cells, strict=True):
        parts.append(pa.array(column, TEXT))
    block.clear()


def clean(column: Any) -> Any:
    """Return text without blanks around it and with plain line ends; null where it is empty."""
    column = pc.utf8_trim_whitespace(column)
    if pc.any(pc.match_substring(column, "\r\n")).as_py():
        column = pc.replace_substring(column, "\r\n", "\n")
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, TEXT), column)


def _not_utf8(raw: bytes, name: str) -> Sheet:
    """Return the fault of the first byte that is not UTF-8."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        finding = f"byte 0x{raw[error.start]:02x}, which is not UTF-8"
        line = raw.count(b"\n", 0, error.start) + 1
        remedy = "save the file as UTF-8"
        return bad_file(name, f"{name}.csv", finding=finding, remedy=remedy, line=line)
    raise AssertionError("the file is UTF-8")


def read_parquet(path: Path, name: str) -> Sheet:
    """Return the columns of a Parquet file as text, or what is wrong with it.

    Rows are numbered from 1. Truth values count as 1 and 0.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            header = [str(column) for column in file.schema_arrow.names]
            faults = list(_header_faults(name, header, file=path.name, line=0))
            if faults:
                return Sheet(name, path.name, {}, faults=tuple(faults), count=len(faults))
            table = file.read(use_threads=False)
    except pa.ArrowException as error:
        finding = f"no Parquet file ({' '.join(str(error).split())[:80]})"
        return bad_file(
            name, path.name, finding=finding, remedy=f"write it anew, or give {name}.csv"
        )
    columns = {}
    for column in header:
        try:
            columns[column] = clean(_as_text(table[column].combine_chunks()))
        except pa.ArrowException:
            finding, remedy = _not_text(table.schema.field(column).type)
            faults.append(CellFault(path.name, 0, "", column, finding, remedy))
    if faults:
        return Sheet(name, path.name, {}, faults=tuple(faults), count=len(faults))
    return Sheet(name, path.name, columns, lines=range(1, table.num_rows + 1))


def _as_text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    return pc.cast(column, TEXT)


def _not_text(kind: Any) -> tuple[str, str]:
    """Return what a column holds that cannot be read as text, and the remedy."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        return "text that is not UTF-8", "store it as UTF-8"
    return f"a column of type {kind}", "store text, numbers or dates"


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


def type_rows(sheet: Sheet) -> Sheet:
    """Return the sheet with its typed rows, and their faults."""
    rows, faults = [], []
    for i in range(len(sheet)):
        row, wrong = typed_row(sheet, i)
        rows.append(row)
        faults += wrong
    valid = np.array([row is not None for row in rows], dtype=bool)
    typed = Sheet(sheet.name, sheet.file, sheet.columns, sheet.lines, tuple(rows), valid)
    return typed.with_faults((*sheet.faults, *faults))


def typed_row(sheet: Sheet, i: int) -> tuple[Row | None, list[CellFault]]:
    """Return row ``i`` with its types, or None and what is wrong with it."""
    row_type = ROWS[sheet.name]
    fields = row_type.model_fields
    cells = {
        column: cell
        for column, cell in sheet.cells(i).items()
        if cell is not None or fields[column].is_required()
    }
    try:
        return row_type.model_validate(cells), []
    except ValidationError as error:
        faults = []
        for one in error.errors(include_url=False):
            context = one.get("ctx", {})
            column = str(context["column"] if "column" in context else one["loc"][0])
            if "remedy" in context:
                remedy = context["remedy"]
            else:
                remedy = _choose(one["input"], context["expected"])
            faults.append(sheet.fault(i, column, remedy=remedy))
        return None, faults


def _choose(cell: object, expected: str) -> str:
    """Return the remedy of a cell that must be one of a few words."""
    words = re.findall(r"'([^']*)'", expected)
    near = get_close_matches(str(cell), words, n=1)
    return f"did you mean {near[0]!r}?" if near else f"use one of: {', '.join(words)}"


Columns = dict[str, Any]


def _without_answer(columns: Columns) -> Any:
    missing = [columns[name].is_null() for name in ("level", "tracks", "cap_use", "ali_use")]
    return pc.and_(pc.and_(missing[0], missing[1]), pc.and_(missing[2], missing[3]))


def _use_without_year(columns: Columns) -> Any:
    other = pc.fill_null(pc.equal(columns["other"], 1), False)
    return pc.equal(other, columns["first_year"].is_null())


CONTRADICTIONS: dict[str, Callable[[Columns], Any] | None] = {
    "works": None,
    "ratings": _without_answer,
    "uses": _use_without_year,
}
"""Tables typed by column, and which of their rows their types refuse as contradictory."""


def type_columns(sheet: Sheet) -> Sheet:
    """Return the sheet with a frame of typed columns, and the faults of its rows.

    The parsers are those of the row types, asked once for each distinct cell. Ids and free text
    differ from row to row: a pattern accepts nearly all, and the parsers see the rest.
    """
    row_type = ROWS[sheet.name]
    columns, bad = {}, np.zeros(len(sheet), dtype=bool)
    for name, field in row_type.model_fields.items():
        annotation: Any = field.annotation
        if field.metadata:
            annotation = Annotated[annotation, *field.metadata]
        parse, text = TypeAdapter(annotation).validate_python, sheet.text(name)
        accepted = _accepted(text, field)
        if accepted is None:
            refused, values = _parse(text, parse)
            columns[name] = pc.cast(values, arrow_type(field.annotation))
            bad |= refused
        else:
            columns[name] = text
            doubtful = np.flatnonzero(~accepted)
            if len(doubtful):
                bad[doubtful] |= _parse(text.take(pa.array(doubtful)), parse)[0]
    contradiction = CONTRADICTIONS[sheet.name]
    if contradiction is not None:
        bad |= contradiction(columns).to_numpy(zero_copy_only=False)
    typed = Sheet(
        sheet.name,
        sheet.file,
        sheet.columns,
        sheet.lines,
        rows=Frame(row_type, columns),
        valid=~bad,
        faults=sheet.faults,
        count=sheet.count,
    )
    return typed.with_faults(
        fault for i in np.flatnonzero(bad) for fault in typed_row(typed, int(i))[1]
    )


ARROW_KEY = f"^(?:{tables.KEY_PATTERN})$"
ARROW_HIDDEN = "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}\\x{2028}-\\x{202e}\\x{2066}-\\x{2069}]"
"""Arrow's spelling of the patterns of :mod:`forecast.evidence.tables`."""


def _accepted(column: Any, field: Any) -> np.ndarray | None:
    """Return which cells of ids or free text a pattern accepts; None for all other types."""
    marks = list(field.metadata)
    for part in getattr(field.annotation, "__args__", ()):  # of ``X | None``, the marks of X
        marks += getattr(part, "__metadata__", ())
    parsers = {getattr(mark, "func", None) for mark in marks}
    if tables.key in parsers:
        accepted = pc.match_substring_regex(column, ARROW_KEY)
    elif tables.text in parsers:
        short = pc.less_equal(pc.utf8_length(column), tables.MAX_TEXT)
        hidden = pc.match_substring_regex(column, ARROW_HIDDEN)
        accepted = pc.and_(short, pc.invert(hidden))
    else:
        return None
    return np.asarray(pc.fill_null(accepted, False).to_numpy(zero_copy_only=False))


def _parse(column: Any, parse: Callable[[Any], Any]) -> tuple[np.ndarray, Any]:
    """Return which cells a parser refuses, and the values of the others."""
    coded = pc.dictionary_encode(column, null_encoding="encode")
    words, codes = coded.dictionary.to_pylist(), coded.indices
    values, refused = [], np.zeros(len(words), dtype=bool)
    for i, word in enumerate(words):
        try:
            values.append(parse(word))
        except ValidationError:
            refused[i] = True
            values.append(None)
    if not words:
        return np.zeros(len(column), dtype=bool), pa.nulls(len(column))
    return refused[codes.to_numpy(zero_copy_only=False)], pa.array(values).take(codes)
