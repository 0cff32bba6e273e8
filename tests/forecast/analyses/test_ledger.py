"""The ledger: only appended to, safe with two writers, readable where it is damaged."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import forecast as fc
from forecast.analyses.ledger import lock_of, read_ledger
from models.errors import InputError

ROOT = Path(__file__).parents[3]
TODAY = datetime(2026, 11, 26, 12, tzinfo=UTC)
YES = {
    "quantity": "a work of 2027 at level 6",
    "probability": 0.25,
    "rule": "The median of three raters is at least 6.",
    "resolves_on": "2028-06-30",
    "key": "level-6",
}
PEOPLE = {
    "quantity": "alignment workers in 2027",
    "quantiles": [[0.05, 100], [0.5, 200], [0.95, 400]],
    "unit": "people",
    "rule": "The first published estimate.",
    "resolves_on": "2027-12-31",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Set the day; returns the function that sets another."""

    def set_to(text: str) -> None:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        monkeypatch.setattr("forecast.analyses.ledger.now", lambda: day)

    set_to("2026-11-26T12:00:00")
    return set_to


@pytest.fixture
def ledger(tmp_path) -> Path:
    return tmp_path / "ledger.jsonl"


def python(code: str, *args: object) -> subprocess.Popen:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_what_is_added_is_listed_with_its_state(ledger, clock):
    (new, there) = fc.ledger.add([YES, PEOPLE], ledger)
    assert (len(new), there) == (2, ())
    shown = fc.ledger.list(ledger)
    assert [one.id for one in shown] == list(new)
    assert [one.forecast.probability for one in shown] == [0.25, None]
    assert str(shown[0].forecast.made_on) == "2026-11-26"
    assert [len(fc.ledger.list(ledger, state=s)) for s in ("open", "due")] == [2, 0]
    clock("2028-01-01T00:00:00")
    assert [len(fc.ledger.list(ledger, state=s)) for s in ("open", "due")] == [1, 1]


def test_the_same_forecast_enters_once(ledger, clock):
    (new, _) = fc.ledger.add([YES, YES], ledger)
    before = ledger.read_bytes()
    again = {**YES, "made_on": "2026-11-26", "probability": 0.25}
    clock("2026-11-27T00:00:00")
    assert fc.ledger.add([again], ledger) == ((), new)
    assert ledger.read_bytes() == before
    moved = fc.ledger.add([{**YES, "probability": 0.26}], ledger)
    assert len(moved[0]) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"probability": 1.5}, "probability: "),
        ({"probability": None}, "give either a probability or quantiles"),
        ({"quantiles": [[0.5, 1.0]]}, "give either a probability or quantiles"),
        ({"probability": None, "quantiles": [[0.5, 2.0], [0.4, 3.0]]}, "probabilities rise"),
        ({"probability": None, "quantiles": [[1.0, 2.0]]}, "both excluded"),
        ({"probability": float("nan")}, "finite"),
        ({"rule": " "}, "rule: must not be empty"),
        ({"resolves_on": "2026-01-01"}, "must not lie before the forecast"),
        ({"resolves_on": "soon"}, "resolves_on: "),
        ({"made_on": "2027-01-01"}, "made_on: found 2027-01-01, after today"),
        ({"colour": "red"}, "colour: "),
        ({"key": "two words"}, "key: "),
    ],
)
def test_a_forecast_at_fault_is_refused_and_nothing_is_written(changes, says, ledger):
    with pytest.raises(InputError, match=says):
        fc.ledger.add([PEOPLE, {**YES, **changes}], ledger)
    assert not ledger.exists()


def test_a_ledger_in_no_folder_and_a_file_that_is_none_are_refused(tmp_path):
    with pytest.raises(InputError, match="found no folder"):
        fc.ledger.add([YES], tmp_path / "gone" / "ledger.jsonl")
    other = tmp_path / "works.csv"
    other.write_text("work,title\n", encoding="utf-8")
    with pytest.raises(InputError, match="found no ledger in it"):
        fc.ledger.add([YES], other)
    assert other.read_text(encoding="utf-8") == "work,title\n"
    with pytest.raises(InputError, match="found no such ledger"):
        fc.ledger.list(tmp_path / "gone.jsonl")


def test_a_resolution_is_a_line_more_and_changes_no_other(ledger):
    (new, _) = fc.ledger.add([YES, PEOPLE], ledger)
    before = ledger.read_bytes()
    fc.ledger.resolve(new[0][:6], "yes", source="sheet", ledger=ledger)
    fc.ledger.resolve(new[1], 300, source="survey", on="2026-11-26", ledger=ledger)
    assert ledger.read_bytes().startswith(before)
    shown = fc.ledger.list(ledger, state="resolved")
    assert [one.resolution.outcome for one in shown] == [1.0, 300.0]
    with pytest.raises(InputError, match="is resolved already"):
        fc.ledger.resolve(new[0], "no", source="sheet", ledger=ledger)
    fc.ledger.resolve(new[0], "void", source="withdrawn", ledger=ledger, correct=True)
    assert fc.ledger.list(ledger)[0].state(TODAY.date()) == "void"
    assert len(ledger.read_bytes().splitlines()) == 5


