"""Type the columns of a long table, and look closer only at the rows that fail.

The parsers are those of the row types (:mod:`cells`), asked once for each distinct cell.
Ids and free text differ from row to row: a pattern vouches for nearly all, parsers see the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter, ValidationError

from forecast.columns import cells
from forecast.columns.frames import Frame, arrow_type
from forecast.columns.sheets import CellFault, Sheet
from forecast.tables import ROWS, Row

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
