"""Verdicts on beliefs by stated thresholds, and on claims by quantities and home beliefs."""

import pytest

from forecast.analyses.verdicts import BOUNDARY, SIGNS, is_judged, side, status, verdicts
from models.quantities import CLAIMS, QUANTITIES
from reports.view import by_side, conflicts
from reports.words import ALONE, CONFLICT, SAID, STATUSES, UNTOUCHED, VERDICTS

CLAIM, QUANTITY = "C12", "relevant_if_values_enough"


def quantity(*, ratio=0.5, shift=0.0, name=QUANTITY, element="", claim=CLAIM, upper=0.5):
    numbers = {"mean": 0.2, "lower": 0.01, "median": 0.2, "upper": upper}
    spread = {f"{g}_{key}": x for g in ("prior", "posterior") for key, x in numbers.items()}
    row = {"claim": claim, "quantity": name, "element": element, "sd_ratio": ratio, "shift": shift}
    return row | spread | {"posterior_median": 0.3}


def belief(learned, *, name="step_6", claims=CLAIM):
    return {"parameter": name, "claims": claims, "learned": learned}


@pytest.mark.parametrize(
    ("ratio", "shift", "learned", "word"),
    [
        (0.5, 0.0, "learned", "moved"),
        (0.95, -1.2, "somewhat", "moved"),
        (0.95, 0.3, "learned", "hardly moved"),
        (0.5, 0.0, "hardly", "hardly moved"),
        (0.5, 0.0, "untouched", "prior alone"),
        (0.5, 2.1, "learned", "in conflict"),
        (1.0, 0.0, "conflict", "in conflict"),
    ],
)
def test_a_verdict_takes_quantities_and_home_beliefs_together(ratio, shift, learned, word):
    found = verdicts([quantity(ratio=ratio, shift=shift)], [belief(learned)])
    assert found[CLAIM][0] == word
    assert found[CLAIM][1].startswith(f"{word.capitalize()}: ")
    assert set(found) == set(CLAIMS)
    assert {one[0] for one in found.values()} <= set(VERDICTS)


def test_a_belief_counts_only_at_the_claim_that_it_names_first():
    away = belief("learned", claims=f"C1 {CLAIM}")
    assert verdicts([quantity()], [away])[CLAIM][0] == ALONE


def test_sentences_name_what_moved_and_what_no_evidence_touches():
    told = verdicts([quantity()], [belief("learned"), belief("untouched", name="stop_6")])
    assert told[CLAIM][1] == (
        "Moved: strictly relevant, if reading values is enough: up, median 20% before the evidence "
        "and 30% after it, spread 0.50 times the prior's; no evidence touches stop_6."
    )
    told = verdicts([quantity()], [belief("hardly")])
    assert told[CLAIM][1] == (
        "Hardly moved: the evidence says little on step_6; its quantities narrowed only by beliefs "
        "of other claims."
    )


def test_elements_beside_the_point_do_not_count():
    world = {"name": "fault_shares", "claim": "C7"}
    assert is_judged(quantity(element="learned-representation", **world))
    assert not is_judged(quantity(element="wrong-code", **world))
    assert not is_judged(quantity(name="tracking_by_agenda", element="probing 2026"))
    assert not is_judged(quantity(upper=0.0005))


def moved(name, *shifts, element=""):
    return [quantity(name=name, shift=x, element=element) for x in shifts]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (moved("bottleneck_gain", 0.5), "for"),
        (moved("bottleneck_gain", -0.5), "against"),
        (moved("no_path_caught", 0.5), "against"),
        (moved("bottleneck_gain", 0.05), "no side"),
        (
            moved("level5_established", 0.5) + moved("works_at_level", -1.1, element="5"),
            "both ways",
        ),
        (moved("level5_established", -0.5) + moved("established", 0.9, element="4 2040"), "for"),
        (moved("relevant_tracked", 0.9), "no side"),
        ([quantity(name="bottleneck_gain", ratio=0.95, shift=0.5)], "no side"),
    ],
)
def test_a_claims_side_is_that_of_its_signed_quantities_that_moved(rows, told):
    assert side(rows) == told


@pytest.mark.parametrize(("after", "told"), [((25, 70, 130), "for"), ((0.5, 20, 800), "against")])
def test_a_ratio_that_falls_speaks_for_more_where_it_lies_more_surely_above_one(after, told):
    row = quantity(name="worker_ratio", element="2026", ratio=0.4, shift=-0.5)
    for group, ends in (("prior", (8, 182, 4000)), ("posterior", after)):
        row |= {f"{group}_{k}": x for k, x in zip(("lower", "median", "upper"), ends, strict=True)}
    assert side([row]) == told


def test_every_sign_is_of_a_quantity_of_some_claim():
    known = {name for claim in CLAIMS.values() for name in claim.quantities}
    assert set(SIGNS) <= known
    assert set(BOUNDARY) <= set(SIGNS)
    assert set(SIGNS.values()) == {1, -1}
    assert {QUANTITIES[name].unit for name in BOUNDARY} == {"ratio", "log ratio"}


def test_the_first_screen_says_for_and_against_which_claims():
    rows = [("C3", "moved", "for"), ("C6", "moved", "for"), ("C10", "moved", "against")]
    rows += [("C4", "hardly moved", "for"), ("C14", "in conflict", "both ways")]
    claims = [dict(zip(("id", "evidence", "side"), row, strict=True)) for row in rows]
    assert by_side(claims) == [
        ("the evidence speaks for", ["C3", "C6"]),
        ("it speaks against", ["C10"]),
        ("it speaks both ways on", ["C14"]),
        ("it hardly moves", ["C4"]),
        ("in part the prior expected otherwise:", ["C14"]),
    ]
    assert by_side([{"id": "C1", "evidence": "moved"}]) == []
    assert set(SAID) == {"for", "against", "both ways", "no side"}


@pytest.mark.parametrize(
    ("sd_ratio", "shift", "expected"),
    [
        (0.49, 0.0, "learned"),
        (0.5, 1.9, "somewhat"),
        (0.89, -1.9, "somewhat"),
        (0.9, 0.0, "hardly"),
        (1.19, 0.0, "hardly"),
        (1.2, 0.0, CONFLICT),
        (0.04, -2.0, CONFLICT),
        (0.04, 2.0, CONFLICT),
    ],
)
def test_status_by_ratio_of_sds_and_shift(sd_ratio, shift, expected):
    assert status(sd_ratio, shift) == expected
    assert expected in STATUSES


def test_a_belief_that_no_evidence_touches_is_called_so():
    assert status(1.0, 0.0, untouched=True) == UNTOUCHED


def test_conflicts_come_farthest_first_and_rows_without_a_status_are_left_out():
    rows = [
        {"parameter": "a", "learned": CONFLICT, "shift": "2.1"},
        {"parameter": "b", "learned": "hardly", "shift": "0.0"},
        {"parameter": "c", "learned": CONFLICT, "shift": "-4.0"},
        {"parameter": "d"},
    ]
    assert [r["parameter"] for r in conflicts(rows)] == ["c", "a"]
