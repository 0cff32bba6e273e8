"""Read a Parquet file as columns of text, so that one set of rules judges it and CSV alike."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from forecast.columns.csv_files import TEXT, Header, clean
from forecast.columns.sheets import CellFault, Sheet, whole_file


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
            columns[column] = clean(_text(table[column].combine_chunks()))
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


def _text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    return pc.cast(column, TEXT)
