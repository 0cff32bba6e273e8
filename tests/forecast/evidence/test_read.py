"""Tables read by column: CSV and Parquet alike, rows on demand, faults found by a closer look."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from forecast.evidence.arrays import to_arrays
from forecast.evidence.frame import Frame
from forecast.evidence.load import LONG, TABLE_NAMES, hash_tables, load_tables
from forecast.evidence.read import read_csv, read_sheet, typed_row
from forecast.evidence.tables import ROWS
from forecast.runs.folder import copy_evidence
from models.errors import InputError

SHIPPED = Path(__file__).parents[3] / "evidence"


@pytest.fixture(scope="module")
def shipped():
    return load_tables(SHIPPED)


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SHIPPED, tmp_path / "evidence"))


def as_parquet(folder, name):
    """Replace a CSV file by Parquet, in the types that Arrow infers."""
    path = folder / f"{name}.csv"
    table = pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""]),
    )
    pyarrow.parquet.write_table(table, path.with_suffix(".parquet"))
    path.unlink()
    return table


def test_parquet_gives_the_arrays_and_the_hash_of_csv(folder, shipped):
    for name in TABLE_NAMES:
        as_parquet(folder, name)
    tables = load_tables(folder)
    assert hash_tables(tables) == hash_tables(shipped)
    assert to_arrays(tables).key == to_arrays(shipped).key


def test_a_run_keeps_tables_of_both_kinds(folder, shipped, tmp_path):
    as_parquet(folder, "ratings")
    copy_evidence(folder, tmp_path / "kept")
    assert hash_tables(load_tables(tmp_path / "kept")) == hash_tables(shipped)


def test_a_table_in_two_files_is_refused(folder):
    path = folder / "ratings.csv"
    before = path.read_bytes()
    as_parquet(folder, "ratings")
    path.write_bytes(before)
    says = r"ratings\.csv: found ratings\.parquet beside it; keep one of the two"
    with pytest.raises(InputError, match=says):
        load_tables(folder)


def test_a_fault_of_a_parquet_file_names_file_row_and_column(folder):
    table = as_parquet(folder, "ratings")
    level = np.array(table["level"].to_pylist(), dtype=float)
    level[4] = 8
    at = table.schema.get_field_index("level")
    broken = table.set_column(at, "level", pa.array(level))
    pyarrow.parquet.write_table(broken, folder / "ratings.parquet")
    key = f"{table['work'][4].as_py()}/{table['rater'][4].as_py()}"
    with pytest.raises(InputError, match="whole number from 0 to 7") as error:
        load_tables(folder)
    said = str(error.value).splitlines()[1]
    assert said.startswith(f"ratings.parquet row 5 ({key}), column level: found '8")


def test_text_of_a_parquet_file_that_is_not_utf8_is_told_as_such(folder):
    table = as_parquet(folder, "works")
    at = table.column_names.index("title")
    raw = pa.array([b"caf\xe9"] * len(table), pa.binary())
    broken = table.set_column(at, "title", raw.view(pa.string()))
    pyarrow.parquet.write_table(broken, folder / "works.parquet")
    says = r"works\.parquet, column title: found text that is not UTF-8; store it as UTF-8"
    with pytest.raises(InputError, match=says):
        load_tables(folder)


def test_a_file_that_is_not_parquet_is_named(folder):
    (folder / "uses.csv").rename(folder / "uses.parquet")
    with pytest.raises(InputError, match=r"uses\.parquet: found no Parquet file"):
        load_tables(folder)


@pytest.mark.parametrize("name", LONG)
def test_columns_hold_what_each_row_typed_alone_holds(shipped, name):
    sheet = read_sheet(SHIPPED, name)
    rows = [typed_row(sheet, at)[0] for at in range(len(sheet))]
    frame = getattr(shipped, name)
    assert isinstance(frame, Frame)
    assert list(frame) == rows
    assert (frame[0], frame[-1], len(frame[2:5])) == (rows[0], rows[-1], 3)


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ('"a ""b"" c"', 'a "b" c'),
        ('"x,y"', "x,y"),
        ('"two\r\nlines"', "two\nlines"),
        ('p"q', 'p"q'),
    ],
)
def test_quotes_are_read_as_python_reads_them(cell, kept):
    raw = f"rater,kind,note\r\nR1,human,{cell}\r\n".encode()
    sheet = read_csv(raw, "raters")
    (row,) = list(csv.reader(raw.decode().splitlines(keepends=True)))[1:]
    assert sheet.columns["note"].to_pylist() == [kept] == [row[2].replace("\r\n", "\n")]


def test_a_mark_after_a_closing_quote_is_refused_although_arrow_forgives_it():
    raw = b'rater,kind,note\nR1,human,fine\nR2,human,"a"b\n'
    sheet = read_csv(raw, "raters")
    assert (sheet.faults[0].line, sheet.count) == (3, 1)
    assert "broken CSV" in sheet.faults[0].finding


def test_many_faults_are_counted_and_the_first_kept(folder):
    agenda = load_tables(folder).agendas[0].agenda
    header = ",".join(ROWS["works"].model_fields)
    lines = [f"w{i},T,2020,13,,{agenda},sampled,,no" for i in range(20_000)]
    (folder / "works.csv").write_text("\n".join((header, *lines, "")), encoding="utf-8")
    sheet = read_sheet(folder, "works")
    assert (sheet.count, len(sheet.faults)) == (20_000, 20)
    assert [fault.line for fault in sheet.faults] == list(range(2, 22))


def test_a_cell_longer_than_pythons_reader_takes_is_told_as_too_long(folder):
    """Arrow takes it, so the closer look that finds its row must too."""
    path = folder / "works.csv"
    first, second, rest = path.read_text(encoding="utf-8").split("\n", 2)
    row = next(iter(csv.reader([second])))
    row[list(ROWS["works"].model_fields).index("title")] = "x" * 200_000
    path.write_text("\n".join((first, ",".join(f'"{x}"' for x in row), rest)), encoding="utf-8")
    with pytest.raises(InputError, match=r"works\.csv line 2 .*title.*shorten it to 5000"):
        load_tables(folder)
