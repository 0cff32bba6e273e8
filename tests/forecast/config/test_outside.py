"""The outside view: what it may say, how it is mixed, and where both numbers are shown."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from forecast.analyses.crux import crux
from forecast.analyses.decide import decide
from forecast.analyses.diff import diff
from forecast.analyses.sensitivity import sensitivity
from forecast.analyses.value import value
from forecast.analyses.whatif import whatif
from forecast.config.load import load_config, resolved_toml
from forecast.config.outside import OutsideView, add_outside, mixed, outside_view
from forecast.evidence.load import load_tables
from forecast.inference.evaluate import posterior
from forecast.inference.identity import run_hash
from forecast.runs.open import show
from forecast.runs.run import report, run
from models.errors import InputError
from reports.run import terminal_table
from reports.words import MODEL_ALONE, of_hundred
from scripts.docs_pages import headline_block, worldviews_block

TAILS = (0.055, 0.5, 0.945)
VIEW = """
[outside_view]
weight = 0.3
dist = "Beta"
alpha = 2.0
beta = 18.0
why = "Of ten fields that promised as much, <b>one</b> delivered"
"""
DECISION = """
[decision]
unit = "points"
[decision.payoffs]
strict_alignment_only = 1
strict_both = 1
strict_capabilities_only = 0
strict_neither = 0
[decision.options.wait]
[decision.options.more]
do = { effort = "2x" }
"""
SMALL = {"draws": 20, "tune": 10, "chains": 2, "quiet": True, "report": False}


def view(weight: float, **params: float) -> OutsideView:
    given = params or {"lower": 0.2, "upper": 0.6}
    dist = "Beta" if "alpha" in given else "Uniform"
    return OutsideView("alignment_relevant", weight, dist, tuple(given.items()), "why", None)


def test_the_mixture_has_the_mean_and_quantiles_of_its_distribution_function():
    draws = np.random.default_rng(3).beta(2, 50, size=4000)
    found = mixed(view(0.25, alpha=2.0, beta=8.0), draws, tails=TAILS)
    np.testing.assert_allclose(found["mixed"]["mean"], 0.75 * draws.mean() + 0.25 * 0.2, atol=1e-5)
    for p, name in zip(TAILS, ("lower", "median", "upper"), strict=True):
        x = found["mixed"][name]
        below = 0.75 * np.mean(draws <= x) + 0.25 * stats.beta(2, 8).cdf(x)
        np.testing.assert_allclose(below, p, atol=1e-3)
        outside = stats.beta(2, 8).ppf(p)
        np.testing.assert_allclose(found["outside"][name], outside, atol=1e-3)
    second = 0.75 * np.mean(draws**2) + 0.25 * (stats.beta(2, 8).var() + 0.04)
    sd = np.sqrt(second - found["mixed"]["mean"] ** 2)
    np.testing.assert_allclose(found["mixed"]["sd"], sd, rtol=1e-3)


@pytest.mark.parametrize(("weight", "which"), [(1.0, "outside"), (1e-9, "model")])
def test_a_weight_at_either_end_gives_one_of_the_two(weight, which):
    draws = np.linspace(0.0, 0.1, 2001)
    found = mixed(view(weight), draws, tails=TAILS)
    wanted = found["outside"] if which == "outside" else {"mean": 0.05, "lower": 0.0055}
    for key in ("mean", "lower"):
        np.testing.assert_allclose(found["mixed"][key], wanted[key], atol=1e-4)


def test_quantiles_are_fitted_and_no_weight_is_no_view(priors_file, priors_text):
    stated = 'quantiles = [[0.05, 0.02], [0.95, 0.3]]\ndist = "Beta"\nwhy = "w"\n'
    for weight, there in ((0.5, True), (0.0, False)):
        table = f"\n[outside_view]\nweight = {weight}\n{stated}"
        priors_file.write_text(priors_text + table, encoding="utf-8")
        made = outside_view(load_config(priors_file).outside_view)
        assert (made is not None) == there
        if made is not None:
            q = stats.beta(*dict(made.params).values()).ppf([0.05, 0.95])
            np.testing.assert_allclose(q, [0.02, 0.3], rtol=1e-3)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("weight = 0.5", "[outside_view] dist: found no such key; add it"),
        ('weight = 1.5\ndist = "Beta"\nalpha = 1\nbeta = 1\nwhy = "w"', "weight: found 1.5; must"),
        ('dist = "Beta"\nalpha = 1\nbeta = 1\nwhy = "w"', "weight: found no such key; add it"),
        ('weight = 0.5\ndist = "Beta"\nalpha = 1\nbeta = 1', "why: found no such key; add it"),
        ('weight = 0.5\ndist = "Beta"\nalpha = 1\nwhy = "w"', "beta: found no such key; add it"),
        ('weight = 0.5\ndist = "Beta"\nwhy = "w"', "found neither numbers nor quantiles"),
        ('weight = 0.5\ndist = "Normal"\nmu = 0\nsigma = 1\nwhy = "w"', "use one of: Beta, Logit"),
        ('weight = 0.5\ndist = "Uniform"\nlower = 0\nupper = 2\nwhy = "w"', "upper: found 2"),
        ('weight = 0.5\ndist = "Uniform"\nlower = 0.5\nupper = 0.2\nwhy = "w"', "not above lower"),
        ('weight = 0.5\ndist = "Beta"\nalpha = -1\nbeta = 1\nwhy = "w"', "must be greater than 0"),
        ('weigt = 0.5\ndist = "Beta"\nalpha = 1\nbeta = 1\nwhy = "w"', "did you mean 'weight'?"),
        (
            'weight = 0.5\nquantity = "both"\ndist = "Beta"\nalpha = 1\nbeta = 1\nwhy = "w"',
            "quantity: found 'both'",
        ),
        (
            'weight = 0.5\ndist = "Beta"\nwhy = "w"\n'
            "quantiles = [[0.1, 0.1], [0.5, 0.11], [0.9, 0.9]]",
            "quantiles: found a misfit",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(table, says, priors_file, priors_text):
    priors_file.write_text(f"{priors_text}\n[outside_view]\n{table}\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load_config(priors_file)
    assert says in str(raised.value)
    assert "test.toml:" in str(raised.value)


def child(folder: Path, text: str) -> Path:
    path = folder / "child.toml"
    head = 'schema = 1\nname = "child"\nauthor = "a"\ndate = 2026-11-22\nsummary = "s"\n'
    path.write_text(f'{head}extends = "test.toml"\n{text}', encoding="utf-8")
    return path


def test_a_child_changes_a_weight_or_replaces_the_whole(priors_file, priors_text):
    priors_file.write_text(priors_text + VIEW, encoding="utf-8")
    lighter = child(priors_file.parent, "[outside_view]\nweight = 0.1\n")
    made = outside_view(load_config(lighter).outside_view)
    assert (made.weight, dict(made.params)) == (0.1, {"alpha": 2.0, "beta": 18.0})
    other = 'weight = 0.2\ndist = "Uniform"\nlower = 0.0\nupper = 0.5\nwhy = "w"\n'
    made = outside_view(
        load_config(child(priors_file.parent, f"[outside_view]\n{other}")).outside_view
    )
    assert dict(made.params) == {"lower": 0.0, "upper": 0.5}


@pytest.fixture
def made(tmp_path, monkeypatch, fake_fits):
    """The default with an outside view, as a finished run."""
    monkeypatch.chdir(tmp_path)
    head = 'schema = 1\nname = "mine"\nauthor = "a"\ndate = 2026-11-22\nsummary = "s"\n'
    Path("mine.toml").write_text(f'{head}extends = "default"\n{VIEW}', encoding="utf-8")
    made = run("mine.toml", **SMALL)
    report(made.folder)
    return made


def test_every_output_shows_both_numbers_and_nothing_else_moves(made):
    told = made.headline["outside_view"]
    assert (told["quantity"], told["weight"]) == ("alignment_relevant", 0.3)
    model = made.headline["quantities"]["alignment_relevant"]
    np.testing.assert_allclose(told["mixed"]["mean"], 0.7 * model["mean"] + 0.03, atol=1e-5)
    np.testing.assert_allclose(told["mixed"]["mcse"], 0.7 * model["mcse"])
    plain = {k: x for k, x in made.headline.items() if k != "outside_view"}
    assert add_outside(plain, None, draws={}, tails=TAILS) is plain
    shown = " ".join(show(made.folder).text().split())
    page = " ".join((made.folder / "report.html").read_text(encoding="utf-8").split())
    for text in (shown, page):
        assert "All things considered, " in text
        assert "the model alone" in text
        assert "outside view, weight 30%" in text
    assert MODEL_ALONE in shown
    assert "&lt;b&gt;one&lt;/b&gt;" in page
    assert "<b>one</b>" not in page
    bare = terminal_table(made.context | {"headline": plain})
    assert "outside" not in bare
    saved = load_config(made.folder / "priors.toml")
    assert outside_view(saved.outside_view) == outside_view(load_config("mine.toml").outside_view)
    readme_tables({"mine": made.headline, "default": plain})


def test_answers_of_a_run_show_both_numbers(made):
    """whatif, decide and value open with them; their own numbers stay the model's."""
    model = made.headline["quantities"]["alignment_relevant"]
    Path("d.toml").write_text(DECISION, encoding="utf-8")
    asked = [
        value(made, quick=True, quiet=True),
        whatif(made, do=["effort=2x"], quiet=True),
        decide(made, decision="d.toml", quiet=True),
    ]
    for done in asked:
        assert done.summary["outside_view"] == made.headline["outside_view"] | {"model": model}
        opening = " ".join(done.text().split())
        assert opening.startswith("All things considered, ")
        assert f"the model alone says {of_hundred(model['mean'])}, an outside view 10 (" in opening
    assert asked[0].summary["now"]["mean"] == pytest.approx(model["mean"])
    bare = replace(made, headline={k: x for k, x in made.headline.items() if k != "outside_view"})
    plain = value(bare, quick=True, quiet=True)
    assert "outside_view" not in plain.summary
    assert "outside" not in plain.text()


