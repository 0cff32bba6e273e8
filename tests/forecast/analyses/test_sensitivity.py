"""The command on what a forecast hangs on, over one finished run whose fit is prior draws."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses.sensitivity import (
    SUMMARY_TABLES,
    Bar,
    items,
    ladder_rows,
    material_of,
    withheld,
)
from forecast.cli.main import cli
from forecast.inference.evaluate import posterior
from forecast.inference.pointwise import log_likelihoods
from forecast.runs.run import run
from reports.sensitivity import tables_line
from reports.words import method, points
from scripts.docs_pages import sensitivity_block

SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


@pytest.fixture
def fit(default_case, fake_fits):
    return posterior(default_case)


def asked(fit, target):
    """Return the material of a fit that is no run."""
    return material_of(fit, target, rows=log_likelihoods(fit))


def test_the_command_writes_every_table_and_refuses_what_is_wrong(tmp_path, monkeypatch, fake_fits):
    monkeypatch.chdir(tmp_path)
    made = run("default", **SMALL)

    def call(*args):
        return CliRunner().invoke(cli, ["sensitivity", str(made.folder), "--quick", *args])

    done = call("--threshold", "0.2")
    assert done.exit_code == 3, done.output  # 80 draws do not converge
    assert "NOT CONVERGED" in done.stdout
    folder = made.folder.parent / f"sensitivity-{made.folder.name}"
    names = {p.name for p in folder.iterdir()}
    assert {f"{name}.csv" for name in SUMMARY_TABLES} | {
        "sensitivity.html",
        "sensitivity.json",
    } < names
    told = json.loads((folder / "sensitivity.json").read_text())
    assert told["thresholds"]["yours"] == 0.2
    assert told["quick"]
    with (folder / "tornado.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 88
    assert {row["how"] for row in rows} <= {"exact", "reweighted", "withheld"}
    page = (folder / "sensitivity.html").read_text(encoding="utf-8")
    assert "NOT CONVERGED" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)
    wrong = call("--target", "alignment_relevnt")
    assert (wrong.exit_code, "did you mean 'alignment_relevant'" in wrong.stderr) == (2, True)
    wrong = call("--threshold", "3")
    assert (wrong.exit_code, "between 0 and 1" in wrong.stderr) == (2, True)
    wrong = call("--out", str(tmp_path / "runs"))
    assert (wrong.exit_code, "not of this command" in wrong.stderr) == (2, True)
    assert CliRunner().invoke(cli, ["sensitivity", "no-such-thing", "--quick"]).exit_code == 2
    held = [row for row in told["left_out"] if row["how"] == "withheld"]
    assert held
    assert all(row["shift"] is None and row["pareto_k"] > 0.7 for row in held)
    assert any("withheld" in line for line in told["lines"])
    block = "\n".join(sensitivity_block(told, command="forecast sensitivity X"))
    assert block.startswith("Made by `forecast sensitivity X --quick`.")
    assert "### Evidence left out" in block
    assert "| withheld: k = " in block


def test_items_leave_out_each_row_of_evidence_once_a_kind(fit):
    m = asked(fit, "alignment_relevant")
    found = items(m)
    arrays = m.case.evidence.arrays
    kinds = {i.kind for i in found}
    assert kinds == {"table", "rater", "agenda", "selection", "worker source"}
    for kind, table in (("agenda", "ratings"), ("worker source", "workers")):
        left = sum(i.rows for i in found if i.kind == kind)
        assert left == pytest.approx(arrays[table]["weight"].sum())
    for i in found:
        if i.kind != "rater":
            gone = sum(weights(m.case).values()) - sum(weights(i.case).values())
            assert gone == pytest.approx(i.rows)


def weights(case):
    """Return the sum of weights of each table that has any."""
    arrays = case.evidence.arrays
    return {name: x["weight"].sum() for name, x in arrays.items() if "weight" in x}


def test_averaging_independent_beliefs_keeps_the_mean_and_cuts_the_noise(fit):
    m = asked(fit, "alignment_relevant")
    assert m.smooth.std() < m.y.std()
    error = (m.y - m.smooth).std() / len(m.y) ** 0.5
    assert abs(m.smooth.mean() - m.y.mean()) < 4 * error
    used = asked(fit, "alignment_used")
    np.testing.assert_allclose(used.smooth, used.y)  # no late belief moves it


def test_what_weights_cannot_say_is_fitted_anew_and_errors_add_up(fit):
    m, asked_for = asked(fit, "alignment_relevant"), []

    def refit(cases):
        asked_for.extend(cases)
        return [replace(fit, case=case) for case in cases]

    prior = {"mean": 0.5, "lower": 0.2, "upper": 0.8, "mcse": 0.01}
    rows = ladder_rows(m, refit=refit, prior=prior)
    fitted = [row for row in rows if row["how"] == "refit"]
    assert len(fitted) == len(asked_for) > 0
    assert not any(row["how"] == "withheld" for row in rows)
    assert rows[0]["shift"] == pytest.approx(0.5 - m.mean)
    own = m.y.std() / m.ess**0.5
    assert all(row["mcse"] > own for row in fitted)
    assert rows[-1]["mean"] == pytest.approx(m.mean)
    less = [sum(weights(case).values()) for case in asked_for]
    assert less == sorted(less)  # the ladder only adds


def test_bars_are_told_with_error_and_way():
    bar = Bar(0.2, 0.1, 0.3, 0.012, 0.003, "reweighted", 0.31)
    assert points(bar.shift, bar.mcse) == "+1.2 ± 0.3"
    assert method(bar.row()) == "reweighted, k 0.31"
    assert method(withheld(0.91).row()) == "withheld: k = 0.91"
    assert points(withheld().shift) == "-"


def table(name, shift, *, how="refit", mcse=0.001):
    return {
        "kind": "table",
        "left_out": name,
        "shift": shift,
        "mcse": mcse,
        "how": how,
        "converged": True,
    }


def test_a_table_within_its_noise_is_not_told_to_matter():
    rows = [table("uses", 0.0005), table("ratings", float("nan"), how="withheld")]
    told = tables_line({"left_out": rows, "power": []})
    assert told.startswith("No table that can be left out moves it by more than twice the error.")
    assert told.endswith("Leaving out ratings is withheld: weights cannot tell.")
    told = tables_line({"left_out": [table("workers", 0.003), *rows], "power": []})
    assert told.startswith("The tables that matter most: without workers +0.3 ± 0.1 points.")
    assert "uses" not in told
