"""Two runs that differ in one prior and one row of evidence."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from forecast.analyses.diff import diff, evidence_rows
from forecast.cli.main import cli
from forecast.runs.run import run

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}
TOML = """schema = 1
extends = "default.toml"
name = "moved"
author = "x"
date = 2026-11-22
summary = "x"

[priors.gate_tracked]
dist = "Beta"
alpha = 9.0
beta = 1.0
unit = "probability"
block = "relevance"
claims = ["C14"]
source = "x"
why = "x"
"""


@pytest.fixture
def two(tmp_path, monkeypatch, fake_fits):
    """A run of the default, and one with another gate and one figure on workers removed."""
    monkeypatch.chdir(tmp_path)
    first = run("default", **SMALL)
    shutil.copytree(first.folder / "evidence", "evidence")
    table = Path("evidence") / "workers.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    (row,) = [line for line in lines if ",fit," in line][:1]
    table.write_text("".join(line for line in lines if line != row), encoding="utf-8")
    Path("moved.toml").write_text(TOML, encoding="utf-8")
    return first, run("moved.toml", evidence="evidence", **SMALL), row.split(",")[0]


def test_the_whole_move_is_that_of_the_two_changes(two):
    first, second, row = two
    made = diff(first, second)
    assert [(r["change"], r["told"].split(" (")[0]) for r in made.summary["changes"]] == [
        ("gate_tracked", made.summary["changes"][0]["told"].split(" (")[0]),
        ("evidence", f"workers: removed {row}"),
    ]
    assert "Beta(alpha 9, beta 1)" in made.summary["changes"][0]["told"]
    rows = [r for r in made.summary["parts"] if r["quantity"] == "alignment_relevant"]
    quantities = [
        one.headline["quantities"]["alignment_relevant"]["mean"] for one in (first, second)
    ]
    assert rows[0]["move"] == pytest.approx(quantities[1] - quantities[0])
    assert rows[-1]["change"] == "code, libraries and sampling"
    assert rows[-1]["part"] == pytest.approx(0.0, abs=1e-12)
    assert sum(r["part"] for r in rows) == pytest.approx(rows[0]["move"])
    assert sum(r["in_order"] for r in rows) == pytest.approx(rows[0]["move"])
    used = [r for r in made.summary["parts"] if r["quantity"] == "alignment_used"]
    assert used[0]["part"] == pytest.approx(0.0, abs=1e-12)  # a gate moves no use


def test_a_run_and_itself_do_not_differ(two):
    first, _, _ = two
    made = diff(first.folder, first.folder)
    assert made.summary["changes"] == []
    assert all(r["part"] == r["move"] == 0.0 for r in made.summary["parts"])


def test_the_command_prints_and_writes(two):
    first, second, _ = two
    folders = [str(one.folder) for one in (first, second)]
    done = CliRunner().invoke(cli, ["diff", *folders, "--out", "d"])
    assert done.exit_code == 3, done.output  # 80 draws do not converge
    assert "moved by" in done.stdout
    told = json.loads(Path("d/diff.json").read_text(encoding="utf-8"))
    assert len(told["how"]) == 4
    assert CliRunner().invoke(cli, ["diff", folders[0], "nowhere"]).exit_code == 2


def test_rows_are_told_by_their_key(tmp_path):
    for name, text in (("a", "row,x\np,1\nq,2\n"), ("b", "row,x\np,1\nq,3\nr,4\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.csv").write_text(text, encoding="utf-8")
    assert evidence_rows(tmp_path / "a", tmp_path / "b") == ["t: added r", "t: changed q"]
