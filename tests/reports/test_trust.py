"""The checks on page and figures: what lies outside, and near predictions in words."""

import csv

import numpy as np
import pytest

from reports.intervals import Panel, outside, panel_of
from reports.trust import flag_sentence, near_forecast, short_id, trust_view


def test_points_outside_their_interval_are_counted():
    replicated = np.tile(np.linspace(0.0, 1.0, 101)[:, None], (1, 3))
    panel = Panel("x", ("a", "b", "c"), np.array([0.05, 0.06, 0.95]), replicated)
    assert outside([panel]) == (2, 3)  # the 89% interval is 0.055 to 0.945


def test_a_figure_writes_what_it_shows(run_folder, tree):
    with (run_folder[0] / "figures" / "ppc_uses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    panel = panel_of(tree, "capabilities use by age", title="capabilities use")
    assert [row["element"] for row in rows[:2]] == list(panel.labels)
    assert float(rows[0]["median"]) == pytest.approx(np.median(panel.replicated[:, 0]))


def test_the_sentence_says_how_many_chance_would_flag():
    rows = [{"quantities": 192, "flagged": 10, "by_chance": 1.9}]
    assert flag_sentence(rows * 2) == (
        "Of 384 test quantities 20 lie outside the central 99% of what the fit replicates; "
        "about 3.8 would by chance."
    )


def test_near_predictions_are_told_in_their_unit():
    row = {"kind": "quantiles", "unit": "people", "q05": 620.0, "q50": 1380.0, "q95": 2930.0}
    assert near_forecast(row) == "1,380 people (620 to 2,930)"
    share = row | {"unit": "share", "q05": 0.1, "q50": 0.2, "q95": 0.3}
    assert near_forecast(share) == "20% (10% to 30%)"
    assert near_forecast({"kind": "probability", "probability": 0.37}) == "37%"


def test_a_run_without_checks_shows_none():
    view = trust_view({})
    assert not view["told"]
    assert not view["near"]["rows"]


def test_a_row_of_many_works_is_named_by_its_first():
    assert short_id("+".join(["some-work-2024"] * 7)) == "some-work-2024 and 6 more"
    assert short_id("one") == "one"
