"""Draws moved to weighted moments: the maps, and what they do for the weights."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecast.inference import reweighting as matching
from forecast.inference.case import with_prior
from forecast.inference.evaluate import posterior
from forecast.inference.reweighting import _move, _search, moment_matched, smoothed

COV = np.array([[1.0, 0.6], [0.6, 2.0]])


def draws(n=4000):
    return np.random.default_rng(1).multivariate_normal([0.0, 0.0], COV, size=n)


@pytest.mark.parametrize("how", ["mean", "sd", "covariance"])
def test_a_move_gives_the_weighted_moments_and_its_volume(how):
    x = draws()
    w = np.exp(0.5 * x[:, 0])
    w /= w.sum()
    moved, volume = _move(x, w, changed=np.array([0, 1]), how=how)
    np.testing.assert_allclose(moved.mean(axis=0), w @ x, rtol=1e-9)
    centred = x - w @ x
    wanted = (w[:, None] * centred).T @ centred / (1.0 - w @ w)
    if how == "covariance":
        np.testing.assert_allclose(np.cov(moved.T), wanted, rtol=1e-6)
    if how == "sd":
        np.testing.assert_allclose(moved.var(axis=0, ddof=1), np.diag(wanted), rtol=1e-9)
    slogdet = [np.linalg.slogdet(np.cov(y.T))[1] for y in (moved, x)]
    assert volume == pytest.approx(0.5 * (slogdet[0] - slogdet[1]), abs=1e-6)


def test_what_did_not_change_follows_by_regression():
    x, w = draws(), np.zeros(4000)
    w[:2000] = 1 / 2000
    moved, _ = _move(x, w, changed=np.array([0]), how="mean")
    step = moved - x
    slope = np.cov(x.T)[0, 1] / x[:, 0].var(ddof=1)
    np.testing.assert_allclose(step[:, 1], slope * step[:, 0], rtol=1e-9)


def test_moves_reach_a_far_normal_that_weights_cannot(monkeypatch):
    """From N(0, COV) to a normal 3.5 sds away in what changed, by its exact log densities."""
    x, target = draws(), stats.multivariate_normal([3.5, 2.1], COV)
    old = stats.multivariate_normal([0.0, 0.0], COV).logpdf(x)
    plain = target.logpdf(x) - old
    assert smoothed(plain).pareto_k > 0.5
    monkeypatch.setattr(matching, "_log_densities", lambda native, y: target.logpdf(y))
    moved, weights = _search(x, plain, old=old, native=None, changed=np.array([0]))
    found = smoothed(weights)
    assert found.pareto_k < 0.5
    assert found.ess > 5 * smoothed(plain).ess
    # three Monte Carlo errors of a mean with unit sd
    assert found.mean(moved[:, 0]) == pytest.approx(3.5, abs=3 / found.ess**0.5)


def test_a_fit_without_unconstrained_draws_is_not_moved(default_case, fake_fits):
    prior = default_case.by_name["bottleneck"]
    far = replace(prior, params=(("mu", 6.0), ("sigma", 0.05)))
    assert moment_matched(posterior(default_case), with_prior(default_case, far)) is None
