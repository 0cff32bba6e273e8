"""`forecast ledger` through click and through real processes."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from forecast.cli.main import cli

HASH = "ab" * 32
NEAR = [
    {"id": "near-level-6", "kind": "probability", "probability": 0.04, "unit": "probability"},
    {"id": "near-people", "kind": "quantiles", "q05": 100.0, "q50": 200.0, "q95": 400.0},
]


def near_row(row: dict) -> dict:
    said = {"quantity": "q", "unit": "people", "rule": "r", "made_on": "2026-11-22"}
    return {"resolves_on": "2999-06-30", **said, **row}


@pytest.fixture
def run_folder(tmp_path) -> Path:
    """A folder that looks like a finished run, with two near predictions."""
    folder = tmp_path / "default-abababab"
    folder.mkdir()
    files = {
        "manifest": {"complete": True, "hash": HASH},
        "headline": {"converged": True},
        "context": {},
        "near": {"schema": 1, "predictions": [near_row(row) for row in NEAR]},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def invoke(*args: object, code: int = 0):
    done = CliRunner().invoke(cli, ["ledger", *map(str, args)])
    assert done.exit_code == code, done.output
    return done


def test_near_predictions_enter_with_one_command_and_only_once(run_folder, tmp_path):
    ledger = tmp_path / "l.jsonl"
    done = invoke("add", "--near", run_folder, "--ledger", ledger)
    assert len(done.stdout.split()) == 2
    again = invoke("add", "--near", run_folder, "--ledger", ledger)
    assert again.stdout == ""
    assert "already in" in again.stderr
    rows = json.loads(invoke("list", "--ledger", ledger, "--json").stdout)
    assert [row["key"] for row in rows] == ["near-level-6", "near-people"]
    assert [row["run"]["hash"] for row in rows] == [HASH, HASH]
    assert rows[1]["quantiles"] == [[0.05, 100.0], [0.5, 200.0], [0.95, 400.0]]
    assert (rows[0]["probability"], rows[0]["by"]) == (0.04, run_folder.name)


def test_a_run_that_did_not_converge_is_no_forecast(run_folder, tmp_path):
    (run_folder / "headline.json").write_text('{"converged": false}', encoding="utf-8")
    done = invoke("add", "--near", run_folder, "--ledger", tmp_path / "l.jsonl", code=2)
    assert "did not converge" in done.stderr
    assert not (tmp_path / "l.jsonl").exists()


def test_a_forecast_goes_from_options_to_a_score(run_folder, tmp_path):
    at = ("--ledger", tmp_path / "l.jsonl")
    told = ("--rule", "r", "--resolves-on", "2999-01-01", "--run", run_folder)
    quantiles = ("--quantile", "0.9=30", "--quantile", "0.1=10")
    people = invoke("add", *at, *told, "--quantity", "people", *quantiles, "--unit", "people")
    event = invoke("add", *at, *told, "--quantity", "event", "--probability", 0.3, "--by", "me")
    invoke("resolve", people.stdout.strip(), "20", *at, "--source", "survey")
    invoke("resolve", event.stdout.strip()[:5], "no", *at, "--source", "sheet")
    shown = invoke("list", *at).stdout
    assert "10.0 to 30.0" in shown or "(10 to 30)" in shown
    assert "30%; was no" in shown
    scores = json.loads(invoke("score", *at, "--json", "--out", tmp_path / "s").stdout)
    assert scores["probabilities"]["brier"] == pytest.approx(0.09)
    assert scores["quantiles"][0]["inside"] == 1
    with (tmp_path / "s" / "scores.csv").open(encoding="utf-8", newline="") as file:
        assert {row["by"] for row in csv.DictReader(file)} == {run_folder.name, "me"}
    assert "Brier score" in invoke("score", *at).stdout


def test_damaged_lines_are_told_on_stderr(run_folder, tmp_path):
    ledger = tmp_path / "l.jsonl"
    invoke("add", "--near", run_folder, "--ledger", ledger)
    ledger.write_bytes(ledger.read_bytes() + b'{"torn\n')
    for command in ("list", "score"):
        done = invoke(command, "--ledger", ledger)
        assert f"damaged line, left out: {ledger}:3: not whole JSON" in done.stderr
        assert "damaged" not in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("add",), "--quantity: found none"),
        (("add", "--near", "x", "--probability", "0.5"), "leave out --probability"),
        (("add", "--near", "gone"), "gone: no run here"),
        (("list",), "ledger.jsonl: found no such ledger"),
        (("score",), "ledger.jsonl: found no such ledger"),
        (("resolve", "x", "yes", "--source", "s"), "ledger.jsonl: found no such ledger"),
        (("resolve", "x", "yes"), "Missing option '--source'"),
        (("forget",), "No such command 'forget'"),
    ],
)
def test_wrong_use_ends_with_code_2_and_leaves_nothing(args, says, forecast_process, tmp_path):
    done = forecast_process("ledger", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
