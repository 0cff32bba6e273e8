"""Spillover: mean uses, what raters can see of them, lags, and the change of variables."""

from math import exp, log

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from models.components import spillover
from models.components.effects import effect
from models.dims import LOG_RATIO, SIDES
from models.ops import NumPy

SIGN = {"capabilities": 1, "alignment": -1}


def test_terms_are_scaled_effects(values, draws):
    terms, d = values(spillover.add_spillover)
    assert terms["rate"] == pytest.approx(log(d["use_rate"]))
    np.testing.assert_array_equal(terms["lag"], [d[f"{side}_lag"] for side in SIDES])
    for side in SIDES:
        for group in ("level", "agenda", "year"):
            assert terms[f"{side}_{group}"].sum() == pytest.approx(0.0, abs=1e-12)
    for name in ("capabilities_year", "alignment_year", "alignment_agenda"):
        np.testing.assert_allclose(terms[name], d[f"{name}_sd"] * d[f"{name}_z"])
    half = d["capabilities_level_sd"] ** 0.5 * d["capabilities_level_z"]
    np.testing.assert_allclose(terms["capabilities_level"], half)
    for name in ("alignment_level", "capabilities_agenda"):
        np.testing.assert_array_equal(terms[name], d[name])
    assert terms["elasticity"] == pytest.approx(draws["worker_ratio_elasticity"][3])
    assert terms["eta"] - LOG_RATIO * terms["elasticity"] == pytest.approx(draws["ease"][3])
    for name, value in spillover.terms(NumPy, draws).items():
        np.testing.assert_allclose(value[3], terms[name], rtol=1e-6)


def test_ratio_is_capabilities_over_alignment_workers():
    size = np.log([[100.0, 200.0], [9000.0, 10000.0], [5.0, 7.0]])
    expected = [log(90.0) - LOG_RATIO, log(50.0) - LOG_RATIO]
    np.testing.assert_allclose(spillover.log_ratio(size), expected)


@pytest.mark.parametrize("side", SIDES)
def test_mean_uses_follow_the_formula(side, graph_value):
    """log M = kappa +- (eta + beta l) / 2 + level + tracking, and the bottleneck on one side."""
    d = {"rate": -0.5, "eta": 0.8, "elasticity": 0.4, "bottleneck": 1.5}
    d |= {"tracking_capabilities": 0.7, "tracking_alignment": 0.3}
    level, diagnosed = np.linspace(-0.6, 0.8, 8), np.array([0.0, 0.1, 0.2, *[0.3] * 5])
    ratio = np.array([-0.2, 0.9, 0.0])

    def formula(xp, level, ratio, *numbers):
        terms = dict(zip(d, numbers, strict=True)) | {f"{side}_level": level}
        base = spillover.log_use(side, terms, ratio=ratio)
        by_level = spillover.level_factor(xp, side, terms, diagnosed=diagnosed)
        tracked = spillover.tracking_factor(xp, side, terms)
        return spillover.use_means(xp, base, by_level, tracked=tracked)

    got = graph_value(formula, level, ratio, *(np.array(x) for x in d.values()))
    assert got.shape == (3, 8, 2)
    for cell in range(3):
        for k in range(8):
            for z in (0, 1):
                m = d["rate"] + SIGN[side] * 0.5 * (d["eta"] + d["elasticity"] * ratio[cell])
                m += level[k] - SIGN[side] * d[f"tracking_{side}"] * z
                if side == "capabilities":
                    m += log(1 + d["bottleneck"] * diagnosed[k])
                assert got[cell, k, z] == pytest.approx(exp(m))


def test_share_of_uses_that_came_is_exponential(graph_value):
    age, lag = np.array([0.0, 1.0, 14.0]), np.array(2.5)
    expected = [quad(lambda x: exp(-x / 2.5) / 2.5, 0, a)[0] for a in age]
    np.testing.assert_allclose(graph_value(spillover.reached, age, lag), expected, atol=1e-12)


def test_seen_age_is_the_expected_excess_over_the_delay(graph_value):
    age, delay = np.array([0.3, 2.0, 9.0]), np.array(1.4)
    expected = [quad(lambda d, a=a: (a - d) * exp(-d / 1.4) / 1.4, 0, a)[0] for a in age]
    np.testing.assert_allclose(graph_value(spillover.seen_age, age, delay), expected)


