"""The value of knowing a belief: a curve known with errors, and refits with the belief held."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.nested import BELIEFS, SEEDS, held, nested, variance
from forecast.inference.case import make_case
from forecast.inference.parallel import fit_many
from forecast.runs.inputs import load_inputs
from models.priors import ppf


@pytest.fixture(scope="module")
def case():
    return make_case(*load_inputs("default"))


def test_variance_of_a_curve_known_with_errors_has_its_value_and_error():
    rng = np.random.default_rng(0)
    x = np.exp(rng.normal(size=4000))

    def curve(at):
        return np.log(at) + 0.3 * np.log(at) ** 2

    at, error = np.quantile(x, (np.arange(12) + 0.5) / 12), np.full(12, 0.1)
    made = [
        variance(curve(at) + error * rng.normal(size=12), error, at=at, x=x) for _ in range(400)
    ]
    found, stated = np.array(made).T
    assert found.mean() == pytest.approx(curve(x).var(), rel=0.03)
    assert stated.mean() == pytest.approx(found.std(), rel=0.15)


@pytest.mark.parametrize("name", [*BELIEFS, "ease"])
def test_a_held_belief_stays_where_it_is_held(case, name):
    fixed = held(case, name, at=0.7, scale=0.01).by_name[name]
    low, high = (float(ppf(fixed, q)) for q in (0.001, 0.999))
    assert (low, high) == pytest.approx((0.7, 0.7), abs=0.035)


@pytest.mark.nightly
@pytest.mark.parametrize("name", BELIEFS)
def test_regression_agrees_with_refits_of_the_whole_model(case, name, tmp_path):
    fits = fit_many([replace(case, seed=seed) for seed in SEEDS], tmp_path)
    row = nested(fits, name, points=12, folder=tmp_path)
    error = math.hypot(row["regression_se"], row["refits_se"])
    assert row["regression"] == pytest.approx(row["refits"], abs=2 * error)


def test_both_ways_find_the_share_of_a_belief_that_adds_to_noise(case, monkeypatch, tmp_path):
    """y = log x + e, both of sd 1: the share is a half, whether x varies or is held."""
    rng = np.random.default_rng(1)

    def fit(made, x):
        draws = {"use_rate": x, "y": np.log(x) + rng.normal(size=len(x))}
        verdict = SimpleNamespace(min_ess=len(x), converged=True)
        return SimpleNamespace(case=made, draws=draws, chains=4, diagnosis=verdict)

    def fit_many(cases, folder):
        return [fit(c, np.full(2000, float(ppf(c.by_name["use_rate"], 0.5)))) for c in cases]

    monkeypatch.setattr("benchmarks.nested.fit_many", fit_many)
    monkeypatch.setattr("benchmarks.nested.answer", lambda f, _, names: {names[0]: f.draws["y"]})
    fits = [fit(replace(case, seed=s), np.exp(rng.normal(size=2000))) for s in SEEDS]
    row = nested(fits, "use_rate", points=12, folder=tmp_path)
    assert row["regression"] == pytest.approx(0.5, abs=3 * row["regression_se"])
    assert row["refits"] == pytest.approx(0.5, abs=3 * row["refits_se"])
    assert max(row["regression_se"], row["refits_se"]) < 0.02
    assert np.mean([row[f"seed {s}"] for s in SEEDS]) == pytest.approx(row["regression"])
    assert row["missed"] == 0
