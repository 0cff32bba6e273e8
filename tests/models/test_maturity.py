"""Maturity: effort, steps and levels, by loops over the docstring's formulas."""

from math import erf, exp, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from models.components import maturity
from models.dims import STEPS, YEARS
from models.ops import NumPy

LINKS = {
    "logit": (lambda x: 1 / (1 + exp(-x)), lambda p: log(p / (1 - p))),
    "probit": (lambda x: 0.5 * (1 + erf(x / sqrt(2))), NormalDist().inv_cdf),
}


def test_effort_is_log_cumulative_worker_years_since_2013(graph_value):
    workers = np.linspace(2.0, 500.0, len(YEARS))
    got = graph_value(maturity.effort, np.log(workers))
    total = {year: 1 + sum(workers[: i + 1]) for i, year in enumerate(YEARS)}
    np.testing.assert_allclose(got, [log(total[year] / total[2023]) for year in YEARS])
    one_draw = np.log(np.stack([workers * 9, workers * 99, workers]))[None]
    np.testing.assert_allclose(
        maturity.effort(NumPy, one_draw[..., maturity.INTERPRETABILITY, :]), got[None]
    )


@pytest.mark.parametrize("name", LINKS)
def test_link_and_its_inverse(name, graph_value):
    forward, back = LINKS[name]
    x, p = np.array([-4.0, -0.3, 0.0, 2.5]), np.array([0.001, 0.3, 0.5, 0.98])
    there = graph_value(lambda xp, x: maturity.link(xp, name, x), x)
    np.testing.assert_allclose(there, [forward(v) for v in x], rtol=1e-9)
    again = graph_value(lambda xp, p: maturity.inverse_link(xp, name, p), p)
    np.testing.assert_allclose(again, [back(v) for v in p], rtol=1e-9)


@pytest.mark.parametrize("name", LINKS)
def test_steps_move_with_maturity_by_their_discrimination(name, graph_value):
    forward, back = LINKS[name]
    theta, upper = np.array([-0.7, 0.0, 1.2]), np.array([1.8, 0.6])
    step = np.array([0.8, 0.6, 0.5, 0.3, 0.2, 0.1, 0.05])

    def formula(xp, theta, step):
        return maturity.step_probabilities(xp, theta, step=step, upper=upper, name=name)

    got = graph_value(formula, theta, step)
    for i, t in enumerate(theta):
        for k in STEPS:
            u = 1.0 if k < 4 else upper[int(k > 4)]
            assert got[i, k - 1] == pytest.approx(forward(back(step[k - 1]) + u * t), rel=1e-9)


def test_levels_are_products_of_steps(graph_value):
    steps = np.array([[0.9, 0.5, 0.4, 0.2, 0.1, 0.3, 0.6]])
    got = graph_value(maturity.level_probabilities, steps)[0]
    reach = [1.0]
    for p in steps[0]:
        reach.append(reach[-1] * p)
    expected = [a - b for a, b in zip(reach, [*reach[1:], 0.0], strict=True)]
    np.testing.assert_allclose(got, expected)
    assert got.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(maturity.reach_probabilities(NumPy, steps)[0], reach[1:])


@pytest.mark.parametrize("tails", ["normal", "student-t"])
def test_agendas_are_their_family_plus_their_own(tails, values, structure, draws):
    terms, d = values(maturity.add_maturity, structure.family_of, tails=tails)
    for a, family in enumerate(structure.family_of):
        expected = d["maturity_family"][family] + d["maturity_agenda_own"][a]
        assert terms["agenda"][a] == pytest.approx(expected)
        slope = d["effort_slope"] + d["effort_slope_sd"] * d["effort_slope_z"][a]
        assert terms["slope"][a] == pytest.approx(slope)
    np.testing.assert_allclose(terms["step"], [d[f"step_{k}"] for k in STEPS])
    assert list(terms["upper"]) == [d["step_4_discrimination"], d["upper_discrimination"]]
    for name, value in maturity.terms(NumPy, draws).items():
        np.testing.assert_allclose(value[3], terms[name])


@pytest.mark.parametrize("tails", ["normal", "student-t"])
def test_density_of_an_agendas_own_effect(tails, priors, structure, evaluate):
    """Normal effects that add up to zero have one dimension less; Student's have four degrees."""
    import pymc as pm

    from models.priors import hyper_names, hyper_values

    coords = structure.coords() | {"hyperparameter": hyper_names(priors)}
    with pm.Model(coords=coords) as model:
        pm.Data("hyper", hyper_values(priors))
        maturity.add_maturity(priors, structure.family_of, tails=tails)
    own, sd = np.array([0.3, -0.5, 0.4, -0.2]), 0.7
    density = pm.logp(model["maturity_agenda_own"], own)
    got = evaluate(density, {model["maturity_agenda_sd"]: np.array(sd)}).sum()
    if tails == "normal":  # orthonormal coordinates of the plane where the effects add up to zero
        expected = -0.5 * (own @ own) / sd**2 - 3 * log(sd * sqrt(2 * np.pi))
    else:
        expected = stats.t.logpdf(own, 4, 0, sd).sum()
    assert got == pytest.approx(expected)


def test_theta_of_a_cell_adds_agenda_effort_and_selection(graph_value):
    terms = {"agenda": np.array([0.5, -0.2]), "slope": np.array([0.1, 0.4])}
    terms["purposive"] = np.array(0.9)
    cells = {"agenda": np.array([1, 0, 1]), "year": np.array([2, 0, 1])}
    cells["purposive"] = np.array([0, 1, 1])
    x = np.array([-1.0, 0.0, 2.0])
    got = maturity.cell_theta(terms, x, cells=cells)
    np.testing.assert_allclose(got, [-0.2 + 0.4 * 2, 0.5 - 0.1 + 0.9, -0.2 + 0.0 + 0.9])


def test_maturity_zero_gives_the_stated_steps():
    step = np.array([0.8, 0.6, 0.5, 0.3, 0.2, 0.1, 0.05])
    for name in LINKS:
        got = maturity.step_probabilities(
            NumPy, np.zeros(1), step=step, upper=np.array([2.0, 3.0]), name=name
        )
        np.testing.assert_allclose(got[0], step)
