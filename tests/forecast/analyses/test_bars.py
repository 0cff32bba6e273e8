"""What the bar of a decision leaves out, and the choice at the other bar."""

import numpy as np
import pytest

from forecast.analyses.decide import all_worths, decided, left_out, under_other, worths
from forecast.config.scenarios import SPLITS, other_split
from forecast.inference.evaluate import posterior
from reports.decide import other_text
from tests.forecast.analyses.conftest import DECISION, stated


@pytest.fixture
def fit(default_case, fake_fits):
    return posterior(default_case)


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
