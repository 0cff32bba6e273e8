"""`forecast init`, `forecast elicit`, completion in the shell, and a run in a notebook."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import forecast as fc
from forecast.cli.main import cli
from forecast.config.elicit import write_prior
from forecast.config.load import load_config
from forecast.evidence.load import load_tables
from forecast.evidence.tables import ROWS
from forecast.runs.open import Run
from models.errors import InputError
from reports.elicit import rounded

QUANTILES = [(0.05, 0.02), (0.5, 0.1), (0.95, 0.3)]
GIVEN = [word for p, v in QUANTILES for word in ("--quantile", f"{p}={v}")]
FILE = """\
# My view.
schema = 1
name = "mine"
author = "me"     # that is me
date = 2026-11-22
summary = "s"
extends = "default"

# About the gate:
[priors.gate_tracked]
dist = "Beta"     # the family
alpha = 2.0       # successes
beta = 18.0
unit = "probability"
block = "relevance"
claims = ["C14"]  # its home
source = "old"
why = "old"

[question]        # stays
horizon = 2035
"""


@pytest.fixture
def mine(tmp_path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def invoke(*args: object, code: int = 0, answers: str = ""):
    done = CliRunner().invoke(cli, [*map(str, args)], input=answers)
    assert done.exit_code == code, done.output
    return done


def test_init_makes_a_folder_that_loads(tmp_path):
    folder = tmp_path / "My View"
    assert invoke("init", folder, "--author", "A. Person").stdout == f"{folder}\n"
    made = load_config(folder / "priors.toml")
    assert (made.name, made.author, made.evidence.path) == ("my-view", "A. Person", None)
    assert made.priors == load_config("default").priors
    tables = load_tables(folder / "evidence")
    assert (len(tables.works), len(tables.agendas)) == (0, 19)
    assert {path.stem for path in (folder / "evidence").glob("*.csv")} == set(ROWS)
    assert (folder / "evidence" / "RUBRIC.md").is_file()
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# my-view")
    assert [path.name for path in tmp_path.iterdir()] == ["My View"]


def test_the_example_in_the_new_priors_file_is_valid(tmp_path):
    path = fc.init(tmp_path / "mine") / "priors.toml"
    text = path.read_text(encoding="utf-8")
    head, mark, example = text.partition("# [priors.gate_tracked]")
    shown = (mark + example).removeprefix("# ").replace("\n# ", "\n")
    path.write_text(head + shown, encoding="utf-8")
    found = {one.name: one for one in load_config(path).priors}["gate_tracked"]
    assert found.quantiles == ((0.05, 0.02), (0.5, 0.1), (0.95, 0.3))


def test_init_with_evidence_uses_the_shipped_tables(tmp_path):
    folder = fc.init(tmp_path / "mine", evidence=True)
    made = load_config(folder / "priors.toml")
    assert made.evidence.path == str((folder / "evidence").resolve())
    assert len(load_tables(folder / "evidence").works) == 483


def test_init_fills_an_empty_folder_and_refuses_any_other(tmp_path, forecast_process):
    (tmp_path / "empty").mkdir()
    fc.init(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for name, says in (("full", "not empty"), ("file", "found a file"), ("empty", "not empty")):
        done = forecast_process("init", tmp_path / name)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    for options, says in (({"name": "No!"}, "--name"), ({"author": 'a"b'}, "--author")):
        with pytest.raises(InputError, match=says):
            fc.init(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_elicit_writes_the_fit_and_keeps_everything_else(mine):
    invoke("elicit", mine, "gate_tracked", *GIVEN, "--why", "I think so.")
    text = mine.read_text(encoding="utf-8")
    kept = ("# My view.", "# that is me", "# About the gate:", "# the family", "# its home")
    assert all(comment in text for comment in (*kept, "[question]        # stays"))
    table = tomllib.loads(text)["priors"]["gate_tracked"]
    assert table == {
        "dist": "Beta",
        "quantiles": [list(pair) for pair in QUANTILES],
        "unit": "probability",
        "block": "relevance",
        "claims": ["C14"],
        "source": "my own judgement",
        "why": "I think so.",
    }
    made = {one.name: one for one in load_config(mine).priors}["gate_tracked"]
    p, v = np.array(QUANTILES).T
    reached = stats.beta(**{"a": made.values["alpha"], "b": made.values["beta"]}).cdf(v)
    np.testing.assert_allclose(reached, p, atol=0.03)


def test_elicit_shows_the_belief_it_replaces_and_no_rest_of_rounding(mine):
    stood = {one.name: one for one in load_config(mine).priors}["halo"]
    even = [f"--quantile={p}={v}" for p, v in ((0.05, -1), (0.5, 0), (0.95, 1))]
    tried = invoke("elicit", mine, "halo", *even, "--dry-run").stdout
    assert f"before: {stood.dist}(" in tried
    told = invoke("elicit", mine, "halo", *even, "--why", "w").stdout
    assert f"replaces: {stood.dist}(" in told
    assert "mu = 0, " in told
    assert "e-" not in told


def test_numbers_far_below_the_largest_read_as_zero():
    assert rounded([-1.561e-17, 0.608]) == [0.0, 0.608]
    assert rounded([1e-9, 2e-9]) == [1e-9, 2e-9]
    assert rounded([0.0, 0.0]) == [0.0, 0.0]


def test_elicit_adds_a_belief_that_the_file_does_not_state(mine):
    before = load_config(mine)
    done = fc.elicit(mine, "paths", quantiles=[(0.1, 2.0), (0.9, 9.0)], why="w")
    after = {one.name: one for one in load_config(mine).priors}
    old = {one.name: one for one in before.priors}["paths"]
    assert (after["paths"].dist, after["paths"].claims) == (done.dist, old.claims)
    others = [one for one in before.priors if one.name != "paths"]
    assert [after[one.name] for one in others] == others


def test_elicit_keeps_the_family_and_takes_the_best_of_others_where_it_misses(mine):
    skewed = [(0.05, 0.001), (0.5, 0.02), (0.95, 0.3)]
    done = fc.elicit(mine, "gate_tracked", quantiles=skewed, write=False)
    fits = {one.dist: one for one in done.fits}
    assert fits["Beta"].params is None
    assert "misfit" in fits["Beta"].reason
    assert done.dist == "LogitNormal"
    assert fc.elicit(mine, "gate_tracked", quantiles=QUANTILES, write=False).dist == "Beta"
    named = fc.elicit(mine, "gate_tracked", quantiles=QUANTILES, write=False, dist="LogitNormal")
    assert named.dist == "LogitNormal"
    assert mine.read_text(encoding="utf-8") == FILE


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("gate_trackd", *GIVEN, "--why", "w"), "did you mean 'gate_tracked'?"),
        (("gate_tracked", *GIVEN), "--why: found none"),
        (("gate_tracked",), "--quantile: found none, and nobody answers"),
        (("gate_tracked", "--quantile", "0.5", "--why", "w"), "give it as 0.05=0.02"),
        (("gate_tracked", "--quantile", "2=0.5", "--why", "w"), "give a probability inside"),
        (("gate_tracked", *GIVEN, "--quantile", "0.6=0.05", "--why", "w"), "strictly rising"),
        (("gate_tracked", *GIVEN, "--dist", "Normal", "--why", "w"), "--dist Normal"),
        (("gate_tracked", *GIVEN, "--dist", "TruncatedNormal", "--why", "w"), "needs --shape"),
        (("gate_tracked", *GIVEN, "--dist", "Uniform", "--why", "w"), "a misfit of"),
        (("gate_tracked", "--quantile", "0.5=0.1", "--why", "w"), "no family fits"),
        (("gate_tracked", *GIVEN, "--shape", "q=1", "--why", "w"), "no such number"),
    ],
)
def test_elicit_refuses_and_leaves_the_file(args, says, mine):
    done = invoke("elicit", mine, *args, code=2)
    assert says in done.stderr
    assert mine.read_text(encoding="utf-8") == FILE
    assert [path.name for path in mine.parent.iterdir()] == ["mine.toml"]


def test_elicit_asks_for_what_no_option_gives(mine):
    done = invoke("elicit", mine, "gate_tracked", answers="0.02\n0.1\n0.3\nLogitNormal\nI do\n")
    assert "below with 95% chance" in done.stderr
    assert "written into" in done.stdout
    table = tomllib.loads(mine.read_text(encoding="utf-8"))["priors"]["gate_tracked"]
    assert (table["dist"], table["why"]) == ("LogitNormal", "I do")


def test_elicit_shows_and_draws_without_writing(mine, tmp_path):
    at = tmp_path / "pictures" / "gate"
    args = ("elicit", mine, "gate_tracked", *GIVEN, "--dry-run", "--json", "--picture", at)
    told = json.loads(invoke(*args).stdout)
    assert (told["dist"], told["written"]) == ("Beta", None)
    assert mine.read_text(encoding="utf-8") == FILE
    assert {path.name for path in at.parent.iterdir()} == {"gate.csv", "gate.png", "gate.svg"}
    assert "stated quantiles" in at.with_suffix(".svg").read_text(encoding="utf-8")


def test_a_shipped_file_is_never_written(mine):
    with pytest.raises(InputError, match="forecast init DIR"):
        fc.elicit("default", "gate_tracked", quantiles=QUANTILES, why="w")


def test_line_ends_and_a_byte_order_mark_stay_and_a_change_meanwhile_is_seen(mine, monkeypatch):
    raw = b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()
    mine.write_bytes(raw)
    fc.elicit(mine, "gate_tracked", quantiles=QUANTILES, why="w")
    new = mine.read_bytes()
    assert new.startswith(b"\xef\xbb\xbf# My view.\r\n")
    assert b'author = "me"     # that is me\r\n' in new

    def meddle(path):
        mine.write_bytes(raw)

    monkeypatch.setattr("forecast.config.load.load_config", meddle)
    with pytest.raises(InputError, match="changed by somebody else"):
        write_prior(mine, "gate_tracked", table={"why": "x"})
    assert mine.read_bytes() == raw


def test_completion_in_the_shell_knows_commands_and_options():
    def complete(words: str, at: int) -> list[str]:
        told = {"_FORECAST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        program = Path(sys.executable).with_name("forecast")
        done = subprocess.run(
            [program], env={**os.environ, **told}, capture_output=True, text=True, check=True
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert complete("forecast le", 1) == ["ledger"]
    assert complete("forecast ledger re", 2) == ["resolve"]
    assert complete("forecast ledger score --ou", 3) == ["--out"]


def test_a_notebook_shows_the_headline_without_markup_from_names():
    quantities = {
        name: {"mean": 0.25, "lower": 0.1, "upper": 0.4}
        for name in ("alignment_only", "alignment_relevant")
    }
    head = {"converged": False, "quantities": quantities, "prior": {}}
    context = {"name": "<script>alert(1)</script>", "headline": head}
    shown = Run(Path("runs/<b>"), head, context)._repr_html_()
    assert shown.count("25%") == 2
    assert "10% to 40%" in shown
    assert "NOT CONVERGED" in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_notebook_says_that_a_run_was_interrupted(monkeypatch):
    posterior = SimpleNamespace(sizes={"chain": 2, "draw": 7})
    monkeypatch.setattr(Run, "dt", {"posterior": posterior})
    assert "interrupted" in Run(Path("x"), {}, {})._repr_html_()
