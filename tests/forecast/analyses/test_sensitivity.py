"""What drives a target: a linear-Gaussian model whose every answer is known, and the command."""

import csv
import json
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from scipy import stats

from forecast.analyses import sensitivity as module
from forecast.analyses.sensitivity import (
    ALPHAS,
    LABELS,
    SUMMARY_TABLES,
    UNIT,
    Baseline,
    Effect,
    baseline_of,
    belief_rows,
    block_rows,
    factor_rows,
    items,
    ladder_rows,
    largest,
    moments,
    moved,
    pair_rows,
    point,
    power_rows,
    probability_below,
    reading,
    shifted,
    tipping_rows,
    tornado,
    withheld,
)
from forecast.analyses.statistics import interval, width_parts
from forecast.cli.main import cli
from forecast.inference.case import structure_of, with_prior
from forecast.inference.pointwise import log_likelihoods
from forecast.inference.sampling import Compiled, Fit
from forecast.runs.run import run
from models.priors import Prior, ppf
from reports.sensitivity import tables_line
from reports.words import method, points
from scripts.docs_pages import sensitivity_block

N, CHAINS, Z = 8000, 4, float(stats.norm.ppf(0.95))
ALONE = "on_target"
# belief: prior mean and sd, figure observed and its error (inf: none), slope of the target
TOY = {
    "ease": (0.5, 1.0, 0.2, 1.0, 2.0),
    "halo": (0.0, 0.7, 0.4, 0.9, 1.5),
    "effort_slope": (-0.3, 0.5, 0.1, 0.6, 1.0),
    "worker_growth_mean": (0.0, 1.0, 0.0, 1.0, 0.0),
    ALONE: (0.2, 0.4, 0.0, np.inf, 3.0),
}
PULL = {k: (1 / s**2) / (1 / s**2 + 1 / t**2) for k, (_, s, _, t, _) in TOY.items()}
"""Move of the posterior mean for a move of the prior's."""
SD = {k: (1 / s**2 + 1 / t**2) ** -0.5 for k, (_, s, _, t, _) in TOY.items()}


@dataclass(frozen=True)
class Linear:
    """The target by draw; the forecast-only belief follows its prior at fixed normals."""

    sampled: np.ndarray
    normals: np.ndarray

    def __call__(self, fit, case):
        own = case.by_name[ALONE].values
        return {"y": self.sampled + TOY[ALONE][4] * (own["mu"] + own["sigma"] * self.normals)}


