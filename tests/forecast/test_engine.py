"""The one mechanism: exact where nothing sampled changes, else reweighted, else refitted."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.inference import evaluate as engine
from forecast.inference.case import structure_of, with_arrays, with_prior
from forecast.inference.evaluate import Ahead, answer, evaluate, posterior, refit
from forecast.inference.forward import all_draws, taken
from forecast.inference.outcomes import Staged, predict
from forecast.inference.reweighting import importance, smoothed
from forecast.inference.sampling import Compiled, changed, data_of, swap
from models.dims import LAST_YEAR
from models.errors import InputError
from models.outcomes.interventions import Do
from models.outcomes.paths import UNITS
from models.priors import logpdf
from models.quantities import HEADLINE

FIRST = ("worker_damping",)
"""Forecast-only beliefs that enter what costs most."""
BETWEEN = ("alignment_documented", "capabilities_documented", "tracking_damping")
"""Those that enter the states of the cohort and their uses."""
LAST = (
    "cluster_size",
    "gate_tracked",
    "leak_untracked",
    "on_target",
    "paths",
    "stop_6",
    "stop_7",
    "value_constancy",
    "works_2025",
)
"""Those that enter after all that is costly, or not at all."""


def moved(case, name, **numbers):
    prior = case.by_name[name]
    params = tuple((p, numbers.get(p, value)) for p, value in prior.params)
    return with_prior(case, replace(prior, params=params))


def test_forecast_only_priors_follow_from_the_graph(alone):
    assert "gate_tracked" in alone
    assert "value_constancy" in alone
    assert "stop_7" in alone
    assert "bottleneck" not in alone
    assert "ease" not in alone
    assert "step_7" not in alone


def test_a_forecast_only_change_is_exact_and_paired(default_case, fake_fits):
    other = moved(default_case, "leak_untracked", alpha=1.0, beta=400.0)
    base, less = evaluate([default_case, other])
    assert (base.how, less.how, len(fake_fits)) == ("refit", "exact", 1)
    paired = less.quantities["alignment_relevant"] <= base.quantities["alignment_relevant"]
    assert paired.mean() > 0.99
    used = "alignment_used"
    np.testing.assert_array_equal(less.quantities[used], base.quantities[used])


def test_a_question_or_an_intervention_is_exact(default_case, fake_fits):
    later = replace(default_case, question=replace(default_case.question, horizon=2035))
    done = replace(default_case, do=(Do("tracking", 1.0, 2026),))
    answers = evaluate([default_case, later, done])
    assert [a.how for a in answers] == ["refit", "exact", "exact"]
    assert answers[2].quantities["tracking_field"][:, -1].min() > 0.999


def test_a_small_change_of_a_sampled_prior_is_reweighted(default_case, fake_fits):
    near = moved(
        default_case, "bottleneck", mu=default_case.by_name["bottleneck"].values["mu"] + 0.1
    )
    _, answer = evaluate([default_case, near])
    assert answer.how == "reweighted"
    assert answer.pareto_k <= 0.7
    assert answer.ess > 40


def test_a_large_change_of_a_sampled_prior_is_refitted(default_case, fake_fits):
    far = moved(default_case, "bottleneck", mu=6.0, sigma=0.05)
    _, answer = evaluate([default_case, far])
    assert answer.how == "refit"
    assert len(fake_fits) == 2


def test_a_refit_is_short_and_starts_from_the_base(default_case, fake_fits, monkeypatch):
    monkeypatch.setattr("forecast.inference.evaluate.WARM", {"tune": 7, "draws": 30})
    base = posterior(default_case)
    far = moved(default_case, "bottleneck", mu=6.0, sigma=0.05)
    made = refit(base, far)
    assert made.case == far
    assert (made.n, made.chains) == (60, 2)
    assert (fake_fits[-1].sampler.tune, fake_fits[-1].sampler.draws) == (7, 30)
    monkeypatch.setattr("forecast.inference.evaluate.WARM", {"tune": 900, "draws": 900})
    assert refit(base, far).n == base.n  # never longer than the Case asks for


def test_another_structure_is_fitted_afresh(default_case, fake_fits):
    base = posterior(default_case)
    probit = replace(default_case, model=replace(default_case.model, link="probit"))
    made = refit(base, probit)
    assert made.compiled.structure.link == "probit"
    assert fake_fits[-1].sampler == default_case.sampler


def test_an_answer_says_how_it_was_obtained_and_whether_to_trust_it(default_case, fake_fits):
    near = moved(
        default_case, "bottleneck", mu=default_case.by_name["bottleneck"].values["mu"] + 0.1
    )
    far = moved(default_case, "bottleneck", mu=6.0, sigma=0.05)
    base = posterior(default_case)
    light, heavy = evaluate([near, far], base=base)
    assert (light.how, heavy.how) == ("reweighted", "refit")
    assert light.pareto_k <= 0.7 < heavy.pareto_k
    assert light.r_hat == base.diagnosis.max_rhat
    assert heavy.r_hat > 1.0
    assert not heavy.converged  # 80 draws are too few for the rule
    pushed = evaluate([far], base=base, how="reweight")[0]
    assert pushed.pareto_k > 0.7
    assert not pushed.converged


def test_reweighted_quantities_are_those_at_the_chosen_draws(default_case, fake_fits, monkeypatch):
    base, calls = posterior(default_case), []
    ease = default_case.by_name["ease"].values["mu"]
    near = [moved(default_case, "ease", mu=ease + shift) for shift in (0.02, 0.05, 0.08)]
    at = importance(base, near[0]).chosen(0)
    expected = answer(taken(base, at), near[0])
    monkeypatch.setattr(engine, "predict", lambda *a, **k: calls.append(1) or predict(*a, **k))
    names = ("alignment_relevant", "established")
    found = evaluate(near, base=base, names=names)
    assert [a.how for a in found] == ["reweighted"] * 3
    assert len(calls) == 1  # the quantities at the base's draws; each Case chooses among them
    for name in names:
        np.testing.assert_allclose(found[0].quantities[name], expected[name], rtol=1e-9)
    assert set(found[0].quantities) == set(names)


def asked(case, **given):
    """Return the Case without others' weight, with other answers to what is asked."""
    question = {key: given.pop(key) for key in ("cohort",) if key in given}
    model = replace(case.model, **given)
    return replace(case, experts=(), model=model, question=replace(case.question, **question))


