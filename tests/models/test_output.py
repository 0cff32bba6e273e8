"""Output and the standard likelihoods: values against NumPy, densities against SciPy."""

import numpy as np
import pytest
from scipy import stats

from models import likelihoods as simulate
from models.components import output
from models.dims import YEARS
from models.ops import NumPy

N = 20000


def test_output_follows_workers_at_its_elasticity(graph_value):
    log_size = np.log(np.linspace(20.0, 300.0, len(YEARS)))
    got = graph_value(output.relative_output, log_size, np.array(0.8))
    size = dict(zip(YEARS, np.exp(log_size), strict=True))
    np.testing.assert_allclose(got, [(size[year] / size[2025]) ** 0.8 for year in YEARS])


def test_mean_of_a_list_is_its_level_times_output():
    relative, level = np.linspace(0.1, 1.4, len(YEARS)), np.array([50.0, 8.0])
    rows = {"list": np.array([1, 0]), "year": np.array([12, 3])}
    got = output.list_mean(relative, level, data=rows)
    np.testing.assert_allclose(got, [8.0 * relative[12], 50.0 * relative[3]])


def test_terms_are_scaled_effects(values, draws):
    terms, d = values(output.add_output)
    np.testing.assert_allclose(terms["size"], d["agenda_share_sd"] * d["agenda_share_z"])
    assert terms["elasticity"] == d["output_elasticity"]
    np.testing.assert_array_equal(terms["level"], d["list_level"])
    for name, value in output.terms(NumPy, draws).items():
        np.testing.assert_allclose(value[3], terms[name])


def test_error_of_an_agenda_adds_its_own_range(graph_value):
    got = graph_value(output.fte_scale, np.array(0.3), np.array([0.0, 0.4]))
    np.testing.assert_allclose(got, [0.3, 0.5])


def test_counts_are_negative_binomial(graph_value):
    value, mean = np.array([0.0, 3.0, 40.0]), np.array([2.0, 2.5, 11.0])
    got = graph_value(output.negative_binomial_logp, value, mean, np.array([3.0]))
    np.testing.assert_allclose(got, stats.nbinom.logpmf(value, 3.0, 3.0 / (3.0 + mean)))


def test_figures_are_normal(graph_value):
    value, mean, sd = np.array([0.1, -4.0]), np.array([0.0, 2.0]), np.array([0.5, 3.0])
    got = graph_value(output.normal_logp, value, mean, sd)
    np.testing.assert_allclose(got, stats.norm.logpdf(value, mean, sd))


@pytest.mark.parametrize(("mean", "size"), [(2.0, 3.0), (11.0, 0.7)])
def test_simulated_counts_are_negative_binomial(mean, size, assert_counts):
    drawn = simulate.negative_binomial_random(np.random.default_rng(7), np.full(N, mean), size)
    support = np.arange(drawn.max() + 1)
    chances = np.exp(output.negative_binomial_logp(NumPy, support, mean, size))
    assert_counts(drawn, support, chances=chances)
    assert drawn.var() == pytest.approx(mean + mean**2 / size, rel=0.05)


def test_simulated_figures_are_normal():
    drawn = simulate.normal_random(np.random.default_rng(8), np.full(N, 1.5), np.full(N, 0.4))
    assert stats.kstest(drawn, stats.norm(1.5, 0.4).cdf).pvalue > 1e-3