def test_sensitivity_diff_and_crux_show_both_numbers(made, monkeypatch):
    """Of two runs or worldviews only the one that has a view shows one."""
    model = made.headline["quantities"]["alignment_relevant"]
    asked = sensitivity(made, quick=True, quiet=True)
    assert asked.summary["outside_view"]["model"] == model
    assert asked.summary["lines"][0].startswith("All things considered, ")
    assert asked.summary["lines"][0] in " ".join(asked.text().split())
    page = " ".join((asked.folder / "sensitivity.html").read_text(encoding="utf-8").split())
    assert "&lt;b&gt;one&lt;/b&gt;" in page
    plain = run("default", **SMALL)
    two = diff(made, plain, quiet=True)
    assert two.summary["considered"] == [asked_of(made), {}]
    shown = " ".join(two.text().split())
    assert f"{made.folder.name}: All things considered, " in shown
    assert f"{plain.folder.name}: All things" not in shown

    def fit_many(cases, folder, **_):
        return [posterior(case) for case in cases]

    monkeypatch.setattr("forecast.inference.parallel.fit_many", fit_many)
    other = Path("mine.toml").read_text(encoding="utf-8")
    quantity = 'quantity = "capabilities_used_by_others"\nweight = 0.3'
    Path("other.toml").write_text(other.replace("weight = 0.3", quantity), encoding="utf-8")
    divided = crux(["default", "other.toml"], out="c", quick=True, quiet=True)
    bare, viewed = divided.summary["worldviews"]
    assert "outside_view" not in bare
    told = viewed["outside_view"]
    assert told["mixed"]["mean"] == pytest.approx(0.7 * told["model"]["mean"] + 0.03, abs=1e-5)
    assert set(viewed["posterior"]) == set(bare["posterior"])
    assert "mine: All things considered, " in " ".join(divided.text().split())


