"""The checks on page and figures: what lies outside, and near predictions in words."""

import csv

import numpy as np
import pytest

from reports.check import (
    check_tables,
    flag_sentence,
    misfit,
    near_forecast,
    run_check_text,
    short_id,
    varied_table,
)
from reports.figures.shapes import Panel, outside, panel_of
from reports.words import METHODS


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


def test_a_misfit_at_high_levels_is_one_clause():
    def row(level, observed):
        about = {"statistic": "share of answers by level", "element": f"level {level}"}
        return about | {"observed": observed, "median": 0.005}

    start = "Where ratings can tell, the fit misses: it expects "
    assert misfit([row(7, 0.0)]) == f"{start}more answers at level 7 than raters gave."
    both = misfit([row(5, 0.001), row(6, 0.09), row(7, 0.0)])
    assert both.startswith(
        f"{start}more answers at level 5 and level 7 than raters gave, and fewer"
    )
    other = row(7, 0.0) | {"statistic": "levels by agenda"}
    assert misfit([row(2, 0.0), other]) == misfit([]) == ""


def test_near_predictions_are_told_in_their_unit():
    row = {"kind": "quantiles", "unit": "people", "q05": 620.0, "q50": 1380.0, "q95": 2930.0}
    assert near_forecast(row) == "1,380 people (620 to 2,930)"
    share = row | {"unit": "share", "q05": 0.1, "q50": 0.2, "q95": 0.3}
    assert near_forecast(share) == "20% (10% to 30%)"
    assert near_forecast({"kind": "probability", "probability": 0.37}) == "37%"


def test_a_run_without_checks_shows_none():
    assert not any(table.rows for table in check_tables({}).values())


def test_a_row_of_many_works_is_named_by_its_first():
    assert short_id("+".join(["some-work-2024"] * 7)) == "some-work-2024 and 6 more"
    assert short_id("one") == "one"


def varied(**changed):
    row = {"what": "halo", "setting": "large", "how": "moment-matched", "pareto_k": 0.31}
    for name in ("alignment_relevant", "alignment_used"):
        row |= {name: 0.012, f"{name}_lower": 0.002, f"{name}_upper": 0.03}
    row |= {"alignment_relevant_change": 0.001, "alignment_relevant_mcse": 0.0004}
    row |= {"capabilities_relevant": 0.2, "capabilities_first": 0.2, "converged": True}
    return row | {"stacking_weight": None} | changed


@pytest.mark.parametrize("how", ["exact", "reweighted", "moment-matched", "refit"])
def test_every_way_of_an_answer_has_words(how):
    (cells,) = varied_table([varied(how=how)]).rows
    assert cells[-1].startswith(METHODS[how])
    assert ("k 0.31" in cells[-1]) == (how in ("reweighted", "moment-matched"))


def test_a_stacking_weight_is_told_with_the_gap_to_the_best():
    gap = {"elpd_diff": -3.79, "elpd_se": 1.16}
    made = varied_table([varied(stacking_weight=0.25, **gap), varied()])
    at = made.columns.index("LOO weight")
    assert [row[at] for row in made.rows] == ["0.25 (-3.8 ± 1.2)", ""]


@pytest.mark.parametrize(
    ("converged", "told"),
    [(True, "(1.2; 1.3 if research"), (False, "(1.2). A strict number so small")],
)
def test_a_check_of_a_run_says_what_heavy_tails_make_of_a_rare_chance(converged, told):
    own = varied(what="as run")
    heavy = varied(what="tails", alignment_relevant=0.013, converged=converged)
    shown = run_check_text("mine", {}, varied={"structure": [own, heavy]})
    assert told in " ".join(shown.split())
    assert "of 100 works" not in run_check_text("mine", {}, varied={"left_out": [own]})
