"""A table as its file holds it: columns of text, typed rows, and what is wrong with them.

However many faults a file has, the first are kept and the rest counted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecast.config.toml import MOST_SHOWN
from forecast.evidence.frame import TEXT
from forecast.evidence.tables import KEYS

Cells = Mapping[str, str | None]


@dataclass(frozen=True)
class CellFault:
    """One fault of one file; ``line`` 0 is the whole file, an empty ``column`` the whole line."""

    file: str
    line: int
    row: str
    column: str
    finding: str
    remedy: str

    def __str__(self) -> str:
        row = f" ({self.row})" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        place = line_name(self.file, self.line)
        return f"{place}{row}{column}: found {self.finding}; {self.remedy}"


def line_name(file: str, line: int) -> str:
    """Return a line of a file as a message names it: counted as an editor does, from 1.

    A file without lines, Parquet, has rows, counted from 1. Line 0 is the whole file.
    """
    word = "row" if file.endswith(".parquet") else "line"
    return f"{file} {word} {line}" if line else file


@dataclass(frozen=True)
class Sheet:
    """A file as read.

    ``columns`` are Arrow arrays of trimmed text, null where a cell is empty. ``lines`` gives the
    line of each row in the file, or its number in a file without lines. ``rows`` are the typed
    rows, None where one could not be typed, or a :class:`forecast.evidence.frame.Frame`; ``valid``
    says which could. ``faults`` are the first of all ``count`` faults.
    """

    name: str
    file: str
    columns: Mapping[str, Any]
    lines: Sequence[int] = ()
    rows: Any = ()
    valid: Any = ()
    faults: tuple[CellFault, ...] = ()
    count: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def cells(self, row: int) -> dict[str, str | None]:
        """Return the cells of one row."""
        return {name: column[row].as_py() for name, column in self.columns.items()}

    def fault(self, row: int, column: str, *, remedy: str) -> CellFault:
        """Return the fault of one cell."""
        cells = self.cells(row)
        key, text = row_name(self.name, cells), show(cells.get(column))
        return CellFault(self.file, int(self.lines[row]), key, column, text, remedy)

    def with_faults(self, faults: Iterable[CellFault]) -> "Sheet":
        """Return the sheet with these faults besides its own."""
        first, count = first_faults((*self.faults, *faults), lambda fault: fault.line)
        return replace(self, faults=first, count=self.count - len(self.faults) + count)

    def valid_rows(self) -> list[tuple[int, Any]]:
        """Return position and row of each line that could be typed."""
        return [(i, row) for i, row in enumerate(self.rows) if row is not None]

    def text(self, column: str) -> Any:
        """Return a column of text; a column that the file lacks is empty."""
        return self.columns.get(column, pa.nulls(len(self), TEXT))


def bad_file(name: str, file: str, *, finding: str, remedy: str, line: int = 0) -> Sheet:
    """Return the sheet of a file that could not be read at all."""
    return Sheet(name, file, {}, faults=(CellFault(file, line, "", "", finding, remedy),), count=1)


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


def indices(mask: Any) -> Any:
    """Return where an Arrow array of truth values is true."""
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))
