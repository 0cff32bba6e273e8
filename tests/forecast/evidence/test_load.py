"""What the shipped tables hold, and what the loader forgives, refuses and leaves out."""

import csv
import hashlib
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from forecast.evidence.arrays import to_arrays
from forecast.evidence.load import (
    TABLE_NAMES,
    find_evidence,
    hash_tables,
    load_tables,
    rater_kinds,
    rows_that_fit,
    switch_off,
)
from forecast.evidence.tables import ROWS
from forecast.runs.summarise import has_evidence, raters_of
from models.errors import InputError
from reports.words import rated_by

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "evidence"
NO_WORKS = ("works", "ratings", "uses", "milestones", "spillovers", "alignment_uses")


@pytest.fixture(scope="module")
def shipped():
    return load_tables(SHIPPED)


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SHIPPED, tmp_path / "evidence"))


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def empty(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


def test_every_line_of_every_table_becomes_a_row(shipped):
    for name in TABLE_NAMES:
        assert len(getattr(shipped, name)) == len(read(SHIPPED / f"{name}.csv")) - 1


def test_row_types_cover_the_tables_and_their_columns():
    assert sorted(ROWS) == sorted(TABLE_NAMES)
    for name, row in ROWS.items():
        assert set(read(SHIPPED / f"{name}.csv")[0]) == set(row.model_fields)


def test_shipped_counts(shipped):
    assert (len(shipped.works), len(shipped.ratings), len(shipped.agendas)) == (483, 1449, 19)
    assert Counter(row.level for row in shipped.ratings) == {
        0: 553, 1: 162, 2: 278, 3: 284, 4: 163, 5: 6, 6: 3,
    }  # fmt: skip
    fits = {name: len(rows_that_fit(getattr(shipped, name))) for name in ("workers", "diagnosis")}
    assert fits == {"workers": 28, "diagnosis": 11}
    assert [row.row for row in shipped.forecasts if row.use == "soft"] == ["espai23-explain-2043"]


def test_cells_are_typed_and_an_empty_cell_is_none(shipped):
    bound = next(row for row in shipped.workers if row.row == "ali-2015-filan")
    assert (bound.year, bound.low, bound.central, bound.high) == (2015, None, None, 30.0)
    assert isinstance(bound.high, float)
    own = next(row for row in shipped.spillovers if row.row == "sp-zeiler-2013-visualizing")
    assert (own.same_work, own.lag) == (True, 0)


def test_rows_and_tables_cannot_be_changed(shipped):
    with pytest.raises(ValidationError, match="frozen"):
        shipped.works[0].year = 2000
    with pytest.raises(FrozenInstanceError):
        shipped.works = ()


def test_only_the_incidents_of_opguard_come_from_production(shipped):
    production = {row.study for row in shipped.diagnosis if row.setting == "production"}
    assert production == {"opguard"}
    assert sum(row.setting == "production" for row in shipped.diagnosis) == 2


def test_every_table_has_a_card_that_names_its_columns():
    readme = (SHIPPED / "README.md").read_text(encoding="utf-8")
    cards = dict(re.findall(r"^## (\w+)\.csv\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL))
    assert sorted(cards) == sorted(ROWS)
    for name, card in cards.items():
        assert "Source: " in card, name
        assert "Date: " in card, name
        assert set(ROWS[name].model_fields) <= set(re.findall(r"`(\w+)`", card)), name


def test_sources_list_the_tables_that_use_them(shipped):
    listed = {row.source: set((row.tables or "").split("+")) for row in shipped.sources}
    for name, row_type in ROWS.items():
        if "source" in row_type.model_fields and name != "sources":
            assert {
                row.source for row in getattr(shipped, name) if name not in listed[row.source]
            } == set()


@pytest.mark.parametrize(
    "name", [name for name in TABLE_NAMES if name not in {"agendas", "works", "sources"}]
)
def test_table_may_be_empty(folder, name):
    empty(folder / f"{name}.csv")
    assert getattr(load_tables(folder), name) == ()


def test_works_may_be_empty_when_nothing_refers_to_them(folder):
    for name in NO_WORKS:
        empty(folder / f"{name}.csv")
    assert load_tables(folder).works == ()


def test_all_but_agendas_may_be_empty(folder):
    for name in TABLE_NAMES:
        if name != "agendas":
            empty(folder / f"{name}.csv")
    tables = load_tables(folder)
    assert [name for name in TABLE_NAMES if getattr(tables, name)] == ["agendas"]


def test_missing_raters_count_as_language_models(folder, shipped):
    (folder / "raters.csv").unlink()
    kinds = dict.fromkeys(("R1", "R2", "R3"), "language-model")
    assert rater_kinds(load_tables(folder)) == rater_kinds(shipped) == kinds


def test_extra_raters_keep_their_kind_and_unnamed_ones_are_language_models(folder):
    with (folder / "ratings.csv").open("a", encoding="utf-8") as file:
        file.write("alain-2016-probes,H1,2,,0,,\nalain-2016-probes,M9,1,0,0,0,1\n")
    with (folder / "raters.csv").open("a", encoding="utf-8") as file:
        file.write("H1,human,\n")
    tables = load_tables(folder)
    assert rater_kinds(tables)["H1"] == "human"
    assert rater_kinds(tables)["M9"] == "language-model"
    person = tables.ratings[-2]
    assert (person.level, person.tracks, person.ali_use, person.confidence) == (2, None, None, None)


def test_missing_setting_means_benchmark(folder):
    rows = read(folder / "diagnosis.csv")
    write(folder / "diagnosis.csv", [row[:-1] for row in rows])
    assert {row.setting for row in load_tables(folder).diagnosis} == {"benchmark"}


def test_form_of_a_file_does_not_change_its_hash(folder, shipped):
    for path in folder.glob("*.csv"):
        header, *rows = read(path)
        turned = [list(reversed(row)) for row in [header, *rows]]
        write(path, turned)
        path.write_bytes(
            b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n,,\r\n"
        )
    assert hash_tables(load_tables(folder)) == hash_tables(shipped)


def test_the_order_of_rows_counts_as_it_moves_the_last_digits_of_sums(folder, shipped):
    header, *rows = read(folder / "ratings.csv")
    write(folder / "ratings.csv", [header, *reversed(rows)])
    assert hash_tables(load_tables(folder)) != hash_tables(shipped)


def test_whole_numbers_as_pandas_writes_them_are_the_same(folder, shipped):
    header, *rows = read(folder / "uses.csv")
    at = header.index("first_year")
    write(
        folder / "uses.csv",
        [header, *([*r[:at], r[at] and f"{r[at]}.0", *r[at + 1 :]] for r in rows)],
    )
    assert hash_tables(load_tables(folder)) == hash_tables(shipped)


def test_one_changed_cell_changes_the_hash(folder, shipped):
    rows = read(folder / "ratings.csv")
    rows[1][2] = str(7 - int(rows[1][2]))
    write(folder / "ratings.csv", rows)
    assert hash_tables(load_tables(folder)) != hash_tables(shipped)
    assert re.fullmatch("[0-9a-f]{64}", hash_tables(shipped))
    assert hash_tables(shipped) != hashlib.sha256().hexdigest()


def test_line_numbers_count_lines_of_the_file_not_rows(folder):
    header, *rows = read(folder / "works.csv")
    rows[0][header.index("gist")] = "two\nlines"
    rows[1][header.index("year")] = "20x4"
    write(folder / "works.csv", [header, *rows])
    with pytest.raises(
        InputError, match=rf"works\.csv line 4 \({rows[1][0]}\), column year: found '20x4'"
    ):
        load_tables(folder)


def test_faults_of_several_files_are_told_at_once(folder):
    for name, column, cell in (("works", "month", "13"), ("milestones", "level", "9")):
        header, *rows = read(folder / f"{name}.csv")
        rows[0][header.index(column)] = cell
        write(folder / f"{name}.csv", [header, *rows])
    with pytest.raises(InputError) as error:
        load_tables(folder)
    first, *faults = str(error.value).splitlines()
    assert first == f"evidence {folder}: 2 faults"
    assert [line.split()[0] for line in faults] == ["works.csv", "milestones.csv"]


def test_a_misspelt_column_does_not_bury_itself_under_what_refers_to_its_table(folder):
    path = folder / "works.csv"
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("\n")
    path.write_text(head.replace("year", "yeer") + "\n" + rest, encoding="utf-8")
    with pytest.raises(InputError) as told:
        load_tables(str(folder))
    said = str(told.value)
    assert "yeer" in said
    assert "2 faults" in said
    assert "ratings.csv" not in said


def test_tables_switched_off_are_emptied_after_the_checks(folder, shipped):
    tables = load_tables(SHIPPED, off=["works", "faults"])
    assert (tables.works, tables.ratings, tables.uses, tables.faults) == ((), (), (), ())
    assert tables.workers == shipped.workers
    assert hash_tables(tables) == hash_tables(switch_off(shipped, ["faults", "works"]))
    (folder / "faults.csv").unlink()
    with pytest.raises(InputError, match=r"faults\.csv: found no such file"):
        load_tables(folder, off=["faults"])


@pytest.mark.parametrize(
    ("off", "says"),
    [
        ("rating", r"off: found 'rating'; did you mean 'ratings'\?"),
        ("agendas", "off: found 'agendas'; remove it"),
    ],
)
def test_unknown_or_needed_table_cannot_be_switched_off(off, says):
    with pytest.raises(InputError, match=says):
        load_tables(SHIPPED, off=[off])


def test_evidence_is_the_given_folder_else_the_shipped_one(tmp_path):
    assert find_evidence(tmp_path) == tmp_path
    assert find_evidence(None).samefile(SHIPPED)
    with pytest.raises(InputError, match="found no such folder"):
        find_evidence(tmp_path / "gone")
    with pytest.raises(InputError, match="found a file; give the folder"):
        find_evidence(SHIPPED / "works.csv")


def test_pydantic_loads_only_when_a_folder_is_read():
    code = "import sys, forecast, forecast.evidence.load; print('pydantic' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "False\n"


def test_a_work_of_a_year_that_the_model_does_not_have_is_refused(shipped):
    early, late = (
        row.model_copy(update={"year": year})
        for row, year in zip(shipped.works, (2009, 2027), strict=False)
    )
    out = replace(shipped, works=(early, late, *shipped.works[2:]))
    found = rf"found {early.work} \(2009\), {late.work} \(2027\); the model's years are 2013-2026"
    with pytest.raises(InputError, match=found):
        to_arrays(out)


def test_what_the_report_says_of_evidence_follows_the_tables(shipped):
    kinds = raters_of(shipped)
    assert set(kinds.values()) == {"language-model"}
    assert "Rated by language models from" in rated_by(kinds)
    assert "language models and people from" in rated_by(kinds | {"H1": "human"})
    assert "its errors rest on priors" in rated_by({"R1": "language-model"})
    assert "No work is rated" in rated_by(raters_of(replace(shipped, ratings=())))
    assert has_evidence(to_arrays(shipped))
    nothing = switch_off(shipped, tuple(name for name in TABLE_NAMES if name != "agendas"))
    assert not has_evidence(to_arrays(nothing))
