"""From draws to the numbers shown: what the evidence moved."""

from types import SimpleNamespace

import numpy as np
import pytest

from forecast.runs import summarise as summaries
from forecast.runs.summarise import moved, shift, unbounded, variance_parts


def test_draws_are_put_on_the_real_line_by_their_support():
    x = np.array([0.25, 0.5])
    np.testing.assert_allclose(unbounded(x, support="real"), x)
    np.testing.assert_allclose(unbounded(x, support="positive"), np.log(x))
    np.testing.assert_allclose(unbounded(x, support="unit"), [-np.log(3.0), 0.0], atol=1e-15)


@pytest.mark.parametrize("support", ["positive", "unit"])
def test_draws_at_an_end_of_their_support_stay_finite(support):
    assert np.isfinite(unbounded(np.array([0.0, 1.0]), support=support)).all()


def test_shift_is_in_prior_sds_of_the_unbounded_scale():
    before = np.array([-1.0, 1.0])  # mean 0, sd 1
    after = np.array([1.5, 2.5])
    assert shift(before, after, support="real") == pytest.approx(2.0)
    assert shift(np.exp(before), np.exp(after), support="positive") == pytest.approx(2.0)


def test_a_ratio_moves_on_its_logarithm_and_a_chance_as_it_is():
    before, after = np.array([0.2, 0.6]), np.array([0.3, 0.5])
    assert moved(before, after, unit="share")["sd_ratio"] == pytest.approx(0.5)
    wide, narrow = np.exp([-4.0, 4.0]), np.exp([1.0, 3.0])
    found = moved(wide, narrow, unit="ratio")
    assert found == {"sd_ratio": pytest.approx(0.25), "shift": pytest.approx(0.5)}
    assert moved(np.zeros(2), np.zeros(2), unit="share") == {"sd_ratio": 1.0, "shift": 0.0}


def test_variance_parts_are_first_order_shares_and_leave_out_what_moves_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    draws = {name: rng.normal(size=20_000) for name in ("small", "idle", "large")}
    y = 2.0 * draws["large"] + draws["small"] + rng.normal(size=20_000)  # variances 4, 1 and 1
    monkeypatch.setattr(summaries, "all_draws", lambda fit, case: draws)
    fit = SimpleNamespace(case=None, compiled=SimpleNamespace(alone=list(draws)), n=20_000)
    large, small = variance_parts(fit, {"alignment_relevant": y})
    assert large == {"parameter": "large", "share": pytest.approx(4 / 6, abs=0.02)}
    assert small == {"parameter": "small", "share": pytest.approx(1 / 6, abs=0.02)}
