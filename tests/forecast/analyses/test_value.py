"""Values of information against known answers, nested Monte Carlo, and over one finished run."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import norm

from forecast.analyses.value import STUDIES, valued, worth
from forecast.cli.main import cli
from forecast.runs.run import run

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}
N = 4000


def test_a_conjugate_study_has_the_known_value():
    """theta ~ N(0, 1), n = 20 observations of sd 3: the study explains n / (n + 9) of theta."""
    rng = np.random.default_rng(4)
    theta = rng.normal(size=N)
    seen = theta + 3.0 / 20**0.5 * rng.normal(size=N)
    share = 20 / 29
    found = valued(theta, seen[:, None], gains=None, ess=N, seed=0)
    assert found["share"] == pytest.approx(share, abs=3 * found["share_se"])
    assert found["share_se"] < 0.02
    assert found["shrinks"] == pytest.approx(1 - (1 - share) ** 0.5, abs=0.03)


def test_a_conjugate_decision_has_the_known_value():
    """Take theta + 0.3 or 0: worth is E max(0, m) - 0.3 for m ~ N(0.3, share)."""
    rng = np.random.default_rng(5)
    theta = rng.normal(size=N)
    seen = theta + 3.0 / 20**0.5 * rng.normal(size=N)
    s = (20 / 29) ** 0.5
    known = 0.3 * norm.cdf(0.3 / s) + s * norm.pdf(0.3 / s) - 0.3
    gains = np.stack([theta + 0.3, np.zeros(N)])
    found, error = worth(gains, seen[:, None], ess=N)
    assert found == pytest.approx(known, abs=3 * error)
    assert error < 0.02


def test_what_tells_nothing_is_worth_nothing():
    rng = np.random.default_rng(6)
    y, x = rng.normal(size=(2, N))
    found = valued(y, x[:, None], gains=np.stack([y, np.zeros(N)]), ess=N, seed=0)
    assert found["share"] < 3 * found["share_se"] + 1e-3
    assert found["worth"] == pytest.approx(0.0, abs=3 * found["worth_se"])


@pytest.mark.parametrize("case", ["product", "binomial"])
def test_regression_agrees_with_nested_monte_carlo(case):
    """Within two standard errors of both, for two small cases that are not linear."""
    rng = np.random.default_rng(7)
    inner = 400
    if case == "product":  # knowing a gate that multiplies a use, both beta
        x, z = rng.beta(3, 5, size=N), rng.beta(2, 6, size=(N, inner))
        y, stats = x * z[:, 0], x[:, None]
        nested = x * z[:, 1:].mean(axis=1)
    else:  # a survey of 100 teams on a share, of which the outcome is a square
        p = rng.beta(2, 8, size=N)
        k = rng.binomial(100, p)
        again = rng.beta(2 + k[:, None], 8 + 100 - k[:, None], size=(N, inner))
        y, stats = p**2, k[:, None] / 100
        nested = (again**2).mean(axis=1)
    found = valued(y, stats, gains=None, ess=N, seed=0)
    within = y.var() - nested.var()
    share = 1 - within / y.var()
    rows = np.array_split(rng.permutation(N), 20)
    error = np.std([nested[at].var() / y[at].var() for at in rows]) / 20**0.5
    assert found["share"] == pytest.approx(share, abs=2 * np.hypot(found["share_se"], error))


def test_the_command_shows_writes_and_refuses(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    made = str(run("default", **SMALL).folder)
    text = (
        '[decision]\nsplit = "same-bar"\nunit = "points"\n[decision.payoffs]\nalignment_only = 10\n'
        "both = 4\ncapabilities_only = -5\nneither = 0\n[decision.options.publish]\n"
        "[decision.options.withhold]\ncost = 0.3\ndo = { withhold = 1.0 }\n"
    )
    (tmp_path / "d.toml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(cli, ["value", made, "--decision", "d.toml", "--out", "v"])
    assert done.exit_code == 3, done.output  # 80 draws do not converge
    assert "worth, points" in done.stdout
    told = json.loads((tmp_path / "v" / "value.json").read_text(encoding="utf-8"))
    assert {r["study"] for r in told["studies"]} == set(STUDIES)
    assert all(0.0 <= r["share"] <= 1.0 for r in told["beliefs"] + told["studies"])
    assert (tmp_path / "v" / "value_figure.png").stat().st_size > 5_000
    quick = CliRunner().invoke(cli, ["value", made, "--quick", "--out", "q"])
    assert "Not simulated (--quick)." in quick.stdout
    short = json.loads((tmp_path / "q" / "value.json").read_text(encoding="utf-8"))
    assert (short["quick"], short["studies"], told["quick"]) == (True, [], False)
    unpaid = [{k: r[k] for k in r if "worth" not in k} for r in told["beliefs"]]
    assert short["beliefs"] == unpaid  # the same numbers as without --quick
    written = {p.name for p in (tmp_path / "q").iterdir()}
    assert "beliefs.csv" in written
    assert "studies.csv" not in written
    assert "--quick" in (tmp_path / "q" / "captions.json").read_text(encoding="utf-8")
    wrong = CliRunner().invoke(cli, ["value", made, "--quantity", "x"])
    assert (wrong.exit_code, "no such quantity" in wrong.stderr) == (2, True)
