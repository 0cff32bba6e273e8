"""Read one table of a folder, as CSV or Parquet, into a sheet of typed rows and its faults.

A table as its file holds it: columns of text, and what is wrong with them.

However many faults a file has, the first are kept and the rest counted.

Read a CSV file as columns of text, by Arrow's reader.

Arrow splits a large file in a fraction of the time of Python's reader, but says less of what is
wrong with it and forgives a broken quote. So wherever it stumbles, or quotes are not all where they
belong, Python's reader takes the file instead; it also numbers the lines, once there is a fault.

A table of any length: typed columns in Arrow arrays, read as columns or as a sequence of rows.

Works, ratings and uses may number millions, so what a run does with them goes by column. A row
object is made when one is asked for; iterating makes them one after another.

Type the columns of a long table, and look closer only at the rows that fail.

The parsers are those of the row types (:mod:`cells`), asked once for each distinct cell.
Ids and free text differ from row to row: a pattern vouches for nearly all, parsers see the rest.

Read a Parquet file as columns of text, so that one set of rules judges it and CSV alike.
"""

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from heapq import nsmallest
from pathlib import Path
from typing import Annotated, Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from pydantic import TypeAdapter, ValidationError

from forecast.config.toml import MOST_SHOWN
from forecast.evidence import tables as cells
from forecast.evidence.tables import KEYS, ROWS, Row
from models.errors import InputError

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
        row = f" ({self.row})" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        where = place(self.file, self.line)
        return f"{where}{row}{column}: found {self.found}; {self.remedy}"


def place(file: str, line: int) -> str:
    """Return a line of a file as a message names it: counted as an editor does, from 1.

    A file without lines, Parquet, has rows, counted from 1. Line 0 is the whole file.
    """
    word = "row" if file.endswith(".parquet") else "line"
    return f"{file} {word} {line}" if line else file


@dataclass(frozen=True)
class Sheet:
    """A file as read.

    ``columns`` are Arrow arrays of trimmed text, null where a cell is empty. ``number_lines`` gives
    the line of each row; it is asked only if there is a fault. ``rows`` are the typed rows, None
    where one could not be typed, or a :class:`frames.Frame`; ``good`` says which could.
    ``faults`` are the first; ``count`` is of all of them.
    """

    name: str
    file: str
    columns: Mapping[str, Any]
    number_lines: Callable[[], Sequence[int]] = tuple
    rows: Any = ()
    good: Any = ()
    faults: tuple[CellFault, ...] = ()
    count: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @cached_property
    def lines(self) -> Sequence[int]:
        """Line of each row in the file, or its number in a file without lines."""
        return self.number_lines()

    def cells(self, at: int) -> dict[str, str | None]:
        """Return the cells of row ``at``."""
        return {name: column[at].as_py() for name, column in self.columns.items()}

    def fault(self, at: int, column: str, *, remedy: str, found: str | None = None) -> CellFault:
        """Return the fault of one cell of row ``at``; ``found`` replaces the cell's own text."""
        cells = self.cells(at)
        what = found or show(cells.get(column))
        row = row_name(self.name, cells)
        return CellFault(self.file, self.lines[at], row, column, what, remedy)

    def told(self, faults: Iterable[CellFault]) -> "Sheet":
        """Return the sheet with these faults besides its own."""
        shown, count = first_faults((*self.faults, *faults), lambda fault: fault.line)
        return replace(self, faults=shown, count=self.count - len(self.faults) + count)

    def typed(self) -> list[tuple[int, Any]]:
        """Return position and row of each line that could be typed."""
        return [(at, row) for at, row in enumerate(self.rows) if row is not None]

    def text(self, column: str) -> Any:
        """Return a column of text; a column that the file lacks is empty."""
        import pyarrow as pa

        found = self.columns.get(column)
        return pa.nulls(len(self), pa.large_string()) if found is None else found


def first_faults(
    faults: Iterable[CellFault], order: Callable[[CellFault], Any]
) -> tuple[tuple[CellFault, ...], int]:
    """Return the first faults in their order, as many as are shown, and the number of all."""
    count = 0

    def counted() -> Iterable[CellFault]:
        nonlocal count
        for count, fault in enumerate(faults, 1):  # noqa: B007
            yield fault

    return tuple(nsmallest(MOST_SHOWN, counted(), key=order)), count


def show(text: str | None) -> str:
    """Return a cell as a message quotes it: on one line, without hidden characters, cut short."""
    if text is None:
        return "an empty cell"
    return ascii(text) if len(text) <= 60 else f"{ascii(text[:57])[:-1]}...'"


