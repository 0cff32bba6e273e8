"""Shapley, regression EVPPI and the surrogate against models whose answer is known."""

import numpy as np
import pytest

from forecast.analyses import sensitivity as surrogate
from forecast.analyses import statistics as evppi
from forecast.analyses import statistics as shapley

SLOPES = np.array([3.0, 2.0, 1.0, 0.0])
PARTS = SLOPES**2 / (SLOPES**2).sum()


@pytest.fixture(scope="module")
def linear() -> tuple[np.ndarray, np.ndarray]:
    """Independent normals, and a linear function of them."""
    x = np.random.default_rng(1).standard_normal((4000, 4))
    return x, x @ SLOPES


def test_shapley_of_the_glove_game():
    """One left glove (0), two right ones: a pair is worth 1."""
    worth = shapley.subset_values(lambda s: float(0 in s and len(s) > 1), 3)
    assert shapley.shapley(worth) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_shapley_effects_of_dependent_normals():
    """Owen & Prieur 2017, two inputs: (1 + rho**2 / 2 * ((b2/b1)**2 - 1)) by closed form."""
    b, rho = np.array([1.0, 2.0]), 0.6
    cov = np.array([[1.0, rho], [rho, 1.0]])
    total = b @ cov @ b
    value = {(): 0.0, (0,): (b[0] + rho * b[1]) ** 2, (1,): (b[1] + rho * b[0]) ** 2, (0, 1): total}
    found = shapley.shapley(shapley.subset_values(value.__getitem__, 2))
    shared = rho * b[0] * b[1]
    first = b[0] ** 2 * (1 - rho**2 / 2) + shared + b[1] ** 2 * rho**2 / 2
    assert found == pytest.approx([first, total - first])


def test_shapley_of_many_games_at_once_sums_to_each_whole():
    worth = np.random.default_rng(0).uniform(size=(5, 2**6))
    assert shapley.shapley(worth).sum(axis=-1) == pytest.approx(worth[:, -1] - worth[:, 0])


def test_too_many_inputs_and_missing_subsets_are_refused():
    with pytest.raises(ValueError, match="at most 10"):
        shapley.subset_values(lambda s: 0.0, 11)
    with pytest.raises(ValueError, match="power of 2"):
        shapley.shapley(np.zeros(6))


def test_evppi_of_independent_normals(linear):
    x, y = linear
    for i, part in enumerate(PARTS):
        found = evppi.explained(y, x[:, [i]], ess=4000.0, seed=0)
        assert found.lower - 0.01 <= part <= found.upper + 0.01
        assert found.share == pytest.approx(part, abs=0.03)
    assert evppi.explained(y, x, ess=4000.0, seed=0).share > 0.99


def test_evppi_of_dependent_normals():
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 1.0]], size=4000)
    y = x @ [1.0, 2.0]
    part = (1.0 + 0.6 * 2.0) ** 2 / (1.0 + 4.0 + 2 * 0.6 * 2.0)
    assert evppi.explained(y, x[:, [0]], ess=4000.0, seed=0).share == pytest.approx(part, abs=0.03)


def test_evppi_finds_a_curve_and_nothing_in_noise():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2000, 40))
    assert evppi.explained(x[:, 0] ** 2, x[:, [0]], ess=2000.0, seed=0).share > 0.95
    assert evppi.explained(rng.standard_normal(2000), x, ess=2000.0, seed=0).share < 0.01


def test_draws_that_repeat_widen_the_interval(linear):
    x, y = linear
    again = np.repeat(np.arange(40), 100)
    many = evppi.explained(y, x[:, [0]], ess=4000.0, seed=0)
    few = evppi.explained(y[again], x[again][:, [0]], ess=40.0, seed=0)
    assert few.upper - few.lower > 3 * (many.upper - many.lower)


def test_rank_correlations_of_a_monotone_and_a_hidden_input():
    rng = np.random.default_rng(4)
    a, b, noise = rng.standard_normal((3, 4000))
    x = np.column_stack([a, a + b])
    plain = evppi.rank_correlations(np.exp(a), x)
    partial = evppi.partial_rank_correlations(np.exp(a) + 0.1 * noise, x)
    assert plain == pytest.approx([1.0, 6 / np.pi * np.arcsin(0.5**0.5 / 2)], abs=0.03)
    assert partial[0] > 0.9
    assert abs(partial[1]) < 0.1
    lower, upper = evppi.fisher(plain, n=4000.0)
    assert np.all(lower <= plain)
    assert np.all(plain <= upper + 1e-5)


def test_surrogate_sobol_and_shapley_of_a_linear_model(linear):
    x, y = linear
    made = surrogate.fit(x[:200], y[:200])
    assert surrogate.accuracy(made, x[200:], y=y[200:]) > 0.999
    assert made.variance == pytest.approx((SLOPES**2).sum(), rel=1e-3)
    found = surrogate.sobol_indices(made, 4, seed=0)
    for key in ("S1", "ST"):
        assert np.all(np.abs(found[key] - PARTS) <= found[f"{key}_conf"] + 0.02)
    effects = shapley.shapley(made.closed())
    assert effects / made.variance == pytest.approx(PARTS, abs=1e-3)
    assert effects.sum() == pytest.approx(y.var(), rel=3 * (2 / len(y)) ** 0.5)


def test_an_interaction_counts_in_total_and_is_shared_by_shapley():
    x = np.random.default_rng(5).standard_normal((300, 3))
    made = surrogate.fit(x, x[:, 0] * x[:, 1] + x[:, 2])
    found = surrogate.sobol_indices(made, 3, seed=0)
    assert found["S1"][0] == pytest.approx(0.0, abs=0.1)
    assert found["ST"][0] == pytest.approx(0.5, abs=0.1)
    assert shapley.shapley(made.closed()) == pytest.approx([0.5, 0.5, 1.0], abs=1e-4)
