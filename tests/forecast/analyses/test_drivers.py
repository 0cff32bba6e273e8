"""What drives a target, on a linear-Gaussian model whose every answer is known."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.analyses import sensitivity as explained
from forecast.analyses import sensitivity as scaling
from forecast.analyses import sensitivity as shifts
from forecast.analyses import sensitivity as tipping
from forecast.analyses.sensitivity import (
    ALPHAS,
    LABELS,
    Material,
    interval,
    largest,
    link,
    moments,
    moved,
    reading,
    scaled,
    shifted,
    tornado,
    width_parts,
)
from forecast.inference.case import structure_of, with_prior
from forecast.inference.sampling import Compiled, Fit
from models.priors import Prior, ppf

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
def toy(default_case) -> Material:
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
    return Material(fit, "y", y, y, draws, {}, np.arange(N), 1.0, ahead)


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
    rows = {row["component"]: row for row in scaling.power_rows(toy)}
    for name, (m, s, figure, t, slope) in TOY.items():
        row = rows[toy.case.by_name[name].block]
        slack = (1 / s**2) * (1 / t**2) / (1 / s**2 + 1 / t**2) ** 2
        exact = slope * slack * (m - figure) * np.log(2) if np.isfinite(t) else 0.0
        assert abs(row["direction"] - exact) <= 4 * row["mcse"], name
    assert rows["workers"]["sensitivity"] < min(rows[b]["sensitivity"] for b in ("tracking",))


def test_power_scaling_has_the_exact_size_of_psense(toy, monkeypatch):
    """Distance of two normals by their cdfs, per doubling: ArviZ's formula on the draws' range."""
    monkeypatch.setattr("forecast.analyses.sensitivity.likelihoods", lambda structure: ())
    rows = {row["component"]: row for row in scaling.power_rows(toy)}
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
    logs = stats.norm.logpdf(figure, toy.stated[name], t)
    monkeypatch.setattr(Material, "by_table", lambda m: {"worker_figures": logs})
    row = next(r for r in scaling.power_rows(toy) if r["group"] == "likelihood")
    ends = [target(f"figure of {name}", alpha)[0] for alpha in ALPHAS]
    exact = (ends[1] - ends[0]) / np.log2(ALPHAS[1] / ALPHAS[0])
    assert row["component"] == "workers"
    assert abs(row["direction"] - exact) <= 4 * row["mcse"]
    assert abs(exact) > 8 * row["mcse"]


def test_rank_correlations_are_those_of_a_normal_and_partial_ones_are_larger(toy):
    """Spearman's is 6/pi asin(r/2); with all else held less noise is left."""
    parts = {n: TOY[n][4] * (SD[n] if n != ALONE else TOY[n][1]) for n in TOY}
    whole = sum(x**2 for x in parts.values()) ** 0.5
    for row in explained.belief_rows(toy):
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
    rows, told = shifts.factor_rows(toy, bars, quick=True)
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
    exact = shifts.UNIT**2 * whole
    assert abs(told["variance"] - exact) <= 3 * told["variance_error"]


def test_variance_explained_on_draws_is_exact(toy):
    parts = {
        toy.case.by_name[name].block: (TOY[name][4] * SD[name]) ** 2
        if name != ALONE
        else (TOY[name][4] * TOY[name][1]) ** 2
        for name in TOY
    }
    for row in explained.block_rows(toy):
        share = parts[row["block"]] / sum(parts.values())
        assert row["lower"] - 0.02 <= share <= row["upper"] + 0.02
        assert row["share"] == pytest.approx(share, abs=0.02)


def test_a_tipping_point_is_where_the_line_crosses(toy, bars):
    gap = 0.8 * TOY["ease"][4] * PULL["ease"] * TOY["ease"][1]
    rows = tipping.tipping_rows(toy, bars, at={"yours": toy.mean + gap}, refit=None)
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
    made = replace(toy, stated=toy.stated | pair, y=y, smooth=y)
    (row,) = explained.pair_rows(made)
    assert {row["first"], row["second"]} == set(pair)
    assert row["correlation"] == pytest.approx(cov[0, 1] / cov[0, 0], abs=0.01)
    assert row["learned_sd"] == pytest.approx((1 + 2 / 0.2**2) ** -0.5, rel=0.03)
    assert row["left_sd"] == pytest.approx(1.0, rel=0.03)
    assert row["first_weight"] == pytest.approx(row["second_weight"], rel=0.05)
    assert not explained.pair_rows(toy)


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
    (mean, sd), to = moments(prior), link(prior)
    made = moved(prior)
    low = to(float(ppf(prior, 0.05)))
    assert moments(made["low"]) == pytest.approx((low, sd), rel=1e-6, abs=1e-9)
    assert moments(made["wide"]) == pytest.approx((mean, 2 * sd), rel=1e-6, abs=1e-9)
    assert moments(made["narrow"]) == pytest.approx((mean, sd / 2), rel=1e-6, abs=1e-9)
    assert moments(shifted(prior, mean)) == pytest.approx((mean, sd), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("dist", "name"), [("HalfNormal", "sigma"), ("Exponential", "lam")])
def test_a_prior_of_one_number_is_multiplied(default_case, dist, name):
    prior = replace(default_case.priors[0], dist=dist, params=((name, 2.0),))
    twice = scaled(prior, 2.0)
    np.testing.assert_allclose(ppf(twice, [0.1, 0.5, 0.9]), 2 * ppf(prior, [0.1, 0.5, 0.9]))
    low = moved(prior)["low"]
    assert ppf(low, 0.5) == pytest.approx(float(ppf(prior, 0.05)), rel=1e-6)


def test_a_uniform_prior_never_leaves_its_bounds(default_case):
    prior = replace(default_case.priors[0], dist="Uniform", params=(("lower", 1.0), ("upper", 3.0)))
    for made in moved(prior).values():
        assert made.values["lower"] >= 1.0 - 1e-12
        assert made.values["upper"] <= 3.0 + 1e-12
    assert ppf(moved(prior)["low"], 0.5) == pytest.approx(1.1)


def test_methods_that_differ_say_which_to_trust():
    row = {"flagged": True, "tornado": 0.3, "explained": 0.3, "shapley": 0.3}
    assert reading(row) == ""
    assert "tornado" in reading(row | {"flagged": False})
    assert "interval" in reading(row | {"tornado": 0.0, "shapley": 0.0, "explained": 0.05})
    assert "find out" in reading(row | {"explained": 0.0})
