"""Proper scores by hand, and the comparison of the model with a baseline."""

import numpy as np
import pytest

from forecast.analyses.backtest import (
    carried,
    date_rows,
    date_score,
    hazard,
    normal_scores,
    spreads,
    still_open,
    trended,
)
from forecast.analyses.scores import (
    Works,
    answer_scores,
    compared,
    forecasts,
    gain,
    row_forecasts,
    skill,
)


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
    found = forecasts(TRAIN, LATER, target="level", n_agendas=1)
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
    for name, p in forecasts(more, LATER, target="level", n_agendas=1).items():
        np.testing.assert_allclose(p, forecasts(TRAIN, LATER, target="level", n_agendas=1)[name])


def test_the_baselines_do_not_read_what_they_forecast():
    other = works([[7, 0]], year=[2021], tracks=[[1, 1]])
    for target in ("level", "tracking"):
        one, two = (forecasts(TRAIN, w, target=target, n_agendas=1) for w in (LATER, other))
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])


def test_chances_of_whole_rows_add_up_to_one():
    rows = [([a, b], [c, d]) for a in range(8) for b in range(8) for c in (0, 1) for d in (0, 1)]
    every = works([r[0] for r in rows], year=[2021] * len(rows), tracks=[r[1] for r in rows])
    for p in row_forecasts(TRAIN, every)["row"].values():
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
    model, carry = compared(rows, names={"target": "level"}, seed=0)
    assert (model["items"], model["scores"], model["log_score"]) == (1, 2, -3.0)
    assert (carry["gain"], carry["gain_lower"]) == (3.0, None)


def test_the_hazard_counts_levels_attained_over_years_at_risk():
    dates = {1: 2016, 2: 2022, 3: None}
    # by 2020: one attained after 4 years at risk, two open for 8
    assert hazard(dates, 2020) == pytest.approx(1.5 / (4 + 8 + 8 + 1))


def test_a_date_is_scored_by_its_chance_and_by_the_distance_of_the_curves():
    curve = np.array([0.8, 0.5, 0.5])  # attained after 1, 2, 3 years: 0.2, 0.3, 0
    logs, distance = date_score(curve, 2)
    assert logs == pytest.approx(np.log(0.3))
    assert distance == pytest.approx(0.2**2 + 0.5**2 + 0.5**2)
    logs, distance = date_score(curve, None)
    assert logs == pytest.approx(np.log(0.5))
    assert distance == pytest.approx(0.2**2 + 0.5**2 + 0.5**2)


def test_levels_attained_by_the_origin_are_not_scored():
    chance = np.tile(np.linspace(1.0, 0.35, 14), (7, 1))
    dates = dict.fromkeys(range(1, 8)) | {1: 2016, 2: 2022}
    rows = date_rows(dates, chance, origin=2021, names={})
    assert {r["item"] for r in rows} == {f"level-{k}" for k in range(2, 8)}
    np.testing.assert_allclose(still_open(chance, 2021)[0, 0], chance[0, 9] / chance[0, 8])


FIGURES = {
    "group": np.array([0, 0, 0, 1, 0]),
    "definition": np.array([0, 0, 0, 1, 2]),
    "year": np.array([4, 6, 8, 5, 9]),
    "value": np.array([1.0, 1.4, 2.0, 9.0, 3.0]),
    "bound": np.array([0, 0, 0, 0, 0]),
    "threshold": np.zeros(5),
    "spread": np.array([0.0, 0.0, 0.3, 0.0, 0.0]),
}


def test_the_last_figure_is_carried_forward_as_a_random_walk():
    known = np.array([True, True, False, True, False])
    step, other = spreads(FIGURES, known)
    assert step == pytest.approx(np.sqrt(0.16 / 2))  # one change of 0.4 in two years
    centre, sd = carried(FIGURES, known, at=~known)
    np.testing.assert_allclose(centre, [1.4, 1.4])
    np.testing.assert_allclose(sd, [step * np.sqrt(2), np.hypot(step * np.sqrt(3), other)])


def test_a_trend_goes_on_and_later_figures_do_not_move_it():
    known = np.array([True, True, False, True, False])
    centre, sd = trended(FIGURES, known, at=~known)
    assert centre[0] > 1.4
    moved = FIGURES | {"value": np.where(known, FIGURES["value"], 99.0)}
    for rule in (carried, trended):
        for one, two in zip(
            rule(FIGURES, known, at=~known), rule(moved, known, at=~known), strict=True
        ):
            np.testing.assert_array_equal(one, two)
    assert (sd > 0).all()


def test_a_bound_is_scored_by_the_chance_of_its_side():
    rows = FIGURES | {"bound": np.array([0, 0, 1, 0, 0]), "threshold": np.full(5, 2.0)}
    at = np.array([False, False, True, False, False])
    for value, due in ((1.0, 0.8413447), (0.0, 0.1586553)):
        some = rows | {"value": np.full(5, value), "spread": np.zeros(5)}
        found = normal_scores(some, (np.array([1.0]), np.array([1.0])), at=at)
        assert np.exp(found["log_score"][0]) == pytest.approx(due, rel=1e-6)
