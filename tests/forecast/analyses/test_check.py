"""The command check: priors before a run, and a finished run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from forecast.analyses import check as stated
from forecast.analyses.check import (
    check,
    implied_rows,
    prior_predictions,
    sentence,
    stated_faults,
    stated_rows,
    unbounded,
    year_rows,
)
from forecast.analyses.structure import SHOWN
from forecast.cli.main import cli
from forecast.runs.folder import digests
from models.errors import InputError
from models.priors import FAMILIES, Prior, logpdf, ppf
from reports.check import prior_check_text


@pytest.fixture(scope="module")
def implied(default_case):
    return implied_rows(default_case, prior_predictions(default_case, 200)[1])


def seal(folder):
    """Write into the manifest what the files of numbers hold."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) | {"written": digests(folder)}
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_implied_quantities_are_quantiles_of_the_prior(default_case, implied):
    rows = {(row["quantity"], row["element"]): row for row in implied}
    _, found = prior_predictions(default_case, 200)
    x = found["worker_ratio"][:, 2026 - 2013]
    row = rows["worker_ratio", "2026"]
    np.testing.assert_allclose(
        [row["low"], row["median"], row["high"]], np.quantile(x, [0.05, 0.5, 0.95])
    )
    assert ("established_field", "level 6") in rows
    assert ("workers", "interpretability, 2040") in rows


def test_every_feeling_that_was_asked_for_is_there(implied):
    wanted = {"field_works", "worker_ratio", "tracking_field", "established", "level_share"}
    wanted |= {"alignment_used", "capabilities_relevant", "alignment_relevant"}
    assert wanted <= {row["quantity"] for row in implied}
    assert all(row["sentence"].startswith(row["question"]) for row in implied)


def test_a_year_beyond_the_horizon_is_left_out(default_case):
    near = replace(default_case, question=replace(default_case.question, horizon=2028))
    rows = implied_rows(near, prior_predictions(near, 50)[1])
    assert not [row for row in rows if row["element"] == "2030"]


def test_a_sentence_says_the_middle_and_nine_chances_in_ten():
    told = sentence("How many?", (45.0, 410.0, 3210.0), unit="works per year")
    assert told == "How many? About 410 works per year: 9 chances in 10 of 45 to 3,210."
    assert sentence("How likely?", (0.5, 0.5, 0.5), unit="probability") == "How likely? 50%."


def test_a_year_that_is_not_reached_is_none():
    established = np.array([[[0.0, 0.04, 0.5, 0.6]] * 7])
    row = next(iter(year_rows(established, horizon=2016)))
    assert (row["low"], row["median"], row["high"]) == (2015, 2015, None)
    assert "after 2016" in row["sentence"]


def test_each_prior_is_sampled_as_stated_and_its_density_is_exact(default_case):
    rows = stated_rows(default_case, 300)
    assert {row["prior"] for row in rows} == set(default_case.by_name)
    assert all(row["ok"] for row in rows)
    assert max(row["density_gap"] for row in rows) < 1e-10
    assert not stated_faults(rows)


def test_draws_of_another_distribution_are_told(default_case, monkeypatch):
    """The density stays right, the draws are shifted: D alone must see it."""
    made, gaps = stated.sampled_priors(default_case, 300)
    monkeypatch.setattr(
        stated, "sampled_priors", lambda case, n: (made | {"ease": made["ease"] + 1.0}, gaps)
    )
    (fault,) = stated_faults(stated_rows(default_case, 300))
    assert fault.startswith("[priors.ease]: the sampled prior is not the stated one")


def test_a_missing_jacobian_is_told(default_case, monkeypatch):
    """A sampler without the Jacobian of a log is off by the log of the value itself."""
    monkeypatch.setattr(stated, "unbounded", lambda prior, x: (unbounded(prior, x)[0], 0.0))
    rows = {row["prior"]: row for row in stated_rows(default_case, 100)}
    assert not rows["use_rate"]["ok"]
    assert not rows["step_5"]["ok"]
    assert rows["ease"]["ok"]  # on the real line there is none


NUMBERS = {
    "Uniform": (1.0, 3.0),
    "TruncatedNormal": (0.0, 1.0, -1.0, 2.0),
}