def asked_of(made):
    model = made.headline["quantities"]["alignment_relevant"]
    return {"outside_view": made.headline["outside_view"] | {"model": model}}


def readme_tables(heads):
    variance = {"untouched": 0.5, "parts": []}
    block = headline_block(heads["mine"], variance=variance, seed=0, command="c")
    assert any(line.startswith("| alignment-relevant (strict), all things") for line in block)
    assert "All things considered" in " ".join(block)
    table = worldviews_block(heads)
    (row,) = [line for line in table if "all things considered" in line]
    assert len(row.split("|")) == 5
    plain = headline_block(heads["default"], variance=variance, seed=0, command="c")
    assert "considered" not in " ".join([*plain, *worldviews_block({"d": heads["default"]})])


def test_a_view_is_part_of_what_a_run_is_and_none_is_not(default_case):
    config, tables = load_config("default"), load_tables(Path("evidence"))
    stated = {"dist": "Beta", "alpha": 1.0, "beta": 1.0, "why": "w"}

    def hashed(weight: float | None) -> str:
        view = None if weight is None else json.dumps(stated | {"weight": weight})
        return run_hash(replace(config, outside_view=view), tables, case=default_case)

    assert hashed(None) == hashed(0.0)
    assert len({hashed(None), hashed(0.2), hashed(0.3)}) == 3
    assert "outside_view" not in resolved_toml(config)
