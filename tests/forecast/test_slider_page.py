"""The page's sliders in a browser: NumPy agrees, poor weights are withheld, axe finds no fault.

Browser tests need Chromium (Debian: ``chromium``) and Playwright; skipped where one is missing.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecast.config.load import load_config, resolved_toml
from forecast.inference.evaluate import answer
from forecast.inference.reweighting import importance, log_ratio, smoothed, soft_ratio
from forecast.runs import summarise as summaries
from forecast.runs.inputs import load_inputs
from forecast.runs.sliders import EXACT, save_sliders
from models.prior_draws import prior_draws
from models.priors import FAMILIES
from models.quantities import HEADLINE
from reports.page import write_page

TIGHT = 1e-6
"""Draws are 32-bit floats, exact to 6e-8 of themselves."""
MOVED = {
    "exact": {"gate_tracked": [6.0, 2.0], "value_constancy": [5.0, 5.0]},
    "ceilings, which forecasts by others read": {"stop_6": [3.5, 2.0], "stop_7": [2.0, 4.0]},
    "by weights": {"bottleneck": [-0.5, 0.7]},
    "both": {"leak_untracked": [1.2, 30.0], "step_6": [1.7, 9.0], "on_target": [2.0, 9.0]},
}
KEPT = {}


@pytest.fixture
def fit(slider_fit):
    return slider_fit


@pytest.fixture
def made(slider_made):
    return slider_made


def with_values(case, moved):
    """Return the Case with the numbers of some priors replaced."""
    priors = tuple(
        replace(p, params=tuple(zip([n for n, _ in p.params], moved[p.name], strict=True)))
        if p.name in moved
        else p
        for p in case.priors
    )
    return replace(case, priors=priors)


@pytest.fixture
def folder(fit, made, tmp_path_factory):
    """A run's folder with its page."""
    if "folder" not in KEPT:
        KEPT["folder"] = page_folder(fit, made, target=tmp_path_factory.mktemp("run"))
    return KEPT["folder"]


def page_folder(fit, made, *, target):
    """Write the page of a fit into a folder."""
    config, _ = load_inputs("default")
    rng = np.random.default_rng(0)
    prior = prior_draws(fit.case.by_name, fit.compiled.structure, n=fit.n, rng=rng)
    found = answer(fit, fit.case)
    before = summaries.prior_quantities(fit, prior)
    head = summaries.headline(fit, found, prior=before, converged=True)
    context = {"name": "test", "headline": head, "diagnostics": {"converged": True}}
    text = resolved_toml(replace(config, sampler=fit.case.sampler))
    (target / "priors.toml").write_text(text, encoding="utf-8")
    save_sliders(target, made)
    write_page(target, context=context | {"question": {"cohort": 2026, "horizon": 2040}})
    return target


