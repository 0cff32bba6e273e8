"""Worlds and the command that ranks their truths, with prior draws in place of fits."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses import calibrate as calibration
from forecast.analyses import calibrate as worlds
from forecast.analyses.calibrate import calibrate
from forecast.cli.main import cli
from forecast.config.load import SamplerOptions
from forecast.inference.case import make_case, structure_of
from forecast.inference.evaluate import harder, posterior
from forecast.inference.sampling import careful
from forecast.runs.inputs import load_inputs
from models.errors import InputError
from models.quantities import HEADLINE

SHORT = {"draws": 20, "tune": 10, "chains": 2}
WORDS = ("config", "evidence", "experts", "matching", "reweighting", "soft", "tree")
"""Modules that no rank follows from: readers (their result is in the key), and other commands."""


FOLDERS = ("columns", "native")
"""Readers again, and what the key always holds."""


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """Work in a folder of one's own, and in this process, where fits are fake."""

    def on_processes(todo, shared, *, work, done, workers):
        for name, item in todo.items():
            done(name, work(item, shared))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.inference.parallel._on_processes", on_processes)
    return tmp_path


def test_a_world_follows_from_case_and_number(default_case):
    one, same, other = (worlds.prior_world(default_case, i) for i in (3, 3, 4))
    assert one.case.evidence == same.case.evidence
    assert one.case.evidence != other.case.evidence
    assert one.truth["use_rate"] == same.truth["use_rate"] != other.truth["use_rate"]
    assert structure_of(one.case) == structure_of(default_case)


def test_a_world_around_the_evidence_holds_each_row_twice(default_case, fake_fits):
    fit = posterior(default_case)
    world = worlds.around_world(default_case, 0, truth=worlds.around_truth(fit, 0))
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
    files = ("verdicts", "ranks", "fits", "coverage")
    for name in (*(f"{one}.csv" for one in files), "figures/headline.svg"):
        assert (here / "c" / name).stat().st_size > 0
    page = (here / "c" / "calibration.html").read_text(encoding="utf-8")
    for line in ("simulations at the real design", "Headline quantities", "posterior", "Coverage"):
        assert line in done.text()
        assert line in page
    assert page.count("<svg") == 3
    assert "<script" not in page


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
    options = SHORT | {"simulations": 4, "out": here / "c", "quiet": True}
    done = calibrate("default", **options, retry=True)
    assert done.summary["retried"] == list(range(4))
    tuned = {case.sampler.tune for case in fake_fits}
    assert tuned == {10, 20}


def test_a_world_that_cannot_be_fitted_is_counted_and_told(here, monkeypatch):
    def some(case, *, cores=None):
        if case.seed == worlds.world_seed(base, 3):
            raise RuntimeError("chain 1 died\nat length")
        return posterior(case, cores=cores)

    config, tables = load_inputs("default")
    base = make_case(config, tables)
    monkeypatch.setattr(worlds, "posterior", some)
    done = calibrate("default", **SHORT, simulations=6, out=here / "c", quiet=True)
    assert done.summary["not_fitted"] == {"3": "RuntimeError: chain 1 died"}
    assert (done.summary["simulations"], done.summary["asked"]) == (5, 6)
    assert not done.converged
    assert "1 of 6 worlds could not be fitted" in " ".join(done.text().split())
    ranked = {row["simulation"] for row in read(here / "c" / "ranks.csv")}
    assert ranked == {str(i) for i in range(6)} - {"3"}


def test_no_world_that_can_be_fitted_is_an_error(here, monkeypatch):
    def none(case, *, cores=None):
        raise np.linalg.LinAlgError("no metric")

    monkeypatch.setattr(worlds, "posterior", none)
    with pytest.raises(InputError, match=r"0 of 4 worlds could be fitted \(LinAlgError: no metr"):
        calibrate("default", **SHORT, simulations=4, out=here / "c", quiet=True)


def test_a_bug_is_no_world_that_cannot_be_fitted(here, monkeypatch):
    def bug(case, *, cores=None):
        raise KeyError("x")

    monkeypatch.setattr(worlds, "posterior", bug)
    with pytest.raises(KeyError):
        calibrate("default", **SHORT, simulations=4, out=here / "c", quiet=True)


def test_truths_around_the_evidence_are_taken_from_one_long_fit(here, fake_fits, monkeypatch):
    def fit_many(cases, folder):
        return [posterior(case) for case in cases]

    monkeypatch.setattr("forecast.inference.parallel.fit_many", fit_many)
    options = SHORT | {"simulations": 4, "around": "posterior", "out": here / "c", "quiet": True}
    done = calibrate("default", **options)
    long = [
        case for case in fake_fits if case.sampler.draws * case.sampler.chains >= worlds.LEAST_BASE
    ]
    assert len(long) == 1
    assert done.summary["base"]["draws"] >= worlds.LEAST_BASE
    assert len(fake_fits) == 5
    assert "Truths are draws of one fit" in done.text()


def test_each_draw_is_a_truth_once_before_any_is_again(default_case, fake_fits):
    fit = posterior(replace(default_case, experts=()))
    drawn = [worlds.around_truth(fit, i)["use_rate"][0] for i in range(fit.n + 1)]
    assert len(set(drawn)) == fit.n
    assert drawn[fit.n] == drawn[0]


def test_simulations_of_other_sources_are_not_mixed_in(default_case, monkeypatch):
    one = calibration.key_of(default_case)
    assert one == calibration.key_of(default_case)
    assert one != calibration.key_of(replace(default_case, seed=1))
    monkeypatch.setattr(calibration, "code_hash", lambda: "other sources")
    assert one != calibration.key_of(default_case)


def test_longer_tuning_halves_what_is_left_of_acceptance(default_case):
    sampler = harder(default_case).sampler
    assert sampler.tune == 2 * default_case.sampler.tune
    assert sampler.target_accept == pytest.approx(0.9)


def test_fits_to_other_evidence_take_shorter_steps_unless_the_user_asks_for_more():
    assert careful(SamplerOptions()) == SamplerOptions(target_accept=0.9)
    assert careful(SamplerOptions(target_accept=0.95)).target_accept == 0.95


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
