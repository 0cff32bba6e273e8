"""Agreement of raters, and how a fitted model reads them."""

import numpy as np
import pytest

import forecast as fc
from forecast.analyses.agreement import alpha, confusion_rows
from reports.agreement import agreement_text


def test_alpha_is_that_of_krippendorff_s_example():
    """The nominal data with three raters whose alpha is 0.691 in Wikipedia's article on it."""
    nan = np.nan
    data = [
        [nan, nan, nan, nan, nan, 3, 4, 1, 2, 1, 1, 3, 3, nan, 3],
        [1, nan, 2, 1, 3, 3, 4, 3, nan, nan, nan, nan, nan, nan, nan],
        [nan, nan, 2, 1, 3, 4, 4, nan, 2, 1, 1, 3, 3, nan, 4],
    ]
    assert alpha(np.array(data), column="tracks") == pytest.approx(0.691, abs=5e-4)
    assert np.isnan(alpha(np.array([[1.0, 1.0], [1.0, 1.0]]), column="level"))
    assert np.isnan(alpha(np.array([[1.0, nan], [nan, 1.0]]), column="level"))


def test_confusion_is_the_product_of_both_stages():
    """With hardly any error a rater answers the truth; with shared error, S alone is left."""
    n, raters = 3, 2
    terms = {
        "shared_scale": np.full((n, 1), 0.9),
        "shared_slip": np.full((n, 1), 0.1),
        "lean": np.zeros((n, raters)),
        "scale": np.full((n, raters), 1e-3),
        "slip": np.zeros((n, raters)),
        "shared_sensitivity": np.full((n, 1, 3), 0.8),
        "shared_specificity": np.full((n, 1, 3), 0.9),
        "sensitivity": np.full((n, raters, 3), 0.7),
        "specificity": np.full((n, raters, 3), 0.95),
    }
    found = confusion_rows(terms, kind_of=(0, 0))
    u = (np.arange(8)[:, None] - np.arange(8)) / 0.9
    weight = np.exp(-0.5 * u**2)
    shared = 0.9 * weight / weight.sum(axis=1, keepdims=True) + 0.1 / 8
    np.testing.assert_allclose(found["level"], [shared, shared], atol=1e-9)
    there, absent = 0.8 * 0.7 + 0.2 * 0.05, 0.1 * 0.7 + 0.9 * 0.05
    np.testing.assert_allclose(found["tracking"], [[absent, there]] * 2)


def test_confusion_of_a_run_has_rows_that_sum_to_one(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    small = {"draws": 20, "tune": 10, "chains": 2, "quiet": True, "report": False}
    found = fc.desk.agreement(run=fc.run("default", **small).folder)
    level = np.array(found["confusion"]["level"])
    assert level.shape == (3, 8, 8)
    np.testing.assert_allclose(level.sum(axis=-1), 1.0)
    assert "R1 answers" in agreement_text(found)
    assert "As the model sees it" in agreement_text(found)
