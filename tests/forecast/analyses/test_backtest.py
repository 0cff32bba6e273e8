"""The commands backtest and score: what they write, refuse and say; fits are prior draws."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses.backtest import backtest, case_at, coverage, origins_of, scored_origin
from forecast.analyses.score import score
from forecast.cli.main import cli
from forecast.evidence.load import find_evidence
from forecast.inference.case import make_case
from forecast.inference.evaluate import posterior
from forecast.runs.inputs import load_inputs
from forecast.runs.open import Run
from models.errors import InputError

ROOT = Path(__file__).parents[3]
SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True}


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """An empty working folder, with fits replaced, also those of other processes."""

    def fit_many(cases, folder, **_):
        return [posterior(case) for case in cases]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.inference.parallel.fit_many", fit_many)
    monkeypatch.setattr("forecast.analyses.backtest.POINTS", 40)
    return tmp_path


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("until", "years"),
    [
        ("2020-2022", (2020, 2021, 2022)),
        (2023, (2023,)),
        (("2024", "2020-2021", "2021"), (2020, 2021, 2024)),
    ],
)
def test_origins_are_years_and_ranges(until, years):
    assert origins_of(until) == years


@pytest.mark.parametrize("until", ["soon", "2026", "2010", "2023-2021", "2020-2021-2022", ()])
def test_what_is_no_origin_is_refused(until):
    with pytest.raises(InputError, match="--until"):
        origins_of(until)


def test_a_backtest_writes_scores_works_figures_and_text(here, fake_fits):
    made = backtest("default", until=(2023, 2025), out="back", **SMALL)
    assert len(fake_fits) == 2  # one fit an origin
    files = {p.relative_to(here / "back").as_posix() for p in (here / "back").rglob("*")}
    names = ("skill", "pit", "reliability")
    figures = {f"figures/{n}.{e}" for n in names for e in ("png", "svg", "csv")}
    assert files >= figures | {"scores.csv", "works.csv", "pit.csv", "backtest.md", "backtest.json"}
    rows = read(here / "back" / "works.csv")
    assert {r["origin"] for r in rows} == {"2023", "2025"}
    assert all(int(r["year"]) > int(r["origin"]) for r in rows if r["target"] != "milestones")
    use = {r["hindsight"] for r in rows if r["target"] in ("capabilities", "alignment")}
    assert use == {"True"}
    assert {r["hindsight"] for r in rows if r["target"] in ("level", "tracking")} == {"False"}
    levels = {r["method"] for r in rows if r["target"] == "level"}
    assert levels == {"model", "prior", "carry", "pooled", "ordinal"}
    training = {r["origin"]: r["works"] for r in made.summary["training"]}
    assert training == {2023: 200, 2025: 449}
    assert made.summary["years"] == [2024, 2026]
    page = (here / "back" / "backtest.md").read_text(encoding="utf-8")
    assert page.count("Where the model's log score is below") == 1
    assert "| 2025 | 449 |" in page


def test_a_fit_that_did_not_converge_ends_with_3_and_names_the_origin(here):
    args = ["backtest", "default", "--until", "2025", "--draws", "40", "--tune", "10"]
    done = CliRunner().invoke(cli, [*args, "--chains", "2", "--json"])
    assert done.exit_code == 3
    assert "not converged: 2025" in done.stderr
    told = json.loads(done.stdout)
    assert told["origins"] == [2025]
    assert told["training"][0]["failures"]


def test_a_folder_of_something_else_is_refused(here):
    (here / "mine").mkdir()
    (here / "mine" / "file.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="is no backtest's folder"):
        backtest("default", until=2025, out="mine", **SMALL)


def test_no_value_of_a_later_year_moves_model_or_baselines(here):
    """What is recorded of 2026 moves, and with it scores; the chances forecast do not."""
    config, tables = load_inputs("default")
    late = {w.work for w in tables.works if w.year == 2026}
    turned = tuple(
        r.model_copy(update={"tracks": 1 - r.tracks}) if r.work in late else r
        for r in tables.ratings
    )
    found = []
    for one in (tables, replace(tables, ratings=turned)):
        case = make_case(config, one)
        case = replace(case, sampler=replace(case.sampler, draws=40, tune=10, chains=2))
        fit = posterior(case_at(case, one, year=2025))
        found.append(scored_origin(fit, case, tables=one, origin=2025))
    same, moved = found
    assert [r["chance"] for r in same.chances] == [r["chance"] for r in moved.chances]
    assert [r["recorded"] for r in same.chances] != [r["recorded"] for r in moved.chances]
    tracking = [
        {(r["method"], r["item"]): r["log_score"] for r in o.scores if r["target"] == "tracking"}
        for o in found
    ]
    agreed = {r.work for r in tables.ratings if r.work in late} - {
        a.work
        for a in tables.ratings
        for b in tables.ratings
        if a.work == b.work and a.work in late and a.tracks != b.tracks
    }
    for (method, item), logs in tracking[0].items():
        if method in ("carry", "pooled", "ordinal") and item in agreed:
            both = np.exp(logs) + np.exp(tracking[1][method, item])
            assert both == pytest.approx(1.0)  # yes and no of one forecast


def test_coverage_counts_pits_in_central_intervals():
    pits = [{"target": "level", "horizon": 1, "pit": u} for u in (0.5, 0.7, 0.85, 0.99)]
    row = coverage(pits)[0]
    assert (row["items"], row["within_0.5"], row["within_0.8"], row["within_0.95"]) == (
        4,
        0.5,
        0.75,
        0.75,
    )


@pytest.fixture
def more(tmp_path):
    """The shipped tables with two more works of 2026, one of them rated by one known rater."""
    folder = tmp_path / "more"
    shutil.copytree(find_evidence(None), folder)
    for name, lines in {
        "works.csv": (
            "new-1,Title,2026,3,x,circuits,sampled,Gist.,yes",
            "new-2,Title,2026,3,x,circuits,sampled,Gist.,yes",
        ),
        "ratings.csv": ("new-1,R1,2,0,0,1,3",),
        "uses.csv": ("new-1,R1,ali,1,0,,3,",),
    }.items():
        path = folder / name
        path.write_text(
            "\n".join([path.read_text(encoding="utf-8").rstrip("\n"), *lines, ""]), encoding="utf-8"
        )
    return folder


@pytest.fixture
def made(here, default_case, monkeypatch):
    """A run of the default: its folder holds priors and evidence, its fit is prior draws."""
    folder = here / "run"
    shutil.copytree(find_evidence(None), folder / "evidence")
    shutil.copyfile(ROOT / "priors" / "default.toml", folder / "priors.toml")
    monkeypatch.setattr("forecast.analyses.score.fit_of", lambda _: posterior(default_case))
    return Run(folder, {"converged": True}, {})


def test_a_run_is_scored_on_works_that_it_has_not_seen(made, more):
    done = score(made, evidence=more, out="scored", quiet=True)
    assert done.summary["works"] == 1
    assert done.summary["ignored"] == {"in_run": 483, "unrated": 1, "ratings_by_unknown_raters": 0}
    rows = {(r["target"], r["method"]): r for r in read(Path("scored") / "works.csv")}
    assert {r["item"] for r in rows.values()} == {"new-1"}
    # by hand: raters' shares of level 2 among the sampled works of the run, half a work added
    kind = {r["work"]: r["selection"] for r in read(find_evidence(None) / "works.csv")}
    ratings = read(find_evidence(None) / "ratings.csv")
    levels = [r["level"] for r in ratings if kind[r["work"]] == "sampled"]
    due = (levels.count("2") / 3 + 0.5) / (len(levels) / 3 + 4)
    assert np.exp(float(rows["level", "pooled"]["log_score"])) == pytest.approx(due)
    assert rows["alignment", "model"]["rule"] == "brier"
    assert "1 new works" in done.text()


def test_a_folder_without_new_works_is_refused(made):
    with pytest.raises(InputError, match=r"no new rated work \(483 are in the run.*add works"):
        score(made, evidence=find_evidence(None), quiet=True)


def test_a_new_work_of_an_unknown_agenda_is_refused(made, more):
    for name, old in (("works.csv", ",circuits,sampled,Gist"), ("agendas.csv", "circuits,rev")):
        path = more / name
        text = path.read_text(encoding="utf-8").replace(old, old.replace("circuits", "other"))
        path.write_text(text, encoding="utf-8")
    rows = read(more / "works.csv")
    with (more / "agendas.csv").open("a", encoding="utf-8") as file:
        file.write('circuits,reverse-engineering,Circuits,"x"\n')
    assert any(r["agenda"] == "other" for r in rows)
    with pytest.raises(InputError, match=r"new-1: found agenda other, which the run has not"):
        score(made, evidence=more, quiet=True)
