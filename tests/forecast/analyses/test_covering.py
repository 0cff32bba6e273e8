"""Coverage of central intervals from ranks: known answers, and errors that hold."""

import numpy as np
import pytest
from scipy import stats

from forecast.analyses.calibrate import PROBS, clustered, coverage_rows, held, pooled_rows


def test_a_rank_lies_in_the_intervals_that_reach_it():
    u = np.array([0.5, 0.26, 0.2, 0.76, 0.03, 0.99])
    assert held(u, 0.5).tolist() == [True, True, False, False, False, False]
    assert held(u, 0.95).tolist() == [True] * 5 + [False]


def test_coverage_of_a_quantity_has_its_binomial_error():
    ranks = (np.arange(1000) + 0.5)[:, None] / 1000
    (row,) = coverage_rows(["x"], ranks)
    for p in PROBS:
        assert row[f"within_{p:g}"] == pytest.approx(p, abs=0.002)  # an end may fall on a rank
        assert row[f"se_{p:g}"] == pytest.approx((p * (1 - p) / 1000) ** 0.5)
        assert not row[f"outside_{p:g}"]


def test_intervals_that_are_too_narrow_are_outside():
    z = 1.5 * np.random.default_rng(1).standard_normal((400, 1))
    (row,) = coverage_rows(["x"], stats.norm.cdf(z))
    assert row["outside_0.5"]
    assert row["outside_0.8"]
    assert row["outside_0.95"]
    # a posterior too narrow by 1.5 covers with 2 Phi(z_p / 1.5) - 1
    for p in PROBS:
        due = 2 * stats.norm.cdf(stats.norm.ppf(0.5 + p / 2) / 1.5) - 1
        assert row[f"within_{p:g}"] == pytest.approx(due, abs=4 * (due * (1 - due) / 400) ** 0.5)


def test_quantities_of_one_simulation_count_as_one():
    """Thirty copies of one quantity tell no more than it does by itself."""
    u = np.random.default_rng(2).random((200, 1))
    (one,) = [r for r in pooled_rows(["a"], u) if r["group"] == "all"]
    names = [f"q{j}" for j in range(30)]
    (many,) = [r for r in pooled_rows(names, np.repeat(u, 30, axis=1)) if r["group"] == "all"]
    for p in PROBS:
        assert many[f"se_{p:g}"] == pytest.approx(one[f"se_{p:g}"])
        assert many[f"se_{p:g}"] == pytest.approx((p * (1 - p) / 200) ** 0.5, rel=0.25)


def test_the_clustered_error_is_that_of_the_mean():
    rng = np.random.default_rng(3)
    means = [x.mean() for x in rng.random((2000, 50))]
    told = np.mean([clustered(x) for x in rng.random((200, 50))])
    assert told == pytest.approx(np.std(means), rel=0.1)


def test_as_many_are_outside_as_chance_gives():
    rng, names = np.random.default_rng(4), [f"q{j}" for j in range(400)]
    found = [pooled_rows(names, rng.random((200, 400)))[-1] for _ in range(20)]
    for p in PROBS:
        seen = sum(row[f"outside_{p:g}"] for row in found)
        due = sum(row[f"by_chance_{p:g}"] for row in found)
        assert 0 < due <= 0.01 * 400 * 20  # the binomial is discrete: less than a hundredth
        assert abs(seen - due) < 4 * due**0.5