@pytest.fixture(scope="module")
def toy(default_case) -> Baseline:
    case = replace(default_case, experts=())
    for name, (m, s, *_) in TOY.items():
        case = with_prior(case, normal(case.by_name[name], m, s=s))
    rng = np.random.default_rng(7)
    z = {name: stats.norm.ppf((rng.permutation(N) + 0.5) / N) for name in TOY}
    draws = {}
    for name, (m, _, figure, _, _) in TOY.items():
        mean = PULL[name] * m + (1 - PULL[name]) * figure
        draws[name] = mean + SD[name] * z[name]
    sampled = sum(TOY[name][4] * draws[name] for name in TOY if name != ALONE)
    ahead = Linear(sampled, z[ALONE])
    tree = {"posterior": xr.Dataset({"y": (("chain", "draw"), np.zeros((CHAINS, N // CHAINS)))})}
    own = {name: x for name, x in draws.items() if name != ALONE}
    fit = Fit(
        case,
        Compiled(structure_of(case), None, (ALONE,), {}, 0.0),
        xr.DataTree.from_dict(tree),
        own | {"use_rate": np.zeros(N)},
        SimpleNamespace(min_ess_bulk=float(N), min_ess_tail=float(N)),
    )
    y = ahead(fit, case)["y"]
    return Baseline(fit, "y", ahead, y, y, draws, {})


def normal(prior: Prior, mu: float, *, s: float) -> Prior:
    """Return a Normal in the place of a prior."""
    return replace(prior, dist="Normal", params=(("mu", mu), ("sigma", s)), quantiles=None)


@pytest.fixture(scope="module")
def bars(toy):
    return tornado(toy, refit=None)


def test_every_bar_of_the_tornado_is_the_exact_move(bars):
    """Four errors: 20 bars, each outside by chance in 1 of 16,000."""
    for row in bars:
        m, s, figure, t, slope = TOY[row["parameter"]]
        mean, sd = {
            "low": (m - Z * s, s),
            "high": (m + Z * s, s),
            "narrow": (m, s / 2),
            "wide": (m, 2 * s),
        }[row["move"]]
        pull = (1 / sd**2) / (1 / sd**2 + 1 / t**2)
        before = PULL[row["parameter"]] * m + (1 - PULL[row["parameter"]]) * figure
        exact = slope * (pull * mean + (1 - pull) * figure - before)
        if row["how"] != "withheld":
            assert abs(row["shift"] - exact) <= 4 * row["mcse"] + 1e-6, row
    assert sum(row["how"] == "withheld" for row in bars) <= 2
    how = {row["parameter"]: row["how"] for row in bars if row["move"] == "high"}
    assert how[ALONE] == "exact"
    assert how["ease"] == "reweighted"
    assert {row["move"] for row in bars} == set(LABELS)


def test_the_largest_move_comes_first_and_an_idle_belief_last(bars):
    assert next(row["parameter"] for row in largest(bars)) in ("ease", ALONE)
    idle = next(row for row in largest(bars) if row["parameter"] == "worker_growth_mean")
    assert idle["most"] == pytest.approx(0.0, abs=4 * idle["mcse"] + 1e-12)


def test_power_scaling_has_the_sign_and_size_of_the_exact_derivative(toy, monkeypatch):
    """Of the posterior mean in log2 of the prior's power, block by block."""
    monkeypatch.setattr("forecast.analyses.sensitivity.likelihoods", lambda structure: ())
    rows = {row["component"]: row for row in power_rows(toy)}
    for name, (m, s, figure, t, slope) in TOY.items():
        row = rows[toy.case.by_name[name].block]
        slack = (1 / s**2) * (1 / t**2) / (1 / s**2 + 1 / t**2) ** 2
        exact = slope * slack * (m - figure) * np.log(2) if np.isfinite(t) else 0.0
        assert abs(row["direction"] - exact) <= 4 * row["mcse"], name
    assert rows["workers"]["sensitivity"] < min(rows[b]["sensitivity"] for b in ("tracking",))


def test_power_scaling_has_the_exact_size_of_psense(toy, monkeypatch):
    """Distance of two normals by their cdfs, per doubling: ArviZ's formula on the draws' range."""
    monkeypatch.setattr("forecast.analyses.sensitivity.likelihoods", lambda structure: ())
    rows = {row["component"]: row for row in power_rows(toy)}
    grid = np.linspace(toy.y.min(), toy.y.max(), 40001)
    for name in TOY:
        row = rows[toy.case.by_name[name].block]
        far = [distance(target(), target(name, alpha), grid=grid) for alpha in ALPHAS]
        made = np.array(far) / np.abs(np.log2(ALPHAS))
        assert abs(row["sensitivity"] - np.mean(made)) <= 4 * row["error"] + 0.002, name


def target(scaled="", alpha=1.0):
    """Return mean and sd of the target with one prior, or one figure's density, to a power."""
    mean = var = 0.0
    for name, (m, s, figure, t, slope) in TOY.items():
        prior, data = 1 / s**2, 1 / t**2
        prior *= alpha if scaled == name else 1.0
        data *= alpha if scaled == f"figure of {name}" else 1.0
        mean += slope * (prior * m + data * figure) / (prior + data)
        var += slope**2 / (prior + data)
    return mean, var**0.5


def distance(p, q, *, grid):
    """Return the cumulative Jensen-Shannon distance of two normals, the larger of both ways."""
    found = []
    for sign in (1.0, -1.0):
        a, b = (stats.norm.cdf(sign * (grid - mean) / sd) for mean, sd in (p, q))
        mid = 0.5 * (a + b)
        parts = [np.where(x > 0, x * np.log2(np.where(x > 0, x / mid, 1)), 0) for x in (a, b)]
        found.append(((parts[0] + parts[1]).sum() / (a + b).sum()) ** 0.5)
    return max(found)


def test_power_scaling_of_a_table_has_the_exact_sign_and_size(toy, monkeypatch):
    name = "ease"
    _, _, figure, t, _ = TOY[name]
    logs = stats.norm.logpdf(figure, toy.beliefs[name], t)
    monkeypatch.setattr(module, "table_logs", lambda base: {"workers": logs})
    row = next(r for r in power_rows(toy) if r["group"] == "likelihood")
    ends = [target(f"figure of {name}", alpha)[0] for alpha in ALPHAS]
    exact = (ends[1] - ends[0]) / np.log2(ALPHAS[1] / ALPHAS[0])
    assert row["component"] == "workers"
    assert abs(row["direction"] - exact) <= 4 * row["mcse"]
    assert abs(exact) > 8 * row["mcse"]


def test_rank_correlations_are_those_of_a_normal_and_partial_ones_are_larger(toy):
    """Spearman's is 6/pi asin(r/2); with all else held less noise is left."""
    parts = {n: TOY[n][4] * (SD[n] if n != ALONE else TOY[n][1]) for n in TOY}
    whole = sum(x**2 for x in parts.values()) ** 0.5
    for row in belief_rows(toy):
        r = parts[row["parameter"]] / whole
        exact = 6 / np.pi * np.arcsin(r / 2)
        assert row["rank"] == pytest.approx(exact, abs=4 * N**-0.5)
        assert row["rank_lower"] < row["rank"] < row["rank_upper"]
        if r > 0.1:
            assert row["partial"] > row["rank"] + 0.2
        else:
            assert abs(row["partial"]) < 4 * N**-0.5 + 0.1


def test_the_error_of_a_width_is_that_of_two_normal_quantiles():
    """Of 4000 draws; over 200 repeats the widths spread by as much as each says it errs."""
    rng, n = np.random.default_rng(1), 4000
    same = np.full(n, 1.0 / n)
    draws = rng.standard_normal((200, n))
    widths = [np.subtract(*interval(y, same)[::-1]) for y in draws]
    said = [float((width_parts(y, same) ** 2).sum() ** 0.5) for y in draws]
    assert np.mean(said) == pytest.approx(np.std(widths), rel=0.15)  # 0.05 is its error


def test_factors_give_the_exact_shares_by_all_three_indices(toy, bars):
    rows, told = factor_rows(toy, bars, quick=True)
    parts = {
        toy.case.by_name[name].block: (slope * PULL[name] * s) ** 2
        for name, (_, s, _, _, slope) in TOY.items()
    }
    whole = sum(parts.values())
    for row in rows:
        share = parts[row["block"]] / whole
        for key in ("first", "total", "shapley"):
            assert row[key] == pytest.approx(share, abs=0.03), (row["block"], key)
        assert row["shapley_lower"] - 0.02 <= share <= row["shapley_upper"] + 0.02
    assert told["accuracy"] > 0.98
    assert told["shapley_sum"] == pytest.approx(told["variance"])
    exact = UNIT**2 * whole
    assert abs(told["variance"] - exact) <= 3 * told["variance_error"]


def test_variance_explained_on_draws_is_exact(toy):
    parts = {
        toy.case.by_name[name].block: (TOY[name][4] * SD[name]) ** 2
        if name != ALONE
        else (TOY[name][4] * TOY[name][1]) ** 2
        for name in TOY
    }
    for row in block_rows(toy):
        share = parts[row["block"]] / sum(parts.values())
        assert row["lower"] - 0.02 <= share <= row["upper"] + 0.02
        assert row["share"] == pytest.approx(share, abs=0.02)


def test_a_tipping_point_is_where_the_line_crosses(toy, bars):
    gap = 0.8 * TOY["ease"][4] * PULL["ease"] * TOY["ease"][1]
    rows = tipping_rows(toy, bars, thresholds={"yours": toy.mean + gap}, refit=None)
    found = {row["parameter"]: row for row in rows}
    at = TOY["ease"][0] + 0.8 * TOY["ease"][1]
    assert abs(found["ease"]["value"] - at) <= 4 * found["ease"]["error"]
    assert found["ease"]["quantile"] == pytest.approx(stats.norm.cdf(0.8), abs=0.02)
    assert found["worker_growth_mean"]["value"] is None
    assert found["worker_growth_mean"]["to_quantile"] > 0.9


def test_a_pair_of_which_only_the_sum_is_seen_is_named_and_no_other(toy):
    """Two priors of sd 1 and a figure of their sum with error 0.2: correlation near -1."""
    cov = np.linalg.inv(np.eye(2) + np.ones((2, 2)) / 0.2**2)
    x = np.random.default_rng(3).multivariate_normal([0.0, 0.0], cov, size=N)
    pair = {"ease": x[:, 0], "worker_growth_mean": x[:, 1]}
    y = toy.y + x.sum(axis=1)
    made = replace(toy, beliefs=toy.beliefs | pair, y=y, smooth=y)
    (row,) = pair_rows(made)
    assert {row["first"], row["second"]} == set(pair)
    assert row["correlation"] == pytest.approx(cov[0, 1] / cov[0, 0], abs=0.01)
    assert row["learned_sd"] == pytest.approx((1 + 2 / 0.2**2) ** -0.5, rel=0.03)
    assert row["left_sd"] == pytest.approx(1.0, rel=0.03)
    assert row["first_weight"] == pytest.approx(row["second_weight"], rel=0.05)
    assert not pair_rows(toy)


@pytest.mark.parametrize(
    ("dist", "params"),
    [
        ("Normal", {"mu": 1.0, "sigma": 2.0}),
        ("StudentT", {"nu": 4.0, "mu": 1.0, "sigma": 2.0}),
        ("LogNormal", {"mu": 0.3, "sigma": 0.4}),
        ("LogitNormal", {"mu": -1.0, "sigma": 0.8}),
        ("Gamma", {"alpha": 3.0, "beta": 0.3}),
        ("Beta", {"alpha": 1.5, "beta": 26.0}),
    ],
)
def test_a_shift_keeps_the_spread_and_a_scaling_the_centre(default_case, dist, params):
    prior = replace(default_case.priors[0], dist=dist, params=tuple(params.items()))
    (mean, sd), made, low = moments(prior), moved(prior), point(prior, 0.05)
    assert probability_below(prior, low) == pytest.approx(0.05, abs=1e-6)
    assert moments(made["low"]) == pytest.approx((low, sd), rel=1e-6, abs=1e-9)
    assert moments(made["wide"]) == pytest.approx((mean, 2 * sd), rel=1e-6, abs=1e-9)
    assert moments(made["narrow"]) == pytest.approx((mean, sd / 2), rel=1e-6, abs=1e-9)
    assert moments(shifted(prior, mean)) == pytest.approx((mean, sd), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("dist", "name"), [("HalfNormal", "sigma"), ("Exponential", "lam")])
def test_a_prior_of_one_number_is_multiplied(default_case, dist, name):
    prior = replace(default_case.priors[0], dist=dist, params=((name, 2.0),))
    twice = shifted(prior, factor=2.0)
    np.testing.assert_allclose(ppf(twice, [0.1, 0.5, 0.9]), 2 * ppf(prior, [0.1, 0.5, 0.9]))
    low = moved(prior)["low"]
    assert ppf(low, 0.5) == pytest.approx(float(ppf(prior, 0.05)), rel=1e-6)


def test_a_uniform_prior_never_leaves_its_bounds(default_case):
    prior = replace(default_case.priors[0], dist="Uniform", params=(("lower", 1.0), ("upper", 3.0)))
    for made in moved(prior).values():
        assert made.values["lower"] >= 1.0 - 1e-12
        assert made.values["upper"] <= 3.0 + 1e-12
    assert ppf(moved(prior)["low"], 0.5) == pytest.approx(1.1)


def test_a_truncated_normal_is_moved_on_its_own_scale(default_case):
    params = (("mu", 0.4), ("sigma", 0.3), ("lower", 0.0), ("upper", 1.0))
    prior = replace(default_case.priors[0], dist="TruncatedNormal", params=params)
    low = float(ppf(prior, 0.05))
    assert point(prior, 0.05) == low
    assert probability_below(prior, low) == pytest.approx(0.05)
    assert moved(prior)["low"].values["mu"] == low


def test_methods_that_differ_say_which_to_trust():
    row = {"flagged": True, "tornado": 0.3, "explained": 0.3, "shapley": 0.3}
    assert reading(row) == ""
    assert "tornado" in reading(row | {"flagged": False})
    assert "interval" in reading(row | {"tornado": 0.0, "shapley": 0.0, "explained": 0.05})
    assert "find out" in reading(row | {"explained": 0.0})


SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


def baseline_for(fit, target):
    """Return the baseline of a fit that is no run."""
    return baseline_of(fit, target, rows=log_likelihoods(fit))


def test_the_command_writes_every_table_and_refuses_what_is_wrong(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    made = run("default", **SMALL)

    def call(*args):
        return CliRunner().invoke(cli, ["sensitivity", str(made.folder), "--quick", *args])

    done = call("--threshold", "0.2")
    assert done.exit_code == 3, done.output  # 80 draws do not converge
    assert "NOT CONVERGED" in done.stdout
    folder = made.folder.parent / f"sensitivity-{made.folder.name}"
    names = {p.name for p in folder.iterdir()}
    assert {f"{name}.csv" for name in SUMMARY_TABLES} | {
        "sensitivity.html",
        "sensitivity.json",
    } < names
    told = json.loads((folder / "sensitivity.json").read_text())
    assert told["thresholds"]["yours"] == 0.2
    assert told["quick"]
    with (folder / "tornado.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 88
    assert {row["how"] for row in rows} <= {"exact", "reweighted", "withheld"}
    page = (folder / "sensitivity.html").read_text(encoding="utf-8")
    assert "NOT CONVERGED" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)
    wrong = call("--target", "alignment_relevnt")
    assert (wrong.exit_code, "did you mean 'alignment_relevant'" in wrong.stderr) == (2, True)
    wrong = call("--threshold", "3")
    assert (wrong.exit_code, "between 0 and 1" in wrong.stderr) == (2, True)
    wrong = call("--out", str(tmp_path / "runs"))
    assert (wrong.exit_code, "not of this command" in wrong.stderr) == (2, True)
    assert CliRunner().invoke(cli, ["sensitivity", "no-such-thing", "--quick"]).exit_code == 2
    held = [row for row in told["left_out"] if row["how"] == "withheld"]
    assert held
    assert all(row["shift"] is None and row["pareto_k"] > 0.7 for row in held)
    assert any("withheld" in line for line in told["lines"])
    block = "\n".join(sensitivity_block(told, command="forecast sensitivity X"))
    assert block.startswith("Made by `forecast sensitivity X --quick`.")
    assert "### Evidence left out" in block
    assert "| withheld: k = " in block


def test_items_leave_out_each_row_of_evidence_once_a_kind(fit):
    m = baseline_for(fit, "alignment_relevant")
    found = items(m)
    arrays = m.case.evidence.arrays
    kinds = {i.kind for i in found}
    assert kinds == {"table", "rater", "agenda", "selection", "worker source"}
    for kind, table in (("agenda", "ratings"), ("worker source", "workers")):
        left = sum(i.rows for i in found if i.kind == kind)
        assert left == pytest.approx(arrays[table]["weight"].sum())
    for i in found:
        if i.kind != "rater":
            gone = sum(weights(m.case).values()) - sum(weights(i.case).values())
            assert gone == pytest.approx(i.rows)


def weights(case):
    """Return the sum of weights of each table that has any."""
    arrays = case.evidence.arrays
    return {name: x["weight"].sum() for name, x in arrays.items() if "weight" in x}


def test_averaging_independent_beliefs_keeps_the_mean_and_cuts_the_noise(fit):
    m = baseline_for(fit, "alignment_relevant")
    assert m.smooth.std() < m.y.std()
    error = (m.y - m.smooth).std() / len(m.y) ** 0.5
    assert abs(m.smooth.mean() - m.y.mean()) < 4 * error
    used = baseline_for(fit, "alignment_used")
    np.testing.assert_allclose(used.smooth, used.y)  # no late belief moves it


def test_what_weights_cannot_say_is_fitted_anew_and_errors_add_up(fit):
    m, asked_for = baseline_for(fit, "alignment_relevant"), []

    def refit(cases):
        asked_for.extend(cases)
        return [replace(fit, case=case) for case in cases]

    prior = {"mean": 0.5, "lower": 0.2, "upper": 0.8, "mcse": 0.01}
    rows = ladder_rows(m, refit=refit, prior=prior)
    fitted = [row for row in rows if row["how"] == "refit"]
    assert len(fitted) == len(asked_for) > 0
    assert not any(row["how"] == "withheld" for row in rows)
    assert rows[0]["shift"] == pytest.approx(0.5 - m.mean)
    own = m.y.std() / m.ess**0.5
    assert all(row["mcse"] > own for row in fitted)
    assert rows[-1]["mean"] == pytest.approx(m.mean)
    less = [sum(weights(case).values()) for case in asked_for]
    assert less == sorted(less)  # the ladder only adds


def test_effects_are_told_with_error_and_way():
    effect = Effect(0.2, 0.1, 0.3, 0.012, 0.003, "reweighted", 0.31)
    assert points(effect.shift, effect.mcse) == "+1.2 ± 0.3"
    assert method(effect.row()) == "reweighted, k 0.31"
    assert method(withheld(0.91).row()) == "withheld: k = 0.91"
    assert points(withheld().shift) == "-"


def table(name, shift, *, how="refit", mcse=0.001):
    return {
        "kind": "table",
        "left_out": name,
        "shift": shift,
        "mcse": mcse,
        "how": how,
        "converged": True,
    }


def test_a_table_within_its_noise_is_not_told_to_matter():
    rows = [table("uses", 0.0005), table("ratings", float("nan"), how="withheld")]
    told = tables_line({"left_out": rows, "power": []})
    assert told.startswith("No table that can be left out moves it by more than twice the error.")
    assert told.endswith("Leaving out ratings is withheld: weights cannot tell.")
    told = tables_line({"left_out": [table("workers", 0.003), *rows], "power": []})
    assert told.startswith("The tables that matter most: without workers +0.3 ± 0.1 points.")
    assert "uses" not in told
