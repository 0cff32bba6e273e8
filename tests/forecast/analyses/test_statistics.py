"""Shapley, regression EVPPI and the surrogate against models whose answer is known."""

import numpy as np
import pytest

from forecast.analyses.statistics import (
    explained,
    fisher,
    fit_surrogate,
    joining,
    log_mixture,
    normalising_constants,
    random_orders,
    rank_correlations,
    shapley,
    shapley_by_orders,
    sobol_indices,
)

SLOPES = np.array([3.0, 2.0, 1.0, 0.0])
PARTS = SLOPES**2 / (SLOPES**2).sum()


@pytest.fixture(scope="module")
def linear() -> tuple[np.ndarray, np.ndarray]:
    """Independent normals, and a linear function of them."""
    x = np.random.default_rng(1).standard_normal((4000, 4))
    return x, x @ SLOPES


def test_shapley_of_the_glove_game():
    """One left glove (0), two right ones: a pair is worth 1."""
    worth = [float(mask & 1 and mask > 1) for mask in range(8)]
    assert shapley(worth) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_shapley_effects_of_dependent_normals():
    """Owen & Prieur 2017, two inputs: (1 + rho**2 / 2 * ((b2/b1)**2 - 1)) by closed form."""
    b, rho = np.array([1.0, 2.0]), 0.6
    total = b @ np.array([[1.0, rho], [rho, 1.0]]) @ b
    values = [0.0, (b[0] + rho * b[1]) ** 2, (b[1] + rho * b[0]) ** 2, total]
    first = b[0] ** 2 * (1 - rho**2 / 2) + rho * b[0] * b[1] + b[1] ** 2 * rho**2 / 2
    assert shapley(values) == pytest.approx([first, total - first])


def test_shapley_of_many_games_at_once_sums_to_each_whole():
    worth = np.random.default_rng(0).uniform(size=(5, 2**6))
    assert shapley(worth).sum(axis=-1) == pytest.approx(worth[:, -1] - worth[:, 0])


def test_missing_subsets_are_refused():
    with pytest.raises(ValueError, match="power of 2"):
        shapley(np.zeros(6))


def test_evppi_of_independent_normals(linear):
    x, y = linear
    for i, part in enumerate(PARTS):
        found = explained(y, x[:, [i]], ess=4000.0, seed=0)
        assert found.lower - 0.01 <= part <= found.upper + 0.01
        assert found.share == pytest.approx(part, abs=0.03)
    assert explained(y, x, ess=4000.0, seed=0).share > 0.99


def test_evppi_of_dependent_normals():
    rng = np.random.default_rng(2)
    x = rng.multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 1.0]], size=4000)
    y = x @ [1.0, 2.0]
    part = (1.0 + 0.6 * 2.0) ** 2 / (1.0 + 4.0 + 2 * 0.6 * 2.0)
    assert explained(y, x[:, [0]], ess=4000.0, seed=0).share == pytest.approx(part, abs=0.03)


def test_evppi_finds_a_curve_and_nothing_in_noise():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2000, 40))
    assert explained(x[:, 0] ** 2, x[:, [0]], ess=2000.0, seed=0).share > 0.95
    assert explained(rng.standard_normal(2000), x, ess=2000.0, seed=0).share < 0.01


def test_draws_that_repeat_widen_the_interval(linear):
    x, y = linear
    again = np.repeat(np.arange(40), 100)
    many = explained(y, x[:, [0]], ess=4000.0, seed=0)
    few = explained(y[again], x[again][:, [0]], ess=40.0, seed=0)
    assert few.upper - few.lower > 3 * (many.upper - many.lower)


def test_rank_correlations_of_a_monotone_and_a_hidden_input():
    rng = np.random.default_rng(4)
    a, b, noise = rng.standard_normal((3, 4000))
    x = np.column_stack([a, a + b])
    plain, _ = rank_correlations(np.exp(a), x)
    _, partial = rank_correlations(np.exp(a) + 0.1 * noise, x)
    assert plain == pytest.approx([1.0, 6 / np.pi * np.arcsin(0.5**0.5 / 2)], abs=0.03)
    assert partial[0] > 0.9
    assert abs(partial[1]) < 0.1
    lower, upper = fisher(plain, n=4000.0)
    assert np.all(lower <= plain)
    assert np.all(plain <= upper + 1e-5)


def test_surrogate_sobol_and_shapley_of_a_linear_model(linear):
    x, y = linear
    made = fit_surrogate(x[:200], y[:200])
    np.testing.assert_allclose(made(x[200:]), y[200:], atol=0.05)
    assert made.variance == pytest.approx((SLOPES**2).sum(), rel=1e-3)
    found = sobol_indices(made, 4, seed=0)
    for key in ("S1", "ST"):
        assert np.all(np.abs(found[key] - PARTS) <= found[f"{key}_conf"] + 0.02)
    effects = shapley(made.closed())
    assert effects / made.variance == pytest.approx(PARTS, abs=1e-3)
    assert effects.sum() == pytest.approx(y.var(), rel=3 * (2 / len(y)) ** 0.5)


def test_an_interaction_counts_in_total_and_is_shared_by_shapley():
    x = np.random.default_rng(5).standard_normal((300, 3))
    made = fit_surrogate(x, x[:, 0] * x[:, 1] + x[:, 2])
    found = sobol_indices(made, 3, seed=0)
    assert found["S1"][0] == pytest.approx(0.0, abs=0.1)
    assert found["ST"][0] == pytest.approx(0.5, abs=0.1)
    assert shapley(made.closed()) == pytest.approx([0.5, 0.5, 1.0], abs=1e-4)


def test_sampled_orders_find_known_shapley_values():
    """A game of weights with one pair that gains: each of the pair gets half of the gain."""
    weight, n = np.array([1.0, 2.0, 3.0, 4.0]), 4
    orders = random_orders(n, 400, rng=np.random.default_rng(2))
    masks = joining(orders)
    value = ((masks[..., None] >> np.arange(n)) & 1) @ weight + 2.0 * ((masks & 3) == 3)
    found, error = shapley_by_orders(value[None], orders)
    np.testing.assert_allclose(found[0], [2.0, 3.0, 3.0, 4.0], atol=1e-9)  # a pair averages it out
    assert (error[0] < 0.1).all()


def test_normalising_constants_of_normals_are_found():
    """N(0, 1) and exp(-(x - 1)^2 / 2 + 3): the second's constant is exp(3) times the first's."""
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(size=20_000), 1.0 + rng.normal(size=10_000)])
    density = np.stack([0.0 * x, 3.0 - (x - 1.0) ** 2 / 2 + x**2 / 2])
    counts = np.array([2e4, 1e4])
    f = normalising_constants(density, counts, start=np.zeros(2))
    assert f[1] == pytest.approx(3.0, abs=0.02)
    w = np.exp(2.0 * x - 2.0 - log_mixture(density, counts, f))  # N(2, 1)
    assert w @ x / w.sum() == pytest.approx(2.0, abs=0.1)
