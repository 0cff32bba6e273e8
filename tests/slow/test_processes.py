"""Whole runs of the real model through processes: refusals, signals, draws lent."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from forecast.inference.sampling import THREADS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
QUICK = ("--draws", "100", "--tune", "200", "--chains", "2", "--no-report")
HEAD = """\
schema = 1
extends = "default.toml"
name = "mine"
author = "A tester"
date = 2026-11-22
summary = "One prior of the tester's own."
"""
ABSURD = """
[priors.maturity_purposive]
dist = "Normal"
mu = 1e200
sigma = 1e192
unit = "logit"
block = "maturity"
claims = ["none"]
source = "none"
why = "test"
"""
GATE = """
[priors.gate_tracked]
dist = "Beta"
alpha = 90.0
beta = 10.0
unit = "probability"
block = "relevance"
claims = ["C14"]
source = "none"
why = "test"
"""
UNCHECKED = """
import sys
import forecast.inference.sampling
forecast.inference.sampling.check_starts = lambda *_, **__: None
from forecast.cli.main import main
sys.argv[0] = "forecast"
main()
"""


@pytest.fixture
def start(tmp_path, compiled):
    """Start `forecast ARGS` in an empty folder, once the default's model is on disk."""

    def run(
        *args: str, code: str = "from forecast.cli.main import main; main()"
    ) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", code, *args],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


@pytest.mark.parametrize(
    ("code", "times"), [("from forecast.cli.main import main; main()", 1), (UNCHECKED, 3)]
)
def test_a_prior_that_no_chain_can_start_from_ends_with_code_2(start, tmp_path, code, times):
    """Also when only the sampler notices: its threads must not outlive the process's code."""
    (tmp_path / "mine.toml").write_text(HEAD + ABSURD, encoding="utf-8")
    for _ in range(times):
        done = start("run", "mine.toml", *QUICK, code=code)
        out, err = done.communicate(timeout=300)
        assert (done.returncode, out) == (2, "")
        assert err.startswith("Error: priors: no starting point has a finite log density and slope")
        assert err.count("\n") == 1
        assert list((tmp_path / "runs").iterdir()) == []


def sampling(process: subprocess.Popen) -> bool:
    """Return whether the sampler's threads are at work."""
    names = (THREADS.parents[1] / str(process.pid) / "task").glob("*/comm")
    return any(name.read_text(encoding="utf-8").startswith("nutpie") for name in names)


@pytest.mark.skipif(not THREADS.exists(), reason="needs /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_sampling_keeps_the_draws(start, tmp_path, number, code):
    process = start(
        "run", "default", "--tune", "200", "--draws", "20000", "--chains", "2", "--out", "mine"
    )
    end = time.monotonic() + 300
    while not sampling(process) and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(10)  # past the tuning
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err) == (code, "", "Interrupted.\n")
    assert not (tmp_path / "mine").exists()
    shown = start("show", "mine")
    assert "interrupted and not complete; 2 chains of" in shown.communicate(timeout=300)[0]
    (left,) = (tmp_path / "mine.partial").iterdir()
    manifest = json.loads((left / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["complete"], manifest["interrupted"]) == (False, True)
    work = start("show", "mine.partial", "--work", "meng-2022-rome")
    assert "run was interrupted" in work.communicate(timeout=300)[1]
    assert work.returncode == 2


def test_lent_draws_give_the_numbers_of_a_fresh_run_to_the_bit(start, tmp_path):
    (tmp_path / "mine.toml").write_text(HEAD + GATE, encoding="utf-8")
    runs = (("default", "a/first"), ("mine.toml", "a/lent"), ("mine.toml", "b/fresh"))
    for priors, out in runs:
        done = start("run", priors, "--out", out, *QUICK)
        said = done.communicate(timeout=300)[1]
        assert done.returncode == 3  # so few draws do not converge
        assert ("the draws are those of first" in said) == (out == "a/lent")
    lent, fresh = tmp_path / "a/lent", tmp_path / "b/fresh"
    for name in ("headline.json", "diagnostics.json", "summary.csv", "claims.csv", "works.csv"):
        assert (lent / name).read_bytes() == (fresh / name).read_bytes()
    with (
        xr.open_datatree(lent / "posterior.nc", engine="netcdf4") as one,
        xr.open_datatree(fresh / "posterior.nc", engine="netcdf4") as other,
    ):
        for group in one.children:
            xr.testing.assert_equal(one[group].to_dataset(), other[group].to_dataset())
