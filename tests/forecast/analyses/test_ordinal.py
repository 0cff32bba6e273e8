"""The baseline of proportional odds against closed forms."""

import numpy as np
import pytest
from scipy import optimize

from forecast.analyses.scores import _loss, fit_ordinal

WIDE = (1e3, 1e3)
"""A ridge so weak that it moves no coefficient here by more than 1e-4."""


def fitted(y, agenda, *, year=None, weight=None, n_agendas=2, sd=WIDE):
    year = np.full(len(y), 2020.0) if year is None else year
    weight = np.ones(len(y)) if weight is None else weight
    return fit_ordinal(y, agenda, year=year, weight=weight, n_agendas=n_agendas, sd=sd)


def test_one_agenda_gives_back_the_shares():
    y = [0] * 5 + [1] * 3 + [4] * 2
    found = fitted(y, [0] * 10, n_agendas=1)
    p = found.chances(np.array([0]), np.array([2020.0]), categories=6)[0]
    np.testing.assert_allclose(p, [0.5, 0.3, 0, 0, 0.2, 0], atol=1e-5)


def test_two_categories_and_agendas_give_the_log_odds_ratio():
    y = [1] * 6 + [0] * 2 + [1] * 3 + [0] * 9  # odds 3 and 1/3: a ratio of 9
    found = fitted(y, [0] * 8 + [1] * 12)
    assert found.agenda[0] - found.agenda[1] == pytest.approx(np.log(9), abs=1e-3)


def test_a_weight_of_two_is_a_row_twice():
    once = fitted([0, 1, 2, 1], [0, 0, 1, 1], weight=[2.0, 1, 1, 1], sd=(1.0, 0.3))
    twice = fitted([0, 0, 1, 2, 1], [0, 0, 0, 1, 1], sd=(1.0, 0.3))
    np.testing.assert_allclose(once.agenda, twice.agenda, atol=1e-5)


def test_the_slope_follows_the_years_and_the_ridge_holds_it_back():
    year = np.repeat([2018.0, 2022.0], 100)
    y = np.array([1] * 20 + [0] * 80 + [1] * 80 + [0] * 20)
    free = fitted(y, [0] * 200, year=year, n_agendas=1)
    assert free.slope == pytest.approx(np.log(16) / 4, abs=1e-3)  # log odds from -log 4 to log 4
    assert 0 < fitted(y, [0] * 200, year=year, n_agendas=1, sd=(1.0, 0.05)).slope < free.slope


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(3)
    rows = (rng.integers(0, 4, 40), rng.integers(0, 3, 40), rng.normal(size=40), rng.random(40))
    x, precision = rng.normal(size=7), np.array([1.0, 1.0, 1.0, 9.0])
    error = optimize.check_grad(
        lambda v: _loss(v, (rows, 3, precision))[0], lambda v: _loss(v, (rows, 3, precision))[1], x
    )
    assert error < 1e-5  # the error of a forward difference with a step of 1.5e-8


def test_an_agenda_without_a_row_has_no_effect():
    found = fitted([0, 1, 1], [0, 0, 1], n_agendas=4, sd=(1.0, 0.3))
    np.testing.assert_allclose(found.agenda[2:], 0.0, atol=1e-6)
