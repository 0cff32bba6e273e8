"""backtest and score with real fits: one origin, few draws."""

import csv
import shutil

import numpy as np
import pytest

import forecast as fc
from forecast.evidence.load import find_evidence

pytestmark = pytest.mark.slow
SMALL = {"draws": 300, "tune": 400, "chains": 2, "quiet": True}
NEW = {
    "works.csv": "new-1,Title,2026,3,x,circuits,sampled,Gist.,yes",
    "ratings.csv": "new-1,R1,2,0,0,0,3\nnew-1,R2,2,0,0,0,3",
}


def total(rows, target, *, method):
    return sum(r["log_score"] for r in rows if r["target"] == target and r["method"] == method)


@pytest.fixture(scope="module")
def made(tmp_path_factory, compiled):
    """The backtest of 2024, and its folder."""
    folder = tmp_path_factory.mktemp("back") / "made"
    return fc.backtest("default", until=2024, out=folder, **SMALL), folder


def test_what_evidence_teaches_forecasts_better_than_the_priors_alone(made):
    rows = made[0].rows
    assert {r["origin"] for r in rows} == {2024}
    for target in ("level", "tracking"):
        assert total(rows, target, method="model") > total(rows, target, method="prior")


def test_every_score_is_a_number_and_of_a_later_year(made):
    rows = made[0].rows
    assert np.isfinite([r["log_score"] for r in rows]).all()
    assert all(r["year"] > 2024 for r in rows if r["target"] in ("level", "tracking", "workers"))
    assert {r["method"] for r in rows if r["target"] == "level"} >= {"model", "carry", "ordinal"}


def test_a_fit_that_is_there_is_not_made_again_and_scores_the_same(made, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("fitted again")

    monkeypatch.setattr("forecast.inference.parallel._on_processes", refuse)
    again = fc.backtest("default", until=2024, out=made[1], **SMALL)
    assert again.summary == made[0].summary


def test_a_run_scores_a_new_work_better_than_its_priors(tmp_path, compiled):
    """Two raters put a new work on circuits at level 2, where most of circuits lie."""
    run = fc.run("default", out=tmp_path / "run", report=False, **SMALL)
    shutil.copytree(find_evidence(None), tmp_path / "more")
    for name, lines in NEW.items():
        path = tmp_path / "more" / name
        text = path.read_text(encoding="utf-8").rstrip("\n")
        path.write_text(f"{text}\n{lines}\n", encoding="utf-8")
    done = fc.score(run, evidence=tmp_path / "more", out=tmp_path / "scored", quiet=True)
    assert done.summary["works"] == 1
    with (tmp_path / "scored" / "works.csv").open(encoding="utf-8", newline="") as file:
        rows = [r | {"log_score": float(r["log_score"])} for r in csv.DictReader(file)]
    assert {r["item"] for r in rows} == {"new-1"}
    assert total(rows, "level", method="model") > total(rows, "level", method="prior")
    assert all(r["log_score"] < 0 for r in rows)
