"""A finished run, opened: its draws lent to another, an analysis beside it."""

import json
from pathlib import Path

import pytest
import xarray as xr

from forecast.runs.folder import read_manifest
from forecast.runs.open import sensitivity_of
from forecast.runs.run import run

BESIDE = {"worldviews": [], "halo": [], "shared_error": []}
"""In place of refits beside the headline."""
SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}
FREE = """\
schema = 1
extends = "default.toml"
name = "sure"
author = "A tester"
date = 2026-11-22
summary = "A belief that no likelihood touches, and another question."

[question]
cohort = 2027
horizon = 2035

[model]
established_in = "agenda"

[priors.gate_tracked]
dist = "Uniform"
lower = 0.8
upper = 0.9
unit = "probability"
block = "relevance"
claims = ["C14"]
source = "none"
why = "test"
"""
SAMPLED = """
[priors.ease]
dist = "Normal"
mu = 0.5
sigma = 0.4
unit = "log ratio of uses"
block = "spillover"
claims = ["C10"]
source = "none"
why = "test"
"""


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """An empty working folder, with fits replaced, and a file that differs in what is free."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.runs.variants.beside_rows", lambda *_, **__: BESIDE)
    Path("sure.toml").write_text(FREE, encoding="utf-8")
    return fake_fits


def test_free_changes_cost_no_fit_and_give_the_numbers_of_one(here):
    first = run("default", **SMALL)
    reused = run("sure.toml", **SMALL)
    assert len(here) == 1
    assert reused.draws_of == first.folder.name
    assert read_manifest(reused.folder)["draws_of"] == first.folder.name
    fresh = run("sure.toml", out="apart/fresh", **SMALL)
    assert len(here) == 2
    assert fresh.draws_of is None
    for name in ("headline.json", "summary.csv", "claims.csv", "works.csv"):
        assert (reused.folder / name).read_bytes() == (fresh.folder / name).read_bytes()
    with reused.dt as one, fresh.dt as other:
        for group in one.children:
            xr.testing.assert_identical(one[group].to_dataset(), other[group].to_dataset())
    assert reused.headline["quantities"] != first.headline["quantities"]
    assert first.dt["left_out"].sizes["left_out"] > 0  # others weigh draws: those left out are lent


def test_draws_lent_twice_name_the_run_that_drew_them(here):
    first = run("default", **SMALL)
    run("sure.toml", **SMALL)
    Path("sure.toml").write_text(FREE.replace("0.9", "0.95"), encoding="utf-8")
    assert run("sure.toml", **SMALL).draws_of == first.folder.name
    assert len(here) == 1


def test_force_and_what_the_sampler_sees_draw_anew(here):
    run("default", **SMALL)
    assert run("sure.toml", force=True, **SMALL).draws_of is None
    assert run("sure.toml", **(SMALL | {"draws": 50})).draws_of is None
    assert run("sure.toml", seed=1, **SMALL).draws_of is None
    Path("sure.toml").write_text(FREE + SAMPLED, encoding="utf-8")
    assert run("sure.toml", **SMALL).draws_of is None
    assert len(here) == 5


def test_damaged_draws_are_not_taken(here, caplog):
    first = run("default", **SMALL)
    (first.folder / "posterior.nc").write_bytes(b"not netCDF")
    assert run("sure.toml", **SMALL).draws_of is None
    assert "cannot be read" in caplog.text
    assert len(here) == 2


CONTEXT = {
    "headline": {"quantities": {"alignment_relevant": {"mean": 0.0123}}},
    "manifest": {"code_hash": "abc"},
}
SAVED = {"run": "default-1", "target": "alignment_relevant", "headline": {"mean": 0.0123}}


def lay(beside, *, saved=SAVED, code="abc"):
    folder = beside / "sensitivity-default-1"
    folder.mkdir()
    (folder / "sensitivity.json").write_text(json.dumps(saved), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps({"code_hash": code}), encoding="utf-8")
    return folder


def test_one_of_the_same_draws_is_found(tmp_path):
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) is None
    folder = lay(tmp_path)
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) == folder


@pytest.mark.parametrize(
    "other",
    [
        {"code": "abd"},
        {"saved": SAVED | {"headline": {"mean": 0.0124}}},
        {"saved": SAVED | {"headline": {"mean": None}}},
        {"saved": SAVED | {"run": "default-2"}},
        {"saved": SAVED | {"target": "alignment_used"}},
        {"saved": []},
        {"saved": {}},
    ],
    ids=str,
)
def test_one_of_other_draws_or_a_damaged_one_is_not(tmp_path, other):
    lay(tmp_path, **other)
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) is None


def test_one_that_is_no_json_is_not(tmp_path):
    (lay(tmp_path) / "sensitivity.json").write_text("{", encoding="utf-8")
    assert sensitivity_of(tmp_path, "default-1", context=CONTEXT) is None
