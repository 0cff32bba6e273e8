"""The benchmark's figures follow from its records; its page is that of its results."""

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import compare, figures, page
from benchmarks.charts import draw_charts
from benchmarks.common import changed, stated_case

HERE = Path(compare.__file__).parent


def record(kind, entrant, **given):
    usual = {"seed": 0, "seconds": 10.0, "min_ess": 400.0, "load": 0.1, "peak_gb": 1.0}
    usual |= {"gradients": 8000, "max_rhat": 1.0, "divergences": 0, "parameters": 3}
    return usual | {"kind": kind, "entrant": entrant} | given


@pytest.fixture
def results():
    """Two seeds of two entrants, and refits: 50 of ours, 3 of the other."""
    rows = [record("filling", "project", seed=999)]
    for seed in (0, 1):
        rows.append(record("warm", "project", seed=seed, seconds=10.0 + 10.0 * seed))
        rows.append(record("warm", "plain", seed=seed, seconds=40.0, min_ess=200.0))
    rows.append(record("cold", "project", seconds=40.0))
    rows.append(record("cold", "plain", seconds=80.0))
    ours = {"fit_seconds": [1.0] * 50, "fit_ess": [300.0] * 50}
    rows.append(record("refits", "project", seconds=100.0, **ours))
    other = {"fit_seconds": [30.0, 20.0, 24.0], "fit_ess": [200.0] * 3}
    rows.append(record("refits", "plain", seconds=80.0, **other))
    rows.append(record("count", "project", all_gradients=12000))
    machine = {"date": "2026-01-02", "processor": "made up", "cores": 2, "memory_gb": 8}
    machine |= {"system": "Linux", "python": "3.13.0", "versions": {"pymc": "6"}, "source": "abc"}
    return {"machine": machine, "missing": ["stan"], "records": rows}


def test_speed_is_ess_over_whole_seconds_by_seed(results):
    assert figures.speeds(results, "warm", entrant="project") == {0: 40.0, 1: 20.0}


def test_ratio_is_taken_seed_by_seed(results):
    found = figures.ratio(results, "project", other="plain", kind="warm")
    assert found == (6.0, 4.0, 8.0)


def test_missing_refits_cost_the_median_of_those_after_the_first(results):
    assert figures.refit_seconds(results, "project") == 2.0
    assert figures.refit_seconds(results, "plain") == pytest.approx((80.0 + 47 * 22.0) / 50)


def test_gradients_are_per_effective_draw(results):
    found = figures.row(results, "project")
    assert (found["gradients"], found["all_gradients"]) == (20.0, 30.0)


def test_page_says_what_hit_and_what_missed(results):
    lines = page.page(results).splitlines()
    assert any(x.startswith("- Not asked for") and x.endswith("NumPyro.") for x in lines)
    assert "| the library | plain PyMC | warm | 6.0 (4.0–8.0) | 3 | hit |" in lines
    assert "| the library | plain PyMC | cold | 2.0 (2.0–2.0) | 1.5 | hit |" in lines
    results["records"][1]["min_ess"] = results["records"][3]["min_ess"] = 10.0
    assert any(line.endswith("| 3 | missed |") for line in page.page(results).splitlines())
    assert "- Not installed, so left out: Stan." in lines


def test_charts_are_drawn_for_what_there_is(results, tmp_path):
    assert draw_charts(results, tmp_path) == ["speed", "refit"]
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{kind}" for name in ("speed", "refit") for kind in ("svg", "png")
    }
    results["records"] = [r for r in results["records"] if r["kind"] != "refits"]
    assert draw_charts(results, tmp_path) == ["speed"]


def test_every_seed_begins_with_another_entrant():
    given = Namespace(seeds=2, cold=1, refits=50)
    steps = list(compare.plan(given, ["project", "plain", "stan"]))
    assert [step[:3] for step in steps] == [
        ("cold", "project", 0),
        ("warm", "project", 0),
        ("cold", "plain", 0),
        ("warm", "plain", 0),
        ("cold", "stan", 0),
        ("warm", "stan", 0),
        ("refits", "project", 1000),
        ("count", "project", 0),
        ("refits", "plain", 1000),
        ("count", "plain", 0),
        ("warm", "plain", 1),
        ("warm", "project", 1),
    ]


def test_warm_runs_find_what_the_first_cold_one_left(tmp_path, monkeypatch):
    seen = []

    def run_once(entrant, *, cache, seed, extra):
        seen.append((entrant, seed, cache.name, len(list(cache.glob("*")))))
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "code").touch()
        found = record("", entrant, seed=seed)
        return {name: value for name, value in found.items() if name != "kind"}

    monkeypatch.setattr(compare, "run_once", run_once)
    given = Namespace(seeds=2, cold=2, refits=2, draws=9, tune=9, only="project", resume=False)
    given.results, given.caches = tmp_path / "results.json", None
    found = compare.measure(given)
    assert [r["kind"] for r in found["records"]] == [
        *("cold", "warm", "refits", "count"),
        *("cold", "warm"),
    ]
    kept = [held for *_, name, held in seen if name == "project"]
    assert kept == [0, 1, 1, 1, 1]
    assert [held for *_, name, held in seen if name != "project"] == [0]
    given.resume = True
    assert compare.measure(given)["records"] == found["records"]
    assert len(seen) == 6


def test_resuming_keeps_records_of_the_same_source_and_no_other(results, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results), encoding="utf-8")
    fresh = {"machine": results["machine"] | {"date": "later"}, "missing": [], "records": []}
    assert compare.resumed(path, fresh)["records"] == results["records"]
    fresh["machine"]["source"] = "def"
    with pytest.raises(SystemExit, match="source changed"):
        compare.resumed(path, fresh)


def test_every_cache_lies_in_the_given_folder(tmp_path):
    found = compare.caches(tmp_path).values()
    assert sum(str(tmp_path) in value for value in found) == 5


def test_a_failing_process_is_reported(tmp_path, monkeypatch):
    monkeypatch.setitem(compare.ENTRANTS, "project", "benchmarks.no_such_module")
    with pytest.raises(RuntimeError, match="project ended with 1"):
        compare.run_once("project", cache=tmp_path, seed=0)


def test_each_refit_changes_one_prior_and_no_two_are_alike():
    case = stated_case()
    cases = [changed(case, i) for i in range(50)]
    assert all(len(set(x.priors) - set(case.priors)) == 1 for x in cases)
    assert len({x.priors for x in cases}) == 50
    assert all(replace(x, priors=case.priors) == case for x in cases)


def test_the_page_is_that_of_the_results():
    if not (HERE / "results.json").exists():
        pytest.skip("no results are committed")
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    assert (HERE / "README.md").read_text(encoding="utf-8") == page.page(results)
