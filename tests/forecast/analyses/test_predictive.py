"""Predictive checks: test quantities counted by hand, replicates, and wrong truths."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.analyses import predictive
from forecast.analyses.predictive import (
    Design,
    by_row,
    check_rows,
    kappa,
    pairs,
    rating_statistics,
    replicate,
    summary_rows,
    two_sided,
)
from forecast.inference.case import structure_of
from forecast.inference.seeds import stream
from models.prior_draws import prior_draws
from models.ratings.formula import MISSING, MISSING_LEVEL

# four works, two raters: level, tracking, capabilities, alignment; then whose use, not read here
ANSWERS = np.array(
    [
        [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0],
        [3, 4, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0],
        [4, MISSING_LEVEL, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0],
        [1, 2, 0, MISSING, 0, 1, 0, 0, 0, 0, 0, 0],
    ]
)[None]
DESIGN = Design(
    agenda=np.array([0, 0, 1, 1]),
    year=np.array([13, 13, 12, 9]),
    purposive=np.array([0, 0, 0, 1]),
    agendas=("a", "b"),
    raters=("R1", "R2"),
)


@pytest.fixture(scope="module")
def found():
    return {
        (one.name, element): one.values[0, i]
        for one in rating_statistics(ANSWERS, DESIGN)
        for i, element in enumerate(one.elements)
    }


@pytest.mark.parametrize(
    ("name", "element", "value"),
    [
        ("share of answers by level", "level 0", 2 / 7),
        ("share of answers by level", "level 4", 2 / 7),
        ("levels by agenda", "a, level 0", 2 / 4),
        ("levels by agenda", "a, level 4-7", 1 / 4),
        ("levels by agenda", "b, level 1-2", 2 / 3),
        ("levels by year", "2026, level 3", 1 / 4),
        ("tracking by agenda", "a", 1 / 4),
        ("tracking by agenda", "b", 2 / 3),
        ("capabilities use by age", "age 0", 1.0),
        ("capabilities use by age", "age 1", 0.0),
        ("capabilities use by selection", "known cases", 1 / 2),
        ("joint pattern of one rater's columns", "none", 1 / 7),
        ("joint pattern of one rater's columns", "capabilities use", 2 / 7),
        ("joint pattern of one rater's columns", "tracking and alignment use", 1 / 7),
        ("mean level by rater", "R2", 2.0),
        ("works by what most raters say", "both uses", 1.0),
        ("works by what most raters say", "capabilities use alone", 1.0),
        ("works by what most raters say", "all give one level", 2.0),
    ],
)
def test_a_statistic_is_counted_over_the_answers_given(found, name, element, value):
    assert found[name, element] == pytest.approx(value)


def test_kappa_is_one_less_disagreement_over_that_by_chance():
    a, b = np.array([[0, 0, 1, 1, 2]]), np.array([[0, 1, 1, 1, 0]])  # 2: not answered
    # 4 works by both: 1 of 4 differ; by chance 0.5 * 0.75 + 0.5 * 0.25 = 0.5
    assert kappa(a, b, n=2)[0] == pytest.approx(1 - 0.25 / 0.5)


def test_kappa_of_levels_weighs_by_distance():
    a, b = np.array([[0, 4, 2]]), np.array([[1, 4, 2]])
    chance = np.abs(np.subtract.outer([0, 4, 2], [1, 4, 2])).mean()
    assert kappa(a, b, n=8)[0] == pytest.approx(1 - (1 / 3) / chance)


def test_kappa_is_undefined_where_no_disagreement_can_be():
    assert np.isnan(kappa(np.zeros((1, 3), int), np.zeros((1, 3), int), n=2)[0])


def test_tail_probability_counts_ties_half_and_both_tails():
    replicated = np.array([[0.0], [1.0], [1.0], [2.0]])
    assert two_sided(np.array([1.0]), replicated)[0] == 1.0
    assert two_sided(np.array([2.0]), replicated)[0] == pytest.approx(2 * 0.125)
    assert two_sided(np.array([9.0]), replicated)[0] == 0.0
    assert np.isnan(two_sided(np.array([np.nan]), replicated)[0])


@pytest.fixture(scope="module")
def prior(default_case):
    rng = stream(0, "prior")
    structure = structure_of(default_case)
    return prior_draws(default_case.by_name, structure, n=60, rng=rng)


@pytest.fixture(scope="module")
def again(default_case, prior):
    return replicate(default_case, prior, stage="test", most=60)


def test_every_table_of_the_fit_is_checked(default_case, again):
    found = pairs(default_case, again)
    assert {pair.table for pair in found} == set(predictive.TABLES.values())
    for pair in found:
        assert pair.replicated.shape == (60, len(pair.elements)), pair.name


def test_works_of_one_distinct_row_are_replicated_apart(default_case, again):
    at = default_case.evidence.row_of_work
    rows, count = np.unique(at[at >= 0], return_counts=True)
    most = rows[count.argmax()]
    works = again["ratings"][:, at == most]
    assert count.max() > 3
    assert (works != works[:, :1]).any()
    shown = by_row(default_case, again)["ratings"][:, most]
    np.testing.assert_array_equal(shown, works[:, 0])


def test_padded_rows_hold_no_answer(default_case, again):
    rows = default_case.evidence.arrays["ratings"]
    blank = np.flatnonzero(rows["weight"] == 0)
    shown = by_row(default_case, again)["ratings"]
    np.testing.assert_array_equal(
        shown[:, blank], np.broadcast_to(rows["value"][blank], shown[:, blank].shape)
    )


def test_replicates_checked_as_evidence_are_flagged_no_more_than_chance_would(default_case, again):
    found = pairs(default_case, again)
    own = [replace(pair, observed=pair.replicated[0]) for pair in found]
    rows = check_rows(own)
    # 60 replicates, of which one is the evidence: p is a rank, below 0.01 for no more than the
    # lowest and the highest of 60, by chance 2/60 of about 250
    assert sum(row["flag"] for row in rows) < 30


def test_evidence_from_another_truth_is_flagged(default_case, prior):
    """Raters who never mark a capabilities use contradict the evidence in that column alone."""
    blind = dict(prior)
    for name in ("shared_sensitivity", "shared_specificity"):
        x = blind[name].copy()
        x[..., 1] = 1e-6 if name.endswith("sensitivity") else 1.0 - 1e-6
        blind[name] = x
    blind["rater_specificity"] = prior["rater_specificity"].copy()
    blind["rater_specificity"][..., 1] = 1.0 - 1e-6
    again = replicate(default_case, blind, stage="test", most=60)
    rows = check_rows(pairs(default_case, again))
    flagged = {row["statistic"] for row in rows if row["flag"]}
    assert "capabilities use by age" in flagged
    assert "alignment use by age" not in flagged


def test_summary_counts_what_chance_would_flag():
    row = {"table": "t", "p": 0.5, "flag": False, "p_prior": 0.001}
    rows = [row] * 98 + [row | {"p": 0.001, "flag": True}] * 2 + [row | {"p": float("nan")}]
    assert summary_rows(rows) == [
        {"table": "t", "quantities": 100, "flagged": 2, "by_chance": 1.0, "flagged_prior": 100}
    ]
