"""What was known when: dates of uses, weights, ages, and nothing of later years."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.analyses.backtest import case_at, tables_at
from forecast.evidence.arrays import to_arrays
from forecast.inference.case import make_case, structure_of, with_arrays
from forecast.runs.inputs import load_inputs

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
