"""Workers: the trend of each group, its figures, and growth after the window."""

import numpy as np
import pytest
from scipy import stats

from models.components import workers
from models.dims import GROUPS, LEVEL_YEARS, YEARS
from models.ops import NumPy

CENTRE, SCALE = np.array([4.0, 5.5, 7.0, 2.0]), np.array([0.3, 0.6, 0.2, 1.1])


def walk(level, growth, *, shocks, middle):
    """Log sizes by walking from the level's year outwards; ``shocks`` by year."""
    size, slope = {middle: level}, growth
    for year in range(middle + 1, YEARS[-1] + 1):
        slope += shocks.get(year - 1, 0.0) if year - 1 > middle else 0.0
        size[year] = size[year - 1] + slope
    slope = growth
    for year in range(middle - 1, YEARS[0] - 1, -1):
        slope -= shocks.get(year + 1, 0.0)
        size[year] = size[year + 1] - slope
    return [size[year] for year in YEARS]


def test_log_workers_walk_from_the_level_with_changing_growth(values, draws):
    terms, d = values(workers.add_workers)
    for g, group in enumerate(GROUPS):
        growth = d["worker_growth"][g]
        shocks = dict(zip(YEARS[1:-1], d["worker_shock_sd"] * d["worker_shock_z"][g], strict=True))
        level = np.log(d[f"workers_{group}"])
        expected = walk(level, growth, shocks=shocks, middle=LEVEL_YEARS[group])
        np.testing.assert_allclose(terms["log_workers"][g], expected)
    np.testing.assert_allclose(workers.terms(NumPy, draws)["log_workers"][3], terms["log_workers"])


def test_reference_definitions_have_no_offset(values):
    terms, d = values(workers.add_workers)
    np.testing.assert_allclose(terms["offsets"], [d["definition_offset"][0], 0.0])
    assert terms["error"] == d["worker_error"]


def test_growth_after_the_window_is_damped():
    observed = np.array([[[1.0, 1.4], [2.0, 2.0]]])
    shocks = np.array([[[0.1, 0.0, -0.2], [0.0, 0.3, 0.0]]])
    path = workers.future_log_workers(NumPy, observed, damping=np.array([0.5]), shocks=shocks, n=3)
    # growth 0.4: 0.3, 0.15, -0.125; growth 0: 0, 0.3, 0.15
    np.testing.assert_allclose(path[0, 0], [1.0, 1.4, 1.7, 1.85, 1.725])
    np.testing.assert_allclose(path[0, 1], [2.0, 2.0, 2.0, 2.3, 2.45])


def test_centre_and_scale_of_a_figure(graph_value):
    log_size, offsets = np.arange(6.0).reshape(2, 3), np.array([0.7, 0.0])
    rows = {"group": np.array([1, 0]), "year": np.array([2, 1]), "definition": np.array([0, 1])}
    rows |= {"unverified": np.array([1, 0]), "spread": np.array([0.4, 0.0])}
    centre = graph_value(workers.figure_centre, log_size, offsets, data=rows)
    np.testing.assert_allclose(centre, [5.0 + 0.7, 1.0])
    scale = graph_value(workers.figure_scale, np.array(0.3), data=rows)
    np.testing.assert_allclose(scale, [np.sqrt(0.09 * 2 + 0.16), 0.3])


def test_figures_follow_students_t(graph_value):
    value, nothing = np.array([4.1, 9.0, 7.0, -3.0]), np.zeros(4)
    got = graph_value(workers.figure_logp, value, CENTRE, SCALE, nothing, nothing)
    np.testing.assert_allclose(got, stats.t.logpdf(value, 4, CENTRE, SCALE))


def test_bounds_are_events(graph_value):
    at, bound = np.array([4.3, 5.0, 7.0, 1.0]), np.ones(4)
    below = graph_value(workers.figure_logp, np.ones(4), CENTRE, SCALE, bound, at)
    above = graph_value(workers.figure_logp, np.zeros(4), CENTRE, SCALE, bound, at)
    np.testing.assert_allclose(below, stats.t.logcdf(at, 4, CENTRE, SCALE))
    np.testing.assert_allclose(above, stats.t.logsf(at, 4, CENTRE, SCALE))


def test_distribution_function_is_students_with_four_degrees():
    x = np.array([-30.0, -2.0, -0.1, 0.0, 1.0, 8.0])
    np.testing.assert_allclose(workers.student_cdf(NumPy, x), stats.t.cdf(x, 4), atol=1e-12)


@pytest.mark.parametrize("row", [0, 3])
def test_simulated_figures_follow_their_density(row):
    n = 20000
    centre, scale = np.full(n, CENTRE[row]), np.full(n, SCALE[row])
    rng = np.random.default_rng(5)
    drawn = workers.figure_random(rng, centre, scale, np.zeros(n), np.zeros(n))
    assert stats.kstest(drawn, stats.t(4, CENTRE[row], SCALE[row]).cdf).pvalue > 1e-3


@pytest.mark.parametrize("threshold", [3.8, 4.6])
def test_simulated_bounds_have_their_chance(threshold, assert_counts):
    n, row = 20000, (CENTRE[0], SCALE[0], 1.0, threshold)
    rng = np.random.default_rng(6)
    drawn = workers.figure_random(rng, *(np.full(n, x) for x in row))
    chances = [np.exp(workers.figure_logp(NumPy, value, *row)) for value in (0.0, 1.0)]
    assert_counts(drawn, (0.0, 1.0), chances=chances)


def test_drawn_growth_is_normal_around_its_mean(draws):
    mean, sd = (draws[f"worker_growth_{name}"][:, None] for name in ("mean", "sd"))
    z = (draws["worker_growth"] - mean) / sd
    assert stats.kstest(z.ravel(), stats.norm.cdf).pvalue > 1e-3
