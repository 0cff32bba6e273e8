"""The command score: what it scores, writes and refuses; fits are prior draws."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from forecast.analyses.score import score
from forecast.evidence.load import find_evidence
from forecast.inference.evaluate import posterior
from forecast.runs.open import Run
from models.errors import InputError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """An empty working folder, with fits replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.analyses.score.POINTS", 40)
    return tmp_path


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
