"""Scenarios over one finished run whose fit is prior draws; both commands on what is done."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses.whatif import answers, compared, summarised
from forecast.cli.main import cli
from forecast.config.scenarios import Scenario, load_scenarios
from forecast.runs.run import run
from models.outcomes.interventions import Do
from tests.forecast.analyses.conftest import stated

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


def test_nothing_done_changes_nothing_and_acts_begin_with_their_year(fit):
    asked = [
        Scenario("none", (Do("withhold", 0.0, 2026),)),
        Scenario("all", (Do("withhold", 1.0, 2027),)),
    ]
    found = answers(fit, asked)
    for name, x in found[0].items():
        np.testing.assert_array_equal(found[1][name], x)
    told = summarised(fit, asked, draws=found)
    rows = {(r["scenario"], r["cohort"]): r for r in told["by_cohort"] if "first" in r["quantity"]}
    assert rows["all", 2026]["change"] == 0.0
    assert rows["all", 2027]["mean"] == 0.0
    assert rows["all", 2027]["change"] == pytest.approx(-rows["as forecast", 2027]["mean"])


def test_pairing_cuts_the_error_of_a_small_change(fit):
    """Five times and more: two runs apart would have the spread of both."""
    asked = [Scenario("effort", (Do("effort", 1.5, 2026, times=True),))]
    base, more = answers(fit, asked)
    for name in ("alignment_used", "capabilities_relevant"):
        row = compared(more[name], base[name], chains=2)
        assert row["noise_unpaired"] > 5 * row["noise"] > 0.0


def test_the_commands_show_write_and_refuse(tmp_path, monkeypatch, fake_fits, decision_file):
    monkeypatch.chdir(tmp_path)
    made = str(run("default", **SMALL).folder)

    def call(*args):
        return CliRunner().invoke(cli, [args[0], made, *args[1:]])

    done = call("whatif", "--do", "tracking=0.8", "--do", "withhold=0.5@2028", "--out", "w")
    assert done.exit_code == 3  # 80 draws do not converge
    assert "NOT CONVERGED" in done.stdout
    assert "all together" in done.stdout
    assert "withhold=0.5@2028 holds from 2028 on" in done.stdout
    assert "use on neither side" in done.stdout
    names = {"whatif.json", "scenarios.csv", "by_cohort.csv", "captions.json"}
    assert names < {p.name for p in (tmp_path / "w").iterdir()}
    assert (tmp_path / "w" / "by_cohort_figure.png").stat().st_size > 10_000
    with (tmp_path / "w" / "scenarios.csv").open(encoding="utf-8") as file:
        assert {row["scenario"] for row in csv.DictReader(file)} == {
            "as forecast",
            "tracking=0.8",
            "withhold=0.5@2028",
            "all together",
        }
    told = json.loads(call("whatif", "--do", "effort=2x", "--json").stdout)
    assert told["scenarios"][1]["do"][0] == vars(Do("effort", 2.0, 2026, times=True))
    again = call("whatif", "--do", "tracking=0.8", "--out", "w")
    assert (again.exit_code, "exists and is not empty" in again.stderr) == (2, True)
    assert "add --do KEY=VALUE" in call("whatif").stderr
    bare = call("decide")
    assert (bare.exit_code, "give one by --decision FILE" in bare.stderr) == (2, True)
    done = call("decide", "--decision", str(decision_file), "--out", "d")
    assert done.exit_code == 3
    assert "the choice changes if" in done.stdout
    assert "a use that nobody documents counts as none" in " ".join(done.stdout.split())
    assert "At the strict bar the choice would be " in done.stdout
    assert (tmp_path / "d" / "options_figure.png").stat().st_size > 5_000
    told = json.loads((tmp_path / "d" / "decide.json").read_text())
    assert (told["unit"], told["other_split"]["split"]) == ("points", "strict")
    assert "documented uses alone" in told["left_out"]["text"]


def test_the_examples_of_the_page_are_read(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "decisions.md").read_text(encoding="utf-8")
    scenarios, decision = re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    for name, text in (("s.toml", scenarios), ("d.toml", decision)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (careful,) = load_scenarios(tmp_path / "s.toml", 2026)
    assert {act.key: act.since for act in careful.do} == {
        "tracking": 2028,
        "withhold": 2028,
        "effort": 2030,
    }
    assert len(stated(tmp_path / "d.toml").options) == 4