def assert_same_as_whole(found, base, *, case):
    """Assert that a headline is that of the whole forecast.

    To 1e-12 of a number, or 1e-13 of the chances near 1 that small ones are differences of.
    """
    whole = predict(**engine.forward(base, case))
    for name in HEADLINE:
        np.testing.assert_allclose(found[name], whole[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [*LAST, *BETWEEN, *FIRST])
@pytest.mark.parametrize("cohort", [LAST_YEAR, LAST_YEAR + 4])
def test_a_changed_belief_gives_the_headline_of_the_whole(default_case, fake_fits, name, cohort):
    """Each answer starts from the parts that the unchanged belief left."""
    first = asked(default_case, cohort=cohort)
    numbers = {key: 0.7 * value for key, value in first.by_name[name].params}
    base, ahead = posterior(first), Ahead(HEADLINE)
    for case in (first, moved(first, name, **numbers), first):
        assert_same_as_whole(ahead(base, case), base, case=case)


def test_the_stage_of_a_belief_follows_from_the_graph(default_case, fake_fits):
    base = posterior(asked(default_case))
    level = engine.program_of(base, base.case).level
    by_stage = [{name for name, i in level.items() if i == stage} for stage in range(3)]
    assert by_stage == [set(FIRST), set(BETWEEN), set(LAST)]
    assert engine.late(base) == set(LAST)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_the_headline_alone_is_that_of_the_whole_forecast(default_case, fake_fits, unit, link):
    case = asked(default_case, established_in=unit, link=link)
    base = posterior(case)
    (quick,) = evaluate([case], base=base, names=HEADLINE)
    assert quick.how == "exact"
    assert_same_as_whole(quick.quantities, base, case=case)


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_the_headline_alone_knows_what_is_done(default_case, fake_fits, chance):
    done = (Do("tracking", chance, 2024), Do("withhold", chance, 2024), Do("delay", 20.0, 2026))
    base, case = posterior(asked(default_case)), replace(asked(default_case), do=done)
    assert_same_as_whole(Ahead(HEADLINE)(base, case), base, case=case)


@pytest.fixture
def ran(monkeypatch):
    """The stages of the headline that ran, in order."""
    stages, run = [], Staged.run

    def counted(self, *args, stage, **options):
        stages.append(stage)
        return run(self, *args, stage=stage, **options)

    monkeypatch.setattr(Staged, "run", counted)
    return stages


def test_a_changed_belief_makes_anew_only_what_it_enters(default_case, fake_fits, ran):
    case = asked(default_case)
    base, ahead = posterior(case), Ahead(HEADLINE)

    def steps(name):
        ran.clear()
        numbers = {key: 0.7 * value for key, value in case.by_name[name].params}
        ahead(base, moved(case, name, **numbers))
        ahead(base, case)
        return list(ran)

    ahead(base, case)
    assert {name: steps(name) for name in LAST} == {name: [2] for name in LAST}
    assert {name: steps(name) for name in BETWEEN} == {name: [1, 2] for name in BETWEEN}
    assert {name: steps(name) for name in FIRST} == {name: [0, 1, 2] for name in FIRST}


@pytest.mark.parametrize("names", [HEADLINE[:2], HEADLINE[:6], HEADLINE[6:10], ("strict_neither",)])
def test_what_is_not_wanted_does_not_change_what_is(default_case, fake_fits, names):
    case = asked(default_case)
    base = posterior(case)
    whole, found = Ahead(HEADLINE)(base, case), Ahead(names)(base, case)
    assert list(found) == list(names)
    for name in names:
        np.testing.assert_array_equal(found[name], whole[name])


def test_the_first_stage_of_a_fits_own_case_is_kept_with_it(default_case, fake_fits, ran):
    case = asked(default_case)
    base, damping = posterior(case), case.by_name["worker_damping"].values
    changed = moved(case, "worker_damping", alpha=0.5 * damping["alpha"])
    for each, times in ((case, 1), (moved(case, "leak_untracked", alpha=9.0), 0), (changed, 1)):
        ran.clear()
        (found,) = evaluate([each], base=base, names=HEADLINE)
        assert ran.count(0) == times
        assert_same_as_whole(found.quantities, base, case=each)
    ran.clear()
    some = Ahead(HEADLINE)(taken(base, np.arange(5)), case)["both"]
    assert 0 not in ran  # what is kept goes with the draws
    np.testing.assert_allclose(some, answer(base, case)["both"][:5], rtol=1e-12)


def test_the_last_stage_reads_the_draws_that_it_is_given(default_case, fake_fits):
    case = asked(default_case)
    base, ahead = posterior(case), Ahead(HEADLINE)
    found, draws = ahead(base, case), all_draws(base, case)
    again = ahead.finish(base, case, draws)
    for name in HEADLINE:
        np.testing.assert_array_equal(again[name], found[name])
    other = ahead.finish(base, case, draws | {"leak_untracked": 0.5 * draws["leak_untracked"]})
    assert (other["alignment_relevant"] < found["alignment_relevant"]).all()


def test_the_longest_unused_gives_way():
    held, made = {}, []
    for key in (1, 2, 1, 3, 1, 2):
        assert engine.hold(held, key, make=lambda key=key: made.append(key) or key, most=2) == key
    assert made == [1, 2, 3, 2]
    assert list(held) == [1, 2]


def test_exact_refuses_what_it_cannot_do(default_case, fake_fits):
    with pytest.raises(InputError, match="cannot be answered by exact"):
        evaluate([default_case, moved(default_case, "bottleneck", mu=6.0)], how="exact")


def test_how_is_checked(default_case):
    with pytest.raises(InputError, match="found 'fast'; use one of auto"):
        evaluate([default_case], how="fast")


def test_log_ratio_is_the_change_of_log_prior(default_case, fake_fits):
    from forecast.inference.reweighting import log_ratio

    fit = posterior(default_case)
    near = moved(default_case, "ease", mu=0.0)
    old, new = default_case.by_name["ease"], near.by_name["ease"]
    expected = logpdf(new, fit.draws["ease"]) - logpdf(old, fit.draws["ease"])
    np.testing.assert_allclose(log_ratio(fit, near), expected)


def test_importance_weights_give_the_reweighted_mean():
    x = np.random.default_rng(1).normal(size=20_000)
    weights = smoothed(0.5 * x - 0.125)  # to a normal of mean 0.5
    assert weights.mean(x) == pytest.approx(0.5, abs=0.04)
    assert weights.pareto_k < 0.5


def test_a_wrong_shape_never_reaches_native_code(default_case):
    shapes = {name: np.shape(value) for name, value in data_of(default_case).items()}
    made = Compiled(structure_of(default_case), None, (), shapes, 0.0)
    short = with_arrays(default_case, "workers", value=np.zeros(3))
    with pytest.raises(InputError, match=r"workers.value has shape \(3,\)"):
        swap(made, short)


def test_what_forces_a_compilation_is_named(default_case):
    probit = replace(default_case, model=replace(default_case.model, link="probit"))
    assert changed(structure_of(probit), structure_of(default_case)).startswith("link of")
    assert structure_of(moved(default_case, "ease", mu=1.0)) == structure_of(default_case)
    heavier = with_arrays(default_case, "ratings", weight=np.zeros(483))
    assert structure_of(heavier) == structure_of(default_case)


def test_cases_are_hashable_and_equal_by_content(default_case):
    again = with_arrays(default_case, "workers")
    assert again == default_case
    assert hash(again) == hash(default_case)
    assert with_arrays(default_case, "workers", value=np.zeros(28)) != default_case
