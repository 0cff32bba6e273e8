"""Stacking of models that read the same works: ArviZ's weights from pointwise PSIS-LOO."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from arviz_stats.utils import ELPDDataLOO

from forecast.analyses.loo import stacked, work_elpd
from forecast.analyses.structure import variation_rows
from forecast.inference.evaluate import answer, posterior
from forecast.inference.pointwise import log_likelihoods


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
        ("x", setting, replace(alone, model=replace(alone.model, **{setting: value})))
        for setting, value in (("link", "probit"), ("established_in", "agenda"))
    )
    rows = variation_rows(fit, found, variations=[link, unit])
    assert [row["how"] for row in rows] == ["exact", "refit", "exact"]
    weights = [row["stacking_weight"] for row in rows]
    assert weights[2] is None
    assert weights[0] + weights[1] == pytest.approx(1.0)
