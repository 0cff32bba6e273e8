"""Backtests: what was knowable when, scores of dates and figures, and the command."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses.backtest import (
    backtest,
    carried,
    case_at,
    coverage,
    date_score,
    date_scores,
    hazard,
    normal_scores,
    origins_of,
    scored_origin,
    spreads,
    still_open,
    tables_at,
    trended,
)
from forecast.cli.main import cli
from forecast.evidence.arrays import to_arrays
from forecast.inference.case import make_case, structure_of, with_arrays
from forecast.inference.evaluate import posterior
from forecast.runs.inputs import load_inputs
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


YEAR = 2022


@pytest.fixture(scope="module")
def inputs():
    return load_inputs("default")


@pytest.fixture(scope="module")
def whole(inputs):
    return make_case(*inputs)


def with_row(tables, table, *, keep, **changed):
    """Return the tables with the rows that ``keep`` picks changed, and their number."""
    rows = getattr(tables, table)
    new = tuple(r.model_copy(update=changed) if keep(r) else r for r in rows)
    assert new != rows
    return replace(tables, **{table: new})


def marked(tables, **use):
    """Return the tables where R1 marks a capabilities use of one work of 2021, dated so."""
    work = next(w.work for w in tables.works if w.year == 2021)
    row = tables.uses[0].model_copy(update={"work": work, "rater": "R1", "side": "cap", **use})
    others = tuple(u for u in tables.uses if (u.work, u.side) != (work, "cap"))
    known = with_row(
        replace(tables, uses=(*others, row), spillovers=()),
        "ratings",
        keep=lambda r: r.work == work and r.rater == "R1",
        cap_use=1,
    )
    return known, work


def mark(tables, work):
    return next(r.cap_use for r in tables.ratings if (r.work, r.rater) == (work, "R1"))


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ({"own": 0, "other": 1, "first_year": 2024}, None),
        ({"own": 0, "other": 1, "first_year": 2022}, 1),
        ({"own": 1, "other": 0, "first_year": None}, 1),
        ({"own": 1, "other": 1, "first_year": 2024}, 1),
    ],
)
def test_a_use_counts_as_known_only_if_dated_by_then(inputs, use, expected):
    tables, work = marked(inputs[1], **use)
    known = tables_at(tables, YEAR)
    assert mark(known, work) is expected
    rows = [u for u in known.uses if (u.work, u.side) == (work, "cap")]
    assert [(u.own, u.other, u.first_year) for u in rows] == (
        []
        if expected is None
        else [
            (
                use["own"],
                int(use["first_year"] == 2022),
                2022 if use["first_year"] == 2022 else None,
            )
        ]
    )


def test_a_source_dates_a_use_that_a_rater_dated_too_late(inputs):
    tables, work = marked(inputs[1], own=0, other=1, first_year=2025)
    source = (
        inputs[1]
        .spillovers[0]
        .model_copy(
            update={"mi_work": work, "capability_year": 2022, "same_work": False, "use": "fit"}
        )
    )
    known = tables_at(replace(tables, spillovers=(source,)), YEAR)
    assert mark(known, work) == 1
    assert [u.first_year for u in known.uses if (u.work, u.side) == (work, "cap")] == [2022]


def test_works_and_figures_of_later_years_weigh_nothing(inputs, whole):
    case = case_at(whole, inputs[1], year=YEAR)
    arrays = case.evidence.arrays
    years = np.array([w.year for w in inputs[1].works])
    np.testing.assert_array_equal(case.evidence.row_of_work >= 0, years <= YEAR)
    assert arrays["ratings"]["weight"].sum() == (years <= YEAR).sum()
    figures = {r.row: r.year for r in inputs[1].workers}
    by_id = np.array([figures[i] for i in case.evidence.ids["workers"]])
    np.testing.assert_array_equal(arrays["workers"]["weight"] > 0, by_id <= YEAR)
    assert arrays["fte"]["weight"].sum() == 0  # all of 2025
    assert arrays["lists"]["weight"].sum() == 2  # 2021 and 2022
    assert case.experts == ()  # the survey is of 2023


def test_ages_run_to_the_end_of_the_year(inputs, whole):
    cells = case_at(whole, inputs[1], year=YEAR).evidence.arrays["cells"]
    born = cells["year"] + 2013
    np.testing.assert_allclose(cells["age"][born == 2019], 3.5)
    np.testing.assert_allclose(cells["age"][born == 2022], 0.5)
    np.testing.assert_allclose(cells["age"][born == 2025], 1.39)  # read at the evidence's close


def test_lags_end_with_the_year(inputs, whole):
    lags = case_at(whole, inputs[1], year=YEAR).evidence.arrays["lags"]
    some = lags["weight"] > 0
    assert some.any()
    assert (lags["value"][some] < lags["age"][some]).all()
    assert (lags["value"][some] < lags["cells"][some]).all()


def test_nothing_compiles_at_an_origin(inputs, whole):
    case = case_at(whole, inputs[1], year=2020)
    assert structure_of(case) == structure_of(whole)
    for table, columns in whole.evidence.arrays.items():
        for name, values in columns.items():
            found = case.evidence.arrays[table][name]
            assert (found.shape, found.dtype) == (values.shape, values.dtype)


def test_at_the_close_of_the_evidence_nothing_rated_is_lost(inputs, whole):
    rows = case_at(whole, inputs[1], year=2026).evidence.arrays["ratings"]
    full = to_arrays(inputs[1]).arrays["ratings"]
    for name in ("value", "cell", "weight"):
        np.testing.assert_array_equal(rows[name], full[name])


@pytest.mark.parametrize(
    ("table", "keep", "changed"),
    [
        ("ratings", lambda r: r.work in LATE, {"level": 7, "tracks": 1, "cap_use": 0}),
        ("workers", lambda r: r.year > YEAR, {"central": 9e6, "low": 8e6, "high": 1e7}),
        ("uses", lambda r: (r.first_year or 0) > YEAR and not r.own, {"first_year": 2026}),
        ("agenda_fte", lambda r: r.year > YEAR, {"low": 1000.0, "high": 2000.0}),
        ("paper_counts", lambda r: r.year > YEAR, {"count": 9999}),
        ("diagnosis", lambda r: (r.year or 0) > YEAR, {"found": 1, "total": 99}),
        ("milestones", lambda r: (r.reached or 0) > YEAR, {"reached": 2026}),
    ],
)
def test_no_later_value_reaches_the_forecast(inputs, whole, table, keep, changed):
    LATE.update(w.work for w in inputs[1].works if w.year > YEAR)
    moved = with_row(inputs[1], table, keep=keep, **changed)
    before = unpadded(case_at(whole, inputs[1], year=YEAR))
    after = unpadded(case_at(make_case(inputs[0], moved), moved, year=YEAR))
    assert after == before
    for name in ("ratings", "uses", "milestones"):
        assert getattr(tables_at(moved, YEAR), name) == getattr(tables_at(inputs[1], YEAR), name)


LATE: set[str] = set()


def unpadded(case):
    """Return the Case without the blank rows of lags, whose number is that of all dated uses."""
    lags = case.evidence.arrays["lags"]
    some = lags["weight"] > 0
    return with_arrays(case, "lags", **{name: x[some] for name, x in lags.items()})


def test_the_hazard_counts_levels_attained_over_years_at_risk():
    dates = {1: 2016, 2: 2022, 3: None}
    # by 2020: one attained after 4 years at risk, two open for 8
    assert hazard(dates, 2020) == pytest.approx(1.5 / (4 + 8 + 8 + 1))


def test_a_date_is_scored_by_its_chance_and_by_the_distance_of_the_curves():
    curve = np.array([0.8, 0.5, 0.5])  # attained after 1, 2, 3 years: 0.2, 0.3, 0
    logs, distance = date_score(curve, 2)
    assert logs == pytest.approx(np.log(0.3))
    assert distance == pytest.approx(0.2**2 + 0.5**2 + 0.5**2)
    logs, distance = date_score(curve, None)
    assert logs == pytest.approx(np.log(0.5))
    assert distance == pytest.approx(0.2**2 + 0.5**2 + 0.5**2)


def test_levels_attained_by_the_origin_are_not_scored():
    chance = np.tile(np.linspace(1.0, 0.35, 14), (7, 1))
    dates = dict.fromkeys(range(1, 8)) | {1: 2016, 2: 2022}
    rows = date_scores(dates, chance, origin=2021)
    assert {r["item"] for r in rows} == {f"level-{k}" for k in range(2, 8)}
    np.testing.assert_allclose(still_open(chance, 2021)[0, 0], chance[0, 9] / chance[0, 8])


FIGURES = {
    "group": np.array([0, 0, 0, 1, 0]),
    "definition": np.array([0, 0, 0, 1, 2]),
    "year": np.array([4, 6, 8, 5, 9]),
    "value": np.array([1.0, 1.4, 2.0, 9.0, 3.0]),
    "bound": np.array([0, 0, 0, 0, 0]),
    "threshold": np.zeros(5),
    "spread": np.array([0.0, 0.0, 0.3, 0.0, 0.0]),
}


def test_the_last_figure_is_carried_forward_as_a_random_walk():
    known = np.array([True, True, False, True, False])
    step, other = spreads(FIGURES, known)
    assert step == pytest.approx(np.sqrt(0.16 / 2))  # one change of 0.4 in two years
    centre, sd = carried(FIGURES, known, later=~known)
    np.testing.assert_allclose(centre, [1.4, 1.4])
    np.testing.assert_allclose(sd, [step * np.sqrt(2), np.hypot(step * np.sqrt(3), other)])


def test_a_trend_goes_on_and_later_figures_do_not_move_it():
    known = np.array([True, True, False, True, False])
    centre, sd = trended(FIGURES, known, later=~known)
    assert centre[0] > 1.4
    moved = FIGURES | {"value": np.where(known, FIGURES["value"], 99.0)}
    for rule in (carried, trended):
        for one, two in zip(
            rule(FIGURES, known, later=~known), rule(moved, known, later=~known), strict=True
        ):
            np.testing.assert_array_equal(one, two)
    assert (sd > 0).all()


def test_a_bound_is_scored_by_the_chance_of_its_side():
    rows = FIGURES | {"bound": np.array([0, 0, 1, 0, 0]), "threshold": np.full(5, 2.0)}
    at = np.array([False, False, True, False, False])
    for value, due in ((1.0, 0.8413447), (0.0, 0.1586553)):
        some = rows | {"value": np.full(5, value), "spread": np.zeros(5)}
        found = normal_scores(some, (np.array([1.0]), np.array([1.0])), later=at)
        assert np.exp(found["log_score"][0]) == pytest.approx(due, rel=1e-6)
