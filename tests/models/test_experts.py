"""Forecasts by others as a weak penalty, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.inference.outcomes import predict
from models.outcomes.experts import Expert, logit, penalty, scale_of

STATED = Expert("x", 6, 2043, logit=0.0, scale=2.0, bound=False, weight=0.5)


def test_the_penalty_is_a_weighted_square_in_log_odds():
    f = np.array([[0.5], [0.8]])
    expected = [0.0, -0.25 * (np.log(4.0) / 2.0) ** 2]
    np.testing.assert_allclose(penalty(f, [STATED]), expected)
    np.testing.assert_allclose(penalty(np.tile(f, 2), [STATED] * 2), 2 * np.array(expected))


def test_an_event_that_implies_the_level_bounds_it_from_below():
    bound = replace(STATED, bound=True)
    high, low = penalty(np.array([[0.8], [0.2]]), [bound])
    assert high == 0.0
    assert low == pytest.approx(-0.25 * (np.log(4.0) / 2.0) ** 2)


def test_chances_near_certainty_are_not_told_apart():
    found = penalty(np.array([[0.0], [1e-9], [1e-3]]), [STATED])
    assert np.isfinite(found).all()
    assert len(set(found)) == 1
    assert float(logit(1.0)) == pytest.approx(np.log(999.0))


def test_half_the_band_adds_to_the_least_error():
    assert scale_of(0.5, 0.5) == 1.0
    assert scale_of(0.4, 0.6) == pytest.approx(np.hypot(np.log(1.5), 1.0))


def test_the_chance_weighed_is_the_one_forecast(draws, future, structure, question, usual):
    levels = predict(draws, future, structure=structure, question=question, kind="levels")
    np.testing.assert_allclose(levels["established"], usual["established"], atol=1e-12)