def lag_by_loop(n, lag, *, slip, age, cells):
    def came(x):
        return 1 - exp(-x / lag)

    share = (came(min(n + 0.5, age)) - came(max(n - 0.5, 0.0))) / came(age)
    return (1 - slip) * share + slip / cells


@pytest.mark.parametrize(("cells", "age"), [(1, 0.39), (4, 3.39), (14, 13.39)])
@pytest.mark.parametrize("slip", [0.0, 0.2])
def test_lags_over_their_cells_have_probability_one(cells, age, slip, graph_value):
    n, lag = np.arange(float(cells)), np.array(1.7)
    row = (np.array(slip), np.array(age), np.array(float(cells)))
    p = np.exp(graph_value(spillover.lag_logp, n, lag, *row))
    expected = [lag_by_loop(x, 1.7, slip=slip, age=age, cells=cells) for x in n]
    np.testing.assert_allclose(p, expected)
    assert p.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("lag", "cells"), [(0.6, 5), (3.0, 5), (8.0, 13)])
def test_simulated_lags_follow_their_density(lag, cells, assert_counts):
    n, age, slip = 20000, cells - 0.61, 0.1
    row = (np.full(n, lag), np.array([slip]), np.full(n, age), np.full(n, float(cells)))
    drawn = spillover.lag_random(np.random.default_rng(10), *row)
    support = np.arange(float(cells))
    chances = np.exp(spillover.lag_logp(NumPy, support, lag, slip, age, float(cells)))
    assert_counts(drawn, support, chances=chances)


EASE, ELASTICITY = (-1.2, 0.9), (0.5, 0.3)


def test_conditional_elasticity_is_gaussian_algebra():
    mean = np.array([EASE[0], ELASTICITY[0]])
    covariance = np.diag([EASE[1] ** 2, ELASTICITY[1] ** 2])
    to_eta = np.array([1.0, LOG_RATIO])
    variance = to_eta @ covariance @ to_eta
    with_eta = covariance[1] @ to_eta
    (got_mean, got_variance), weight, sd = spillover.conditional_elasticity(EASE, ELASTICITY)
    assert got_mean == pytest.approx(to_eta @ mean)
    assert got_variance == pytest.approx(variance)
    assert weight == pytest.approx(with_eta / variance)
    assert sd**2 == pytest.approx(ELASTICITY[1] ** 2 - with_eta**2 / variance)


def test_conditional_elasticity_meets_simulation():
    """Draws of eta, then of the elasticity, have the moments of the two stated priors."""
    rng, n = np.random.default_rng(11), 200_000
    (mean, variance), weight, sd = spillover.conditional_elasticity(EASE, ELASTICITY)
    eta = rng.normal(mean, np.sqrt(variance), n)
    elasticity = rng.normal(ELASTICITY[0] + weight * (eta - mean), sd)
    ease = eta - LOG_RATIO * elasticity
    error = 4 / np.sqrt(n)  # four standard errors
    assert abs(ease.mean() - EASE[0]) < error * EASE[1]
    assert abs(elasticity.mean() - ELASTICITY[0]) < error * ELASTICITY[1]
    assert ease.std() == pytest.approx(EASE[1], rel=error)
    assert elasticity.std() == pytest.approx(ELASTICITY[1], rel=error)
    assert abs(np.corrcoef(ease, elasticity)[0, 1]) < error


def test_elasticity_of_draws_has_its_stated_prior(draws, priors):
    got = spillover.elasticity_from_draws(draws, priors)
    np.testing.assert_allclose(got, draws["worker_ratio_elasticity"])


@pytest.mark.parametrize("side", SIDES)
def test_drawn_agenda_effects_are_zero_sum_normals(side, draws):
    z = effect(draws, f"{side}_agenda") / draws[f"{side}_agenda_sd"][:, None]
    np.testing.assert_allclose(z.sum(axis=1), 0.0, atol=1e-12)
    assert stats.kstest(z[:, 0], stats.norm(0, np.sqrt(1 - 1 / z.shape[1])).cdf).pvalue > 1e-3
