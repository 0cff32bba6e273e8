"""Worlds, the verdict on their ranks and coverage; prior draws stand in for fits."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from forecast.analyses import calibrate as worlds
from forecast.analyses.calibrate import (
    PROBS,
    TESTS,
    calibrate,
    clustered,
    coverage_rows,
    detectable,
    holm,
    p_values,
    pooled_rows,
    verdicts,
)
from forecast.analyses.scores import covered
from forecast.cli.main import cli
from forecast.config.load import SamplerOptions
from forecast.inference.case import make_case, structure_of
from forecast.inference.evaluate import harder, posterior
from forecast.inference.sampling import careful
from forecast.runs.inputs import load_inputs
from models.errors import InputError
from models.quantities import HEADLINE

SHORT = {"draws": 20, "tune": 10, "chains": 2}


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
    ranking = worlds.ranks(world, fit)
    names, numbers = list(ranking.names), ranking.numbers
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
    one = worlds.key_of(default_case)
    assert one == worlds.key_of(default_case)
    assert one != worlds.key_of(replace(default_case, seed=1))
    monkeypatch.setattr(worlds, "code_hash", lambda: "other sources")
    assert one != worlds.key_of(default_case)


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
    fits = [
        worlds.Ranking(("a", "b"), np.ones((2, 2))),
        worlds.Ranking(("b",), np.array([[3.0, 4.0]])),
    ]
    names, numbers = worlds.common(fits)
    assert names == ["b"]
    np.testing.assert_array_equal(numbers[1], [[3.0, 4.0]])


N, DRAWS = 200, 99


def uniform(rng, posterior, *, truth):
    """Ranks of truths (simulation,) among draws (simulation, draw), as ``ranks`` makes them."""
    below = (posterior < truth[:, None]).sum(axis=1)
    return (below + rng.random(len(truth))) / (posterior.shape[1] + 1)


def conjugate(rng, *, sign=1.0):
    """Normal mean, prior N(0, 1), one observation of sd 1; ``sign`` -1 reads it backwards."""
    truth = rng.standard_normal(N)
    y = sign * (truth + rng.standard_normal(N))
    draws = y[:, None] / 2 + np.sqrt(0.5) * rng.standard_normal((N, DRAWS))
    return uniform(rng, draws, truth=truth)


def scale(rng, *, jacobian):
    """A scale s with prior LogNormal(0, 0.5), seen in three normals; sampled as log s on a grid.

    Without the Jacobian the density of s is taken for that of log s.
    """
    truth = np.exp(0.5 * rng.standard_normal(N))
    y = truth[:, None] * rng.standard_normal((N, 3))
    x = np.linspace(-4.0, 4.0, 1601)
    prior = stats.lognorm.logpdf(np.exp(x), 0.5) + (x if jacobian else 0.0)
    fit = stats.norm.logpdf(y[:, :, None], scale=np.exp(x)).sum(axis=1) + prior
    p = np.exp(fit - fit.max(axis=1, keepdims=True))
    cdf = np.cumsum(p / p.sum(axis=1, keepdims=True), axis=1)
    u = rng.random((N, DRAWS))
    draws = np.stack([np.exp(np.interp(v, c, x)) for v, c in zip(u, cdf, strict=True)])
    return uniform(rng, draws, truth=truth)


def raters(rng, *, shared):
    """A mean read by three raters with a common error; ``shared`` says whether the fit knows it."""
    truth = rng.standard_normal(N)
    common = rng.standard_normal((N, 1))
    y = truth[:, None] + common + 0.5 * rng.standard_normal((N, 3))
    variance = 1.0 + 0.25 / 3 if shared else (1.0 + 0.25) / 3
    weight = 1.0 / (1.0 + variance)
    sd = np.sqrt(1.0 - weight)
    draws = weight * y.mean(axis=1)[:, None] + sd * rng.standard_normal((N, DRAWS))
    return uniform(rng, draws, truth=truth)


def test_each_p_value_is_uniform_where_ranks_are():
    rng = np.random.default_rng(1)
    found = [p_values(rng.random(N)) for _ in range(400)]
    for test in TESTS:
        p = [row[test] for row in found]
        assert stats.kstest(p, "uniform").pvalue > 0.001, test


def test_holm_steps_down_as_in_his_example():
    p = np.array([0.01, 0.04, 0.03, 0.005])  # 0.05/4, /3, /2, /1 in order of size
    np.testing.assert_array_equal(holm(p, level=0.05), [True, False, False, True])
    assert not holm(np.array([0.02, 0.03]), level=0.01).any()
    assert holm(np.array([1e-9, 1e-9]), level=0.01).all()


def test_false_alarms_among_many_quantities_are_as_rare_as_stated():
    rng = np.random.default_rng(2)
    names = [f"q{j}" for j in range(30)]
    alarms = sum(
        not all(row["passes"] for row in verdicts(names, rng.random((100, 30)), level=0.05))
        for _ in range(200)
    )
    assert alarms <= stats.binom.ppf(0.999, 200, 0.05)


@pytest.mark.parametrize("fault", ["shift", "narrow", "wide"])
def test_what_is_said_to_be_seen_is_seen_four_times_in_five(fault):
    rng, about = np.random.default_rng(3), detectable(N, 50)
    names = [f"q{j}" for j in range(50)]
    found = 0
    for _ in range(200):
        z = rng.standard_normal((N, 50))
        z[:, 0] = z[:, 0] + about[fault] if fault == "shift" else z[:, 0] * about[fault]
        found += not verdicts(names, stats.norm.cdf(z))[0]["passes"]
    assert abs(found / 200 - 0.8) < 0.1  # 3.5 binomial standard errors


@pytest.mark.parametrize(
    ("good", "wrong"),
    [
        (lambda rng: conjugate(rng), lambda rng: conjugate(rng, sign=-1.0)),
        (lambda rng: scale(rng, jacobian=True), lambda rng: scale(rng, jacobian=False)),
        (lambda rng: raters(rng, shared=True), lambda rng: raters(rng, shared=False)),
    ],
    ids=["wrong sign", "missing Jacobian", "raters as independent"],
)
def test_a_wrong_likelihood_is_caught_and_the_right_one_passes(good, wrong):
    rng = np.random.default_rng(4)
    names = ["theta", *(f"other{j}" for j in range(365))]  # as many as the real model ranks
    others = rng.random((N, 365))
    for make, passes in ((good, True), (wrong, False)):
        rows = verdicts(names, np.column_stack([make(rng), others]))
        assert rows[0]["passes"] is passes
        assert all(row["passes"] for row in rows[1:])


def test_a_posterior_that_knows_too_much_has_a_width_above_one():
    rows = verdicts(["theta"], raters(np.random.default_rng(5), shared=False)[:, None])
    assert rows[0]["width"] > 1.2
    assert "width" in rows[0]["fails"]


def test_a_rank_lies_in_the_intervals_that_reach_it():
    u = np.array([0.5, 0.26, 0.2, 0.76, 0.03, 0.99])
    assert covered(u, 0.5).tolist() == [True, True, False, False, False, False]
    assert covered(u, 0.95).tolist() == [True] * 5 + [False]


def test_coverage_of_a_quantity_has_its_binomial_error():
    ranks = (np.arange(1000) + 0.5)[:, None] / 1000
    (row,) = coverage_rows(["x"], ranks)
    for p in PROBS:
        assert row[f"within_{p:g}"] == pytest.approx(p, abs=0.002)  # an end may fall on a rank
        assert row[f"se_{p:g}"] == pytest.approx((p * (1 - p) / 1000) ** 0.5)
        assert not row[f"outside_{p:g}"]


def test_intervals_that_are_too_narrow_are_outside():
    z = 1.5 * np.random.default_rng(1).standard_normal((400, 1))
    (row,) = coverage_rows(["x"], stats.norm.cdf(z))
    assert row["outside_0.5"]
    assert row["outside_0.8"]
    assert row["outside_0.95"]
    # a posterior too narrow by 1.5 covers with 2 Phi(z_p / 1.5) - 1
    for p in PROBS:
        due = 2 * stats.norm.cdf(stats.norm.ppf(0.5 + p / 2) / 1.5) - 1
        assert row[f"within_{p:g}"] == pytest.approx(due, abs=4 * (due * (1 - due) / 400) ** 0.5)


def test_quantities_of_one_simulation_count_as_one():
    """Thirty copies of one quantity tell no more than it does by itself."""
    u = np.random.default_rng(2).random((200, 1))
    (one,) = [r for r in pooled_rows(["a"], u) if r["group"] == "all"]
    names = [f"q{j}" for j in range(30)]
    (many,) = [r for r in pooled_rows(names, np.repeat(u, 30, axis=1)) if r["group"] == "all"]
    for p in PROBS:
        assert many[f"se_{p:g}"] == pytest.approx(one[f"se_{p:g}"])
        assert many[f"se_{p:g}"] == pytest.approx((p * (1 - p) / 200) ** 0.5, rel=0.25)


def test_the_clustered_error_is_that_of_the_mean():
    rng = np.random.default_rng(3)
    means = [x.mean() for x in rng.random((2000, 50))]
    told = np.mean([clustered(x) for x in rng.random((200, 50))])
    assert told == pytest.approx(np.std(means), rel=0.1)


def test_as_many_are_outside_as_chance_gives():
    rng, names = np.random.default_rng(4), [f"q{j}" for j in range(400)]
    found = [pooled_rows(names, rng.random((200, 400)))[-1] for _ in range(20)]
    for p in PROBS:
        seen = sum(row[f"outside_{p:g}"] for row in found)
        due = sum(row[f"by_chance_{p:g}"] for row in found)
        assert 0 < due <= 0.01 * 400 * 20  # the binomial is discrete: less than a hundredth
        assert abs(seen - due) < 4 * due**0.5
