"""The metric of a pilot, and starting points."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from forecast.inference.mass_matrix import metric_of
from forecast.inference.sampling import centre, starting, tuning, unconstrained
from models.priors import Prior


def prior(dist, **params):
    return Prior("x", dist, tuple(params.items()), unit="", block="", claims=(), source="", why="")


def test_the_metric_of_a_normal_whitens_it():
    rng = np.random.default_rng(0)
    root = np.tril(rng.normal(size=(12, 12))) + 3.0 * np.eye(12)
    covariance = root @ root.T
    points = rng.normal(size=(4000, 12)) @ root.T + 5.0
    scores = -(points - 5.0) @ np.linalg.inv(covariance)
    found = metric_of(points, scores)
    inner = np.linalg.inv(found.scale)
    spread = np.linalg.eigvalsh(inner @ covariance @ inner.T)
    assert spread.max() / spread.min() < 2.0  # not 1: the ridge of 0.1 and 4,000 draws
    np.testing.assert_allclose(found.outward(found.inward(points)), points)


def test_fewer_draws_than_parameters_still_give_a_metric():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(30, 50))
    found = metric_of(points, -points)
    assert np.linalg.cond(found.scale) < 30


def test_the_metric_does_not_depend_on_threads_of_linear_algebra():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(600, 300)) @ rng.normal(size=(300, 300))
    made = []
    for threads in (1, 4):
        with threadpool_limits(threads, user_api="blas"):
            found = metric_of(points, -points)
            made.append((found.scale, found.inward(points), found.outward(points)))
    for one, four in zip(*made, strict=True):
        np.testing.assert_array_equal(one, four)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (prior("Normal", mu=2.0, sigma=1.0), 2.0),
        (prior("LogNormal", mu=0.7, sigma=1.0), 0.7),
        (prior("Beta", alpha=2.0, beta=2.0), 0.0),
        (prior("Uniform", lower=-1.0, upper=3.0), 0.0),
        (prior("Gamma", alpha=2.0, beta=1.0), np.log(stats.gamma(2.0).median())),
    ],
)
def test_chains_start_around_prior_medians(given, expected):
    assert unconstrained(given) == pytest.approx(expected, abs=1e-12)


def test_starting_points_repeat_by_seed_and_stay_within_one():
    layout = (("beliefs_Normal", ("x",), 1), ("x_z", (), 3))
    priors = {"x": prior("Normal", mu=2.0, sigma=1.0)}
    start = starting(layout, priors)
    np.testing.assert_array_equal(centre(layout, priors), [2.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(start(7), start(7))
    assert (np.abs(start(7) - centre(layout, priors)) < 1.0).all()
    assert not np.array_equal(start(7), start(8))


def test_pilot_and_tuning_take_shares_of_tune(default_case):
    usual = replace(default_case.sampler, tune=1000, chains=4)
    assert tuning(usual) == (200, 200, 200)
    assert tuning(replace(usual, tune=60)) == (0, 0, 60)
