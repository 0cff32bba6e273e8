"""Compiled sums over agendas and years against the formulas on arrays."""

from dataclasses import fields, replace

import numpy as np
import pytest

from models.components import workers
from models.dims import GROUPS
from models.field_sums import field_sums, plain
from models.ops import NumPy
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked, make_paths

ASKED = Asked(2026, 2040, 3, "field")
DONE = (Do("tracking", 0.8, 2025), Do("effort", 2.0, 2026, times=True), Do("share.b", 0.5, 2030))


def assert_same(paths, *, question, years):
    found, expected = (
        f(paths, "logit", question=question, years=years) for f in (field_sums, plain)
    )
    for one in fields(expected):
        x, y = getattr(found, one.name), getattr(expected, one.name)
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-15, err_msg=one.name)


@pytest.mark.parametrize("do", [(), DONE])
@pytest.mark.parametrize("unit", ["field", "family", "agenda"])
@pytest.mark.parametrize(
    ("question", "years"), [(ASKED, (2013, 2026, 2030)), (Asked(2020, 2024, 3, "field"), ())]
)
def test_compiled_sums_are_those_of_the_formulas(
    draws, future, structure, do, unit, question, years
):
    """Within 1e-12; of chances that are next to nothing, within what 1 - x can tell."""
    question = replace(question, established_in=unit)
    paths = make_paths(draws, future, structure=structure, horizon=question.horizon, do=do)
    assert_same(paths, question=question, years=years)


@pytest.mark.parametrize("size", [40.0, 700.0, 2000.0])
def test_compiled_sums_hold_far_out(draws, future, structure, size):
    """Maturity and log-odds so far out that their exponentials overflow."""
    wide = np.linspace(-size, size, len(draws["use_rate"]))[:, None]
    paths = make_paths(draws, future, structure=structure, horizon=2040)
    far = {"agenda": paths.maturity["agenda"] + wide}
    odds = {"agenda": paths.tracking["agenda"] + wide[::-1]}
    paths = replace(paths, maturity=paths.maturity | far, tracking=paths.tracking | odds)
    assert_same(paths, question=ASKED, years=(2026,))


def test_other_links_follow_the_formulas(draws, future, structure):
    paths = make_paths(draws, future, structure=structure, horizon=2040)
    found = field_sums(paths, "probit", question=ASKED, years=(2026,))
    expected = plain(paths, "probit", question=ASKED, years=(2026,))
    np.testing.assert_array_equal(found.total, expected.total)


def test_workers_are_those_of_the_formula(draws):
    level = np.log(np.stack([draws[f"workers_{group}"] for group in GROUPS], axis=-1))
    shocks = draws["worker_shock_sd"][:, None, None] * draws["worker_shock_z"]
    expected = workers.log_workers(NumPy, level, draws["worker_growth"], shocks=shocks)
    np.testing.assert_allclose(workers.workers_from_draws(draws), expected, rtol=1e-13)


def test_shares_that_are_the_same_each_year_are_those_of_each(draws, future, structure):
    """A factor of one is an act on shares, so that they are then made for each year apart."""
    same, apart = (
        make_paths(draws, future, structure=structure, horizon=2040, do=do).share
        for do in ((), (Do("share.b", 1.0, 2020, times=True),))
    )
    np.testing.assert_allclose(same, apart, rtol=1e-13)
