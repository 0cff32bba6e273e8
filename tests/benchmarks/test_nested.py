"""The value of knowing a belief: a curve known with errors, and refits with the belief held."""

import math

import numpy as np
import pytest

from benchmarks.nested import BELIEFS, held, nested, variance
from forecast.case import make_case
from forecast.checks import load_inputs
from forecast.engine import posterior
from models.prior import ppf


@pytest.fixture(scope="module")
def case():
    return make_case(*load_inputs("default"))


def test_variance_of_a_curve_known_with_errors_has_its_value_and_error():
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(size=4000))

    def curve(at):
        return np.log(at) + 0.3 * np.log(at) ** 2

    at, error = np.quantile(x, (np.arange(12) + 0.5) / 12), np.full(12, 0.1)
    made = [
        variance(curve(at) + error * rng.normal(size=12), error, at=at, x=x) for _ in range(400)
    ]
    found, stated = np.array(made).T
    assert found.mean() == pytest.approx(curve(x).var(), rel=0.03)
    assert stated.mean() == pytest.approx(found.std(), rel=0.15)


@pytest.mark.parametrize("name", [*BELIEFS, "ease"])
def test_a_held_belief_stays_where_it_is_held(case, name):
    fixed = held(case, name, at=0.7, scale=0.01).by_name[name]
    low, high = (float(ppf(fixed, q)) for q in (0.001, 0.999))
    assert (low, high) == pytest.approx((0.7, 0.7), abs=0.035)


@pytest.mark.nightly
@pytest.mark.parametrize("name", BELIEFS)
def test_regression_agrees_with_refits_of_the_whole_model(case, name):
    row = nested(posterior(case), name, points=12)
    error = math.hypot(row["regression_se"], row["refits_se"])
    assert row["regression"] == pytest.approx(row["refits"], abs=2 * error)
