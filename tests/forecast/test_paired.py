"""Agendas in pairs, against plain NumPy; and what agendas share, against the model."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from arviz_stats.base import array_stats

from forecast.inference.case import structure_of
from forecast.inference.forward import all_draws, future_normals
from forecast.inference.outcomes import predict
from forecast.runs.paired import mcse, pair_rows, save_stored
from forecast.runs.run import run
from models.model import build
from reports.view import BY_AGENDA, EVERY, FILE, OWN, REACH, SHARED

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


def told(folder):
    """Return (probability, error) by quantity, agenda and other of a run's table."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return {
            (r["quantity"], r["agenda"], r["other"]): (float(r["probability"]), float(r["mcse"]))
            for r in csv.DictReader(file)
        }


def test_a_run_compares_its_agendas_draw_by_draw(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    made = run("default", **SMALL)
    found, group = told(made.folder), made.dt["predictions"]
    agendas = [str(a) for a in group.agenda.values]
    assert len(found) == len(BY_AGENDA) * len(agendas) ** 2  # each pair, and against every other
    for name in BY_AGENDA:
        x = group[f"agenda_{name}"].to_numpy().reshape(80, -1)
        for i in (0, 7, 18):
            others = np.delete(x, i, axis=1)
            largest = np.mean([row[i] > max(rest) for row, rest in zip(x, others, strict=True)])
            assert found[name, agendas[i], EVERY][0] == pytest.approx(largest, abs=1e-6)
            for j in {3, 11} - {i}:
                larger = np.mean([row[i] > row[j] for row in x])
                assert found[name, agendas[i], agendas[j]][0] == pytest.approx(larger, abs=1e-6)
    (made.folder / FILE).unlink()
    save_stored(made.folder)  # a run of before the table, from its draws alone
    assert told(made.folder) == found


def test_a_pair_and_its_reverse_and_ties_make_one():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 4, size=(200, 3)).astype(float)
    rows = pair_rows({f"agenda_{n}": x for n in BY_AGENDA}, ["a", "b", "c"], chains=2)
    p = {(r["agenda"], r["other"]): r for r in rows if r["quantity"] == BY_AGENDA[0]}
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        i, j = "abc".index(one), "abc".index(other)
        ties = np.mean(x[:, i] == x[:, j])
        assert ties > 0.1
        both = p[one, other]["probability"] + p[other, one]["probability"]
        assert both + ties == pytest.approx(1.0)
        for key, above in (((one, other), x[:, i] > x[:, j]), ((other, one), x[:, i] < x[:, j])):
            means = above.reshape(20, 10).mean(axis=1)
            error = means.std(ddof=1) / 20**0.5
            assert p[key]["mcse"] == pytest.approx(error, rel=0.01)  # three figures are kept
    shared = np.mean((x == x.max(axis=1, keepdims=True)).sum(axis=1) > 1)
    largest = sum(p[one, EVERY]["probability"] for one in "abc")
    assert largest + shared == pytest.approx(1.0)
    assert pair_rows({}, ["alone"], chains=2) == []


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.8, -0.6])
def test_errors_are_about_those_of_arviz(keep):
    """Means of 40 stretches say an error within 11% or so: 3.3 times as much is allowed."""
    rng, chains, n = np.random.default_rng(7), 4, 1000
    x = np.zeros((chains, n))
    for t in range(1, n):
        x[:, t] = keep * x[:, t - 1] + rng.normal(size=chains)
    expected = array_stats.mcse((x > 0.3).astype(float), method="mean")
    (found,) = mcse((x > 0.3).reshape(-1, 1), chains)
    assert found == pytest.approx(expected, rel=0.37)


def test_errors_of_what_never_changes_and_of_short_chains():
    np.testing.assert_array_equal(mcse(np.ones((400, 1), dtype=bool), 4), [0.0])
    assert np.isnan(mcse(np.eye(39, dtype=bool), 1)).all()


def test_only_these_variables_differ_by_agenda(default_case):
    """What the page says that agendas differ in, and what they share, is what the model has."""
    structure = structure_of(default_case)
    model = build(default_case.by_name, default_case.evidence.arrays, structure=structure)
    by_agenda = {name for name, dims in model.named_vars_to_dims.items() if "agenda" in dims}
    assert by_agenda == set(OWN)
    scalar = {v.name for v in model.free_RVs if v.ndim == 0}
    assert scalar >= {*SHARED, *REACH}


@pytest.mark.parametrize(("unit", "same"), [("field", True), ("agenda", False)])
def test_strict_relevance_is_use_times_a_factor_that_tracking_alone_moves(slider_fit, unit, same):
    """With one gate for works that track and that do not, the factor is one for all agendas."""
    case = replace(slider_fit.case.asked, established_in=unit)
    draws = all_draws(slider_fit, slider_fit.case)
    draws = draws | {"leak_untracked": draws["on_target"] * draws["gate_tracked"]}
    future = future_normals(slider_fit.case, len(draws["use_rate"]))
    names = ("agenda_alignment_relevant", "agenda_alignment_used")
    structure = slider_fit.compiled.structure
    found = predict(draws, future, structure=structure, question=case, names=names)
    factor = found[names[0]] / found[names[1]]
    spread = np.ptp(factor, axis=1) / factor.max(axis=1)
    assert (spread.max() < 1e-9) == same
