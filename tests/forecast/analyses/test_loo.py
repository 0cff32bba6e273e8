"""PSIS-LOO, influence and stacking: models with exact answers, and the run's rows."""

from dataclasses import replace
from types import SimpleNamespace

import arviz as az
import numpy as np
import pytest
import xarray as xr
from arviz_stats.utils import ELPDDataLOO
from scipy import stats

from forecast.analyses import loo as leaving_out
from forecast.analyses.loo import (
    leave_one_out_weights,
    loo_rows,
    shifts,
    stacked,
    threshold,
    units,
    work_elpd,
)
from forecast.analyses.structure import Variation, variation_rows
from forecast.inference.evaluate import answer, posterior
from forecast.inference.pointwise import log_likelihoods
from models.likelihoods import Likelihood

N, SD = 8000, 0.5


@pytest.fixture(scope="module")
def normal():
    """Draws of a mean with a Normal(0, 1) prior given 12 figures of sd 0.5, and log densities."""
    y = np.random.default_rng(5).normal(0.3, SD, size=12)
    precision = 1.0 + len(y) / SD**2
    mean, sd = y.sum() / SD**2 / precision, precision**-0.5
    draws = np.random.default_rng(6).normal(mean, sd, size=N)
    return y, draws, stats.norm.logpdf(y[:, None], draws, SD)


def test_a_figure_left_out_moves_the_mean_as_the_exact_posterior_says(normal):
    y, draws, logs = normal
    left = leave_one_out_weights(logs, reff=1.0)
    found, error = shifts(left.log_weights, draws, reff=1.0)
    precision = 1.0 + (len(y) - 1) / SD**2
    exact = (y.sum() - y) / SD**2 / precision - y.sum() / SD**2 / (1.0 + len(y) / SD**2)
    assert (left.k < threshold(N)).all()
    # eleven degrees of freedom more than one: five standard errors leave room for all twelve
    assert (np.abs(found - exact) < 5 * error).all()
    assert (error < 0.003).all()


def case(weight):
    arrays = {"t": {"weight": np.asarray(weight, float)}}
    evidence = SimpleNamespace(arrays=arrays, ids={"t": tuple("abcdefghijkl")})
    verdict = SimpleNamespace(min_ess_bulk=float(N), min_ess_tail=float(N))
    made = SimpleNamespace(evidence=evidence)
    return SimpleNamespace(
        case=made, compiled=SimpleNamespace(structure=None), diagnosis=verdict, n=N
    )


@pytest.fixture
def one_table(monkeypatch):
    like = Likelihood("y", "t", None, None, None, "")
    monkeypatch.setattr(leaving_out, "likelihoods", lambda structure: (like,))
    monkeypatch.setattr(leaving_out, "TABLES", {"y": "figures"})


def test_loo_is_that_of_arviz_where_all_weights_are_one(normal, one_table):
    _, draws, logs = normal
    (row,), _ = loo_rows(case(np.ones(12)), {"y": logs.T})
    dims = ("chain", "draw", "obs")
    tree = {
        "posterior": xr.Dataset({"mu": (dims[:2], draws[None])}),
        "log_likelihood": xr.Dataset({"y": (dims, logs.T[None])}),
    }
    told = az.loo(xr.DataTree.from_dict(tree), reff=1.0)
    assert row["elpd"] == pytest.approx(told.elpd, abs=1e-9)
    assert row["p_loo"] == pytest.approx(told.p, abs=1e-9)
    assert row["se"] == pytest.approx(told.se, rel=1e-6)


def test_a_row_of_three_works_counts_three_times_and_leaves_out_one(normal, one_table):
    _, _, logs = normal
    (one,), left = loo_rows(case(np.ones(12)), {"y": logs.T})
    (many,), same = loo_rows(case([3.0, *[1.0] * 11]), {"y": logs.T})
    np.testing.assert_array_equal(left["y"].log_weights, same["y"].log_weights)
    first = np.logaddexp.reduce(left["y"].log_weights[0] + logs[0])
    assert many["elpd"] == pytest.approx(one["elpd"] + 2 * first)
    assert many["units"] == 14.0


