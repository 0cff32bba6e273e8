"""What is distinct: collapsed rows against loops over works, room for simulated evidence, 20 MB."""

import json
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow.parquet as pq
import pytest

from forecast.evidence import arrays as compact
from forecast.evidence.arrays import (
    blank_answers,
    collapsed,
    joined_ids,
    keep_evidence,
    padded_rows,
    patterns,
    room,
    to_arrays,
)
from forecast.evidence.frame import frame
from forecast.evidence.load import load_tables
from forecast.evidence.tables import Work
from forecast.inference.case import make_case, structure_of
from forecast.inference.seeds import stream
from forecast.inference.simulate import simulated_case
from forecast.runs import summarise as work_rows
from forecast.runs.inputs import load_inputs
from forecast.runs.summarise import agreement
from models.errors import InputError
from models.prior_draws import prior_draws
from models.ratings.formula import ordered


def random_codes(seed, *, works=200, raters=2, cells=5):
    """Answers with few choices, so that rows repeat; some works are not rated."""
    rng = np.random.default_rng(seed)
    codes = np.tile(blank_answers(raters), (works, 1))
    codes[:, :raters] = rng.choice([0, 1, 8], (works, raters))
    codes[:, raters : 2 * raters] = rng.integers(0, 3, (works, raters))
    codes[rng.random(works) < 0.2] = blank_answers(raters)
    return codes, rng.integers(0, cells, works)


@pytest.mark.parametrize("seed", range(5))
def test_collapsed_rows_are_those_of_a_loop_over_works(seed):
    codes, cell = random_codes(seed)
    blank = tuple(blank_answers(2))
    keys = [(int(c), *map(int, row)) for c, row in zip(cell, codes, strict=True)]
    count = Counter(key for key in keys if key[1:] != blank)
    made = collapsed(codes, cell)
    found = [(int(c), *map(int, v)) for c, v in zip(made.cell, made.value, strict=True)]
    assert found == sorted(count)
    assert made.count.tolist() == [count[key] for key in found]
    rows = [found.index(key) if key in count else -1 for key in keys]
    assert made.row.tolist() == rows
    names = [f"w{i}" for i in range(len(codes))]
    groups = [
        "+".join(n for n, r in zip(names, rows, strict=True) if r == i) for i in range(len(found))
    ]
    assert list(joined_ids(names, made)) == groups


def test_numbers_of_rows_keep_their_order_where_they_would_overflow():
    rng = np.random.default_rng(0)
    columns = rng.integers(0, 1000, (50, 30))
    columns[:25, :29] = columns[0, :29]
    key = ordered(columns, [1000] * 30)
    by_tuple = sorted(range(50), key=lambda i: tuple(columns[i]))
    assert np.argsort(key, kind="stable").tolist() == by_tuple


def test_patterns_counts_what_can_be_answered():
    def column(m):
        marks = product((0, 1), repeat=m)
        return sum(3**m if any(x) else 1 for x in marks)

    for level, tracks, cap, ali in [(1, 1, 1, 1), (2, 1, 0, 2), (3, 3, 3, 3)]:
        expected = 8**level * 2**tracks * column(cap) * column(ali)
        assert patterns(np.array([level, tracks, cap, ali])) == expected


def test_room_is_for_answers_or_works_whichever_is_fewer():
    codes = np.tile(blank_answers(1), (900, 1))
    codes[:, 1] = np.arange(900) % 2  # tracking alone is asked: two answers
    assert room(codes, np.arange(900) % 3) == 6
    codes[:, 0] = 3
    assert room(codes[:10], np.zeros(10, dtype=int)) == 10
    assert room(codes, np.zeros(900, dtype=int)) == 16


@pytest.fixture(scope="module")
def crowded():
    """The shipped design with each work of one agenda seven times: more works than answers."""
    config, tables = load_inputs("default")
    one = tables.ratings.distinct("rater")[0]
    ratings = [r for r in tables.ratings if r.rater == one]
    works = {w.work: w for w in tables.works}
    many, rated = [], []
    for r in ratings[:100]:
        for i in range(7):
            key = f"{r.work}-{i}"
            shape = {"work": key, "agenda": tables.agendas[0].agenda, "year": 2024}
            many.append(works[r.work].model_copy(update=shape | {"selection": "sampled"}))
            rated.append(r.model_copy(update={"work": key}))
    some = replace(tables, works=frame(Work, many), ratings=rated, uses=(), milestones=())
    return make_case(config, some)


