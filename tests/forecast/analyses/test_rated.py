"""Predictive chances of ratings against the likelihood, by counting every pattern."""

from itertools import product

import numpy as np
import pytest

from forecast.analyses.scores import TARGETS, chances, joint, rated_chances
from models.components import states
from models.ops import NumPy
from models.prior_draws import prior_draws
from models.ratings import formula as ratings
from models.ratings.simulate import row_random
from models.terms import terms_from_draws

N = 3
CELLS = {
    "agenda": np.array([0, 3]),
    "year": np.array([10, 12]),
    "purposive": np.array([0, 0]),
    "age": np.array([3.4, 1.4]),
}
BLANK = [8, 8, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0]


@pytest.fixture(scope="module")
def drawn():
    from forecast.inference.case import make_case, structure_of
    from forecast.runs.inputs import load_inputs

    case = make_case(*load_inputs("default"))
    structure = structure_of(case)
    from dataclasses import replace

    two = replace(structure, raters=("R1", "R2"), kind_of=(0, 0))
    return two, prior_draws(case.by_name, two, n=N, rng=np.random.default_rng(5))


def parts_of(drawn):
    structure, draws = drawn
    parts = terms_from_draws(draws)
    found = states.cell_states(NumPy, parts, CELLS, link=structure.link)
    return found, {name: parts["raters"][name] for name in ratings.TERMS}


def probability(drawn, rows):
    """Return the chance of rows of answers of cell 0, dims (draw, row), by the likelihood."""
    found, terms = parts_of(drawn)
    codes, at = np.array(rows), np.zeros(len(rows), dtype=int)
    return joint(found, terms, at=at, codes=codes, kind_of=(0, 0))["row_with_use"]


def test_levels_are_the_likelihood_of_one_answer(drawn):
    rows = [[k, 8, *BLANK[2:]] for k in range(8)]
    found = chances(*parts_of(drawn), kind_of=(0, 0))["level"][:, 0, 0]
    np.testing.assert_allclose(found, probability(drawn, rows), rtol=1e-10)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-12)


def test_tracking_is_the_likelihood_of_one_answer(drawn):
    row = [8, 8, 2, 1, *BLANK[4:]]
    found = chances(*parts_of(drawn), kind_of=(0, 0))["tracking"][:, 0, 1]
    np.testing.assert_allclose(found, probability(drawn, [row])[:, 0], rtol=1e-10)


@pytest.mark.parametrize(("side", "at"), [("capabilities", 4), ("alignment", 6)])
def test_a_use_is_the_sum_over_every_pattern_of_tracking(drawn, side, at):
    rows = [[8, 8, *track, *BLANK[4:]] for track in product((0, 1), repeat=2)]
    for row in rows:
        row[at] = 1
    found = chances(*parts_of(drawn), kind_of=(0, 0))[side][:, 0, 0]
    np.testing.assert_allclose(found, probability(drawn, rows).sum(axis=-1), rtol=1e-10)


def test_whole_rows_without_use_add_up_to_one(drawn):
    levels, tracks = product(range(8), repeat=2), list(product((0, 1), repeat=2))
    rows = [[*a, *b, *BLANK[4:]] for a in levels for b in tracks]
    found, terms = parts_of(drawn)
    at = np.ones(len(rows), dtype=int)
    p = joint(found, terms, at=at, codes=np.array(rows), kind_of=(0, 0))["row"]
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-10)


def test_simulated_ratings_have_the_chances_forecast(drawn, assert_shares):
    found, terms = parts_of(drawn)
    one = {name: x[0] for name, x in terms.items()}
    n = 20_000
    at, asked = np.zeros(n, dtype=int), np.ones((n, 12), dtype=int)
    state, unused = found[0][0], [u[0] for u in found[1]]
    made = row_random(
        np.random.default_rng(8), state, *unused, *one.values(), at, asked, kind_of=(0, 0)
    )
    p = chances(found, terms, kind_of=(0, 0))
    assert_shares(np.bincount(made[:, 0], minlength=8) / n, p["level"][0, 0, 0], n=n)
    for i, name in enumerate(TARGETS[1:], 1):
        assert_shares((made[:, 2 * i] == 1).mean(), p[name][0, 0, 0], n=n)


@pytest.fixture
def assert_shares():
    def check(found, due, *, n):
        error = np.sqrt(due * (1 - due) / n)
        assert (np.abs(found - due) < 4.5 * error + 1e-9).all()  # one in 10^5 under the model

    return check


def test_a_forecast_is_the_mean_over_draws_and_each_target_adds_up_to_one(drawn):
    structure, draws = drawn
    codes = np.array([[1, 2, 1, 0, 0, 0, 1, 1, 0, 0, 2, 2], [0, 0, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0]])
    found = rated_chances(draws, structure, cells=CELLS, cell=np.array([1, 0]), codes=codes)
    for target in TARGETS:
        np.testing.assert_allclose(found.chance[target].sum(axis=-1), 1.0, rtol=1e-10)
    by_draw = joint(*parts_of(drawn), at=np.array([1, 0]), codes=codes, kind_of=(0, 0))
    for name, p in by_draw.items():
        np.testing.assert_allclose(found.joint[name], p.mean(axis=0), rtol=1e-10)
