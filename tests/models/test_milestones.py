"""Established levels, plateau and dates against SciPy and small cases by hand."""

from dataclasses import replace

import numpy as np
import pytensor.tensor as pt
import pytest
from scipy import stats

from models.outcomes import milestones

UNIT_SUMS = {
    "field": [6.0, 6.0, 6.0, 6.0],
    "family": [3.0, 3.0, 3.0, 10.0],
    "agenda": [1.0, 2.0, 3.0, 10.0],
}


@pytest.mark.parametrize("m", [1, 3, 7])
def test_chance_of_m_works_is_scipys(m, evaluate):
    mean, size = np.array([1e-6, 0.1, 1.0, 5.0, 400.0]), 0.3
    expected = stats.nbinom.sf(m - 1, size, size / (size + mean))
    for most in (m, 10):
        got = evaluate(milestones.at_least(pt.constant(mean), pt.constant(size), m=m, most=most))
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_no_works_establish_nothing(evaluate):
    got = milestones.at_least(pt.zeros(1), pt.ones(1), m=1, most=1)
    assert evaluate(got) == 0


def test_ceilings_multiply(evaluate):
    stops = {"stop_6": pt.constant(0.5), "stop_7": pt.constant(0.2)}
    np.testing.assert_allclose(evaluate(milestones.ceilings(stops)), [1, 1, 1, 1, 1, 0.5, 0.4])


@pytest.mark.parametrize("unit", ["field", "family", "agenda"])
def test_units_sum_their_agendas_and_leave_the_new_one_out(unit, evaluate):
    yearly = np.array([1.0, 2.0, 3.0, 10.0]).reshape(4, 1, 1)
    out = evaluate(milestones.by_unit(pt.constant(yearly), unit, family_of=(0, 0, 1))).ravel()
    np.testing.assert_allclose(np.broadcast_to(out, 4), UNIT_SUMS[unit])


def test_established_by_hand(evaluate):
    v = {"stop_6": 0.5, "stop_7": 0.0, "cluster_size": 2.0}
    v = {name: pt.constant(x) for name, x in v.items()}
    at_least = stats.nbinom.sf(2, 2.0, 2.0 / 3.5)
    out = evaluate(milestones.established(pt.constant(np.full(7, 1.5)), v, m=3, most=3))
    np.testing.assert_allclose(out, [at_least] * 5 + [at_least / 2] * 2)


def test_established_never_rises_with_the_level_nor_falls_with_the_year(usual):
    f = usual["established"]
    assert np.diff(f, axis=1).max() <= 1e-12  # rounding
    assert np.diff(f, axis=2).min() >= -1e-12
    assert (f >= 0).all()
    assert (f <= 1).all()


@pytest.mark.parametrize("unit", ["field", "family", "agenda"])
def test_by_year_ends_at_the_figure_of_the_horizon(forecast, question, unit):
    out = forecast(asked=replace(question, established_in=unit))
    np.testing.assert_allclose(out["established"][:, :, -1], out[f"established_{unit}"])
    np.testing.assert_allclose(out["alignment_relevant"], out[f"alignment_relevant_{unit}"])
    np.testing.assert_allclose(out["level5_established"], out[f"established_{unit}"][:, 4])


def test_wider_units_establish_more(usual):
    field, family, agenda = (usual[f"established_{u}"] for u in ("field", "family", "agenda"))
    assert (field >= family - 1e-12).all()
    assert (family >= agenda - 1e-12).all()


def test_plateau_is_the_drop_between_levels(evaluate):
    f = pt.constant([1.0, 0.9, 0.9, 0.5, 0.2, 0.1, 0.0])
    out = evaluate(milestones.plateau(f))
    np.testing.assert_allclose(out, [0.0, 0.1, 0.0, 0.4, 0.3, 0.1, 0.1, 0.0], atol=1e-12)


def test_plateau_is_a_distribution(usual):
    np.testing.assert_allclose(usual["plateau"].sum(axis=1), 1.0)
    assert (usual["plateau"] >= 0).all()


def test_more_works_asked_for_make_establishment_rarer(forecast, question, usual):
    out = forecast(asked=replace(question, established_at=30))
    assert (out["established"] <= usual["established"] + 1e-12).all()


def test_dates_are_quantiles_of_the_mixture():
    two = np.zeros((2, 7, 3))
    two[:, 0] = [[0.0, 0.5, 1.0], [0.2, 0.9, 1.0]]  # mean 0.1, 0.7, 1.0
    two[:, 1] = 0.3
    out = milestones.milestone_dates(two, first_year=2030)
    assert out[1] == {
        "p_by_horizon": 1.0,
        "year": {"lower": 2030, "median": 2031, "upper": 2032},
    }
    assert out[2]["year"] == {"lower": 2030, "median": None, "upper": None}
    assert out[7] == {"p_by_horizon": 0.0, "year": dict.fromkeys(("lower", "median", "upper"))}


def test_first_works_accumulate_by_year(evaluate):
    v = {"cluster_size": 1.0, "stop_6": 0.4, "stop_7": 0.5}
    v = {name: pt.constant(x) for name, x in v.items()}
    yearly = np.full((2, 3, 7), 1.0)  # one listed agenda, and the new one, which adds nothing
    found = evaluate(milestones.first_by_year(pt.constant(yearly), pt.constant(np.full(3, 2.0)), v))
    np.testing.assert_allclose(found[1], [1 / 2, 2 / 3, 3 / 4])
    np.testing.assert_allclose(found[0], [2 / 3, 4 / 5, 6 / 7])
    np.testing.assert_allclose(found[6], 0.6 * found[1])
    np.testing.assert_allclose(found[7], 0.6 * 0.5 * found[1])
