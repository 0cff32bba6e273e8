"""From draws to the numbers shown: what the evidence moved."""

import numpy as np
import pytest

from forecast.summaries import shift, unbounded


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
