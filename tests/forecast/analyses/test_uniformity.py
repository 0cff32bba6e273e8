"""The verdict on ranks: exact where ranks are uniform, and it catches inference that is wrong."""

import numpy as np
import pytest
from scipy import stats

from forecast.analyses.calibrate import TESTS, holm, p_values, seen, verdicts

N, DRAWS = 200, 99


def ranked(rng, posterior, *, truth):
    """Ranks of truths (simulation,) among draws (simulation, draw), as worlds.ranks makes them."""
    below = (posterior < truth[:, None]).sum(axis=1)
    return (below + rng.random(len(truth))) / (posterior.shape[1] + 1)


def conjugate(rng, *, sign=1.0):
    """Normal mean, prior N(0, 1), one observation of sd 1; ``sign`` -1 reads it backwards."""
    truth = rng.standard_normal(N)
    y = sign * (truth + rng.standard_normal(N))
    draws = y[:, None] / 2 + np.sqrt(0.5) * rng.standard_normal((N, DRAWS))
    return ranked(rng, draws, truth=truth)


def scale(rng, *, jacobian):
    """A scale s with prior LogNormal(0, 0.5), seen in three normals; sampled as log s on a grid.

    Without the Jacobian the density of s is taken for that of log s.
    """
    truth = np.exp(0.5 * rng.standard_normal(N))
    y = truth[:, None] * rng.standard_normal((N, 3))
    x = np.linspace(-4.0, 4.0, 1601)
    prior = stats.lognorm.logpdf(np.exp(x), 0.5) + (x if jacobian else 0.0)
    fit = stats.norm.logpdf(y[:, :, None], scale=np.exp(x)).sum(axis=1) + prior
    p = np.exp(fit - fit.max(axis=1, keepdims=True))
    cdf = np.cumsum(p / p.sum(axis=1, keepdims=True), axis=1)
    u = rng.random((N, DRAWS))
    draws = np.stack([np.exp(np.interp(v, c, x)) for v, c in zip(u, cdf, strict=True)])
    return ranked(rng, draws, truth=truth)


def raters(rng, *, shared):
    """A mean read by three raters with a common error; ``shared`` says whether the fit knows it."""
    truth = rng.standard_normal(N)
    common = rng.standard_normal((N, 1))
    y = truth[:, None] + common + 0.5 * rng.standard_normal((N, 3))
    variance = 1.0 + 0.25 / 3 if shared else (1.0 + 0.25) / 3
    weight = 1.0 / (1.0 + variance)
    sd = np.sqrt(1.0 - weight)
    draws = weight * y.mean(axis=1)[:, None] + sd * rng.standard_normal((N, DRAWS))
    return ranked(rng, draws, truth=truth)


def test_each_p_value_is_uniform_where_ranks_are():
    rng = np.random.default_rng(1)
    found = [p_values(rng.random(N)) for _ in range(400)]
    for test in TESTS:
        p = [row[test] for row in found]
        assert stats.kstest(p, "uniform").pvalue > 0.001, test


def test_holm_steps_down_as_in_his_example():
    p = np.array([0.01, 0.04, 0.03, 0.005])  # 0.05/4, /3, /2, /1 in order of size
    np.testing.assert_array_equal(holm(p, level=0.05), [True, False, False, True])
    assert not holm(np.array([0.02, 0.03]), level=0.01).any()
    assert holm(np.array([1e-9, 1e-9]), level=0.01).all()


def test_false_alarms_among_many_quantities_are_as_rare_as_stated():
    rng = np.random.default_rng(2)
    names = [f"q{j}" for j in range(30)]
    alarms = sum(
        not all(row["passes"] for row in verdicts(names, rng.random((100, 30)), level=0.05))
        for _ in range(200)
    )
    assert alarms <= stats.binom.ppf(0.999, 200, 0.05)


@pytest.mark.parametrize("fault", ["shift", "narrow", "wide"])
def test_what_is_said_to_be_seen_is_seen_four_times_in_five(fault):
    rng, about = np.random.default_rng(3), seen(N, 50)
    names = [f"q{j}" for j in range(50)]
    found = 0
    for _ in range(200):
        z = rng.standard_normal((N, 50))
        z[:, 0] = z[:, 0] + about.shift if fault == "shift" else z[:, 0] * getattr(about, fault)
        found += not verdicts(names, stats.norm.cdf(z))[0]["passes"]
    assert abs(found / 200 - 0.8) < 0.1  # 3.5 binomial standard errors


@pytest.mark.parametrize(
    ("good", "wrong"),
    [
        (lambda rng: conjugate(rng), lambda rng: conjugate(rng, sign=-1.0)),
        (lambda rng: scale(rng, jacobian=True), lambda rng: scale(rng, jacobian=False)),
        (lambda rng: raters(rng, shared=True), lambda rng: raters(rng, shared=False)),
    ],
    ids=["wrong sign", "missing Jacobian", "raters as independent"],
)
def test_a_wrong_likelihood_is_caught_and_the_right_one_passes(good, wrong):
    rng = np.random.default_rng(4)
    names = ["theta", *(f"other{j}" for j in range(365))]  # as many as the real model ranks
    others = rng.random((N, 365))
    for make, passes in ((good, True), (wrong, False)):
        rows = verdicts(names, np.column_stack([make(rng), others]))
        assert rows[0]["passes"] is passes
        assert all(row["passes"] for row in rows[1:])


def test_a_posterior_that_knows_too_much_has_a_width_above_one():
    rows = verdicts(["theta"], raters(np.random.default_rng(5), shared=False)[:, None])
    assert rows[0]["width"] > 1.2
    assert "width" in rows[0]["fails"]
