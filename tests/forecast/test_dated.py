"""Milestones and forecasts by others beside the model's own, and near predictions of a run."""

import csv
import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from forecast.analyses import dated, near
from forecast.analyses.dated import backcast_rows, cluster_counts, verdict
from forecast.runs import run
from models.structure import FIRST_YEAR


def milestone(level, reached, name):
    return SimpleNamespace(level=level, reached=reached, name=name)


def test_a_backcast_compares_the_first_milestone_with_the_years_of_the_interval():
    curve = np.tile([0.0, 0.1, 0.4, 0.8, 0.96, 0.97], (8, 1))
    made = [milestone(5, 2016, "late"), milestone(5, 2013, "first"), milestone(5, None, "open")]
    row = backcast_rows(curve, SimpleNamespace(milestones=made))[5]
    assert (row["milestone"], row["reached"], row["open"]) == ("first", 2013, 1)
    assert (row["lower"], row["median"], row["upper"]) == (2014, 2016, 2017)
    assert (row["p_before"], row["p_by_reached"], row["outside"]) == (0.0, 0.0, True)


def test_a_level_without_milestones_is_neither_in_nor_out():
    curve = np.tile([0.1, 0.2], (8, 1))
    row = backcast_rows(curve, SimpleNamespace(milestones=[milestone(7, None, "x")]))[7]
    assert (row["reached"], row["outside"], row["upper"]) == (None, None, None)
    assert row["lower"] == FIRST_YEAR


@pytest.mark.parametrize(
    ("relation", "said", "ours", "told"),
    [
        ("other", (0.9, 0.9), (0.0, 0.1), "another event: not compared"),
        ("stricter", (0.2, 0.2), (0.9, 1.0), "consistent with the bound"),
        ("stricter", (0.8, 0.8), (0.1, 0.5), "the model is lower, below the bound"),
        ("proxy", (0.4, 0.6), (0.5, 0.7), "overlap"),
        ("proxy", (0.4, 0.6), (0.7, 0.9), "higher"),
        ("proxy", (0.4, 0.6), (0.1, 0.3), "lower"),
    ],
)
def test_a_forecast_by_others_is_held_against_what_its_relation_allows(relation, said, ours, told):
    assert verdict(relation, said, ours) == told


def test_a_cluster_counts_once():
    rows = [{"counts": 0.5, "verdict": "lower"}, {"counts": 0.5, "verdict": "overlap"}]
    rows += [{"counts": 1.0, "verdict": "overlap"}, {"counts": 0.0, "verdict": "another event"}]
    assert cluster_counts(rows) == {"clusters": 2.0, "contradict": 0.5}


@pytest.fixture(scope="module")
def made(tmp_path_factory, alone, default_case):
    """One run with fake draws, its tables read back."""
    monkeypatch = pytest.MonkeyPatch()
    from tests.forecast import conftest

    conftest.fake_fits.__wrapped__(monkeypatch, alone)
    done = run(
        "default",
        out=tmp_path_factory.mktemp("near") / "run",
        draws=60,
        tune=10,
        chains=2,
        report=False,
        quiet=True,
    )
    yield done
    monkeypatch.undo()


def rows_of(made, name):
    with (made.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_makes_near_predictions_that_a_ledger_can_take(made):
    told = json.loads((made.folder / "near.json").read_text(encoding="utf-8"))["predictions"]
    assert len(told) >= 10
    assert len({row["id"] for row in told}) == len(told)
    for row in told:
        assert date.fromisoformat(row["resolves_on"]) <= date(2028, 11, 22)
        assert len(row["rule"]) > 100
        if row["kind"] == "probability":
            assert 0.0 <= row["probability"] <= 1.0
        else:
            assert row["q05"] <= row["q50"] <= row["q95"]
    assert [row["id"] for row in rows_of(made, "near")] == [row["id"] for row in told]


def test_near_predictions_do_not_depend_on_the_horizon(default_case):
    from dataclasses import replace

    far = replace(default_case, question=replace(default_case.question, horizon=2050))
    assert near.near_case(far).question.horizon == near.near_case(default_case).question.horizon


def test_a_run_writes_its_checks(made):
    assert len(rows_of(made, "predictive")) > 200
    assert {row["table"] for row in rows_of(made, "loo")} >= {"ratings", "workers"}
    assert len(rows_of(made, "influence")) > 370
    assert [row["level"] for row in rows_of(made, "backcast")] == list("01234567")
    relations = {row["relation"] for row in rows_of(made, "others")}
    assert relations == {"other", "stricter", "proxy"}
    checks = made.context["checks"]
    assert checks["clusters"]["clusters"] == pytest.approx(3.0)
    assert {"observed_statistics", "replicated_statistics"} <= set(made.dt.children)


