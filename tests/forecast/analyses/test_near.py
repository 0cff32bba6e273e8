"""Near predictions: readings counted by hand, figures and lists with their errors."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.analyses import near
from forecast.analyses.near import list_counts, read, worker_figures

# one draw, four works, three raters: level, tracking, capabilities, alignment, whose, whose
ANSWERS = np.array(
    [
        [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1],
        [4, 4, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1],
        [4, 5, 6, 0, 0, 1, 0, 0, 0, 1, 0, 1],
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]
)
ANSWERS = np.concatenate([ANSWERS, np.zeros((4, 6), int)], axis=1)[None]


def test_a_sample_is_read_by_median_and_majority():
    told = {name: float(x[0]) for name, x in read(ANSWERS, n=3).items()}
    assert told.pop("agreement") == pytest.approx(0.7, abs=0.1)
    assert told == {
        "tracking": 0.25,
        "level-0": 0.5,
        "level-4": 0.25,
        "alignment-use": 0.5,
        "capabilities-use": 0.25,
        "no-use": 0.25,
        "level-5-sampled": 1.0,
        "more-alignment": 1.0,
    }


def test_a_figure_scatters_around_the_number_of_people_as_published_ones_do():
    n = 40_000
    draws = {"worker_error": np.full(n, 0.2)}
    size = np.tile(np.log([1000.0, 90_000.0, 300.0]), (n, 1))
    found = worker_figures(draws, size, rng=np.random.default_rng(1))
    # Student t with 4 degrees: 95% quantile 2.132; Monte Carlo error of it below 0.03
    q = np.quantile(np.log(found["alignment-workers"] / 1000) / 0.2, [0.05, 0.5, 0.95])
    np.testing.assert_allclose(q, [-2.132, 0.0, 2.132], atol=0.08)
    assert np.median(found["worker-ratio"]) == pytest.approx(90, rel=0.02)
    assert np.median(found["interpretability-workers"]) == pytest.approx(300, rel=0.01)


def test_a_list_is_negative_binomial_around_its_level():
    n = 40_000
    draws = {"list_level": np.full((n, 2), 50.0), "list_dispersion": np.full(n, 4.0)}
    lists = ("review", "none")
    found = list_counts(draws, np.ones(n), lists=lists, rng=np.random.default_rng(2))
    assert set(found) == {"list-review"}
    x = found["list-review"]
    # mean 50, variance 50 + 50^2 / 4 = 675; four standard errors of the mean are 0.52
    assert x.mean() == pytest.approx(50.0, abs=0.52)
    assert x.var() == pytest.approx(675.0, rel=0.06)


def test_near_predictions_do_not_depend_on_the_horizon(default_case):
    far = replace(default_case, question=replace(default_case.question, horizon=2050))
    assert near.near_case(far).question.horizon == near.near_case(default_case).question.horizon
