"""Cases made from Python are those of a priors file, and bad ones are refused in words."""

import pytest

import forecast as fc


def test_a_case_is_that_of_the_file_and_the_tables(default_case):
    assert fc.load_case("default").priors == default_case.priors
    assert fc.load_case("default", seed=3).seed == 3


def test_one_belief_is_moved_and_all_else_stays(default_case):
    made = fc.with_belief(default_case, "gate_tracked", alpha=2)
    stated, other = default_case.by_name["gate_tracked"], made.by_name["gate_tracked"]
    assert other.values == stated.values | {"alpha": 2.0}
    assert [*other.values] == [*stated.values]  # the order of the family's numbers
    assert other.quantiles is None
    changed = [p for p, q in zip(made.priors, default_case.priors, strict=True) if p != q]
    assert changed == [other]
    assert fc.with_belief(made, "gate_tracked", **stated.values).by_name["gate_tracked"].values == (
        stated.values
    )


@pytest.mark.parametrize(
    ("name", "numbers", "said"),
    [
        ("gate_trackd", {"alpha": 2.0}, "gate_tracked"),
        ("gate_tracked", {"mu": 2.0}, "Beta has alpha, beta"),
        ("gate_tracked", {"alpha": 0.0}, "give a number above 0"),
        ("gate_tracked", {"beta": float("nan")}, "give a number above 0"),
        ("ease", {"mu": float("inf")}, "give a finite number"),
    ],
)
def test_what_no_prior_can_have_is_refused(default_case, name, numbers, said):
    with pytest.raises(fc.InputError, match=said):
        fc.with_belief(default_case, name, **numbers)


def test_a_belief_moved_here_is_answered(default_case, fake_fits):
    moved = fc.with_belief(default_case, "gate_tracked", alpha=200.0, beta=2.0)
    stated, sure = fc.evaluate([default_case, moved], names=["alignment_relevant"])
    assert (stated.how, sure.how) == ("refit", "exact")
    assert (
        sure.quantities["alignment_relevant"].mean()
        > stated.quantities["alignment_relevant"].mean()
    )