def test_influence_of_a_row_leaves_out_all_of_its_works(normal, one_table):
    _, draws, logs = normal
    fit = case([2.0, *[1.0] * 11])
    _, left = loo_rows(fit, {"y": logs.T})
    found = dict.fromkeys(leaving_out.HEADLINES, draws)
    rows = leaving_out.influence_rows(fit, {"y": logs.T}, quantities=found, left=left)
    row = next(row for row in rows if row["row"] == "a")
    both = leave_one_out_weights(2.0 * logs[:1], reff=1.0)
    expected = shifts(both.log_weights, draws, reff=1.0)[0][0]
    assert row["alignment_relevant_shift"] == pytest.approx(expected)
    assert row["weight"] == 2.0
    assert [abs(r["alignment_relevant_shift"]) for r in rows] == sorted(
        (abs(r["alignment_relevant_shift"]) for r in rows), reverse=True
    )


def test_a_padded_row_is_left_out(normal, one_table):
    _, _, logs = normal
    (row,), left = loo_rows(case([0.0, *[1.0] * 11]), {"y": logs.T})
    assert row["rows"] == 11
    assert len(left["y"].k) == 11


def test_units_of_a_weight():
    one, count = units(np.array([0.0, 0.4, 1.0, 3.0]))
    np.testing.assert_allclose(one, [0.0, 0.4, 1.0, 1.0])
    np.testing.assert_allclose(count, [0.0, 1.0, 1.0, 3.0])


def test_weights_of_few_draws_are_trusted_less():
    assert threshold(100) == pytest.approx(0.5)
    assert threshold(4000) == 0.7


def test_ratios_of_a_chain_that_stood_still_are_not_smoothed_and_never_trusted():
    rng = np.random.default_rng(0)
    logs = rng.normal(size=(6, 500))
    logs[2, :200] = -9.0  # the largest ratios, all the same
    made = leave_one_out_weights(logs, reff=0.5)
    own = leave_one_out_weights(np.delete(logs, 2, axis=0), reff=0.5)
    assert np.isinf(made.k[2])
    np.testing.assert_array_equal(np.delete(made.k, 2), own.k)
    np.testing.assert_array_equal(np.delete(made.log_weights, 2, axis=0), own.log_weights)
    raw = np.exp(-logs[2])
    np.testing.assert_allclose(np.exp(made.log_weights[2]), raw / raw.sum(), rtol=1e-12)


def elpd(values, bad=0):
    k = np.where(np.arange(len(values)) < bad, 0.9, 0.1)
    return ELPDDataLOO(
        elpd=float(values.sum()),
        se=1.0,
        p=3.0,
        n_samples=1000,
        n_data_points=len(values),
        scale="log",
        warning=False,
        good_k=0.7,
        elpd_i=xr.DataArray(values, dims="work"),
        pareto_k=xr.DataArray(k, dims="work"),
    )


def test_models_that_know_different_works_share_the_weight_by_how_many():
    """Each of two models is right on its works, p = 0.8 and 0.2: weights maximise the log score."""
    first, second = np.log(np.where(np.arange(200) < 120, [[0.8], [0.2]], [[0.2], [0.8]]))
    found = stacked({"a": elpd(first, bad=2), "b": elpd(second)})
    # d/dw [120 log(0.2 + 0.6 w) + 80 log(0.8 - 0.6 w)] = 0 at w = 2/3
    assert found["a"]["stacking_weight"] == pytest.approx(2 / 3, abs=1e-3)
    assert found["a"]["elpd_diff"] == 0.0
    assert found["b"]["elpd_diff"] == pytest.approx(40 * np.log(0.25))
    assert [found[x]["loo_k_bad"] for x in "ab"] == [2, 0]


def test_one_model_is_not_compared():
    assert stacked({0: elpd(np.zeros(3))}) == {}


def test_each_rated_work_counts_once(default_case, fake_fits):
    fit = posterior(default_case)
    made = work_elpd(fit, most=60)
    weight = default_case.evidence.arrays["ratings"]["weight"]
    assert made.n_data_points == weight.sum() == 483
    some = log_likelihoods(fit)["ratings"]
    assert made.elpd < float((weight * np.logaddexp.reduce(some, axis=0)).sum())


def test_another_link_is_weighed_against_the_run_and_another_unit_is_not(default_case, fake_fits):
    alone = replace(default_case, experts=())
    fit = posterior(alone)
    found = answer(fit, alone)
    link, unit = (
        Variation("x", setting, replace(alone, model=replace(alone.model, **{setting: value})))
        for setting, value in (("link", "probit"), ("established_in", "agenda"))
    )
    rows = variation_rows(fit, found, variations=[link, unit])
    assert [row["how"] for row in rows] == ["exact", "refit", "exact"]
    weights = [row["stacking_weight"] for row in rows]
    assert weights[2] is None
    assert weights[0] + weights[1] == pytest.approx(1.0)
