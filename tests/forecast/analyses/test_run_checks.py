"""The checks of a run: milestones and forecasts by others beside the model's own."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from forecast.analyses.predictive import replicate
from forecast.analyses.run_checks import (
    backcast_rows,
    cluster_counts,
    run_checks,
    statistics_groups,
    verdict,
)
from forecast.inference.evaluate import answer, posterior
from forecast.inference.pointwise import log_likelihoods
from forecast.runs.inputs import load_inputs
from models.dims import FIRST_YEAR


def milestone(level, reached, *, name):
    return SimpleNamespace(level=level, reached=reached, name=name)


def test_a_backcast_compares_the_first_milestone_with_the_years_of_the_interval():
    curve = np.tile([0.0, 0.1, 0.4, 0.8, 0.96, 0.97], (8, 1))
    made = [
        milestone(5, 2016, name="late"),
        milestone(5, 2013, name="first"),
        milestone(5, None, name="open"),
    ]
    row = backcast_rows(curve, SimpleNamespace(milestones=made))[5]
    assert (row["milestone"], row["reached"], row["open"]) == ("first", 2013, 1)
    assert (row["lower"], row["median"], row["upper"]) == (2014, 2016, 2017)
    assert (row["p_before"], row["p_by_reached"], row["outside"]) == (0.0, 0.0, True)


def test_a_level_without_milestones_is_neither_in_nor_out():
    curve = np.tile([0.1, 0.2], (8, 1))
    row = backcast_rows(curve, SimpleNamespace(milestones=[milestone(7, None, name="x")]))[7]
    assert (row["reached"], row["outside"], row["upper"]) == (None, None, None)
    assert row["lower"] == FIRST_YEAR


@pytest.mark.parametrize(
    ("relation", "said", "ours", "told"),
    [
        ("other", (0.9, 0.9), (0.0, 0.1), "another event: not compared"),
        ("stricter", (0.2, 0.2), (0.9, 1.0), "consistent with the bound"),
        ("stricter", (0.8, 0.8), (0.1, 0.5), "the model is lower, below the bound"),
        ("proxy", (0.4, 0.6), (0.5, 0.7), "overlap"),
        ("proxy", (0.4, 0.6), (0.7, 0.9), "higher"),
        ("proxy", (0.4, 0.6), (0.1, 0.3), "lower"),
    ],
)
def test_a_forecast_by_others_is_held_against_what_its_relation_allows(relation, said, ours, told):
    assert verdict(relation, said=said, ours=ours) == told


def test_a_cluster_counts_once():
    rows = [{"counts": 0.5, "verdict": "lower"}, {"counts": 0.5, "verdict": "overlap"}]
    rows += [{"counts": 1.0, "verdict": "overlap"}, {"counts": 0.0, "verdict": "another event"}]
    assert cluster_counts(rows) == {"clusters": 2.0, "contradict": 0.5}


@pytest.fixture
def checked(fake_fits, default_case, shipped):
    """The checks of one fit of fake draws."""
    fit = posterior(default_case)
    again = {key: replicate(fit.case, fit.draws, stage=key) for key in ("posterior", "prior")}
    return run_checks(
        fit,
        answer(fit, fit.case),
        tables=shipped,
        loglik=log_likelihoods(fit),
        again=again,
    )


@pytest.fixture(scope="module")
def shipped():
    return load_inputs("default")[1]


def test_a_run_checks_itself_and_predicts_what_a_ledger_can_take(checked):
    found = checked.tables
    assert len(found["predictive"]) > 200
    assert {row["table"] for row in found["loo"]} >= {"ratings", "workers"}
    assert len(found["influence"]) > 370
    assert [row["level"] for row in found["backcast"]] == list(range(8))
    assert {row["relation"] for row in found["others"]} == {"other", "stricter", "proxy"}
    assert checked.context()["clusters"]["clusters"] == pytest.approx(3.0)
    told = found["near"]
    assert len(told) >= 10
    assert len({row["id"] for row in told}) == len(told)
    for row in told:
        assert date.fromisoformat(row["resolves_on"]) <= date(2028, 11, 22)
        assert len(row["rule"]) > 100
        if row["kind"] == "probability":
            assert 0.0 <= row["probability"] <= 1.0
        else:
            assert row["q05"] <= row["q50"] <= row["q95"]
    groups = statistics_groups(checked)
    assert groups["replicated_statistics"]["level answers"].shape == (1, 5, 3 * 483)
