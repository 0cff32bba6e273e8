"""Forecasts by others weigh the draws of a fit, and only as much as is said."""

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from forecast.inference.case import experts_of
from forecast.inference.evaluate import answer, evaluate, exactly, judged, posterior
from forecast.inference.forward import taken
from forecast.inference.reweighting import FEWEST, Importance, log_weights, reached, smoothed
from forecast.runs.run import run
from models.errors import InputError
from models.outcomes.experts import READS, logit
from tests.forecast.test_engine import moved

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


def weighing(case, weight):
    return replace(case, experts=tuple(replace(e, weight=weight) for e in case.experts))


def soft_row(**given):
    row = {"row": "x", "use": "soft", "level": 6, "by_year": 2043, "relation": "proxy"}
    row |= {"cluster": "a", "probability": None, "low": 0.4, "high": 0.6}
    return SimpleNamespace(**(row | given))


def test_the_shipped_row_weighs_a_tenth(default_case):
    (expert,) = default_case.experts
    assert (expert.level, expert.year, expert.logit, expert.weight) == (6, 2043, 0.0, 0.1)
    assert expert.scale == pytest.approx(np.hypot(np.log(1.5), 1.0))


def test_rows_of_a_cluster_count_once_and_other_events_are_refused():
    rows = [soft_row(), soft_row(row="y", probability=0.5, low=None, high=None)]
    rows += [soft_row(row="z", cluster="b", relation="stricter"), soft_row(use="compare")]
    made = experts_of(SimpleNamespace(forecasts=rows), 0.5)
    assert [e.weight for e in made] == [0.25, 0.25, 0.5]
    assert [e.bound for e in made] == [False, False, True]
    assert made[1].scale == 1.0
    for wrong in ({"relation": "other"}, {"level": 0}, {"by_year": 1999}):
        with pytest.raises(InputError, match=r"forecasts.csv x: found level"):
            experts_of(SimpleNamespace(forecasts=[soft_row(**wrong)]), 0.5)


def test_a_weight_of_nought_changes_nothing(default_case, fake_fits):
    none = posterior(replace(default_case, experts=()))
    off = posterior(weighing(default_case, 0.0))
    assert off.chosen is None
    for name, draws in none.draws.items():
        np.testing.assert_array_equal(off.draws[name], draws)
    found, same = answer(none, none.case), answer(off, off.case)
    for name, x in found.items():
        np.testing.assert_array_equal(same[name], x)


def test_draws_are_chosen_with_their_forecast_only_priors_within_chains(default_case, fake_fits):
    raw = posterior(weighing(default_case, 0.0))
    heavy = posterior(weighing(default_case, 1.0))
    chain = heavy.chosen.reshape(2, 40)
    assert (chain[0] < 40).all()
    assert (chain[1] >= 40).all()
    assert (np.diff(chain, axis=1) >= 0).all()
    assert len(np.unique(chain)) < 80
    before, after = answer(raw, raw.case), answer(heavy, heavy.case)
    for name in ("alignment_relevant", "established"):
        np.testing.assert_allclose(after[name], before[name][heavy.chosen], rtol=1e-9)


def test_weight_moves_the_chance_towards_what_others_said(default_case, fake_fits):
    many = replace(default_case, sampler=replace(default_case.sampler, draws=300))
    gaps = []
    for weight in (0.0, 0.1, 1.0):
        fit = posterior(weighing(many, weight))
        gaps.append(float(np.mean(logit(reached(fit, fit.case)) ** 2)))
    assert gaps[0] > gaps[1] > gaps[2]


def test_only_beliefs_that_are_read_move_the_weights(default_case, fake_fits, alone):
    fit = posterior(default_case)
    before = log_weights(fit, default_case)
    for name in alone:
        prior = default_case.by_name[name]
        numbers = {key: 0.6 * value for key, value in prior.params}
        same = np.array_equal(log_weights(fit, moved(default_case, name, **numbers)), before)
        assert same or name in READS


def test_what_the_weights_do_not_read_is_still_exact(default_case, fake_fits):
    fit = posterior(default_case)
    gate = moved(default_case, "gate_tracked", alpha=7.5)
    ceiling = moved(default_case, "stop_6", alpha=7.5)
    assert exactly(fit, gate)
    assert not exactly(fit, ceiling)
    off = [weighing(case, 0.0) for case in (default_case, ceiling)]
    assert exactly(posterior(off[0]), off[1])
    assert evaluate([ceiling], base=fit)[0].how == "reweighted"


def test_others_who_lie_too_far_are_refused(default_case, fake_fits, monkeypatch):
    far = Importance(np.full(80, 1 / 80), 0.91)
    monkeypatch.setattr("forecast.inference.reweighting.smoothed", lambda log_weights: far)
    with pytest.raises(InputError, match=r"expert_weight: .*Pareto k 0\.91, at most 0\.7"):
        posterior(default_case)


def test_few_draws_are_named_as_the_cause(default_case, fake_fits):
    """With one draw fewer than a Pareto tail needs, the weight is not to blame."""
    few = replace(default_case.sampler, draws=FEWEST - 1, chains=1)
    with pytest.raises(InputError, match=rf"draws: found {FEWEST - 1} in all chains, too few"):
        posterior(replace(default_case, sampler=few))
    rng = np.random.default_rng(2)
    assert np.isinf(smoothed(rng.normal(size=FEWEST - 1)).pareto_k)
    assert np.isfinite(smoothed(rng.normal(size=FEWEST)).pareto_k)


def test_a_run_shows_what_others_said_beside_its_own(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    made = run("default", **SMALL)
    (row,) = made.context["experts"]
    assert (row["row"], row["low"], row["high"]) == ("espai23-explain-2043", 0.4, 0.6)
    assert row["pareto_k"] <= 0.7
    table = (made.folder / "experts.csv").read_text(encoding="utf-8").splitlines()
    (line,) = csv.DictReader(table)
    assert float(line["posterior_mean"]) == row["posterior"]["mean"]
    assert float(line["prior_mean"]) == row["prior"]["mean"]
    chosen = made.dt["sample_stats"]["chosen"].to_numpy()
    assert chosen.shape == (2, 40)
    assert Path(made.folder / "priors.toml").read_text(encoding="utf-8").count("0.1") > 0


def test_what_experts_weigh_by_is_computed_once_and_goes_with_the_draws(
    default_case, fake_fits, monkeypatch
):
    made = posterior(default_case)
    fit = judged(made, answer(made, made.case))
    fresh = replace(fit)
    assert "reached" not in fresh.held
    np.testing.assert_allclose(fit.held["reached"], reached(fresh, fresh.case), rtol=1e-12)
    monkeypatch.setattr("forecast.inference.reweighting.reached_from", None)
    some = np.arange(0, fit.n, 7)
    np.testing.assert_array_equal(reached(taken(fit, some), fit.case), fit.held["reached"][some])