@pytest.mark.parametrize(
    ("which", "outcome", "options", "says"),
    [
        ("zzzz", "yes", {}, "no such id or key"),
        ("", "yes", {}, "begins several ids"),
        ("level-6", "0.5", {}, "resolves yes, no or void"),
        ("level-6", "yes", {"on": "2026-01-01"}, "give a day from"),
        ("level-6", "yes", {"on": "2027-01-01"}, "give a day from"),
        ("level-6", "yes", {"correct": True}, "is not resolved yet"),
        ("level-6", "yes", {"source": ""}, "source: must not be empty"),
        ("people", "many", {}, "give a number, or void"),
        ("people", "nan", {}, "finite"),
    ],
)
def test_a_wrong_resolution_is_refused_and_nothing_is_written(
    which, outcome, options, says, ledger
):
    fc.ledger.add([YES, {**PEOPLE, "key": "people"}], ledger)
    before = ledger.read_bytes()
    with pytest.raises(InputError, match=says):
        fc.ledger.resolve(which, outcome, **{"source": "s", "ledger": ledger, **options})
    assert ledger.read_bytes() == before


def test_a_key_resolves_every_forecast_of_one_rule(ledger):
    asked = [YES, {**YES, "probability": 0.5}, {**YES, "key": "other"}]
    (new, _) = fc.ledger.add(asked, ledger)
    assert fc.ledger.resolve("level-6", "no", source="s", ledger=ledger) == new[:2]
    fc.ledger.add([{**YES, "rule": "another"}], ledger)
    with pytest.raises(InputError, match="under several rules"):
        fc.ledger.resolve("level-6", "no", source="s", ledger=ledger)


def test_damaged_lines_are_named_and_the_rest_is_read(ledger):
    fc.ledger.add([YES], ledger)
    fc.ledger.add([PEOPLE], ledger)
    good = ledger.read_text(encoding="utf-8").splitlines()
    changed = good[0].replace("0.25", "0.75")
    foreign = json.dumps({"type": "note"})
    lines = [changed, good[0], '{"torn', "", foreign, good[1], good[1]]
    ledger.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with ledger.open("ab") as file:
        file.write(b"\xff\xfe\n")
    book = read_ledger(ledger)
    assert [one.forecast.quantity for one in book.records] == [YES["quantity"], PEOPLE["quantity"]]
    told = [line.removeprefix(f"{ledger}:").split(":")[0] for line in book.damaged]
    assert told == ["1", "3", "5", "8"]
    assert "changed after it was written" in book.damaged[0]


def test_resolutions_that_fit_nothing_are_damage(ledger):
    (new, _) = fc.ledger.add([YES], ledger)
    fc.ledger.resolve(new[0], "yes", source="s", ledger=ledger)
    forecast, resolution = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(resolution + forecast + resolution + resolution)
    book = read_ledger(ledger)
    assert book.records[0].resolution.outcome == 1.0
    assert [line.split(":")[1] for line in book.damaged] == ["1", "4"]


ADD = (
    "import sys; import forecast as fc\n"
    "for i in range(20):\n"
    "    fc.ledger.add([{'quantity': f'{sys.argv[2]} {i}', 'probability': 0.5, 'rule': 'r',"
    " 'resolves_on': '2099-01-01'}], sys.argv[1])\n"
)


def test_writers_at_once_lose_nothing(ledger):
    writers = [python(ADD, ledger, name) for name in "abcd"]
    assert [one.communicate(timeout=120) and one.returncode for one in writers] == [0] * 4
    book = read_ledger(ledger)
    assert book.damaged == ()
    assert {one.forecast.quantity for one in book.records} == {
        f"{name} {i}" for name in "abcd" for i in range(20)
    }


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("part", [1, 40, -1])
def test_a_killed_writer_costs_its_own_line_only(part, ledger):
    fc.ledger.add([YES], ledger)
    before = ledger.read_bytes()
    die = (
        "import os, signal, sys\nimport forecast as fc, forecast.analyses.ledger as f\n"
        "write = os.write\n"
        "def torn(file, data):\n"
        f"    write(file, data[:{part}]); os.kill(os.getpid(), signal.SIGKILL)\n"
        "f.os.write = torn\n"
    )
    writer = python(die + ADD, ledger, "x")
    writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGKILL
    torn = ledger.read_bytes()
    assert torn.startswith(before)
    assert not torn.endswith(b"\n")
    (new, _) = fc.ledger.add([PEOPLE], ledger)
    assert ledger.read_bytes().startswith(torn + b"\n")
    book = read_ledger(ledger)
    assert book.records[-1].id == new[0]
    assert len(book.records) == (3 if part == -1 else 2)  # only the line end was missing
    assert len(book.damaged) == (0 if part == -1 else 1)


def test_a_reader_waits_for_the_writer_of_a_line(ledger):
    from forecast.files import locked

    fc.ledger.add([YES], ledger)
    read = "import sys, forecast as fc; sys.exit(len(fc.ledger.list(sys.argv[1])))"
    (_, line) = fc.ledger.add([PEOPLE], ledger), ledger.read_bytes()
    with locked(lock_of(ledger)):
        ledger.write_bytes(line[:-20])
        reader = python(read, ledger)
        with pytest.raises(subprocess.TimeoutExpired):
            reader.wait(timeout=3)
        ledger.write_bytes(line)
    reader.communicate(timeout=30)
    assert reader.returncode == 2
