"""The verdict on a claim: from its quantities and its home beliefs, and never typed."""

import pytest

from models.quantities import CLAIMS
from reports.verdicts import ALONE, VERDICTS, by_verdict, is_judged, verdicts

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


def test_claims_stand_under_their_verdict_in_one_line():
    found = [("C1", "in conflict"), ("C2", "moved"), ("C3", "moved"), ("C4", "hardly moved")]
    assert by_verdict(found) == "moved C2 C3; hardly C4; in conflict C1"
