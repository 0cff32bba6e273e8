"""Read a CSV file as columns of text, by Arrow's reader.

Arrow splits a large file in a fraction of the time of Python's reader, but says less of what is
wrong with it and forgives a broken quote. So wherever it stumbles, or quotes are not all where they
belong, Python's reader takes the file instead; it also numbers the lines, once there is a fault.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from forecast.columns.sheets import CellFault, Sheet, row_name, whole_file
from models.errors import InputError

TEXT = pa.large_string()
"""Arrow's type of a column of text; the smaller one ends at 2 GB."""
BLOCK = 1 << 24
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
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield start, cells
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
    for line, cells in rows:
        held = dict.fromkeys(names, "") | dict(zip(names, map(str.strip, cells), strict=False))
        more = "".join(cells[len(names) :])
        out.append((line, held | ({"": more} if len(cells) > len(names) else {})))
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
                use_threads=False, column_names=header, skip_rows=lines, block_size=BLOCK
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