@pytest.mark.parametrize("seed", range(12))
def test_simulated_evidence_fits_the_room_of_its_design(crowded, seed):
    structure = structure_of(crowded)
    truth = prior_draws(crowded.by_name, structure, n=1, rng=stream(seed, "truth"))
    made = simulated_case(crowded, truth, seed=seed)
    assert structure_of(made) == structure
    rows, at = made.evidence.arrays["ratings"], made.evidence.row_of_work
    assert len(rows["weight"]) == 256 < len(at)  # of one rater: 8 x 2 x 4 x 4
    assert rows["weight"].sum() == (at >= 0).sum() == 700
    np.testing.assert_array_equal(np.bincount(at, minlength=256), rows["weight"])


def test_padding_weighs_nothing():
    codes, cell = random_codes(1)
    made = collapsed(codes, cell)
    rows = padded_rows(made, len(codes))
    assert len(rows["weight"]) == len(codes)
    assert rows["weight"].sum() == (made.row >= 0).sum()
    assert (rows["value"][len(made.value) :] == blank_answers(2)).all()


def test_agreement_is_that_of_a_loop_over_works():
    _, tables = load_inputs("default")
    by = {}
    for row in tables.ratings:
        by.setdefault(row.rater, {})[row.work] = row
    for line in agreement(tables):
        a, b = by[line["a"]], by[line["b"]]
        both = a.keys() & b.keys()
        assert line["works"] == len(both)
        for column in ("level", "tracks", "cap_use", "ali_use"):
            pairs = [(getattr(a[w], column), getattr(b[w], column)) for w in both]
            known = [x == y for x, y in pairs if None not in (x, y)]
            assert line[column] == pytest.approx(np.mean(known))


def test_above_20_mb_a_run_keeps_distinct_rows_ids_and_hashes(tmp_path, monkeypatch):
    _, tables = load_inputs("default")
    evidence = to_arrays(tables)
    keep_evidence(tables, evidence, target=tmp_path / "whole")
    assert (tmp_path / "whole" / "ratings.csv").is_file()
    monkeypatch.setattr(compact, "MOST_BYTES", 1000)
    kept = tmp_path / "kept"
    keep_evidence(tables, evidence, target=kept)
    assert not list(kept.glob("ratings.*")) + list(kept.glob("works.*"))
    rows, ids = (pq.read_table(kept / f"{n}.parquet") for n in ("rating_rows", "work_ids"))
    assert sum(rows["works"].to_pylist()) == evidence.arrays["ratings"]["weight"].sum()
    assert ids["work"].to_pylist() == list(evidence.works)
    assert ids["row"].to_pylist() == evidence.row_of_work.tolist()
    assert "ratings.csv" in json.loads((kept / "hashes.json").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match=r"above 20 MB.*give the folder of the full tables"):
        load_tables(kept)


def test_of_many_works_some_are_shown_and_all_are_written(tmp_path, monkeypatch):
    _, tables = load_inputs("default")
    rng, n = np.random.default_rng(0), len(tables.works)
    states = {"level": rng.dirichlet(np.ones(8), n)}
    states |= {name: rng.random(n) for name in ("tracking", "capabilities", "alignment")}
    every = work_rows.work_rows(tables, states)
    assert [row["work"] for row in every] == [w.work for w in tables.works]
    assert sum(len(row["ratings"]) for row in every) == len(tables.ratings)
    monkeypatch.setattr(work_rows, "MOST_SHOWN", 10)
    few = work_rows.work_rows(tables, states)
    assert len(few) == 10
    assert all(row in every for row in few)
    path = tmp_path / "works.csv"
    work_rows.save_works(path, tables, states=states)
    assert len(path.read_text(encoding="utf-8").splitlines()) == n + 1
    found = work_rows.read_work(path, every[7]["work"])
    assert found is not None
    for name in work_rows.WORK_CHANCES:
        assert found[name] == every[7][name]
    assert work_rows.read_work(path, "no-such-work") is None
