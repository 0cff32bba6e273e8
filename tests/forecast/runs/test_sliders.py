"""The page's sliders: compact draws that give the headline, presets, icons."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from forecast.config.load import load_config, resolved_toml
from forecast.files import write_json
from forecast.inference.case import asked_options, with_prior
from forecast.inference.evaluate import answer
from forecast.runs.inputs import load_inputs
from forecast.runs.open import sampled_hash
from forecast.runs.sliders import (
    EXACT,
    of_page,
    reached,
    save_sliders,
    slider_data,
    thinned,
    thinner,
)
from forecast.runs.variants import restated
from models.priors import FAMILIES
from models.quantities import HEADLINE
from reports.page import whole_icons

TIGHT = 1e-6
"""Draws are 32-bit floats, exact to 6e-8 of themselves."""


@pytest.fixture
def fit(slider_fit):
    return slider_fit


@pytest.fixture
def made(slider_made):
    return slider_made


def columns_of(data):
    raw = np.frombuffer(base64.b64decode(data["draws"]), dtype="<f4").astype(float)
    return dict(zip(data["columns"], raw.reshape(len(data["columns"]), data["n"]), strict=True))


def test_columns_hold_the_headline_and_what_it_is_made_from(fit, made):
    x, found = columns_of(made), answer(fit, fit.case, names=HEADLINE)
    for name in set(HEADLINE) & set(x):
        np.testing.assert_allclose(x[name], found[name], rtol=TIGHT, atol=TIGHT)
    open_6 = 1 - x["x stop_6"]
    open_7, s = open_6 * (1 - x["x stop_7"]), x["x value_constancy"]
    reach = s * open_6 * x["enough 6 2040"] + (1 - s) * open_7 * x["enough 7 2040"]
    gate = x["x on_target"] * x["x gate_tracked"]
    for name, head in (("alignment_relevant", "alignment {} 2026"), ("strict_both", "both {}")):
        used = x[head.format("untracked")] * x["x leak_untracked"]
        used = used + x[head.format("tracked")] * gate
        np.testing.assert_allclose(used * reach, found[name], rtol=TIGHT, atol=TIGHT)


def test_uniforms_give_the_draws_through_the_stated_quantile_function(fit, made):
    x, priors = columns_of(made), fit.case.by_name
    for name in EXACT:
        again = FAMILIES[priors[name].dist].frozen(**priors[name].values).ppf(x[f"u {name}"])
        np.testing.assert_allclose(again, x[f"x {name}"], rtol=1e-4)


def test_presets_are_the_other_views_whole(made):
    stated = {p.name: p for p in load_config("questioner").priors}
    default = {p.name: p for p in load_config("default").priors}
    assert set(made["presets"]) == {"doubter", "questioner"}
    changed = {n for n in stated if stated[n].params != default[n].params}
    assert set(made["presets"]["questioner"]) == changed


def test_a_view_out_of_reach_has_draws_of_its_own(fit, made, doubter_near):
    assert [(b["view"], b["how"]) for b in made["bases"]] == [("doubter", "moment-matched")]
    base, own = made["bases"][0], doubter_near.fit
    x, found = columns_of(base), answer(own, own.case, names=HEADLINE)
    assert base["values"]["step_6"] == [v for _, v in own.case.by_name["step_6"].params]
    np.testing.assert_allclose(x["alignment_used"], found["alignment_used"], rtol=TIGHT)
    weights = np.exp(x["log weight"])
    np.testing.assert_allclose(weights, doubter_near.weights.weights, rtol=1e-5)


def lay_run(folder, fit, *, data):
    """Write what is read of a finished run of a fit's Case, whose page holds ``data``."""
    config, _ = load_inputs("default")
    text = resolved_toml(replace(config, sampler=fit.case.sampler))
    (folder / "priors.toml").write_text(text, encoding="utf-8")
    save_sliders(folder, data)
    made = {"complete": True, "options": asked_options(fit.case), "checks": {"converged": True}}
    made |= {
        "alone": fit.compiled.alone,
        "sampled_hash": sampled_hash(fit.case, fit.compiled.alone),
    }
    write_json(folder / "manifest.json", made)


def test_draws_in_the_page_of_a_run_beside_will_do_if_it_is_of_the_same(fit, made, tmp_path):
    (tmp_path / "default-1").mkdir()
    lay_run(tmp_path / "default-1", fit, data=made)
    held = of_page(fit.case, tmp_path, columns=made["columns"])
    assert held["draws"] == made["draws"]
    few, whole = columns_of(thinner(held, 100)), columns_of(made)
    at = np.linspace(0, made["n"] - 1, 100).astype(int)
    assert all((few[name] == whole[name][at]).all() for name in whole)
    assert of_page(fit.case, tmp_path, columns=made["columns"][:-1]) is None
    other = with_prior(fit.case, restated(fit.case.by_name["gate_tracked"], "Beta", numbers=(2, 9)))
    assert of_page(other, tmp_path, columns=made["columns"]) is None  # has the same sampled draws
    later = replace(fit.case, question=replace(fit.case.question, horizon=2039))
    assert of_page(later, tmp_path, columns=made["columns"]) is None
    (tmp_path / "default-1" / "sliders.json").write_text("{", encoding="utf-8")
    assert of_page(fit.case, tmp_path, columns=made["columns"]) is None


def test_the_page_reaches_what_weights_reach(fit, made):
    x = columns_of(made)
    for numbers, expected in ((1.01, True), (40.0, False)):
        params = tuple((n, v * numbers) for n, v in fit.case.by_name["bottleneck"].params)
        moved = replace(fit.case.by_name["bottleneck"], params=params)
        assert reached(fit, with_prior(fit.case, moved), made=x) is expected


def test_thinned_weights_keep_the_great_and_are_unbiased():
    weights = np.random.default_rng(1).pareto(1.5, size=400)
    weights /= weights.sum()
    sums, x = np.zeros(400), np.arange(400)
    for seed in range(300):
        at, kept = thinned(weights, 100, seed=seed)
        assert len(np.unique(at)) == len(at) == 100
        assert kept.sum() == pytest.approx(1.0, abs=1e-12)
        sums[at] += kept
    great = weights > kept.min() * 1.0001
    np.testing.assert_allclose(kept[np.isin(at, x[great])], weights[great], rtol=1e-9)
    # each of the others stays with chance w/c: over 300 seeds within five standard errors
    error = np.sqrt(weights * kept.min() / 300)
    assert np.all(np.abs(sums / 300 - weights)[~great] < 5 * error[~great])
    few, same = thinned(weights[:50] / weights[:50].sum(), 100, seed=0)
    assert list(few) == list(range(50))
    assert same.sum() == pytest.approx(1.0)


def test_no_sliders_where_levels_count_elsewhere(fit):
    config, tables = load_inputs("default")
    model = replace(fit.case.model, established_in="agenda")
    other = replace(fit, case=replace(fit.case, model=model))
    assert slider_data(other, config, tables=tables) is None


def test_icons_add_up_to_a_hundred():
    assert whole_icons([0.213, 0.018, 0.128, 0.641]) == [21, 2, 13, 64]
    assert whole_icons([1 / 3, 1 / 3, 1 / 3]) == [34, 33, 33]
    for seed in range(50):
        assert sum(whole_icons(list(np.random.default_rng(seed).dirichlet([1] * 4)))) == 100
