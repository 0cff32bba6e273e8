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


def summary(folder: Path) -> dict[str, dict[str, str]]:
    """Return the rows of summary.csv by parameter."""
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        return {row["parameter"]: row for row in csv.DictReader(file)}


def error_of_mean(row: dict[str, str]) -> float:
    return float(row["posterior_sd"]) / float(row["ess_bulk"]) ** 0.5


@pytest.mark.parametrize("kind", ["quantities", "prior"])
def test_headline_is_the_golden_within_four_errors(kind, run):
    golden = json.loads((GOLDEN / "headline.json").read_text(encoding="utf-8"))[kind]
    assert list(run.headline[kind]) == list(golden)
    for name, before in golden.items():  # draws differ between processors, hence no equality
        now = run.headline[kind][name]
        assert abs(now["mean"] - before["mean"]) < 4 * np.hypot(now["mcse"], before["mcse"]), name


def test_sampled_parameters_are_the_golden_within_five_errors(run):
    now, golden = summary(run.folder), summary(GOLDEN)
    assert list(now) == list(golden)
    assert all(list(now[name]) == list(golden[name]) for name in golden)
    sampled = [name for name, row in golden.items() if row["ess_bulk"] != "nan"]
    assert len(sampled) > 60
    for name in sampled:  # five, since of so many one beyond four is no surprise
        error = np.hypot(error_of_mean(now[name]), error_of_mean(golden[name]))
        gap = float(now[name]["posterior_mean"]) - float(golden[name]["posterior_mean"])
        assert abs(gap) <= 5 * error, name