def row_name(name: str, cells: Cells) -> str:
    """Return the id that a message gives a row; works and raters are joined by a slash."""
    parts = [cells.get(column) or "?" for column in KEYS.get(name, ("row",))]
    return show("/".join(parts))[1:-1]


def whole_file(name: str, file: str, *, found: str, remedy: str, line: int = 0) -> Sheet:
    """Return the sheet of a file that could not be read at all."""
    return Sheet(name, file, {}, faults=(CellFault(file, line, "", "", found, remedy),), count=1)


def true_places(mask: Any) -> Any:
    """Return the places where an Arrow array of truth values is true."""
    import pyarrow.compute as pc

    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))


TEXT = pa.large_string()
"""Arrow's type of a column of text; the smaller one ends at 2 GB."""
READ_BLOCK = 1 << 24
"""Bytes that Arrow splits at once; a row must fit."""
NOT_UTF8 = "save the file as UTF-8"
Header = Callable[[list[str], int], tuple[CellFault, ...]]


def read_csv(raw: bytes, name: str, *, check_header: Header, say_header: str) -> Sheet:
    """Return the columns of a CSV file, or what is wrong with it.

    Parameters
    ----------
    raw
        The file.
    name
        Its table.
    check_header
        Function of the columns' names and their line that returns the faults.
    say_header
        The header that the table should have.
    """
    file = f"{name}.csv"
    start, header = 0, None
    try:
        for line, cells in records(raw):
            start, header = line, [cell.strip() for cell in cells]
            break
    except UnicodeDecodeError:
        return _not_utf8(raw, name)
    except csv.Error as error:
        return _broken(name, error, line=_last_line(raw))
    if header is None:
        remedy = f"start with the header {say_header}"
        return whole_file(name, file, found="an empty file", remedy=remedy)
    faults = check_header(header, start)
    if faults:
        return Sheet(name, file, {}, faults=faults, count=len(faults))
    columns = _split(raw, header, lines=start) if _plain_quotes(raw) else None
    if columns is None:
        return _slowly(raw, name, header=header)
    return Sheet(name, file, columns, number_lines=lambda: _lines(raw, len(header)))


