"""The same seed gives the same forecast to the bit on any number of cores, command and all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SHORT = ("--draws", "60", "--tune", "250", "--chains", "4", "--no-report", "--quiet")
"""Few draws, but of four chains with a pilot, whose metric is pooled over them."""
CORES = (1, 2, 4)
SAME = ("headline.json", "diagnostics.json", "summary.csv", "claims.csv", "works.csv", "near.csv")


@pytest.fixture(scope="module")
def runs(tmp_path_factory, compiled):
    """Folders of the default run by number of cores, each from a process of its own."""
    made = {}
    for cores in CORES:
        folder = tmp_path_factory.mktemp(f"cores-{cores}")  # apart: no run lends draws to another
        command = ("run", "default", "--out", "made", "--cores", str(cores), *SHORT)
        done = subprocess.run(
            [sys.executable, "-m", "forecast", *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 3, done.stderr  # so few draws do not converge
        made[cores] = folder / "made"
    return made


@pytest.mark.parametrize("cores", CORES[1:])
@pytest.mark.parametrize("name", SAME)
def test_tables_are_the_same_to_the_byte(runs, cores, name):
    assert (runs[cores] / name).read_bytes() == (runs[1] / name).read_bytes()


@pytest.mark.parametrize("cores", CORES[1:])
def test_draws_are_the_same_to_the_bit(runs, cores):
    with (
        xr.open_datatree(runs[1] / "posterior.nc", engine="netcdf4") as one,
        xr.open_datatree(runs[cores] / "posterior.nc", engine="netcdf4") as other,
    ):
        for group in ("posterior", "predictions"):
            xr.testing.assert_equal(one[group].to_dataset(), other[group].to_dataset())


def test_the_runs_hold_a_headline_that_varies(runs):
    found = json.loads((runs[1] / "headline.json").read_text(encoding="utf-8"))["quantities"]
    assert all(np.isfinite(row["mean"]) and row["sd"] > 0 for row in found.values())
