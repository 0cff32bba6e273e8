"""Rows of one type by column, for tables that may hold millions: works, ratings, uses.

What a run does with such a table goes by column. A row object is made when one is asked for;
iterating makes them in blocks.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecast.evidence.tables import Row

TEXT = pa.large_string()
"""Arrow's type of a column of text; the smaller one ends at 2 GB."""
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
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> "Frame[R]": ...
    def __getitem__(self, index: int | slice) -> "R | Frame[R]":
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        row = range(len(self))[index]
        return self._row({name: column[row].as_py() for name, column in self.columns.items()})

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

    def take(self, indices: Any) -> "Frame[R]":
        """Return the rows at these indices."""
        rows = pa.array(indices, pa.int64())
        return Frame(self.row_type, {name: c.take(rows) for name, c in self.columns.items()})

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
        digest = hashlib.sha256()
        for name in self.row_type.model_fields:
            column = self.columns[name]
            digest.update(f"{name}:{column.type}:{len(column)}\n".encode())
            digest.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
            for part in _content(column):
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


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
    index = pc.fill_null(pc.index_in(column, value_set=known), -1)
    return np.asarray(index.to_numpy(zero_copy_only=False), dtype=np.int64)


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
    name = str(annotation)
    if "bool" in name:
        return pa.bool_()
    return pa.int32() if "int" in name else TEXT
