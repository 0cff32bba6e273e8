"""Tracking: its log-odds by cell and level, and its trend after the window."""

import numpy as np
import pytest

from models.components import tracking
from models.dims import LEVELS, YEARS
from models.ops import NumPy


def test_window_counts_years_from_2023():
    assert dict(zip(YEARS, tracking.YEARS_FROM_CENTRE, strict=True)) == {
        year: year - 2023 for year in YEARS
    }


def test_trend_after_the_window_is_damped():
    got = tracking.future_trend(NumPy, np.array([0.5, 1.0]), 3)
    np.testing.assert_allclose(got, [[3.5, 3.75, 3.875], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize("tails", ["normal", "student-t"])
def test_terms_are_scaled_effects(tails, values, draws):
    terms, d = values(tracking.add_tracking, tails)
    share = d["tracking_share"]
    assert terms["mean"] == pytest.approx(np.log(share / (1 - share)))
    np.testing.assert_allclose(terms["agenda"], d["tracking_agenda_sd"] * d["tracking_agenda_z"])
    np.testing.assert_allclose(terms["level"], d["tracking_level_sd"] * d["tracking_level_z"])
    assert terms["level"].sum() == pytest.approx(0.0, abs=1e-12)
    for name, value in tracking.terms(NumPy, draws).items():
        np.testing.assert_allclose(value[3], terms[name])


def test_chance_of_tracking_adds_its_parts_in_log_odds(graph_value):
    terms = {"mean": np.array(-0.4), "agenda": np.array([0.3, -0.6]), "trend": np.array(0.2)}
    terms["purposive"] = np.array(1.1)
    cells = {"agenda": np.array([1, 0]), "year": np.array([0, 12]), "purposive": np.array([1, 0])}
    base = tracking.cell_base(terms, tracking.YEARS_FROM_CENTRE, cells=cells)
    np.testing.assert_allclose(base, [-0.4 - 0.6 - 2.0 + 1.1, -0.4 + 0.3 + 0.4])
    level = np.linspace(-0.7, 0.7, len(LEVELS))
    got = graph_value(tracking.tracking_probability, level, base)
    for cell in range(2):
        for k in LEVELS:
            expected = 1 / (1 + np.exp(-base[cell] - level[k]))
            assert got[cell, k] == pytest.approx(expected)
