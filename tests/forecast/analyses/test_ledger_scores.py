"""Scores of a ledger against numbers worked out by hand."""

import csv
import json
from datetime import UTC, datetime

import numpy as np
import pytest

import forecast as fc
from forecast.analyses.ledger import brier_parts, isotonic


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    day = datetime(2026, 11, 26, tzinfo=UTC)
    monkeypatch.setattr("forecast.analyses.ledger.now", lambda: day)


def chance(p: float, **more: object) -> dict:
    return {
        "quantity": f"event {p}",
        "probability": p,
        "rule": "r",
        "made_on": "2026-01-01",
        "resolves_on": "2026-12-31",
        **more,
    }


def number(**more: object) -> dict:
    pairs = [[0.1, 10.0], [0.5, 20.0], [0.9, 40.0]]
    return chance(0.5, quantity="people", unit="people", probability=None, quantiles=pairs, **more)


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "ledger.jsonl"
    late = chance(0.9, resolves_on="2026-02-01")  # entered today, long after
    (new, _) = fc.ledger.add([chance(0.2), chance(0.7), number(), chance(0.4), late], path)
    for which, outcome in zip(new, ("no", "yes", 25, "void", "yes"), strict=True):
        fc.ledger.resolve(which, outcome, source="s", ledger=path)
    fc.ledger.add([chance(0.6)], path)
    return path


def test_scores_are_those_of_the_definitions(ledger):
    done = fc.ledger.score(ledger)
    told = done.summary
    counts = {k: told[k] for k in ("forecasts", "open", "due", "resolved", "void", "late")}
    assert counts == {
        "forecasts": 6, "open": 1, "due": 0, "resolved": 4, "void": 1, "late": 1
    }  # fmt: skip
    p = told["probabilities"]
    np.testing.assert_allclose(p["brier"], (0.2**2 + 0.3**2) / 2)
    np.testing.assert_allclose(p["log_score"], (np.log(0.8) + np.log(0.7)) / 2)
    pinball = (0.1 * (25 - 10) + 0.5 * (25 - 20) + 0.1 * (40 - 25)) / 3
    (units,) = told["quantiles"]
    np.testing.assert_allclose(units["crps"], 2 * pinball)
    assert (units["unit"], units["n"], units["inside"]) == ("people", 1, 1)
    np.testing.assert_allclose(units["inside_expected"], 0.8)


def test_parts_add_up_and_equal_forecasts_share_their_recalibration():
    p, y = np.array([0.1, 0.1, 0.6, 0.9]), np.array([1.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(isotonic(p, y), [1 / 3, 1 / 3, 1 / 3, 1.0])
    rows = [{"probability": a, "outcome": b, "log_score": 0.0} for a, b in zip(p, y, strict=True)]
    parts = brier_parts(rows)
    np.testing.assert_allclose(parts["brier"], ((0.9**2) + 0.1**2 + 0.6**2 + 0.1**2) / 4)
    np.testing.assert_allclose(parts["uncertainty"], 0.25)
    whole = parts["miscalibration"] - parts["discrimination"] + parts["uncertainty"]
    np.testing.assert_allclose(whole, parts["brier"])
    assert parts["miscalibration"] > 0 < parts["discrimination"]


def test_a_sure_forecast_that_failed_scores_minus_infinity(tmp_path):
    path = tmp_path / "ledger.jsonl"
    (new, _) = fc.ledger.add([chance(0.0)], path)
    fc.ledger.resolve(new[0], "yes", source="s", ledger=path)
    done = fc.ledger.score(path)
    assert done.summary["probabilities"]["log_score"] == -np.inf
    assert "-inf" in done.text()


def test_scores_are_saved_with_a_plot_and_its_numbers(ledger, tmp_path):
    done = fc.ledger.score(ledger, out=tmp_path / "scores")
    with (tmp_path / "scores" / "scores.csv").open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [row["id"] for row in done.rows]
    saved = json.loads((tmp_path / "scores" / "scores.json").read_text(encoding="utf-8"))
    assert saved["probabilities"]["n"] == 2
    assert "share that resolved yes 0.50" in saved["figure"]["alt"]
    assert all((tmp_path / "scores" / f"calibration.{kind}").is_file() for kind in ("svg", "png"))
    with (tmp_path / "scores" / "calibration.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = {row["probability"]: row["share"] for row in rows if row["panel"] == "quantiles"}
    assert shares == {"0.1": "0.0", "0.5": "0.0", "0.9": "1.0"}


def test_an_empty_score_says_so(tmp_path):
    path = tmp_path / "ledger.jsonl"
    fc.ledger.add([chance(0.5)], path)
    done = fc.ledger.score(path, out=tmp_path / "scores")
    assert "Nothing to score yet." in done.text()
    assert done.rows == []
