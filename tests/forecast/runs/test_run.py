"""The run folder, its identity, interruption, and what commands say of it."""

import csv
import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.cli.main import cli
from forecast.runs.open import fit_of, show
from forecast.runs.run import run
from models.errors import InputError
from models.quantities import HEADLINE
from reports.words import SAID, STATUSES, VERDICTS

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}
FILES = {
    "manifest.json",
    "priors.toml",
    "evidence",
    "posterior.nc",
    "summary.csv",
    "claims.csv",
    "works.csv",
    "experts.csv",
    "headline.json",
    "diagnostics.json",
    "context.json",
    "predictive.csv",
    "loo.csv",
    "influence.csv",
    "agenda_influence.csv",
    "agenda_pairs.csv",
    "backcast.csv",
    "others.csv",
    "near.csv",
    "near.json",
}
GROUPS = {
    "posterior",
    "sample_stats",
    "observed_data",
    "constant_data",
    "prior",
    "prior_predictive",
    "posterior_predictive",
    "predictions",
    "prior_predictions",
    "log_likelihood",
    "log_prior",
    "left_out",
    "observed_statistics",
    "replicated_statistics",
}


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """An empty working folder, with fits replaced."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_writes_its_folder_whole(here):
    made = run("default", **SMALL)
    assert made.folder.name.startswith("default-")
    assert len(made.folder.name) == 16
    assert {p.name for p in made.folder.iterdir()} == FILES
    assert not list(Path("runs").glob("*.partial"))
    assert set(made.dt.children) == GROUPS


@pytest.mark.parametrize("name", ["headline.json", "context.json"])
def test_a_run_whose_numbers_were_edited_is_refused(here, name):
    made = run("default", **SMALL)
    path = made.folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"converged": ', '"converged":  ', 1), encoding="utf-8")
    for command in ("show", "report"):
        done = CliRunner().invoke(cli, [command, str(made.folder)])
        assert done.exit_code == 2
        assert f"{path}: found other content than the run wrote" in done.stderr
    path.write_text(text, encoding="utf-8")
    assert show(made.folder).headline == made.headline


def test_a_full_disk_is_told_by_the_place_that_was_written(here, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("forecast.files.json_text", full)
    done = CliRunner().invoke(cli, ["run", "default", "--quiet", "--draws", "40", "--tune", "10"])
    assert done.exit_code == 2
    assert "runs/default-" in done.stderr
    assert "the output" not in done.stderr


def test_headline_has_every_name_and_its_splits_sum_to_one(here):
    head = run("default", **SMALL).headline
    assert list(head["quantities"]) == list(HEADLINE)
    assert head["interval"] == {"kind": "eti", "prob": 0.89}
    for names in (HEADLINE[6:10], HEADLINE[10:14]):
        total = sum(head["quantities"][name]["mean"] for name in names)
        assert total == pytest.approx(1.0, abs=1e-9)
    assert len(head["by_agenda"]) == 19
    assert set(head["milestones"]) == set("1234567")
    assert all("mcse" in q for q in head["quantities"].values())


def test_the_summary_says_of_each_belief_what_was_learned(here):
    folder = run("default", **SMALL).folder
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        found = {r["parameter"]: r for r in csv.DictReader(file)}
    assert {r["learned"] for r in found.values()} <= set(STATUSES)
    assert found["gate_tracked"]["learned"] == "untouched"
    assert found["gate_tracked"]["shift"] == "0.0"
    # The fake posterior is the prior: noise of 80 draws, of which 0.5 is three standard errors.
    assert abs(float(found["use_rate"]["shift"])) < 0.5


def test_claims_say_what_the_evidence_did_to_each(here):
    made = run("default", **SMALL)
    with (made.folder / "claims.csv").open(encoding="utf-8", newline="") as file:
        found = {r["claim"]: r["evidence"] for r in csv.DictReader(file)}
    assert set(found.values()) <= set(VERDICTS)
    assert found["C13"] == "prior alone"
    told = {one["id"]: one for one in made.context["claims"]}
    assert {key: one["evidence"] for key, one in told.items()} == found
    assert told["C13"]["verdict"] == "Prior alone: no evidence touches value_constancy."
    assert {one["side"] for one in told.values()} <= set(SAID)


def test_the_tree_has_named_dims_and_row_ids(here):
    dt = run("default", **SMALL).dt
    assert dt["posterior"]["maturity_agenda"].dims == ("chain", "draw", "agenda")
    assert dt["log_likelihood"]["ratings"].dims == ("chain", "draw", "rating")
    assert "ali-2015-filan" in dt["log_likelihood"]["worker_figures"].worker_row.values
    assert "ease.mu" in dt["constant_data"].hyperparameter.values
    assert dt["log_prior"]["ease"].attrs["block"] == "spillover"
    outcomes = dt["predictions"]["outcome_by_agenda"]
    assert outcomes.dims == ("chain", "draw", "outcome", "agenda")
    assert dt["predictions"]["outcome_by_cohort"].cohort.values[0] == 2020
    row = dt["constant_data"]["row_of_work"]
    assert row.sizes["work"] == 483
    assert int(row.max()) < 483


def test_the_same_run_is_shown_again_and_force_draws_anew(here, fake_fits):
    first = run("default", **SMALL)
    once = len(fake_fits)  # its own, and those of the beliefs beside it
    again = run("default", **SMALL)
    assert again.already
    assert not first.already
    assert len(fake_fits) == once
    assert not run("default", force=True, **SMALL).already
    assert len(fake_fits) == 2 * once


def test_the_same_seed_gives_the_same_headline_and_another_seed_another(here):
    a = run("default", out="a", **SMALL).headline
    b = run("default", out="b", **SMALL).headline
    c = run("default", out="c", seed=1, **SMALL).headline
    assert a == b
    assert a["quantities"] != c["quantities"]


def test_identity_follows_content_and_not_line_endings(here, tmp_path):
    one = run("default", **SMALL).folder.name
    folder = tmp_path / "copy"
    shutil.copytree(Path(__file__).parents[3] / "evidence", folder)
    for table in folder.glob("*.csv"):
        table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    assert run("default", evidence=folder, **SMALL).folder.name == one
    assert run("default", seed=3, **SMALL).folder.name != one
    assert run("default", **(SMALL | {"draws": 50})).folder.name != one


def test_out_must_be_new_or_a_run_with_force(here):
    Path("taken").mkdir()
    Path("taken/notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="exists and is no run folder"):
        run("default", out="taken", force=True, **SMALL)
    assert Path("taken/notes.txt").read_text(encoding="utf-8") == "mine"
    run("default", out="mine", **SMALL)
    with pytest.raises(InputError, match="add --force"):
        run("default", out="mine", **SMALL)
    assert run("default", out="mine", force=True, **SMALL).folder == Path("mine")


def test_not_converged_exits_3_and_is_marked_everywhere(here):
    result = CliRunner().invoke(cli, ["run", "default", "--draws", "40", "--tune", "10", "--json"])
    head = json.loads(result.stdout)
    assert result.exit_code == 3
    assert head["converged"] is False
    folder = next(p for p in Path("runs").iterdir() if not p.name.endswith(".partial"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "NOT CONVERGED" in page
    assert "NOT CONVERGED" in show(folder).text()
    again = CliRunner().invoke(cli, ["show", str(folder)])
    assert again.exit_code == 0
    assert "NOT CONVERGED" in again.stdout


def test_a_table_switched_off_leaves_the_priors_to_speak(here, tmp_path):
    text = (Path(__file__).parents[3] / "priors/default.toml").read_text(encoding="utf-8")
    path = tmp_path / "bare.toml"
    path.write_text(text.replace("[evidence]", '[evidence]\noff = ["works", "workers"]'))
    made = run(path, **SMALL)
    assert "ratings" in made.context["evidence"]["empty"]
    assert "workers" in made.context["evidence"]["empty"]


def test_show_looks_one_work_up_and_suggests_a_near_miss(here):
    made = run("default", **SMALL)
    key = made.context["works"][0]["work"]
    assert key in made.work_text(key)
    with pytest.raises(InputError, match=key):
        made.work_text(key + "x")
    with pytest.raises(InputError, match="no run here"):
        show("nowhere")


def test_a_stored_run_can_be_reweighted(here):
    import forecast as fc

    made = run("default", **SMALL)
    fit = fit_of(made)
    assert "gate_tracked" in fit.compiled.alone
    assert "ease" not in fit.compiled.alone
    answer = fc.reweight(made, "default")
    means = answer.quantities["alignment_relevant"].mean()
    assert means == pytest.approx(made.headline["quantities"]["alignment_relevant"]["mean"])
    assert answer.how == "exact"  # nothing that the draws follow from differs
    other = fc.reweight(made, "questioner", names=["alignment_used"])
    assert other.how == "reweighted"
    assert other.pareto_k > 0.0
    assert [*other.quantities] == ["alignment_used"]


@pytest.mark.parametrize("given", [{"draws": 0}, {"tune": 0}, {"chains": 0}, {"draws": 2**40}])
def test_options_out_of_range_are_refused_before_native_code_sees_them(here, given):
    (name,) = given
    with pytest.raises(InputError, match=f"^{name}: found {given[name]}; "):
        run("default", **given)
    assert not (here / "runs").exists()


def test_one_belief_goes_from_toml_to_the_headline_under_one_name(here, tmp_path):
    name = "gate_tracked"
    text = (Path(__file__).parents[3] / "priors/default.toml").read_text(encoding="utf-8")
    assert f"[priors.{name}]" in text
    low = run("default", **SMALL)
    head, _, tail = text.partition(f"[priors.{name}]")
    lines = [
        "alpha = 900.0" if x.startswith("alpha") else "beta = 1.0" if x.startswith("beta") else x
        for x in tail.split("[priors.")[0].splitlines()
    ]
    rest = "[priors." + "[priors.".join(tail.split("[priors.")[1:])
    path = tmp_path / "sure.toml"
    path.write_text(head + f"[priors.{name}]" + "\n".join(lines) + "\n\n" + rest)
    high = run(path, out="sure", **SMALL)
    assert f"{name}.alpha" in high.dt["constant_data"].hyperparameter.values
    assert float(high.dt["posterior"][name].mean()) > 0.99
    assert name in (high.folder / "summary.csv").read_text(encoding="utf-8")
    claim = next(c for c in high.context["claims"] if c["id"] == "C14")
    assert any(q["name"] == "relevant_tracked" for q in claim["quantities"])
    gain = [r.headline["quantities"]["alignment_relevant"]["mean"] for r in (low, high)]
    assert gain[1] > 1.3 * gain[0]


def test_numbers_in_csv_are_those_of_the_draws(here):
    made = run("default", **SMALL)
    draws = made.dt["predictions"]["outcome_field"].sel(outcome="alignment_used").to_numpy()
    assert made.headline["quantities"]["alignment_used"]["mean"] == pytest.approx(draws.mean())
    np.testing.assert_allclose(
        made.headline["quantities"]["alignment_used"]["lower"], np.quantile(draws, 0.055)
    )
