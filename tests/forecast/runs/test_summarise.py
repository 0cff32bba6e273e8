"""From draws to the numbers shown: what the evidence moved, who leads, agendas in pairs."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from arviz_stats.base import array_stats

from forecast.inference.case import structure_of
from forecast.inference.evaluate import answer
from forecast.inference.forward import all_draws, future_normals
from forecast.inference.outcomes import predict
from forecast.runs import summarise as summaries
from forecast.runs.open import fit_of
from forecast.runs.run import run
from forecast.runs.summarise import (
    batch_mcse,
    leads,
    moved,
    pair_rows,
    shift,
    unbounded,
    variance_parts,
)
from models.model import build
from reports.view import BY_AGENDA, EVERY, FILE, OWN, REACH, SHARED

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


def test_draws_are_put_on_the_real_line_by_their_support():
    x = np.array([0.25, 0.5])
    np.testing.assert_allclose(unbounded(x, support="real"), x)
    np.testing.assert_allclose(unbounded(x, support="positive"), np.log(x))
    np.testing.assert_allclose(unbounded(x, support="unit"), [-np.log(3.0), 0.0], atol=1e-15)


@pytest.mark.parametrize("support", ["positive", "unit"])
def test_draws_at_an_end_of_their_support_stay_finite(support):
    assert np.isfinite(unbounded(np.array([0.0, 1.0]), support=support)).all()


def test_shift_is_in_prior_sds_of_the_unbounded_scale():
    before = np.array([-1.0, 1.0])  # mean 0, sd 1
    after = np.array([1.5, 2.5])
    assert shift(before, after, support="real") == pytest.approx(2.0)
    assert shift(np.exp(before), np.exp(after), support="positive") == pytest.approx(2.0)


def test_a_ratio_moves_on_its_logarithm_and_a_chance_as_it_is():
    before, after = np.array([0.2, 0.6]), np.array([0.3, 0.5])
    assert moved(before, after, unit="share")["sd_ratio"] == pytest.approx(0.5)
    wide, narrow = np.exp([-4.0, 4.0]), np.exp([1.0, 3.0])
    found = moved(wide, narrow, unit="ratio")
    assert found == {"sd_ratio": pytest.approx(0.25), "shift": pytest.approx(0.5)}
    assert moved(np.zeros(2), np.zeros(2), unit="share") == {"sd_ratio": 1.0, "shift": 0.0}


def test_variance_parts_are_first_order_shares_and_leave_out_what_moves_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    draws = {name: rng.normal(size=20_000) for name in ("small", "idle", "large")}
    y = 2.0 * draws["large"] + draws["small"] + rng.normal(size=20_000)  # variances 4, 1 and 1
    monkeypatch.setattr(summaries, "all_draws", lambda fit, case: draws)
    fit = SimpleNamespace(case=None, compiled=SimpleNamespace(alone=list(draws)), n=20_000)
    large, small = variance_parts(fit, {"alignment_relevant": y})
    assert large == {"parameter": "large", "share": pytest.approx(4 / 6, abs=0.02)}
    assert small == {"parameter": "small", "share": pytest.approx(1 / 6, abs=0.02)}


def test_leads_are_shares_of_draws_with_their_errors():
    rng = np.random.default_rng(1)
    n, low = 4000, np.full(4000, 0.3)
    found = {
        "alignment_only": low + (rng.random(n) < 0.5),
        "capabilities_only": low + 0.1,
        "alignment_used": np.full(n, 0.9),
        "alignment_relevant": np.full(n, 0.1),
        "capabilities_relevant": low,
    }
    made = leads(found, 4)
    assert made["documented"]["mean"] == pytest.approx(0.5, abs=0.03)
    assert made["documented"]["mcse"] == pytest.approx(0.5 / n**0.5, rel=0.1)
    assert made["used"] == {"mean": 1.0, "mcse": 0.0}
    assert made["strict"] == {"mean": 0.0, "mcse": 0.0}


def pairs_of(folder):
    """Return (probability, error) by quantity, agenda and other of a run's table."""
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        return {
            (r["quantity"], r["agenda"], r["other"]): (float(r["probability"]), float(r["mcse"]))
            for r in csv.DictReader(file)
        }


def test_a_run_compares_its_agendas_draw_by_draw(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    fit = fit_of(run("default", out="made", **SMALL))
    found, agendas = pairs_of(tmp_path / "made"), fit.compiled.structure.agendas
    draws = answer(fit, fit.case, names=[f"agenda_{name}" for name in BY_AGENDA])
    assert len(found) == len(BY_AGENDA) * len(agendas) ** 2  # each pair, and against every other
    for name in BY_AGENDA:
        x = draws[f"agenda_{name}"]
        for i in (0, 7, 18):
            others = np.delete(x, i, axis=1)
            largest = np.mean([row[i] > max(rest) for row, rest in zip(x, others, strict=True)])
            assert found[name, agendas[i], EVERY][0] == pytest.approx(largest, abs=1e-6)
            for j in {3, 11} - {i}:
                larger = np.mean([row[i] > row[j] for row in x])
                assert found[name, agendas[i], agendas[j]][0] == pytest.approx(larger, abs=1e-6)


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
    (found,) = batch_mcse((x > 0.3).reshape(-1, 1), chains)
    assert found == pytest.approx(expected, rel=0.37)


def test_errors_of_what_never_changes_and_of_short_chains():
    np.testing.assert_array_equal(batch_mcse(np.ones((400, 1), dtype=bool), 4), [0.0])
    assert np.isnan(batch_mcse(np.eye(39, dtype=bool), 1)).all()


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