@pytest.mark.parametrize("dist", sorted(FAMILIES))
def test_unbounded_value_and_jacobian_integrate_to_one(dist):
    numbers = NUMBERS.get(dist, (1.5,) * len(FAMILIES[dist].params))
    params = tuple(zip(FAMILIES[dist].params, numbers, strict=True))
    prior = Prior("x", dist, params, "", "", ("none",), "", "")
    x = ppf(prior, np.linspace(0.0005, 0.9995, 4001))
    u, jacobian = np.array([unbounded(prior, v) for v in x]).T
    mass = np.trapezoid(np.exp(logpdf(prior, x) + jacobian), u)
    # the quantiles leave out 0.1%, and the rule of trapezoids errs by far less
    assert mass == pytest.approx(0.999, abs=2e-3)


def test_text_shows_each_part():
    row = {"table": "ratings", "statistic": "tracking by agenda", "element": "circuits"}
    row |= {"observed": 0.0, "lower": 0.06, "upper": 0.6, "p": 0.0, "flag": True}
    tested = {"prior": "ease", "dist": "Normal", "d": 0.02, "p": 0.9, "density_gap": 1e-15}
    tested |= {f"{kind}_{q}": 0.5 for kind in ("stated", "drawn") for q in (0.05, 0.5, 0.95)}
    rows = {
        "implied": [{"label": "works", "element": "2030", "sentence": "How many? About 3."}],
        "evidence": [row],
        "evidence_summary": [{"table": "ratings", "quantities": 9, "flagged": 1, "by_chance": 0.1}],
        "stated": [tested | {"ok": True}, tested | {"prior": "halo", "ok": False}],
    }
    text = prior_check_text("head", rows, faults=["a fault"])
    assert "- works (2030): How many? About 3." in text
    assert "! ratings, tracking by agenda, circuits: observed 0" in text
    assert "NOT AS STATED" in text
    assert "1 of 2 priors are sampled as they are stated" in text
    assert text.endswith("a fault")


def test_json_is_json_alone_and_files_are_written(tmp_path):
    args = ["check", "default", "--draws", "20", "--quiet", "--json", "--out", str(tmp_path / "o")]
    done = CliRunner().invoke(cli, args)
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"], len(told["stated"])) == (0, True, 88)
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "check.csv",
        "evidence_under_prior.csv",
        "implied.csv",
    ]


def test_variations_that_did_not_converge_are_named_and_end_with_3(tmp_path, monkeypatch):
    files = {
        "manifest": {"complete": True, "schema": 1},
        "headline": {"converged": True},
        "context": {"name": "mine"},
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    seal(tmp_path)
    row = {"what": "table", "setting": "without lags", "how": "refit", "pareto_k": None}
    row |= {"converged": False, "failures": "2 divergent transitions", "retried": ""}
    for name in SHOWN:
        row |= {f"{name}{end}": 0.1 for end in ("", "_lower", "_upper", "_change", "_mcse")}
    monkeypatch.setattr(stated, "variations", lambda *_, **__: [("left_out", [row])])
    done = CliRunner().invoke(cli, ["check", str(tmp_path), "--tables", "--quiet"])
    assert done.exit_code == 3
    assert done.stderr == "not converged: without lags\n"
    assert "without lags: NOT CONVERGED, 2 divergent transitions." in done.stdout
    shown = CliRunner().invoke(cli, ["check", str(tmp_path), "--quiet"])
    assert shown.exit_code == 0  # nothing was fitted; the table still says it
    assert "NOT CONVERGED" in shown.stdout


def test_priors_cannot_be_varied_before_a_run():
    with pytest.raises(InputError, match="--structure: only a finished run"):
        check("default", structure=True)


def test_a_finished_run_shows_its_checks(tmp_path):
    headline = {"converged": True}
    summary = [{"table": "ratings", "quantities": 200, "flagged": 3, "by_chance": 2.0}]
    files = {
        "manifest": {"complete": True, "schema": 1},
        "headline": headline,
        "context": {"checks": {"summary": summary}},
        "structure": [],
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    seal(tmp_path)
    done = CliRunner().invoke(cli, ["check", str(tmp_path)])
    assert done.exit_code == 0
    assert "Of 200 test quantities 3 lie outside" in " ".join(done.stdout.split())
    told = json.loads(CliRunner().invoke(cli, ["check", str(tmp_path), "--json"]).stdout)
    assert told["checks"]["summary"] == summary
