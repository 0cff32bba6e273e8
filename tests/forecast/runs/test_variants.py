"""Beliefs beside a run: which, how each was obtained; and refits begun ahead."""

import json
import threading
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from forecast.config.load import load_config
from forecast.inference.case import Answer
from forecast.inference.evaluate import answer, evaluate, posterior, refit
from forecast.runs.run import run
from forecast.runs.variants import (
    beside_rows,
    evaluator,
    far,
    halo_cases,
    others,
    rater_cases,
    refits_ahead,
    shared_cases,
    variant_rows,
)
from models.batches import limited
from models.quantities import HEADLINE

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


def test_two_worldviews_stand_beside_a_run_and_never_its_own(default_case):
    def names(case):
        return [config.name for config in others(case)]

    assert names(default_case) == ["doubter", "questioner"]
    doubter = replace(default_case, priors=load_config("doubter").priors)
    assert names(doubter) == ["default", "questioner"]
    mine = replace(default_case, priors=default_case.priors[:-1])
    assert names(mine) == ["doubter", "questioner"]


def test_a_row_says_how_it_was_obtained_and_is_shown_when_unconverged(default_case, fake_fits):
    fit = posterior(default_case)
    evaluated = evaluator(fit, answer(fit, default_case), refit=partial(refit, fit))
    rows = variant_rows(halo_cases(default_case), evaluated)
    assert [row["setting"] for row in rows] == ["off", "as stated", "large"]
    stated, large = rows[1:]
    assert (stated["how"], large["how"]) == ("exact", "refit")
    assert large["pareto_k"] > 0.7
    assert not large["converged"]
    assert 0.0 < large["alignment_relevant"]["median"] < 1.0
    assert {"pareto_k", "r_hat", "ess", "converged"} <= large.keys()


def test_the_run_itself_is_answered_without_a_second_forecast(default_case, fake_fits):
    fit = posterior(default_case)
    found = answer(fit, default_case)
    own = evaluator(fit, found, refit=partial(refit, fit))(default_case, HEADLINE)
    assert isinstance(own, Answer)
    assert own.quantities is found


def test_a_far_view_is_answered_as_evaluate_does_and_its_draws_are_kept(default_case, fake_fits):
    fit, near = posterior(default_case), {}
    evaluated = evaluator(fit, answer(fit, default_case), refit=partial(refit, fit), near=near)
    view = replace(default_case, priors=load_config("doubter").priors)
    halo = halo_cases(default_case)["large"]
    for case in (view, halo):
        made, own = evaluated(case, HEADLINE), evaluate([case], base=fit, names=HEADLINE)[0]
        assert made.how == own.how == "refit"
        assert (made.pareto_k, made.ess, made.r_hat) == (own.pareto_k, own.ess, own.r_hat)
        assert made.quantities.keys() == own.quantities.keys()
        assert all((made.quantities[n] == own.quantities[n]).all() for n in HEADLINE)
    assert list(near) == [view.priors]  # of worldviews alone: the rest would only take memory
    assert near[view.priors].fit.case.priors == view.priors


def test_what_the_report_alone_shows_is_not_fitted_without_one(default_case, fake_fits, tmp_path):
    asked = []

    def evaluated(case, names):
        asked.append(case)
        return replace(own, quantities={name: found[name] for name in names})

    fit = posterior(default_case)
    found = answer(fit, default_case)
    own = evaluator(fit, found, refit=partial(refit, fit))(default_case, HEADLINE)
    options = {"beside": tmp_path, "evidence_hash": ""}
    short = beside_rows(fit, evaluated, **options, report=False)
    assert list(short) == ["worldviews"]
    assert len(asked) == 2
    whole = beside_rows(fit, evaluated, **options, report=True)
    assert list(whole) == ["worldviews", "halo", "shared_error"]
    assert len(asked) == 2 + 2 + 6
    assert [row["name"] for row in whole["worldviews"]] == ["doubter", "questioner"]


