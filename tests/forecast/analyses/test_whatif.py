"""Scenarios and decisions over one finished run, whose fit is prior draws."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses.decide import decided, switches, worths
from forecast.analyses.whatif import answers, compared, summarised
from forecast.cli.main import cli
from forecast.config.scenarios import Scenario, load_scenarios
from forecast.inference.evaluate import posterior
from forecast.runs.run import run
from models.errors import InputError
from models.outcomes.interventions import Do
from tests.forecast.analyses.conftest import DECISION, stated

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


@pytest.fixture
def fit(default_case, fake_fits):
    return posterior(default_case)


def test_nothing_done_changes_nothing_and_acts_begin_with_their_year(fit):
    asked = [
        Scenario("none", (Do("withhold", 0.0, 2026),)),
        Scenario("all", (Do("withhold", 1.0, 2027),)),
    ]
    found = answers(fit, asked)
    for name, x in found[0].items():
        np.testing.assert_array_equal(found[1][name], x)
    told = summarised(fit, asked, found=found)
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


def test_a_decision_adds_up_and_its_switches_switch(fit, decision_file):
    decision = stated(decision_file)
    worth = worths(fit, decision)
    made = decided(worth, decision, chains=2)
    payoffs = np.array([10.0, 4.0, -5.0, 0.0])
    by_name = {row["option"]: row for row in made["options"]}
    by_hand = (worth[0] @ payoffs).mean()
    assert by_name["publish"]["mean"] == pytest.approx(by_hand)
    assert sum(row["p_best"] for row in made["options"]) == pytest.approx(1.0)
    assert made["perfect_information"] == pytest.approx(min(r["regret"] for r in made["options"]))
    assert by_name[made["choice"]]["mean"] == max(row["mean"] for row in made["options"])
    for row in made["switches"]:
        for side in ("below", "above"):
            if row[side] is not None:
                again = chosen(worth, decision, of=row["of"], number=row[side])
                assert again[made["choice"]] == pytest.approx(again[row[f"{side}_to"]], abs=1e-9)
                assert max(again.values()) == pytest.approx(again[made["choice"]], abs=1e-9)
    assert any(row["below"] is not None for row in made["switches"])


def chosen(worth, decision, *, of, number):
    """Return the expected payoff of each option with one number changed."""
    kind, _, name = of.partition(" ")
    payoffs, out = dict(zip(decision.outcomes, decision.payoffs, strict=True)), {}
    if kind == "payoff":
        payoffs[name] = number
    for i, option in enumerate(decision.options):
        cost = number if kind == "cost" and option.scenario.name == name else option.cost
        out[option.scenario.name] = (worth[i] @ list(payoffs.values())).mean() - cost
    return out


def test_equal_options_are_best_equally_often_and_never_regretted(fit, decision_file):
    decision = stated(decision_file)
    worth = worths(fit, decision)[[0, 0]]
    pair = type(decision)(**vars(decision) | {"options": (decision.options[0],) * 2})
    made = decided(worth, pair, chains=2)
    assert [row["p_best"] for row in made["options"]] == [0.5, 0.5]
    assert made["perfect_information"] == 0.0


def test_an_options_own_payoff_does_not_move_with_the_shared_one(fit, decision_file):
    text = DECISION.replace("cost = 0.2", "cost = 0.2\npayoffs = { both = 4 }")
    decision_file.write_text(text, encoding="utf-8")
    decision = stated(decision_file)
    worth = worths(fit, decision).mean(axis=1)
    mean = np.array([0.0, -1.0, -2.0])
    rows = {row["of"]: row for row in switches(worth, mean, decision=decision, choice=0)}
    slope = worth[0, 1]  # of 'publish'; the payoff of 'track' stays
    assert rows["payoff both"]["below"] == pytest.approx(4 - 1 / slope)
    assert rows["payoff both"]["below_to"] == "track"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("both = 4", "bath = 4", r":7 .*found no outcome of the split; did you mean 'both'"),
        ("both = 4", "", r"\[decision.payoffs\] found no both; add it"),
        ("both = 4", "both = inf", r"both.*: found inf; give"),
        ("unit = ", "why = ", r"\[decision\] found no unit; say what payoffs and costs count"),
        ("withhold = 1.0", "withold = 1.0", r"unknown key 'withold'; did you mean 'withhold'"),
        ("cost = 0.2", "price = 0.2", r"options\[track\]\[price\]: found an unknown key"),
        ("[decision]", "[decison]", r"found no table \[decision\]"),
    ],
)
def test_faults_of_a_decision_are_told(old, new, message, decision_file):
    text = DECISION.replace(old, new, 1)
    text = text if "decison" not in new else "x = 1"
    decision_file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        stated(decision_file)


def test_one_option_is_no_choice(decision_file):
    text = DECISION.split("[decision.options.withhold]")[0]
    decision_file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="found 1; give two or more"):
        stated(decision_file)


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
