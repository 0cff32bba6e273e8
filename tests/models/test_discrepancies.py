"""Test quantities of ratings, on a handful of works counted by hand."""

import numpy as np
import pytest

from forecast.analyses.predictive import Design, kappa, rating_statistics, two_sided
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