def records(raw: bytes, *, mark: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield first line and cells of each row that is not blank, by Python's reader, strictly."""
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")
    csv.field_size_limit(max(csv.field_size_limit(), len(raw)))  # as long a cell as Arrow reads
    reader, start = csv.reader(text, strict=True, delimiter=mark), 1
    for row in reader:
        if any(cell.strip() for cell in row):
            yield start, row
        start = reader.line_num + 1


def numbered(
    text: str, path: Path, *, mark: str = ","
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header of a CSV text, and the first line and the cells of each row not blank.

    Cells are by column, without blanks around them; what lies beyond the header is under "".

    Raises
    ------
    InputError
        If a quote is broken.
    """
    raw = text.encode()
    try:
        (_, header), *rows = records(raw, mark=mark) if text.strip() else [(1, [])]
    except csv.Error as error:
        line = _last_line(raw, mark=mark)
        raise InputError(f"{path}:{line}: {error}; mend the line") from None
    names = [name.strip() for name in header]
    out = []
    for line, texts in rows:
        held = dict.fromkeys(names, "") | dict(zip(names, map(str.strip, texts), strict=False))
        more = "".join(texts[len(names) :])
        out.append((line, held | ({"": more} if len(texts) > len(names) else {})))
    return names, out


def _lines(raw: bytes, width: int) -> Sequence[int]:
    rows = records(raw)
    next(rows)
    return [line for line, cells in rows if len(cells) == width]


def _plain_quotes(raw: bytes) -> bool:
    """Return whether each quote opens a cell, closes it, or is doubled within: no doubt is left."""
    if b'"' not in raw:
        return True
    data = np.frombuffer(raw, dtype=np.uint8)
    at = np.flatnonzero(data == ord('"'))
    if len(at) % 2:
        return False
    ends = np.zeros(256, dtype=bool)
    ends[[ord(c) for c in ',\r\n"']] = True
    before = data[np.maximum(at[::2] - 1, 0)]
    after = data[np.minimum(at[1::2] + 1, len(data) - 1)]
    return bool((ends[before] | (at[::2] == 0)).all() and ends[after].all())


def _split(raw: bytes, header: Sequence[str], *, lines: int) -> dict[str, Any] | None:
    """Return the columns by Arrow, blank rows left out; None where it stumbles."""
    stumbled = False

    def judge(row: Any) -> str:
        nonlocal stumbled
        stumbled |= bool(row.text.strip(', \t\r\n"'))
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(raw),
            # A thread of Arrow's that still ends when a short process does aborts that process.
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=header, skip_rows=lines, block_size=READ_BLOCK
            ),
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=judge
            ),
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(header, TEXT)),
        )
    except pa.ArrowInvalid:
        return None
    if stumbled:
        return None
    columns = {name: clean(table[name].combine_chunks()) for name in header}
    return without_blank_rows(columns)


def clean(column: Any) -> Any:
    """Return text without blanks around it and with plain line ends; null where it is empty."""
    column = pc.utf8_trim_whitespace(column)
    if pc.any(pc.match_substring(column, "\r\n")).as_py():
        column = pc.replace_substring(column, "\r\n", "\n")
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, TEXT), column)


def without_blank_rows(columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns of the rows in which some cell is filled."""
    filled: Any = np.False_
    for column in columns.values():
        filled = filled | pc.is_valid(column).to_numpy(zero_copy_only=False)
        if filled.all():
            return columns
    return {name: column.filter(pa.array(filled)) for name, column in columns.items()}


def _slowly(raw: bytes, name: str, *, header: list[str]) -> Sheet:
    """Return what Python's reader makes of the file: rows of a wrong length are faults."""
    file = f"{name}.csv"
    good: list[list[str]] = []
    lines: list[int] = []
    faults: list[CellFault] = []
    rows, line = records(raw), 0
    try:
        next(rows)
        for line, cells in rows:
            if len(cells) == len(header):
                good.append(cells)
                lines.append(line)
                continue
            row = row_name(name, dict(zip(header, (_clean(cell) for cell in cells), strict=False)))
            remedy = f"give {len(header)}, and quote a cell that holds a comma"
            faults.append(CellFault(file, line, row, "", f"{len(cells)} cells", remedy))
    except UnicodeDecodeError:
        return _not_utf8(raw, name)
    except csv.Error as error:
        return _broken(name, error, line=_last_line(raw))
    cells_of = list(zip(*good, strict=True)) or [()] * len(header)
    columns = {
        column: pa.array([_clean(cell) for cell in cells], TEXT)
        for column, cells in zip(header, cells_of, strict=True)
    }
    return Sheet(name, file, columns, number_lines=lambda: lines).told(faults)


def _clean(cell: str) -> str | None:
    return cell.strip().replace("\r\n", "\n") or None


def _last_line(raw: bytes, *, mark: str = ",") -> int:
    """Return the line at which the row begins that Python's reader cannot end."""
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")
    reader, start = csv.reader(text, strict=True, delimiter=mark), 1
    try:
        for _ in reader:
            start = reader.line_num + 1
    except csv.Error:
        pass
    return start


def _broken(name: str, error: csv.Error, *, line: int) -> Sheet:
    found, remedy = f"broken CSV ({error})", "check the quotes from there on"
    return whole_file(name, f"{name}.csv", found=found, remedy=remedy, line=line)


def _not_utf8(raw: bytes, name: str) -> Sheet:
    """Return the fault of the first byte that is not UTF-8."""
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mark = len(raw) - len(error.object)  # the codec counts from behind the mark at the start
        at = error.start + mark
        found = f"byte 0x{raw[at]:02x}, which is not UTF-8"
        line = raw.count(b"\n", 0, at) + 1
        return whole_file(name, f"{name}.csv", found=found, remedy=NOT_UTF8, line=line)
    raise AssertionError("the file is UTF-8")


ROW_BLOCK = 10_000
"""Rows made into objects at once, where rows are iterated."""


@dataclass(frozen=True, eq=False)
class Frame[R: Row](Sequence[R]):
    """Rows of one type by column: Arrow arrays of text, whole numbers or truth, null if empty."""

    row_type: type[R]
    columns: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> "Frame[R]": ...
    def __getitem__(self, at: int | slice) -> "R | Frame[R]":
        if isinstance(at, slice):
            return self.take(np.arange(len(self))[at])
        place = range(len(self))[at]
        return self._row({name: column[place].as_py() for name, column in self.columns.items()})

    def __iter__(self) -> Iterator[R]:
        for start in range(0, len(self), ROW_BLOCK):
            parts = [column.slice(start, ROW_BLOCK).to_pylist() for column in self.columns.values()]
            for values in zip(*parts, strict=True):
                yield self._row(dict(zip(self.columns, values, strict=True)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self.row_type is other.row_type and self.digest() == other.digest()
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def _row(self, values: dict[str, Any]) -> R:
        return self.row_type.model_construct(**values)

    def take(self, places: Any) -> "Frame[R]":
        """Return the rows at these places."""
        at = pa.array(places, pa.int64())
        return Frame(self.row_type, {name: c.take(at) for name, c in self.columns.items()})

    def text(self, name: str) -> Any:
        """Return a column of text as an Arrow array."""
        return self.columns[name]

    def whole(self, name: str, *, missing: int = -1) -> np.ndarray:
        """Return a column of whole numbers, ``missing`` where it is empty."""
        filled = pc.fill_null(pc.cast(self.columns[name], pa.int64()), missing)
        return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)

    def places(self, name: str, labels: Any) -> np.ndarray:
        """Return the place of each text among distinct ``labels``, -1 where it is none of them."""
        return places(self.columns[name], labels)

    def distinct(self, name: str) -> list[Any]:
        """Return the distinct values of a column, sorted, empty ones left out."""
        return sorted(x for x in pc.unique(self.columns[name]).to_pylist() if x is not None)

    def digest(self) -> str:
        """Return the SHA-256 of what the rows say, by column in the order of the row type."""
        whole = hashlib.sha256()
        for name in self.row_type.model_fields:
            column = self.columns[name]
            whole.update(f"{name}:{column.type}:{len(column)}\n".encode())
            whole.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
            for part in _content(column):
                whole.update(np.ascontiguousarray(part).tobytes())
        return whole.hexdigest()


def _content(column: Any) -> Iterator[np.ndarray]:
    """Yield what an Arrow array holds, the same however it is laid out in memory."""
    if not pa.types.is_large_string(column.type):
        filled = pc.fill_null(column, False if pa.types.is_boolean(column.type) else 0)
        yield filled.to_numpy(zero_copy_only=False)
        return
    filled = pc.fill_null(column, "")
    filled = pa.concat_arrays([filled]) if filled.offset else filled
    yield pc.binary_length(filled).to_numpy(zero_copy_only=False)
    _, offsets, data = filled.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[[0, len(filled)]] if len(filled) else (0, 0)
    if ends[1] > ends[0]:
        yield np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[1]]


def places(column: Any, labels: Any) -> np.ndarray:
    """Return the place of each text among distinct ``labels``, -1 where it is none of them."""
    known = labels if isinstance(labels, pa.Array) else pa.array(labels, TEXT)
    found = pc.fill_null(pc.index_in(column, value_set=known), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def frame[R: Row](row_type: type[R], rows: Sequence[R]) -> Frame[R]:
    """Return rows as a frame; one that is a frame already stays."""
    if isinstance(rows, Frame):
        return rows
    return Frame(
        row_type,
        {
            name: pa.array([getattr(row, name) for row in rows], arrow_type(field.annotation))
            for name, field in row_type.model_fields.items()
        },
    )


def arrow_type(annotation: Any) -> Any:
    """Return the Arrow type of a field's annotation: truth, whole numbers or text."""
    said = str(annotation)
    if annotation is bool or "bool" in said:
        return pa.bool_()
    return pa.int32() if annotation is int or "int" in said else TEXT


FaultsOf = Callable[[Sheet, int], tuple[Row | None, list[CellFault]]]
KEY = f"^(?:{cells.KEY_PATTERN})$"
HIDDEN = "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}\\x{2028}-\\x{202e}\\x{2066}-\\x{2069}]"
"""Arrow's spelling of the patterns of :mod:`cells`."""


def _rated(columns: dict[str, Any]) -> Any:
    given = [columns[name].is_null() for name in ("level", "tracks", "cap_use", "ali_use")]
    return pc.and_(pc.and_(given[0], given[1]), pc.and_(given[2], given[3]))


def _dated(columns: dict[str, Any]) -> Any:
    other = pc.fill_null(pc.equal(columns["other"], 1), False)
    return pc.equal(other, columns["first_year"].is_null())


ODD: dict[str, Callable[[dict[str, Any]], Any] | None] = {
    "works": None,
    "ratings": _rated,
    "uses": _dated,
}
"""Tables typed by column, and which of their rows contradict themselves, as their types say."""


def type_columns(sheet: Sheet, faults_of: FaultsOf) -> Sheet:
    """Return the sheet with a frame of typed columns, and the faults of its rows.

    Parameters
    ----------
    sheet
        A table of :data:`ODD`.
    faults_of
        Function of sheet and place that types one row, for its faults.
    """
    row_type = ROWS[sheet.name]
    columns, bad = {}, np.zeros(len(sheet), dtype=bool)
    for name, field in row_type.model_fields.items():
        annotation: Any = field.annotation
        if field.metadata:
            annotation = Annotated[annotation, *field.metadata]
        parse = TypeAdapter(annotation).validate_python
        given = sheet.text(name)
        refused, values = _parsed(given, _vouched(given, field), parse=parse)
        columns[name] = given if values is None else pc.cast(values, arrow_type(field.annotation))
        bad |= refused
    judge = ODD[sheet.name]
    if judge is not None:
        bad |= judge(columns).to_numpy(zero_copy_only=False)
    made = replace(sheet, rows=Frame(row_type, columns), good=~bad)
    if not bad.any():
        return made
    return made.told(_closely(made, np.flatnonzero(bad), faults_of=faults_of))


def _closely(sheet: Sheet, places: Any, *, faults_of: FaultsOf) -> Iterator[CellFault]:
    for at in places:
        yield from faults_of(sheet, int(at))[1]


def _vouched(column: Any, field: Any) -> Any:
    """Return where a pattern says that a cell of text is right; None for all other types."""
    parsers = {getattr(mark, "func", None) for mark in _marks(field)}
    if cells.key in parsers:
        return pc.match_substring_regex(column, KEY)
    if cells.text in parsers:
        short = pc.less_equal(pc.utf8_length(column), cells.MAX_TEXT)
        return pc.and_(short, pc.invert(pc.match_substring_regex(column, HIDDEN)))
    return None


def _marks(field: Any) -> list[Any]:
    """Return the marks of a field's type; of ``X | None``, those of X."""
    marks = list(field.metadata)
    for part in getattr(field.annotation, "__args__", ()):
        marks += getattr(part, "__metadata__", ())
    return marks


def _parsed(column: Any, vouched: Any, *, parse: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return where cells are refused, and the values; None in place of text that stays as it is."""
    if vouched is not None:
        doubtful = pc.invert(pc.fill_null(vouched, False))
        places = np.flatnonzero(doubtful.to_numpy(zero_copy_only=False))
        refused = np.zeros(len(column), dtype=bool)
        if len(places):
            refused[places], _ = _parsed(column.take(pa.array(places)), None, parse=parse)
        return refused, None
    coded = pc.dictionary_encode(column, null_encoding="encode")
    words = coded.dictionary.to_pylist()
    values, wrong = [], np.zeros(len(words) + 1, dtype=bool)
    for i, word in enumerate(words):
        try:
            values.append(parse(word))
        except ValidationError:
            wrong[i] = True
            values.append(None)
    at = coded.indices
    taken = pa.array(values).take(at) if words else pa.nulls(len(column))
    return wrong[at.to_numpy(zero_copy_only=False)], taken


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
    sheet = _file_text(found[0], name)
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


def _file_text(path: Path, name: str) -> Sheet:
    """Return the columns of a file as text."""

    def check(header: Sequence[str], line: int) -> tuple[CellFault, ...]:
        return tuple(_header_faults(name, header, file=path.name, line=line))

    try:
        if path.suffix == ".parquet":
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


def read_parquet(path: Path, name: str, *, check_header: Header) -> Sheet:
    """Return the columns of a Parquet file as text, or what is wrong with it.

    Rows are numbered from 1. Truth values count as 1 and 0.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            header = [str(column) for column in file.schema_arrow.names]
            faults = check_header(header, 0)
            if faults:
                return Sheet(name, path.name, {}, faults=faults, count=len(faults))
            table = file.read(use_threads=False)
    except pa.ArrowException as error:
        found = f"no Parquet file ({' '.join(str(error).split())[:80]})"
        return whole_file(name, path.name, found=found, remedy=f"write it anew, or give {name}.csv")
    columns, faults = {}, ()
    for column in header:
        try:
            columns[column] = clean(_column_text(table[column].combine_chunks()))
        except pa.ArrowException:
            found, remedy = _unread(table.schema.field(column).type)
            faults = (*faults, CellFault(path.name, 0, "", column, found, remedy))
    if faults:
        return Sheet(name, path.name, {}, faults=faults, count=len(faults))
    return Sheet(name, path.name, columns, number_lines=lambda: range(1, table.num_rows + 1))


def _unread(kind: Any) -> tuple[str, str]:
    """Return what is told of a column that is no text, and the remedy."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        return "text that is not UTF-8", "store it as UTF-8"
    return f"a column of type {kind}", "store text, numbers or dates"


def _column_text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    return pc.cast(column, TEXT)
