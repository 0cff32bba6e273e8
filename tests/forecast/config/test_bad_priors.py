"""Each fault of a priors file ends a real process with code 2 and names line, key and remedy."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from forecast.config.load import load_config
from models.errors import InputError


@dataclass(frozen=True)
class Case:
    """A row of ``bad_priors.txt``."""

    name: str
    table: str
    old: str
    new: str
    line: str
    says: str


def read_cases() -> list[Case]:
    text = (Path(__file__).parent / "bad_priors.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [
        Case(*(part.strip(" ").replace("\\n", "\n") for part in line.split(" | ")))
        for line in lines
    ]


def spoil(text: str, case: Case) -> tuple[str, int]:
    """Return the text with the case's fault, and the line on which it stands."""
    mark = "schema" if case.table == "head" else f"[{case.table}]"
    before, _, after = text.partition(mark)
    table, blank, rest = (mark + after).partition("\n\n")
    old = "\n".join(table.split("\n")[1:4]) if case.old == "*" else case.old
    assert old in table + "\n"
    spoilt = before + (table + "\n").replace(old, case.new, 1) + blank + rest
    return spoilt, before.count("\n") + 1 + int(case.line)


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
def test_fault_is_refused(case, priors_text, priors_file, forecast_process):
    spoilt, line = spoil(priors_text, case)
    priors_file.write_text(spoilt, encoding="utf-8")
    done = forecast_process("check", priors_file)
    places = (f"test.toml:{line} ", f"test.toml:{line}: ")
    told = [one for one in done.stderr.splitlines() if any(place in one for place in places)]
    assert any(case.says in one for one in told), done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


WRONG = """
[priors.gate_tracked]
dist = "Beta"
alpha = "two"
beta = -1.0
unit = "probability"
block = "relevance"
claims = ["C99", 3]
source = "s"
why = "w"

[priors.leak_untracked]
dist = "Beta"
quantiles = [[0.5, "x"], [0.9, 0.2]]
beta = "x"
unit = "probability"
block = "relevance"
claims = ["C14"]
source = "s"
why = "w"
"""


@pytest.mark.parametrize("extends", ["default", "none-such"])
def test_a_key_of_a_wrong_type_hides_no_other_fault(extends, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(child(extends).replace('"a"', "5") + WRONG, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_config(path)
    told = str(error.value)
    for part in (
        "author: found 5; must be a valid string",
        "[priors.gate_tracked] alpha: found 'two'; must be a valid number",
        "[priors.gate_tracked] beta: found -1.0; must be greater than 0",
        "[priors.gate_tracked] claims[0]: found 'C99'; use C1 to C14",
        "[priors.gate_tracked] claims[1]: found 3; must be a valid string",
        "[priors.leak_untracked] beta: found 'x'; must be a valid number",
        "[priors.leak_untracked] quantiles: found quantiles beside beta; keep one of the two",
        "[priors.leak_untracked] quantiles[0]: found [0.5, 'x']; write [probability, value]",
    ):
        assert part in told
    assert ("extends: found 'none-such'" in told) == (extends == "none-such")


def child(extends, name="child"):
    lines = ["schema = 1", f'name = "{name}"', 'author = "a"', "date = 2026-11-22", 'summary = "s"']
    return "\n".join([*lines, f'extends = "{extends}"', ""])


FILES = {
    "latin-1": (
        {"a.toml": b'schema = 1\nname = "caf\xe9"\n'},
        "a.toml:2: found byte 0xe9, which is",
    ),
    "utf-16": (
        {"a.toml": "schema = 1\n".encode("utf-16")},
        "a.toml:1: found byte 0xff, which is not",
    ),
    "empty": ({"a.toml": ""}, "a.toml:1 name: found no such key; add it"),
    "nested": (
        {"a.toml": "a = " + "[" * 5000},
        "a.toml:1: found arrays nested too deeply; flatten",
    ),
    "no parent": (
        {"a.toml": child("gone.toml")},
        "a.toml:6 extends: found 'gone.toml'; no such file",
    ),
    "itself": ({"a.toml": child("a.toml")}, "a.toml:6 extends: found 'a.toml', which extends this"),
    "circle": (
        {"a.toml": child("b.toml"), "b.toml": child("a.toml", "b")},
        "b.toml:6 extends: found 'a.toml', which extends this file in turn; break the circle",
    ),
    "depth": (
        {"a.toml": child("f1.toml")}
        | {f"f{i}.toml": child(f"f{i + 1}.toml") for i in range(1, 12)},
        "f8.toml:6 extends: found more than 8 files, each extending the next; shorten the chain",
    ),
    "parent": (
        {"a.toml": child("b.toml"), "b.toml": child("test.toml") + "\n[model]\nlink = 1\n"},
        "b.toml:9 [model] link: found 1; must be 'logit' or 'probit'",
    ),
    "part of a prior": (
        {"a.toml": child("test.toml") + "\n[priors.gate_tracked]\nalpha = 5.0\n"},
        "a.toml:8 [priors.gate_tracked] dist: found no such key; add it",
    ),
    "empty slots": (
        {"a.toml": child("b.toml").replace("extends", "# extends")},
        "a.toml:1 [priors.workers_alignment]: found no table for this positive prior of block wor",
    ),
    "huge": (
        {"a.toml": child("test.toml") + f'[priors.halo]\ndist = "Normal"\nmu = 1{"0" * 400}\n'},
        "a.toml:9 [priors.halo] mu: found a number of more than 30 digits; must be",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_file_is_refused(name, priors_file, tmp_path, forecast_process):
    files, says = FILES[name]
    for file, text in files.items():
        (tmp_path / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    done = forecast_process("check", "a.toml")
    assert says in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("gone.toml", "gone.toml: found no such file and no shipped name;"),
        ("folder", "folder: found a folder; give the TOML file in it"),
    ],
)
def test_path_is_refused(argument, says, tmp_path, forecast_process):
    (tmp_path / "folder").mkdir()
    done = forecast_process("check", argument)
    assert says in done.stderr
    assert (done.returncode, done.stdout) == (2, "")


def test_all_faults_are_told_at_once_but_at_most_twenty(priors_file, forecast_process):
    text = priors_file.read_text(encoding="utf-8")
    priors_file.write_text(text.replace("sigma = 0.5", "sigma = 0.0"), encoding="utf-8")
    told = forecast_process("check", priors_file).stderr.splitlines()
    wrong = text.count("sigma = 0.5")
    assert len([line for line in told if "found 0.0; must be greater than 0" in line]) == 20
    assert told[-1] == f"... and {wrong - 20} more faults, not shown"
