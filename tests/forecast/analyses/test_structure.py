"""Structural checks: which Cases are made, how they are answered, and how it is told."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.analyses.structure import (
    Fitting,
    Variation,
    structure_cases,
    table_cases,
    variation_rows,
    without_rater,
)
from forecast.inference.case import with_prior
from forecast.inference.evaluate import answer, posterior
from models.ratings.formula import MISSING, MISSING_LEVEL, NO_ANSWER
from reports.check import heavy_of, varied_notes
from reports.words import few_or_most, untried


def test_every_structure_that_was_asked_for_is_a_case(default_case):
    made = {(one.what, one.setting) for one in structure_cases(default_case)}
    assert {what for what, _ in made} == {
        "established_at",
        "established_in",
        "tails",
        "link",
        "raters",
        "effective number of raters",
        "halo",
        "selection",
    }
    assert {setting for what, setting in made if what == "established_at"} == {
        "1 works",
        "10 works",
    }
    assert {setting for what, setting in made if what == "raters"} == {
        "without R1",
        "without R2",
        "without R3",
    }


def test_a_dropped_rater_answers_nothing_and_the_others_as_before(default_case):
    old = default_case.evidence.arrays["ratings"]
    new = without_rater(default_case, 1).evidence.arrays["ratings"]
    blank = [MISSING_LEVEL, MISSING, MISSING, MISSING, NO_ANSWER, NO_ANSWER]
    np.testing.assert_array_equal(new["value"][:, 1::3], np.tile(blank, (len(new["value"]), 1)))
    np.testing.assert_array_equal(new["value"][:, 0::3], old["value"][:, 0::3])
    assert not new["asked"][:, 1::3].any()


def test_known_cases_left_out_weigh_nothing_and_sampled_ones_as_before(default_case):
    (made,) = (one.case for one in structure_cases(default_case) if one.what == "selection")
    rows, cells = (made.evidence.arrays[name] for name in ("ratings", "cells"))
    known = cells["purposive"][rows["cell"]] == 1
    assert not rows["weight"][known].any()
    old = default_case.evidence.arrays["ratings"]["weight"]
    np.testing.assert_array_equal(rows["weight"][~known], old[~known])


def test_each_table_is_left_out_alone(default_case):
    made = [*table_cases(default_case)]
    assert len(made) == 7
    for one in made:
        off = [
            name
            for name, columns in one.case.evidence.arrays.items()
            if "weight" in columns and not columns["weight"].any()
        ]
        assert [f"without {name}" for name in off] == [one.setting]


def test_a_unit_is_exact_and_its_error_is_that_of_paired_draws(default_case, fake_fits):
    alone = replace(default_case, experts=())  # others' forecasts weigh by the unit
    fit = posterior(alone)
    found = answer(fit, fit.case)
    model = replace(default_case.model, established_in="agenda")
    case = replace(alone, model=model)
    own, row = variation_rows(fit, found, variations=[Variation("established_in", "agenda", case)])
    assert own["alignment_relevant_change"] == 0.0
    assert row["how"] == "exact"
    told = found["alignment_relevant_agenda"].mean() - found["alignment_relevant"].mean()
    assert row["alignment_relevant_change"] == pytest.approx(told)
    # The unit does not enter: what is left is rounding, of the sums of models/late_kernel.py.
    assert row["capabilities_first_change"] == pytest.approx(0.0, abs=1e-12)
    assert row["capabilities_first_mcse"] == pytest.approx(0.0, abs=1e-12)
    assert len(fake_fits) == 1


def halo_off(case):
    """A variation that takes a fit: so few draws cannot be weighed to it."""
    prior = replace(case.by_name["halo"], params=(("mu", 9.0), ("sigma", 0.01)))
    return Variation("halo", "far", with_prior(case, prior))


@pytest.mark.parametrize("retry", [False, True])
def test_a_fit_that_misses_the_rule_says_why_and_is_made_again_if_allowed(
    default_case, fake_fits, retry
):
    alone = replace(default_case, experts=())
    fit = posterior(alone)
    found = answer(fit, fit.case)
    made = variation_rows(fit, found, variations=[halo_off(alone)], fitting=Fitting(retry=retry))[1]
    assert (made["how"], made["converged"]) == ("refit", False)
    assert "ESS < 400" in made["failures"]
    assert bool(made["retried"]) == retry
    assert [case.sampler.tune for case in fake_fits] == [10, 10, 20][: 2 + retry]
    notes = varied_notes([made])
    assert notes[-1].startswith("far: NOT CONVERGED, R-hat")
    assert len(notes) == 1 + retry


def test_a_rare_chance_is_cut_at_two_and_a_rerun_stands_beside():
    wider = "if research agendas may differ more"
    assert few_or_most(0.012, 0.014) == f"few (1.2; 1.4 {wider})"
    assert few_or_most(0.99, 0.985) == f"nearly all (99.0; 98.5 {wider})"
    assert few_or_most(0.012, None) == "few (1.2)"
    assert few_or_most(0.3, 0.2) == "30"


def test_a_rare_chance_without_a_rerun_is_said_to_be_without():
    found = {"alignment_relevant": {"mean": 0.012}}
    assert "so small hangs on" in untried(found, None)
    assert "was not tried for this run" in untried(found, None)
    assert "so large hangs on" in untried({"alignment_relevant": {"mean": 0.99}}, None)
    assert untried(found, 0.013) == untried({}, None) == ""
    assert untried({"alignment_relevant": {"mean": 0.3}}, None) == ""


def test_a_rerun_that_did_not_converge_is_not_shown_beside():
    row = {"what": "tails", "converged": False, "alignment_relevant": 0.014}
    assert heavy_of([row]) is None
    assert heavy_of([row | {"converged": True}]) == 0.014
