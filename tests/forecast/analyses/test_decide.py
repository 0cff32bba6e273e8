"""Decisions over one run whose fit is prior draws, and what the bar of each leaves out."""

import numpy as np
import pytest

from forecast.analyses.decide import all_worths, decided, left_out, switches, under_other
from forecast.config.scenarios import SPLITS, other_split
from models.errors import InputError
from reports.decide import other_text
from tests.forecast.analyses.conftest import DECISION, stated


def worths(fit, decision):
    return all_worths(fit, [decision])[0]


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


def test_the_other_split_reads_every_payoff_at_the_outcome_that_answers_to_it(decision_file):
    """All of an option's own payoffs move with their outcome, and back again."""
    text = DECISION.replace("cost = 0.2", "cost = 0.2\npayoffs = { both = 9, neither = 1 }")
    decision_file.write_text(text, encoding="utf-8")
    decision = stated(decision_file)
    other = other_split(decision)
    assert (decision.split, other.split) == ("same-bar", "strict")
    answers_to = {
        "alignment_only": "strict_alignment_only",
        "both": "strict_both",
        "capabilities_only": "strict_capabilities_only",
        "neither": "strict_neither",
    }
    assert dict(zip(*SPLITS.values(), strict=True)) == answers_to
    (track,) = (one for one in other.options if one.scenario.name == "track")
    assert track.own == ("strict_both", "strict_neither")
    assert track.payoffs == (10.0, 9.0, -5.0, 1.0)
    assert other_split(other) == decision


def test_the_choice_at_the_other_bar_is_worked_out_by_hand(fit, decision_file):
    """Tracking pays where documented alignment use does, and hardly at the strict bar."""
    text = DECISION.replace("both = 4", "both = 10").replace("= -5", "= 0")
    text = text.replace("cost = 0.2", "cost = 0.2\npayoffs = { both = 12 }")
    decision_file.write_text(text, encoding="utf-8")
    decision = stated(decision_file)
    worth, strict = all_worths(fit, [decision, other_split(decision)])
    np.testing.assert_array_equal(strict, worths(fit, other_split(decision)))
    made = decided(worth, decision, chains=2)
    other = under_other(strict, decision, summary=made, chains=2)
    by_hand = {
        one.scenario.name: (strict[i] @ np.array(one.payoffs)).mean() - one.cost
        for i, one in enumerate(decision.options)
    }
    assert {row["option"]: row["mean"] for row in other["options"]} == pytest.approx(by_hand)
    assert other["choice"] == max(by_hand, key=by_hand.get)
    assert (made["choice"], other["choice"], other["same_choice"]) == ("track", "publish", False)
    told = other_text(other)
    assert told.startswith("At the strict bar the choice would be publish, by the same payoffs. ")
    same = other_text(other | {"same_choice": True, "split": "same-bar"})
    assert same.startswith("At the same bar the choice would be the same, by the same payoffs. ")


@pytest.mark.parametrize(
    ("split", "counted", "words"),
    [
        (
            "same-bar",
            (0.23, 0.15),
            "counts 23 of the 25 that alignment work uses, and 15 of the 22",
        ),
        ("strict", (0.012, 0.22), "counts 1.2 of the 25 that alignment work uses, and all 22 that"),
    ],
)
def test_a_bar_says_what_it_leaves_out(decision_file, split, counted, words):
    decision = stated(decision_file)
    decision = decision if split == "same-bar" else other_split(decision)
    both = 0.01
    chances = dict(
        zip(decision.outcomes, (counted[0] - both, both, counted[1] - both), strict=False)
    )
    chances |= {"alignment_used": 0.25, "capabilities_relevant": 0.22}
    told = left_out(decision, {name: {"mean": p} for name, p in chances.items()})
    assert told["split"] == split
    assert words in told["left_out"]["text"]
    sides = {key: told["left_out"][key] for key in ("alignment", "capabilities")}
    assert [row["counted"] for row in sides.values()] == pytest.approx(counted)
    assert [row["any_use"] for row in sides.values()] == [0.25, 0.22]
