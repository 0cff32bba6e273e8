"""The default forecast is that of tests/golden, within Monte Carlo error."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import forecast as fc

GOLDEN = Path(__file__).parents[1] / "golden" / "files" / "default"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The shipped default at seed 0."""
    return fc.run(
        "default", out=tmp_path_factory.mktemp("golden") / "run", report=False, quiet=True
    )


@pytest.mark.parametrize("kind", ["quantities", "prior"])
def test_headline_is_the_golden_within_four_errors(kind, run):
    golden = json.loads((GOLDEN / "headline.json").read_text(encoding="utf-8"))[kind]
    assert list(run.headline[kind]) == list(golden)
    for name, before in golden.items():  # draws differ between processors, hence no equality
        now = run.headline[kind][name]
        assert abs(now["mean"] - before["mean"]) < 4 * np.hypot(now["mcse"], before["mcse"]), name


def test_summary_is_the_golden_within_four_errors(run):
    now, golden = (
        {row["parameter"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}
        for path in (run.folder / "summary.csv", GOLDEN / "summary.csv")
    )
    assert list(now) == list(golden)
    assert list(next(iter(now.values()))) == list(next(iter(golden.values())))
    gaps = [
        (float(row["posterior_mean"]) - float(golden[name]["posterior_mean"]))
        / np.hypot(*(error_of_mean(one) for one in (row, golden[name])))
        for name, row in now.items()
        if row["forecast_only"] == "False"
    ]
    assert np.abs(gaps).max() < 5  # of about a hundred parameters, one beyond 4 is no surprise


def error_of_mean(row):
    return float(row["posterior_sd"]) / float(row["ess_bulk"]) ** 0.5
