"""Worlds and the command that ranks their truths, with prior draws in place of fits."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses import calibration, worlds
from forecast.analyses.calibration import calibrate
from forecast.case import structure_of
from forecast.cli import cli
from forecast.engine import posterior
from forecast.retrying import harder
from models.errors import InputError
from models.quantities import HEADLINE

SHORT = {"draws": 20, "tune": 10, "chains": 2}


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """Work in a folder of one's own, and in this process, where fits are fake."""

    def on_processes(todo, shared, *, work, done, workers):
        for name, item in todo.items():
            done(name, work(item, shared))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.parallel._on_processes", on_processes)
    return tmp_path


def test_a_world_follows_from_case_and_number(default_case):
    one, same, other = (worlds.prior_world(default_case, i) for i in (3, 3, 4))
    assert one.case.evidence == same.case.evidence
    assert one.case.evidence != other.case.evidence
    assert one.truth["use_rate"] == same.truth["use_rate"] != other.truth["use_rate"]
    assert structure_of(one.case) == structure_of(default_case)


def test_a_world_around_the_evidence_holds_each_row_twice(default_case, fake_fits):
    fit = posterior(default_case)
    world = worlds.around_world(fit, 0)
    mine, both = default_case.evidence.arrays, world.case.evidence.arrays
    for table, columns in mine.items():
        n = len(columns.get("weight", ()))
        for name, x in columns.items() if n else ():
            assert len(both[table][name]) == 2 * n
            np.testing.assert_array_equal(both[table][name][:n], x)
    np.testing.assert_array_equal(both["cells"]["year"], mine["cells"]["year"])
    drawn = fit.draws["use_rate"]
    assert world.truth["use_rate"][0] in drawn


def test_ranks_place_the_truth_among_the_draws(default_case, fake_fits):
    world = worlds.prior_world(default_case, 0)
    fit = posterior(world.case)
    names, numbers, _ = worlds.ranks(world, fit)
    assert names[-len(HEADLINE) :] == list(HEADLINE)
    assert len(set(names)) == len(names)
    at = np.linspace(0, fit.n - 1, worlds.RANKED).astype(int)
    below = (fit.draws["use_rate"][at] < world.truth["use_rate"][0]).sum()
    u = numbers[names.index("use_rate"), 0]
    assert below / 100 <= u <= (below + 1) / 100
    x = fit.draws["use_rate"]
    away = (world.truth["use_rate"][0] - x.mean()) / x.std()
    assert numbers[names.index("use_rate"), 1] == pytest.approx(away)


def test_prior_draws_in_place_of_fits_pass_and_are_kept(here, fake_fits):
    options = SHORT | {"simulations": 30, "out": here / "c", "quiet": True}
    done = calibrate("default", **options)
    assert done.passed, done.summary["failing"]  # the prior is the right answer to no evidence
    assert done.summary["quantities"] > 300
    assert {row["name"] for row in done.summary["headline"]} == set(HEADLINE)
    n = len(fake_fits)
    again = calibrate("default", **options)
    assert len(fake_fits) == n
    assert again.summary == done.summary
    for name in ("verdicts.csv", "ranks.csv", "fits.csv", "figures/headline.svg"):
        assert (here / "c" / name).stat().st_size > 0
    for line in ("simulations at the real design", "Headline quantities", "posterior"):
        assert line in done.text()


def test_truths_from_elsewhere_are_caught(here, monkeypatch):
    """Truths whose ease stands two of its standard deviations too high."""
    make = worlds.prior_world

    def wrong(case, i):
        world = make(case, i)
        sd = case.by_name["ease"].values["sigma"]
        return worlds.World(world.truth | {"ease": world.truth["ease"] + 2 * sd}, world.case)

    monkeypatch.setattr(worlds, "prior_world", wrong)
    done = calibrate("default", **SHORT, simulations=30, out=here / "c", quiet=True)
    assert [row["name"] for row in done.summary["failing"]] == ["ease"]
    assert "not uniform" in done.text()


def test_the_command_names_fits_that_missed_the_rule(here):
    words = "calibrate default --simulations 20 --draws 20 --tune 10 --out c --quiet --json"
    result = CliRunner().invoke(cli, words.split())
    made = json.loads(result.stdout)
    assert result.exit_code == 3  # 40 draws cannot hold 99 effective ones
    assert made["not_converged"] == list(range(20))
    assert made["rule"] == worlds.RULE


def test_a_fit_that_misses_the_rule_is_made_again_if_allowed(here, fake_fits):
    options = SHORT | {"simulations": 20, "out": here / "c", "quiet": True}
    done = calibrate("default", **options, retry=True)
    assert done.summary["retried"] == list(range(20))
    tuned = {case.sampler.tune for case in fake_fits}
    assert tuned == {10, 20}


def test_longer_tuning_halves_what_is_left_of_acceptance(default_case):
    sampler = harder(default_case).sampler
    assert sampler.tune == 2 * default_case.sampler.tune
    assert sampler.target_accept == pytest.approx(0.85)


def test_a_folder_of_something_else_is_refused(here):
    (here / "c").mkdir()
    (here / "c" / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="not of this calibration"):
        calibrate("default", **SHORT, simulations=20, out=here / "c")
    with pytest.raises(InputError, match="--around nowhere"):
        calibrate("default", **SHORT, simulations=20, around="nowhere")


def test_a_quantity_that_some_fit_lacks_is_left_out():
    made = [{"numbers": np.ones((2, 2))}, {"numbers": np.array([[3.0, 4.0]])}]
    names, numbers = calibration.common([["a", "b"], ["b"]], made)
    assert names == ["b"]
    np.testing.assert_array_equal(numbers[1], [[3.0, 4.0]])
