"""The evidence desk: works in, blind sheets out and back, agreement, export, and no row lost."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import forecast as fc
from forecast.cli.main import cli
from forecast.evidence.desk import ANSWERS, SHOWN
from forecast.evidence.load import load_tables
from models.errors import InputError

ROOT = Path(__file__).parents[3]
BIB = r"""
@article{omer,
  title = {The {BERT} of {\"O}mer},
  author = {{\"O}mer, Tom and Zahavy, Nir},
  date = {2026-02-11},
  eprint = {2602.99999},
  abstract = {We find a circuit. It is small. Nobody knew.},
}
@misc{dup, title = {Graying the Black Box: Understanding DQNs}, year = 2016}
@misc{three, title = {Another thing entirely}, year = 2025, month = mar, author = {Tom Omer}}
"""


@pytest.fixture
def tables(tmp_path) -> Path:
    """The shipped tables, to be changed."""
    folder = tmp_path / "evidence"
    shutil.copytree(ROOT / "evidence", folder)
    return folder


def invoke(*args: object, code: int = 0):
    done = CliRunner().invoke(cli, ["evidence", *map(str, args)])
    assert done.exit_code == code, done.output
    return done


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


def test_check_counts_rows_and_tells_faults(tables, forecast_process):
    counts = json.loads(invoke("check", tables, "--json").stdout)
    assert (counts["works"], counts["ratings"]) == (483, 1449)
    (tables / "works.csv").write_text("work\n", encoding="utf-8")
    done = forecast_process("evidence", "check", tables)
    assert (done.returncode, done.stdout) == (2, "")
    assert "works.csv" in done.stderr
    assert "Traceback" not in done.stderr


def test_works_of_bibtex_are_added_below_and_known_ones_are_named(tables, tmp_path):
    before = state(tables)
    (tmp_path / "new.bib").write_text(BIB, encoding="utf-8")
    done = invoke("add", tmp_path / "new.bib", "--evidence", tables, "--agenda", "circuits")
    assert done.stdout.split() == ["omer-2026-bert", "omer-2025-another"]
    assert "there already: Graying the Black Box" in done.stderr
    after = state(tables)
    assert after["works.csv"].startswith(before["works.csv"])
    assert {k: x for k, x in after.items() if k != "works.csv"} == {
        k: x for k, x in before.items() if k != "works.csv"
    }
    works = {work.work: work for work in load_tables(tables).works}
    new = works["omer-2026-bert"]
    assert (new.title, new.year, new.month) == ("The BERT of Ömer", 2026, 2)
    assert (new.venue_or_id, new.agenda, new.selection) == ("2602.99999", "circuits", "purposive")
    assert (new.gist, new.verified) == ("We find a circuit. It is small.", "no")
    (kept,) = (tables / ".backup").iterdir()
    assert kept.read_bytes() == before["works.csv"]
    again = invoke("add", tmp_path / "new.bib", "--evidence", tables, "--agenda", "circuits")
    assert (again.stdout, state(tables)) == ("", after)


def test_works_of_a_csv_keep_line_ends_column_order_and_a_missing_last_line_end(tables, tmp_path):
    works = tables / "works.csv"
    old = rows(works)
    columns = list(reversed(old[0]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(old)
    works.write_bytes(b"\xef\xbb\xbf" + text.getvalue().rstrip().encode())
    new = tmp_path / "new.csv"
    new.write_text(
        'title,year,agenda,authors,gist\n"A, quoted",2025,circuits,B. Author,"Line\none"\n',
        encoding="utf-8",
    )
    assert fc.desk.add(new, evidence=tables) == (["author-2025-quoted"], [])
    raw = works.read_bytes()
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n") == len(old) + 2
    assert rows(works)[:-1] == old
    assert rows(works)[-1]["title"] == "A, quoted"


BAD = {
    "no agenda": ("new.csv", "title,year\nA new one,2025\n", (), "no agenda; give one"),
    "unknown agenda": ("new.csv", "title,year\nA,2025\n", ("--agenda", "x"), "nothing was written"),
    "no year": ("new.csv", "title,year\nA,\n", (), "work 1 (A): no year"),
    "odd year": ("n.csv", "title,year,agenda\nA,20x5,circuits\n", (), "nothing was written"),
    "odd column": ("new.csv", "titel,year\nA,2025\n", (), "did you mean 'title'?"),
    "long row": ("new.csv", "title,year\nA,2025,x\n", (), "new.csv:2: more cells"),
    "long row, lines counted as an editor does": (
        "new.csv",
        'title,year\n\n"A\nB",2024\nC,2025,x\n',
        (),
        "new.csv:5: more cells",
    ),
    "broken quote": ("new.csv", 'title,year\nA,2024\n"B,2025\n', (), "new.csv:3: unexpected end"),
    "broken bibtex": ("new.bib", "@misc{a, title = {A\n@misc{b, title={B}}", (), "new.bib:1: not"),
    "parquet": ("new.parquet", b"PAR1\xff\xff", (), "give the works to add as CSV or BibTeX"),
    "latin-1": ("new.csv", b"title\xe9\n", (), "not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_fault_leaves_every_table_as_it_was(case, tables, tmp_path):
    name, content, options, says = BAD[case]
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(data)
    before = state(tables)
    done = invoke("add", tmp_path / name, "--evidence", tables, *options, code=2)
    assert says in done.stderr
    assert state(tables) == before
    assert not (tables / ".backup").exists()


def test_a_change_meanwhile_is_seen_and_nothing_written(tables, tmp_path):
    from forecast.evidence.desk import append_rows

    seen = load_tables(tables)
    (tmp_path / "a.bib").write_text(BIB, encoding="utf-8")
    fc.desk.add(tmp_path / "a.bib", evidence=tables, agenda="circuits")
    before = state(tables)
    rating = {"work": "omer-2026-bert", "rater": "R1", "level": 1}
    with pytest.raises(InputError, match="changed by somebody else"):
        append_rows(tables, {"ratings": [rating]}, before=seen)
    assert state(tables) == before


def fill(sheet: Path, answers: dict[str, str], *, n: int, mark: str = ",") -> None:
    """Fill the first n rows of a sheet, as a spreadsheet would write it back."""
    some = rows(sheet)
    for row in some[:n]:
        row.update(answers)
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(some[0]), delimiter=mark)
        writer.writeheader()
        writer.writerows(reversed(some))


YES = {"level": "2", "tracks": "1", "cap_use": "0", "ali_use": "1", "confidence": "2"}


def test_a_sheet_is_blind_shuffled_and_the_rater_s_own(tables, tmp_path):
    at = [tmp_path / f"{name}.csv" for name in "abc"]
    for path, rater in zip(at, ("ann", "bob", "ann"), strict=True):
        invoke("rate", "--out", path, "--rater", rater, "--evidence", tables)
    sheets = [rows(path) for path in at]
    keys = [[row["work"] for row in sheet] for sheet in sheets]
    shipped = [work.work for work in load_tables(tables).works]
    assert list(sheets[0][0]) == [*SHOWN, *ANSWERS]
    assert all(row[name] == "" for row in sheets[0] for name in ANSWERS)
    assert sorted(keys[0]) == sorted(shipped)
    assert keys[0] == keys[2]
    assert len({tuple(keys[0]), tuple(keys[1]), tuple(shipped)}) == 3
    again = invoke("rate", "--out", at[0], "--rater", "ann", "--evidence", tables, code=2)
    assert "exists, and may hold answers" in again.stderr
    none = invoke("rate", "--out", tmp_path / "x", "--rater", "R1", "--evidence", tables, code=2)
    assert "no work is left to rate" in none.stderr


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_filled_sheet_comes_back_and_only_once(mark, tables, tmp_path):
    sheet, before = tmp_path / "sheet.csv", state(tables)
    args = ("--rater", "ann", "--evidence", tables)
    invoke("rate", "--out", sheet, "--most", 10, *args)
    fill(sheet, YES, n=4, mark=mark)
    done = invoke("rate", "--take", sheet, *args)
    assert done.stdout == "4 ratings added, 0 there already, 6 rows left blank\n"
    after = state(tables)
    assert all(after[name].startswith(before[name]) for name in before)
    read = load_tables(tables)
    given = [row for row in read.ratings if row.rater == "ann"]
    said = {tuple(str(getattr(r, name)) for name in ANSWERS) for r in given}
    assert said == {tuple(YES.values())}
    assert [str(r.kind) for r in read.raters if r.rater == "ann"] == ["human"]
    again = invoke("rate", "--take", sheet, *args)
    assert again.stdout == "0 ratings added, 4 there already, 6 rows left blank\n"
    assert state(tables) == after
    more = tmp_path / "more.csv"
    invoke("rate", "--out", more, *args)
    assert {row["work"] for row in rows(more)}.isdisjoint(row.work for row in given)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"level": "9"}, "nothing was written"),
        ({"level": "two"}, "nothing was written"),
        ({"work": "changed"}, "work 'changed' is not in works.csv"),
        ({"work": "meng-2022-rome"}, "a second time"),
    ],
)
def test_a_spoilt_sheet_changes_nothing(change, says, tables, tmp_path):
    sheet, before = tmp_path / "sheet.csv", state(tables)
    fc.desk.hand_out(sheet, evidence=tables, rater="ann", most=None)
    fill(sheet, {**YES, **change}, n=2 if change == {"work": "meng-2022-rome"} else 1)
    done = invoke("rate", "--take", sheet, "--rater", "ann", "--evidence", tables, code=2)
    assert says in done.stderr
    assert state(tables) == before


def test_another_answer_than_before_and_another_kind_are_refused(tables, tmp_path):
    sheet, args = tmp_path / "sheet.csv", ("--rater", "ann", "--evidence", tables)
    invoke("rate", "--out", sheet, "--most", 3, *args)
    fill(sheet, YES, n=1)
    invoke("rate", "--take", sheet, *args)
    before = state(tables)
    fill(sheet, {**YES, "level": "3"}, n=3)
    done = invoke("rate", "--take", sheet, *args, code=2)
    assert "ann answered level = 2 before, and now 3; nothing is written over" in done.stderr
    other = invoke("rate", "--take", sheet, *args, "--kind", "language-model", code=2)
    assert "ann counts as human" in other.stderr
    both = invoke("rate", *args, code=2)
    assert "give either --out FILE or --take FILE" in both.stderr
    assert state(tables) == before


def test_agreement_of_the_shipped_raters_is_shown(tables):
    found = json.loads(invoke("agreement", tables, "--json").stdout)
    assert [row["raters"] for row in found["alpha"]] == ["language-model"]
    assert [(r["a"], r["b"], r["works"]) for r in found["kappa"]] == [
        ("R1", "R2", 483),
        ("R1", "R3", 483),
        ("R2", "R3", 483),
    ]
    pairs = [r["level"] for r in found["kappa"]]
    assert all(0.3 < k < 1.0 for k in [*pairs, found["alpha"][0]["level"]])
    shown = invoke("agreement", tables).stdout
    assert "R1, R2" in shown
    assert "Agreement is not proof" in shown
    (tables / "ratings.csv").write_text(
        "work,rater,level,tracks,cap_use,ali_use,confidence\n", encoding="utf-8"
    )
    (tables / "uses.csv").write_text(
        (tables / "uses.csv").read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8"
    )
    assert "fewer than two raters" in invoke("agreement", tables, code=2).stderr


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_an_export_holds_every_answer_and_writes_over_nothing(kind, tables, tmp_path):
    out = tmp_path / f"works.{kind}"
    assert invoke("export", tables, "--out", out).stdout == f"{out}: 483 works\n"
    if kind == "parquet":
        import pyarrow.parquet as pq

        found = pq.read_table(out).to_pylist()
    else:
        found = rows(out) if kind == "csv" else json.loads(out.read_text(encoding="utf-8"))
    by_key = {row["work"]: row for row in found}
    for rating in list(load_tables(tables).ratings)[:50]:
        assert str(by_key[rating.work][f"{rating.rater}_level"]) == str(rating.level)
    before = out.read_bytes()
    assert "exists" in invoke("export", tables, "--out", out, code=2).stderr
    assert out.read_bytes() == before
    assert "end it in" in invoke("export", tables, "--out", tmp_path / "works.xls", code=2).stderr
