"""Mixtures of two worldviews, parts of their gap, pooled forecasts, and the command."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses.crux import (
    CLAIMS,
    Subsets,
    View,
    attributed,
    crux,
    gap_rows,
    linear_pool,
    logarithmic_pool,
    part_rows,
    pooled,
    subset_means,
    subsets_by,
    trust,
    weights_of,
    with_mixtures,
)
from forecast.analyses.statistics import random_orders, shapley
from forecast.cli.main import cli
from forecast.inference.case import mixed, with_prior
from forecast.inference.evaluate import answer, posterior
from models.errors import InputError
from models.parameters import BLOCKS
from models.quantities import HEADLINE

NAMES = ("alignment_relevant", "capabilities_relevant")


@pytest.fixture
def cases(default_case):
    """Two Cases that differ in one sampled and two forecast-only beliefs, one of them early."""
    a = replace(default_case, experts=())
    a = replace(a, sampler=replace(a.sampler, draws=1000))
    b = a
    for name, numbers in (
        ("bottleneck", (("mu", -0.4), ("sigma", 0.6))),
        ("gate_tracked", (("alpha", 6.0), ("beta", 3.0))),
        ("paths", (("mu", 2.0), ("sigma", 0.7))),
    ):
        prior = replace(a.by_name[name], params=numbers, quantiles=None)
        b = with_prior(b, prior)
    return a, b


def test_parts_add_up_and_agree_with_brute_force(cases, fake_fits):
    """The stand-in fits are prior draws: what no likelihood touches is exact, the rest weighed."""
    a, b = cases
    fits = [posterior(a), posterior(b)]
    pool = pooled(a, b, fits=fits)
    subsets = subsets_by(a, b, by="claim", alone=pool.fit.compiled.alone)
    assert subsets.groups == {"C3": ("bottleneck",), "C9": ("paths",), "C14": ("gate_tracked",)}
    assert subsets.orders is None
    found = attributed(pool, subsets, names=NAMES)
    np.testing.assert_allclose(found.value.sum(axis=1), found.ends[0, :, 1] - found.ends[0, :, 0])
    assert found.value[0, 1] == 0.0  # paths move no use
    by_hand = subset_means(pool, subsets, names=NAMES)
    np.testing.assert_allclose(shapley(by_hand[0]), found.value)
    orders = random_orders(3, 12, rng=np.random.default_rng(0))
    got = attributed(pool, Subsets(subsets.groups, orders), names=NAMES)
    np.testing.assert_allclose(got.value.sum(axis=1), found.value.sum(axis=1))
    assert (np.abs(got.value - found.value) <= 5 * got.error + 1e-12).all()


def test_a_mixture_weighed_is_the_mixture_drawn(cases, fake_fits):
    """Both ends of the pool, and a mixture of them, within four errors of draws of their own."""
    a, b = cases
    pool = pooled(a, b, fits=[posterior(a), posterior(b)])
    subsets = subsets_by(a, b, by="block", alone=pool.fit.compiled.alone)
    made = subset_means(pool, subsets, names=NAMES)
    for mask in subsets.masks:
        names = [n for i, of in enumerate(subsets.groups.values()) if mask >> i & 1 for n in of]
        case = replace(mixed(a, b, names=names), seed=3)
        x = answer(posterior(case), case, names=NAMES)
        for q, name in enumerate(NAMES):
            error = np.hypot(x[name].std() / len(x[name]) ** 0.5, made[1:, q, mask].std() * 19**0.5)
            assert made[0, q, mask] == pytest.approx(x[name].mean(), abs=4 * error)


def test_a_mixture_too_far_away_is_fitted(cases, fake_fits):
    a, b = cases
    far = replace(a.by_name["bottleneck"], params=(("mu", 6.0), ("sigma", 0.1)), quantiles=None)
    b = with_prior(b, far)
    shifted = replace(
        a.by_name["step_6"], params=(("alpha", 900.0), ("beta", 100.0)), quantiles=None
    )
    b = with_prior(b, shifted)
    fits = [posterior(a), posterior(b)]
    pool = pooled(a, b, fits=fits)
    members = subsets_by(a, b, by="claim", alone=pool.fit.compiled.alone).mixtures(pool)
    assert trust(pool, members)["untrusted"] == 2
    fit_mixtures = lambda some: [posterior(case) for case in some]  # noqa: E731
    wider, found = with_mixtures(pool, fits, members=members, fit_mixtures=fit_mixtures, most=9)
    assert len(found) == 4
    assert trust(wider, members)["untrusted"] == 0


def test_a_worldview_and_itself_have_no_gap(cases, fake_fits):
    a, _ = cases
    fit = posterior(a)
    pool = pooled(a, a, fits=[fit])
    subsets = subsets_by(a, a, by="claim", alone=pool.fit.compiled.alone)
    made, view = attributed(pool, subsets, names=HEADLINE[:4]), View("a", fit)
    for row in gap_rows((view, view), made):
        assert row["gap"] == row["prior_gap"] == row["sum_of_parts"] == 0
    rows = part_rows(made, by="claim")
    assert {r["group"] for r in rows} == set(CLAIMS)
    assert all(r["part"] == r["mcse"] == 0.0 for r in rows)


def test_pools_of_two_certain_views():
    x = {"a": np.full(10, 0.2), "b": np.full(30, 0.6)}
    shares = {"a": 0.25, "b": 0.75}
    assert linear_pool(x, shares)["mean"] == pytest.approx(0.5)
    odds = (0.2 / 0.8) ** 0.25 * (0.6 / 0.4) ** 0.75
    assert logarithmic_pool(x, shares)["mean"] == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (["a=1"], "found none for b"),
        (["a=1", "c=1"], "no such worldview"),
        (["a=1", "b=x"], "write NAME=NUMBER"),
        (["a=1", "b=-1"], "0 or more"),
        (["a=0", "b=0"], "found 0 for all"),
    ],
)
def test_faults_of_weights_are_told(stated, message):
    with pytest.raises(InputError, match=message):
        weights_of(["a", "b"], stated)


def test_weights_are_read(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text("[weights]\na = 3\nb = 1\n", encoding="utf-8")
    assert weights_of(["a", "b"], [], file=path) == {"a": 0.75, "b": 0.25}
    assert weights_of(["a", "b"], []) == {"a": 0.5, "b": 0.5}


def test_the_command_writes_a_whole_folder(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)

    def fit_many(cases, folder, **_):
        small = {"draws": 40, "chains": 2}
        return [posterior(replace(c, sampler=replace(c.sampler, **small))) for c in cases]

    monkeypatch.setattr("forecast.inference.parallel.fit_many", fit_many)
    done = CliRunner().invoke(cli, ["crux", "doubter", "questioner", "--quick", "--out", "c"])
    assert done.exit_code == 3, done.output  # 80 draws do not converge
    assert "Parts by claim: questioner less doubter" in done.stdout
    told = json.loads((tmp_path / "c" / "crux.json").read_text(encoding="utf-8"))
    (pair,) = told["pairs"]
    for gap in pair["gaps"]:
        for by, groups in (("block", BLOCKS), ("claim", CLAIMS)):
            rows = [r for r in pair["parts"] if (r["by"], r["quantity"]) == (by, gap["quantity"])]
            assert [r["group"] for r in rows] == list(groups)
            assert sum(r["part"] for r in rows) == pytest.approx(gap["weighed"])
    page = (tmp_path / "c" / "crux.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "What would close the gap" in page
    first = " ".join(done.stdout.split("Worldviews\n")[0].split())
    assert "alignment-relevant (strict): How likely is a work to be used" in first
    assert "times as much; before the evidence questioner" in first
    assert {"ease", "gate_tracked"} <= set(pair["default"]["b"])
    assert "step_6" in pair["default"]["a"]
    assert "gate_tracked*" in page
    assert "value_constancy*" not in page
    assert "no table: stop_6, stop_7" in page
    again = CliRunner().invoke(cli, ["crux", "doubter"])
    assert (again.exit_code, "name two or more" in again.stderr) == (2, True)


def test_worldviews_of_other_questions_are_refused(tmp_path):
    path = tmp_path / "later.toml"
    text = 'schema = 1\nextends = "default.toml"\nname = "later"\nauthor = "x"\ndate = 2026-11-22\n'
    path.write_text(text + 'summary = "x"\n[question]\nhorizon = 2045\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"horizon found 2045, where .* has 2040; a crux"):
        crux(["default", path], out=tmp_path / "x")
    assert not (tmp_path / "x").exists()