def test_without_a_report_no_view_is_fitted_and_a_far_one_is_told_by_its_priors(here, fake_fits):
    """Few draws leave no weights to be trusted, so both views would need a fit."""
    made = run("default", **SMALL)
    assert len(fake_fits) == 1
    for row in made.context["worldviews"]:
        assert row["posterior"] is None
        assert row["prior_only"]["alignment_relevant"]["mean"] > 0.0
    told = " ".join(made.text().split())
    assert "needs `forecast run doubter`, `forecast run questioner`" in told


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.inference.diagnostics.MIN_ESS", 1.0)
    monkeypatch.setattr("forecast.inference.diagnostics.MAX_RHAT", 9.0)
    monkeypatch.setattr("forecast.inference.diagnostics.MIN_BFMI", 0.0)
    return tmp_path


def test_a_finished_run_of_a_worldview_is_preferred_if_it_asks_the_same(here, fake_fits):
    view = run("doubter", **SMALL)
    assert view.converged
    beside = {row["name"]: row for row in run("default", **SMALL).context["worldviews"]}
    assert beside["doubter"]["how"] == "run"
    mean = view.headline["quantities"]["alignment_relevant"]["mean"]
    assert beside["doubter"]["posterior"]["alignment_relevant"]["mean"] == mean
    assert beside["questioner"].get("how") != "run"
    manifest = view.folder / "manifest.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told["options"]["horizon"] = 2035
    manifest.write_text(json.dumps(told), encoding="utf-8")
    again = run("default", force=True, **SMALL).context["worldviews"]
    assert "run" not in {row.get("how") for row in again}


def test_without_refits_a_far_view_costs_no_weights(default_case, fake_fits, monkeypatch):
    fit = posterior(default_case)
    evaluated = evaluator(fit, answer(fit, default_case), refit=None)
    monkeypatch.setattr("forecast.runs.variants.importance", None)
    cases = (*halo_cases(default_case).values(), *shared_cases(default_case).values())
    away = [case for case in cases if far(fit, case)]
    assert away
    assert [evaluated(case, HEADLINE) for case in away] == [None] * len(away)


def test_another_structure_is_out_of_reach_of_weights(default_case, fake_fits):
    fit = posterior(default_case)
    other = "cloglog" if default_case.model.link != "cloglog" else "logit"
    case = replace(default_case, model=replace(default_case.model, link=other))
    assert far(fit, case)
    assert not far(fit, default_case)


def quiet():
    """Do nothing while a refit is waited for."""


@pytest.fixture
def fit(default_case, fake_fits):
    return posterior(default_case)


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr("forecast.runs.variants.threads", lambda: 2)


def test_far_cases_alone_are_begun_and_give_what_a_refit_gives(fit, fake_fits, two_cores):
    cases = [fit.case, *rater_cases(fit.case)]
    needed = [case for case in cases if far(fit, case)]
    assert 0 < len(needed) < len(cases)
    with refits_ahead(fit, cases, cores=None, tick=quiet) as made:
        found = made(needed[0])
    assert fake_fits[1].priors == needed[0].priors
    assert found.draws["halo"] is made(needed[0]).draws["halo"]  # kept, not made again
    np.testing.assert_array_equal(found.draws["halo"], refit(fit, needed[0]).draws["halo"])


def test_on_one_core_nothing_is_begun(fit, fake_fits):
    with limited(1), refits_ahead(fit, rater_cases(fit.case), cores=1, tick=quiet):
        assert len(fake_fits) == 1


def test_a_fault_of_a_refit_is_raised_where_it_is_asked_for(fit, monkeypatch, two_cores):
    def fail(*args, **options):
        raise TimeoutError("a fault of its own")

    monkeypatch.setattr("forecast.runs.variants.refit", fail)
    cases = [case for case in rater_cases(fit.case) if far(fit, case)]
    with (
        pytest.raises(TimeoutError, match="of its own"),
        refits_ahead(fit, cases, cores=None, tick=quiet) as made,
    ):
        made(cases[0])


def test_an_interrupt_ends_a_refit_at_work(fit, monkeypatch, two_cores):
    """As a sampler does, the refit calls its tick until it is done: here for ever."""
    begun, ended = threading.Event(), threading.Event()

    def endless(*args, tick, **options):
        begun.set()
        try:
            while True:
                tick()
        finally:
            ended.set()

    monkeypatch.setattr("forecast.runs.variants.refit", endless)
    ahead = refits_ahead(fit, rater_cases(fit.case), cores=None, tick=quiet)
    ahead.__enter__()
    assert begun.wait(10)
    assert ahead.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is False
    assert ended.is_set()
