"""Compiled moments of cohorts against the formulas on arrays."""

import numpy as np
import pytest

from models.cohort_sums import cohort_moments
from models.field_sums import plain
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked, make_paths
from models.outcomes.states import make_states, moments

DONE = (Do("withhold", 0.3, 2024), Do("tracking", 0.8, 2025), Do("delay", 20.0, 2026))


def of(paths, structure, *, years=(2026,)):
    return plain(paths, structure.link, question=Asked(2026, 2040, 3, "field"), years=years)


@pytest.mark.parametrize("do", [(), DONE])
@pytest.mark.parametrize("years", [(2026,), (2013, 2021, 2026, 2030)])
def test_moments_of_cohorts_are_those_of_each(draws, future, structure, do, years):
    """Within 1e-12; of chances that are next to nothing, within what 1 - x can tell."""
    paths = make_paths(draws, future, structure=structure, horizon=2040, do=do)
    states = make_states(paths, structure.link)
    found = cohort_moments(
        paths, draws, field=of(paths, structure, years=years), years=years, horizon=2040
    )
    for i, year in enumerate(years):
        expected = moments(paths, draws, states=states, year=year, horizon=2040)
        assert set(found) == set(expected)
        for name, x in expected.items():
            np.testing.assert_allclose(
                found[name][:, i], x, rtol=1e-12, atol=1e-15, err_msg=f"{name} {year}"
            )


def test_moments_hold_in_extremes(draws, future, structure):
    """Means from next to nothing to thousands of uses, lags a hundredfold apart."""
    wide = dict(draws) | {"use_rate": np.geomspace(1e-6, 1e4, len(draws["use_rate"]))}
    wide |= {"capabilities_lag": np.geomspace(10.0, 0.1, len(draws["use_rate"]))}
    paths = make_paths(wide, future, structure=structure, horizon=2040)
    states = make_states(paths, structure.link)
    found = cohort_moments(paths, wide, field=of(paths, structure), years=(2026,), horizon=2040)
    for name, x in moments(paths, wide, states=states, year=2026, horizon=2040).items():
        np.testing.assert_allclose(found[name][:, 0], x, rtol=1e-12, atol=1e-15, err_msg=name)