@pytest.fixture
def page(browser, folder):
    """The open page, network off; its console has to stay silent."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((folder / "report.html").as_uri())
    yield page
    assert said == []
    context.close()


def answered(page, moved):
    """Return what the page answers to moved numbers."""
    page.evaluate(
        "(moved) => { const d = miForecast.desk, s = {}; for (const b of d.data.beliefs)"
        " if (moved[b.name]) s[b.name] = {dist: b.dist, values: moved[b.name]};"
        " miForecast.set(s); }",
        moved,
    )
    return page.evaluate("(({curves, ...rest}) => rest)(miForecast.desk.answer)")


@pytest.mark.parametrize("moved", MOVED.values(), ids=MOVED)
def test_the_page_answers_what_numpy_computes_from_the_same_draws(page, fit, moved):
    found, case = answered(page, moved), with_values(fit.case, moved)
    weights, exact = importance(fit, case), answer(fit, case, names=HEADLINE)
    for name in HEADLINE:
        expected = weights.mean(exact[name])
        assert found["found"][name]["mean"] == pytest.approx(expected, rel=TIGHT, abs=TIGHT)
    assert found["k"] == pytest.approx(weights.pareto_k, abs=1e-4)
    assert found["worth"] == pytest.approx(weights.ess, rel=1e-4)
    assert found["good"] == weights.good


@pytest.mark.parametrize("moved", [{}, MOVED["exact"], {"step_6": [1.5, 12.0]}], ids=str)
def test_a_view_out_of_reach_is_answered_from_its_own_draws(page, made, doubter_near, moved):
    view, own = made["presets"]["doubter"], doubter_near.fit
    found = answered(page, {name: one["values"] for name, one in view.items()} | moved)
    case = with_values(own.case, moved)
    logs = np.log(doubter_near.weights.weights) + log_ratio(own, case) + soft_ratio(own, case)
    weights, exact = smoothed(logs), answer(own, case, names=HEADLINE)
    assert found["base"]["view"] == "doubter"
    assert found["good"]
    for name in HEADLINE:
        expected = weights.mean(exact[name])
        assert found["found"][name]["mean"] == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert found["k"] == pytest.approx(weights.pareto_k, abs=1e-3)
    told = page.locator("#answer-how").inner_text()
    assert told.startswith("From draws of the doubter's own (this run's, moved")


def test_a_view_without_draws_shows_the_answer_that_the_run_has(page, made):
    page.evaluate(
        "() => { const d = miForecast.desk; d.model.bases = []; d.data.answers = {doubter:"
        " {how: 'refitted', found: structuredClone(d.answer.found)}}; }"
    )
    button = page.locator("[data-preset=doubter]")
    button.click()
    assert "The doubter's answer as this run has it (refitted)" in said_how(page)
    assert page.locator("[data-quantity=alignment_relevant]").inner_text() != "withheld"
    page.locator("[data-belief=bottleneck] input").last.fill("90")
    page.locator("#answer-how", has_text="Withheld").wait_for()


def said_how(page):
    return page.locator("#answer-how").inner_text()


def test_as_stated_the_page_has_the_numbers_of_the_headline(page, folder, fit):
    found = answered(page, {})
    for name, draws in answer(fit, fit.case, names=HEADLINE[:10]).items():
        own = found["found"][name]
        lower, upper = np.quantile(draws, [0.055, 0.945])
        assert (own["lower"], own["upper"]) == pytest.approx((lower, upper), abs=TIGHT)
    assert found["how"] == "exact"


FORMS = [
    ("Beta", [3.0, 3.0]),
    ("Beta", [1.2, 40.0]),
    ("Beta", [0.4, 0.7]),
    ("Beta", [300.0, 2.0]),
    ("Gamma", [2.0, 3.0]),
    ("Gamma", [200.0, 1.0]),
    ("Normal", [1.0, 2.0]),
    ("LogNormal", [0.3, 0.7]),
    ("LogitNormal", [0.3, 1.4]),
]


def test_quantiles_and_densities_are_scipys(page):
    # As dense as the page's draws: most are stepped to from a solved neighbour.
    u = np.sort(np.r_[1e-9, stats.qmc.Sobol(1, seed=1).random(4096)[:, 0], 1 - 6e-8]).tolist()
    for dist, values in FORMS:
        code = "([d, v, u]) => Array.from(miForecast.FAMILIES[d].quantiles(u, v))"
        got, family = np.array(page.evaluate(code, [dist, values, u])), FAMILIES[dist]
        frozen = family.frozen(**dict(zip(family.params, values, strict=True)))
        np.testing.assert_allclose(got, frozen.ppf(u), rtol=TIGHT, atol=1e-12)
        x = np.array(got[1:-1:64])
        code = "([d, v, x]) => Array.from(miForecast.FAMILIES[d].kernel(v, x))"
        kernel = np.array(page.evaluate(code, [dist, values, x.tolist()]))
        gap = kernel - frozen.logpdf(x)
        np.testing.assert_allclose(gap, gap[0], atol=1e-8)  # equal up to a constant


@pytest.mark.parametrize("tail", [0.3, 1.0, 2.5])
def test_smoothed_weights_are_arvizs(page, tail):
    logs = np.random.default_rng(3).exponential(tail, size=1000)
    code = "(x) => { const s = miForecast.smoothedWeights(Float64Array.from(x));"
    found = page.evaluate(
        code + " return {k: s.k, weights: Array.from(s.weights)}; }", logs.tolist()
    )
    expected = smoothed(logs)
    assert found["k"] == pytest.approx(expected.pareto_k, abs=1e-9)
    np.testing.assert_allclose(found["weights"], expected.weights, rtol=1e-9)


def test_far_beliefs_are_withheld_with_the_command_that_refits(page):
    found = answered(page, {"bottleneck": [6.0, 0.05]})
    assert not found["good"]
    assert page.locator("#strict-now").inner_text() == "withheld"
    assert "forecast run default-moved.toml" in page.locator("#answer-how").inner_text()
    told = page.locator("[data-quantity]").all_inner_texts()
    assert set(told) == {"withheld"}
    assert page.locator("#picture-split").is_hidden()


def test_a_slider_moves_the_answer_and_the_link_brings_it_back(page, folder):
    before = page.locator("[data-quantity=alignment_relevant]").inner_text()
    page.locator("[data-belief=leak_untracked] input").first.fill("800")
    page.wait_for_url("**/report.html#beliefs=leak_untracked:*")
    after = page.locator("[data-quantity=alignment_relevant]").inner_text()
    assert after != before
    assert page.locator("[data-belief=leak_untracked]").get_attribute("class") == "changed"
    other = page.context.new_page()
    other.goto(page.evaluate("location.href"))
    assert other.locator("[data-quantity=alignment_relevant]").inner_text() == after
    other.locator("#reset").click()
    assert other.locator("[data-quantity=alignment_relevant]").inner_text() == before


@pytest.mark.parametrize("part", ["__proto__:1", "stop_6:NaN,1", "stop_6:-1,2", "x:<b>", "%zz:1"])
def test_a_bad_link_changes_nothing(page, part):
    before = page.locator("#strict-now").inner_text()
    page.evaluate("(part) => { location.hash = '#beliefs=' + part; }", part)
    page.locator("#answer-how", has_text="not know").wait_for()
    assert page.locator("#strict-now").inner_text() == before


def test_copied_toml_is_a_priors_file_that_gives_the_same_answer(page, folder, fit):
    moved = {"value_constancy": [4.0, 2.5], "step_6": [1.7, 9.0]}
    found = answered(page, moved)
    text = page.locator("#toml").input_value()
    (folder / "moved.toml").write_text(text, encoding="utf-8")
    config = load_config(folder / "moved.toml")
    case = replace(fit.case, priors=config.priors)
    weights, exact = importance(fit, case), answer(fit, case, names=HEADLINE)
    expected = weights.mean(exact["alignment_relevant"])
    assert found["found"]["alignment_relevant"]["mean"] == pytest.approx(expected, abs=TIGHT)
    assert {p.name for p in config.priors if p.source.startswith("moved on")} == set(moved)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=scheme)
    page.add_style_tag(content="section { content-visibility: visible !important; }")
    found = axe.run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def test_phone_and_print(browser, folder):
    context = browser.new_context(viewport={"width": 390, "height": 844}, offline=True)
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    page.add_style_tag(content="section { content-visibility: visible !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.emulate_media(media="print")
    assert page.locator("[data-belief=stop_6]").is_hidden()
    assert len(page.pdf()) > 50_000
    context.close()


def test_sliders_json_is_plain(folder):
    data = json.loads((folder / "sliders.json").read_text(encoding="utf-8"))
    assert data["rule"] == {"pareto_k": 0.7, "ess": 100.0, "share": 0.1}
    assert [b["name"] for b in data["beliefs"] if b["exact"]] == list(EXACT)
