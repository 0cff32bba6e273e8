"""The sampler on the shipped evidence, and against simulated truth."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import forecast.inference.sampling
from forecast.config.load import load_config
from forecast.inference.case import with_arrays, with_prior
from forecast.inference.evaluate import answer, evaluate, judged, posterior, refit
from forecast.inference.mass_matrix import Ground, metric_of, whitened
from forecast.inference.outcomes import predict
from forecast.inference.reweighting import moment_matched
from forecast.inference.sampling import data_of, swap
from forecast.inference.simulate import simulated_case
from forecast.native.program import value_and_gradient
from forecast.runs import variants
from models.prior_draws import prior_draws

pytestmark = pytest.mark.slow
MASS = 0.8
"""Mass of the intervals whose coverage is counted."""
WORLDS = 5
"""Simulated worlds: each gives one interval per scalar parameter."""


ELSEWHERE = """
from forecast.inference.case import make_case
from forecast.runs.inputs import load_inputs
from forecast.native.program import value_and_gradient
from forecast.inference.sampling import compiled_model, swap
case = make_case(*load_inputs("default"))
native = swap(compiled_model(case), case)
value, gradient = value_and_gradient(native, native.initial_point_func(3))
print(*map(repr, [value, *gradient.tolist()]))
"""


def test_the_default_forecast_meets_the_rule(fit):
    verdict = judged(fit, answer(fit, fit.case)).diagnosis
    assert verdict.failures == ()


def test_swapping_numbers_and_evidence_compiles_nothing(case, compiled, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("compiled again")

    monkeypatch.setattr(forecast.inference.sampling, "_compile", refuse)
    prior = case.by_name["effort_slope"]
    moved = with_prior(case, replace(prior, params=(("mu", 1.0), ("sigma", 0.1))))
    fewer = with_arrays(
        case, "ratings", weight=np.zeros_like(case.evidence.arrays["ratings"]["weight"])
    )
    point = compiled.native.initial_point_func(1)
    values = [value_and_gradient(swap(compiled, c), point)[0] for c in (case, moved, fewer)]
    assert len({round(v, 6) for v in values}) == 3
    for other in (moved, fewer):
        assert forecast.inference.sampling.compiled_model(other) is compiled


def test_every_datum_of_the_model_can_be_swapped(case, compiled):
    known = {var.name for var in compiled.native.shared_var_keys}
    unused = set(data_of(case)) - known
    # Only the simulator reads which answers were asked for; the kernel has cells by their order.
    assert unused <= {"ratings.asked", "ratings.cell"}


def test_the_callback_by_address_gives_the_density_of_the_graph(case, compiled):
    point = compiled.native.initial_point_func(3)
    step = 1e-5 * np.random.default_rng(1).normal(size=point.size)
    native = swap(compiled, case)
    value, gradient = value_and_gradient(native, point)
    up, down = (value_and_gradient(native, point + sign * step)[0] for sign in (1, -1))
    assert up - down == pytest.approx(2 * float(gradient @ step), rel=1e-4)
    assert np.isfinite(value)


def test_two_processes_run_the_same_instructions(case, compiled):
    point = compiled.native.initial_point_func(3)
    here = value_and_gradient(swap(compiled, case), point)
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=True
    )
    there = np.array(done.stdout.split(), dtype=float)
    np.testing.assert_array_equal(there, [here[0], *here[1]])


def test_the_metric_changes_coordinates_and_nothing_else(case, compiled):
    rng = np.random.default_rng(2)
    native, n = swap(compiled, case), compiled.native.n_dim
    points = np.array([native.initial_point_func(seed) for seed in range(40)])
    found = metric_of(points, rng.normal(size=points.shape))
    moved, z = whitened(native, Ground(found, points)), rng.normal(size=n)
    value, gradient = value_and_gradient(native, found.outward(z))
    seen, slope = value_and_gradient(moved, z)
    assert seen == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(slope, found.scale.T @ gradient, rtol=1e-9, atol=1e-9)
    start = found.outward(moved.initial_point_func(5))
    assert np.abs(points - start).max(axis=1).min() < 1e-8  # chains start among the points


def test_the_same_seed_gives_the_same_draws_on_one_and_two_cores(short):
    quick = replace(short, sampler=replace(short.sampler, draws=40, tune=60))
    one, two = (posterior(quick, cores=n) for n in (1, 2))
    np.testing.assert_array_equal(one.draws["ease"], two.draws["ease"])


def test_a_known_truth_is_recovered_at_the_size_of_the_evidence(short, compiled):
    """Central 80% intervals of every scalar parameter, over worlds drawn from the prior."""
    covered, total = 0, 0
    rng = np.random.default_rng(20261122)
    truths = prior_draws(short.by_name, compiled.structure, n=WORLDS, rng=rng)
    for i in range(WORLDS):
        truth = {name: values[i : i + 1] for name, values in truths.items()}
        fitted = posterior(simulated_case(short, truth, seed=i))
        for name, draws in fitted.draws.items():
            if draws.ndim == 1:
                low, high = np.quantile(draws, (0.1, 0.9))
                covered += bool(low <= truth[name][0] <= high)
                total += 1
    # Intervals of one world are dependent; a fifth of them counts as independent, which is a
    # judgement and not a measurement: this catches gross faults, not fine ones.
    least, most = stats.binom.interval(0.999, total // 5, MASS)
    assert least / (total // 5) <= covered / total <= most / (total // 5)


def test_a_refit_from_another_fit_agrees_with_a_fit_from_scratch(fit, case):
    """The doubter is far from the default: Pareto k is about 0.9."""
    far = replace(case, priors=load_config("doubter").priors)
    quick, full = refit(fit, far), posterior(far)
    assert quick.diagnosis.divergences == 0
    assert quick.diagnosis.max_rhat < 1.03  # the rule is 1.01, which 3,200 draws may just miss
    for name in ("ease", "use_rate", "tracking_share", "step_4", "bottleneck"):
        a, b = (f.draws[name] for f in (quick, full))
        error = np.hypot(a.std() / quick.diagnosis.min_ess**0.5, b.std() / 400**0.5)
        assert abs(a.mean() - b.mean()) < 4 * error


def test_a_refit_gives_the_same_draws_on_one_and_two_cores(fit, case, monkeypatch):
    monkeypatch.setattr("forecast.inference.evaluate.WARM", {"tune": 30, "draws": 30})
    prior = case.by_name["effort_slope"]
    moved = with_prior(case, replace(prior, params=(("mu", 1.0), ("sigma", 0.1))))
    one, two = (refit(fit, moved, cores=n) for n in (1, 2))
    np.testing.assert_array_equal(one.draws["ease"], two.draws["ease"])


def test_reweighting_agrees_with_a_refit(short):
    base = posterior(short)
    prior = short.by_name["tracking_trend"]
    near = with_prior(short, replace(prior, params=(("mu", 0.05), ("sigma", 0.15))))
    light = evaluate([near], how="reweight", base=base)[0]
    heavy = evaluate([near], how="refit")[0]
    name = "tracks_end_goal"
    gap = light.quantities[name].mean() - heavy.quantities[name].mean()
    assert light.pareto_k <= 0.7
    assert abs(gap) < 4 * np.hypot(light.mcse[name], heavy.mcse[name])


@pytest.mark.parametrize(("name", "sign"), [("doubter", -1), ("questioner", 1)])
def test_worldviews_move_the_headline_as_their_claims_say(fit, short, name, sign):
    config = load_config(name)
    view = posterior(replace(short, priors=config.priors))
    found, base = answer(view, view.case), answer(fit, fit.case)
    moved = np.median(found["alignment_relevant"]) - np.median(base["alignment_relevant"])
    assert sign * moved > 0
    if name == "doubter":
        assert found["ease_documented"].mean() > base["ease_documented"].mean()


def test_prior_and_posterior_quantities_share_one_function(fit, case, compiled):
    draws = prior_draws(case.by_name, compiled.structure, n=200, rng=np.random.default_rng(0))
    from forecast.inference.forward import future_normals

    found = predict(
        draws, future_normals(case, 200), structure=compiled.structure, question=case.asked
    )
    assert set(found) == set(answer(fit, fit.case))


def test_the_shipped_folder_is_what_is_fitted():
    _, tables = load_inputs_of_checkout()
    assert len(tables.works) == 483
    assert len(tables.ratings) == 1449


def load_inputs_of_checkout():
    """Return the inputs of the checkout's default file by its path."""
    from forecast.runs.inputs import load_inputs

    return load_inputs(Path(__file__).parents[2] / "priors/default.toml")


@pytest.mark.parametrize("table", ["halo", "shared"])
def test_moved_draws_agree_with_a_refit(fit, case, table):
    """Means of what the rows of raters show, by moment matching; else they are refitted."""
    if table == "halo":
        far = variants.halo_cases(case)["large"]
    else:
        far = variants.shared_cases(case)["high"]
    found = moment_matched(fit, far)
    assert found is not None
    if not found.weights.good:  # as the weights of these draws happen to fall: then not trusted
        assert evaluate([far], base=fit, names=variants.SHOWN)[0].how == "refit"
        return
    moved = found.quantities(answer(found.fit, far, names=variants.SHOWN))
    full = evaluate([far], base=fit, how="refit", names=variants.SHOWN)[0]
    for name in variants.SHOWN:
        error = np.hypot(moved[name].std() / found.weights.ess**0.5, full.mcse[name])
        # of 9 dependent means one beyond two errors is usual, one beyond four is not
        assert abs(moved[name].mean() - full.quantities[name].mean()) < 4 * error
