"""Scores by hand, predictive chances against the likelihood, and the baselines."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import optimize

from forecast.analyses.scores import (
    TARGETS,
    Works,
    answer_scores,
    baseline_chances,
    baseline_rows,
    compared,
    fit_ordinal,
    gain,
    marginal_chances,
    ordinal_loss,
    rated_chances,
    row_chances,
    skill,
)
from forecast.inference.case import make_case, structure_of
from forecast.runs.inputs import load_inputs
from models.components import states
from models.ops import NumPy
from models.prior_draws import prior_draws
from models.ratings import formula as ratings
from models.ratings.simulate import row_random
from models.terms import terms_from_draws


def test_levels_are_scored_by_log_and_ranked_probability():
    chance = np.array([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]])
    logs, distance = answer_scores(chance, np.array([[0, 2]]), target="level")
    assert logs[0] == pytest.approx((np.log(0.5) + np.log(0.25)) / 2)
    # cumulative 0.5, 0.75, 1 against 1, 1, 1 and against 0, 0, 1
    assert distance[0] == pytest.approx(((0.25 + 0.0625) + (0.25 + 0.5625)) / 2)


def test_yes_or_no_is_scored_by_brier_and_a_missing_answer_does_not_count():
    chance = np.array([[[0.7, 0.3], [0.7, 0.3]], [[0.5, 0.5], [0.5, 0.5]]])
    answers = np.array([[1, -1], [-1, -1]])
    logs, distance = answer_scores(chance, answers, target="tracking")
    assert logs[0] == pytest.approx(np.log(0.3))
    assert distance[0] == pytest.approx(0.49)
    assert np.isnan(logs[1])
    assert np.isnan(distance[1])


def works(levels, *, year, tracks=None, purposive=None):
    """Return works of one agenda rated by two raters."""
    n = len(levels)
    tracks = [[0, 0]] * n if tracks is None else tracks
    codes = np.array(
        [[*a, *b, 0, 0, 0, 0, 0, 0, 0, 0] for a, b in zip(levels, tracks, strict=True)]
    )
    return Works(
        tuple(f"w{i}" for i in range(n)),
        np.zeros(n, dtype=int),
        np.array(year),
        np.zeros(n, dtype=int) if purposive is None else np.array(purposive),
        codes,
    )


TRAIN = works([[0, 0], [1, 1], [0, 2]], year=[2019, 2020, 2020])
LATER = works([[3, 3]], year=[2021])


def test_carried_and_pooled_shares_by_hand():
    found = baseline_chances(TRAIN, LATER, target="level", n_agendas=1)
    # 2020: two works, shares 1/4 at 0, 1/2 at 1, 1/4 at 2; half a work to each of 8 levels
    np.testing.assert_allclose(found["carry"][0, :4] * 6, [1.0, 1.5, 1.0, 0.5])
    # all: three works, one and a half at 0, one at 1, a half at 2
    np.testing.assert_allclose(found["pooled"][0, :4] * 7, [2.0, 1.5, 1.0, 0.5])
    for p in found.values():
        assert p.sum() == pytest.approx(1.0)
        assert (p > 0).all()


def test_purposive_works_teach_the_baselines_nothing():
    more = works(
        [[0, 0], [1, 1], [0, 2], [7, 7]], year=[2019, 2020, 2020, 2020], purposive=[0, 0, 0, 1]
    )
    for name, p in baseline_chances(more, LATER, target="level", n_agendas=1).items():
        np.testing.assert_allclose(
            p, baseline_chances(TRAIN, LATER, target="level", n_agendas=1)[name]
        )


def test_the_baselines_do_not_read_what_they_forecast():
    other = works([[7, 0]], year=[2021], tracks=[[1, 1]])
    for target in ("level", "tracking"):
        one, two = (baseline_chances(TRAIN, w, target=target, n_agendas=1) for w in (LATER, other))
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])


def test_chances_of_whole_rows_add_up_to_one():
    rows = [([a, b], [c, d]) for a in range(8) for b in range(8) for c in (0, 1) for d in (0, 1)]
    every = works([r[0] for r in rows], year=[2021] * len(rows), tracks=[r[1] for r in rows])
    for p in baseline_rows(TRAIN, every)["row"].values():
        assert p.sum() == pytest.approx(1.0)


def test_gain_and_its_error_by_hand():
    found = gain(np.array([-1.0, -2.0, -3.0]), np.array([-2.0, -2.0, -2.0]))
    assert found["gain"] == 0.0
    assert found["gain_se"] == pytest.approx(np.sqrt(3.0))  # differences 1, 0, -1
    assert found["gain_upper"] == pytest.approx(1.598193 * np.sqrt(3.0), rel=1e-4)


def test_skill_of_half_the_distance_is_half_whatever_is_drawn():
    base = np.array([0.2, 0.4, 0.6])
    found = skill(base / 2, base, seed=1)
    assert list(found.values()) == pytest.approx([0.5, 0.5, 0.5])


def test_a_work_scored_from_two_origins_is_one_item():
    rows = [
        {"method": m, "item": "w", "log_score": x, "distance": 0.1}
        for m, x in (("model", -1.0), ("model", -2.0), ("carry", -2.0), ("carry", -4.0))
    ]
    model, carry = compared(rows, seed=0)
    assert (model["items"], model["scores"], model["log_score"]) == (1, 2, -3.0)
    assert (carry["gain"], carry["gain_lower"]) == (3.0, None)


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
    case = make_case(*load_inputs("default"))
    structure = structure_of(case)
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
    return row_chances(found, terms, cell=at, codes=codes, kind_of=(0, 0))["row_with_use"]


def test_levels_are_the_likelihood_of_one_answer(drawn):
    rows = [[k, 8, *BLANK[2:]] for k in range(8)]
    found = marginal_chances(*parts_of(drawn), kind_of=(0, 0))["level"][:, 0, 0]
    np.testing.assert_allclose(found, probability(drawn, rows), rtol=1e-10)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-12)


def test_tracking_is_the_likelihood_of_one_answer(drawn):
    row = [8, 8, 2, 1, *BLANK[4:]]
    found = marginal_chances(*parts_of(drawn), kind_of=(0, 0))["tracking"][:, 0, 1]
    np.testing.assert_allclose(found, probability(drawn, [row])[:, 0], rtol=1e-10)


@pytest.mark.parametrize(("side", "at"), [("capabilities", 4), ("alignment", 6)])
def test_a_use_is_the_sum_over_every_pattern_of_tracking(drawn, side, at):
    rows = [[8, 8, *track, *BLANK[4:]] for track in product((0, 1), repeat=2)]
    for row in rows:
        row[at] = 1
    found = marginal_chances(*parts_of(drawn), kind_of=(0, 0))[side][:, 0, 0]
    np.testing.assert_allclose(found, probability(drawn, rows).sum(axis=-1), rtol=1e-10)


def test_whole_rows_without_use_add_up_to_one(drawn):
    levels, tracks = product(range(8), repeat=2), list(product((0, 1), repeat=2))
    rows = [[*a, *b, *BLANK[4:]] for a in levels for b in tracks]
    found, terms = parts_of(drawn)
    at = np.ones(len(rows), dtype=int)
    p = row_chances(found, terms, cell=at, codes=np.array(rows), kind_of=(0, 0))["row"]
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
    p = marginal_chances(found, terms, kind_of=(0, 0))
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
    by_draw = row_chances(*parts_of(drawn), cell=np.array([1, 0]), codes=codes, kind_of=(0, 0))
    for name, p in by_draw.items():
        np.testing.assert_allclose(found.joint[name], p.mean(axis=0), rtol=1e-10)


WIDE = (1e3, 1e3)
"""A ridge so weak that it moves no coefficient here by more than 1e-4."""


def fitted(y, agenda, *, year=None, weight=None, n_agendas=2, sd=WIDE):
    year = np.full(len(y), 2020.0) if year is None else year
    weight = np.ones(len(y)) if weight is None else weight
    return fit_ordinal(y, agenda, year=year, weight=weight, n_agendas=n_agendas, sd=sd)


def test_one_agenda_gives_back_the_shares():
    y = [0] * 5 + [1] * 3 + [4] * 2
    found = fitted(y, [0] * 10, n_agendas=1)
    p = found.chances(np.array([0]), np.array([2020.0]), categories=6)[0]
    np.testing.assert_allclose(p, [0.5, 0.3, 0, 0, 0.2, 0], atol=1e-5)


def test_two_categories_and_agendas_give_the_log_odds_ratio():
    y = [1] * 6 + [0] * 2 + [1] * 3 + [0] * 9  # odds 3 and 1/3: a ratio of 9
    found = fitted(y, [0] * 8 + [1] * 12)
    assert found.agenda[0] - found.agenda[1] == pytest.approx(np.log(9), abs=1e-3)


def test_a_weight_of_two_is_a_row_twice():
    once = fitted([0, 1, 2, 1], [0, 0, 1, 1], weight=[2.0, 1, 1, 1], sd=(1.0, 0.3))
    twice = fitted([0, 0, 1, 2, 1], [0, 0, 0, 1, 1], sd=(1.0, 0.3))
    np.testing.assert_allclose(once.agenda, twice.agenda, atol=1e-5)


def test_the_slope_follows_the_years_and_the_ridge_holds_it_back():
    year = np.repeat([2018.0, 2022.0], 100)
    y = np.array([1] * 20 + [0] * 80 + [1] * 80 + [0] * 20)
    free = fitted(y, [0] * 200, year=year, n_agendas=1)
    assert free.slope == pytest.approx(np.log(16) / 4, abs=1e-3)  # log odds from -log 4 to log 4
    assert 0 < fitted(y, [0] * 200, year=year, n_agendas=1, sd=(1.0, 0.05)).slope < free.slope


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(3)
    rows = (rng.integers(0, 4, 40), rng.integers(0, 3, 40), rng.normal(size=40), rng.random(40))
    x, precision = rng.normal(size=7), np.array([1.0, 1.0, 1.0, 9.0])
    error = optimize.check_grad(
        lambda v: ordinal_loss(v, rows, 3, precision)[0],
        lambda v: ordinal_loss(v, rows, 3, precision)[1],
        x,
    )
    assert error < 1e-5  # the error of a forward difference with a step of 1.5e-8


def test_an_agenda_without_a_row_has_no_effect():
    found = fitted([0, 1, 1], [0, 0, 1], n_agendas=4, sd=(1.0, 0.3))
    np.testing.assert_allclose(found.agenda[2:], 0.0, atol=1e-6)
