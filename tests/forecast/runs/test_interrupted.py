"""Runs that are interrupted, that fail, and that find no place: nothing half there."""

import os
from pathlib import Path

import numpy as np
import pytest

import forecast.inference.evaluate
from forecast.inference.sampling import Interrupted
from forecast.runs.open import show
from forecast.runs.run import report, run
from models.errors import InputError

BESIDE = {"worldviews": [], "halo": [], "shared_error": []}
"""In place of refits beside the headline."""
SMALL = {"draws": 40, "tune": 10, "chains": 2, "quiet": True, "report": False}


@pytest.fixture
def here(tmp_path, monkeypatch, fake_fits):
    """An empty working folder, with fits replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.runs.variants.beside_rows", lambda *_, **__: BESIDE)
    return tmp_path


def test_an_interrupted_fit_keeps_its_draws_and_is_never_complete(here, monkeypatch):
    whole = forecast.inference.evaluate.draw

    def stop(made, case, **options):
        raise Interrupted(whole(made, case))

    monkeypatch.setattr("forecast.inference.evaluate.draw", stop)
    with pytest.raises(KeyboardInterrupt):
        run("default", **SMALL)
    (partial,) = Path("runs").iterdir()
    assert partial.name.endswith(".partial")
    left = show(partial)
    assert not left.converged
    assert "not complete; 2 chains of 40 draws" in left.text()
    assert show(partial.with_suffix("")).folder == left.folder  # by the name of --out, too
    with pytest.raises(InputError, match="was interrupted"):
        report(partial)
    with pytest.raises(InputError, match="works have a posterior once it is run again"):
        show(partial, work="meng-2022-rome")
    monkeypatch.setattr("forecast.inference.evaluate.draw", whole)
    made = run("default", **SMALL)
    assert {p.name for p in Path("runs").iterdir()} == {made.folder.name}


def test_an_interrupt_before_many_draws_says_nothing_of_arviz(here, monkeypatch, recwarn):
    from arviz_base import ndarray_to_dataarray

    def stop(made, case, **options):
        ndarray_to_dataarray(np.zeros((4, 2)), "x")  # as nutpie's abort makes the draws so far
        raise KeyboardInterrupt

    monkeypatch.setattr("forecast.inference.evaluate.draw", stop)
    with pytest.raises(KeyboardInterrupt):
        run("default", **SMALL)
    assert not [one for one in recwarn if "chain dimension" in str(one.message)]
    with pytest.warns(UserWarning, match="Found chain dimension to be longer"):
        ndarray_to_dataarray(np.zeros((4, 2)), "x")


def interrupted(*args, **options):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "during",
    [
        "forecast.runs.summarise.headline",
        "forecast.inference.tree.save_tree",
        "forecast.runs.run.sampled_hash",
    ],
)
def test_an_interrupt_while_writing_keeps_the_draws_and_nothing_else(here, monkeypatch, during):
    whole = forecast.inference.tree.save_tree
    broken = []

    def once(*args):
        if not broken:
            broken.append(args[1].write_bytes(b"half a file"))
            raise KeyboardInterrupt
        whole(*args)

    monkeypatch.setattr(during, once if during.endswith("save_tree") else interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("default", out="mine", **SMALL)
    assert not Path("mine").exists()
    left = show("mine")
    kept = {p.name for p in left.folder.iterdir()}
    assert kept == {"manifest.json", "priors.toml", "evidence", "posterior.nc"}
    assert "not complete; 2 chains of 40 draws" in left.text()


def test_an_interrupt_before_the_draws_leaves_nothing(here, monkeypatch):
    monkeypatch.setattr("forecast.analyses.check.check_gates", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("default", **SMALL)
    assert not any(Path("runs").iterdir())


def test_a_folder_that_is_no_run_is_refused_before_any_fit(here, fake_fits):
    made = run("default", **SMALL)
    (made.folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="is no run folder; move it away"):
        run("default", force=True, **SMALL)
    assert len(fake_fits) == 1


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
@pytest.mark.parametrize("kilobytes", [1, 100, 500])
def test_a_file_that_does_not_fit_leaves_nothing(here, kilobytes):
    """As on a full disk: the evidence, the draws or a table cannot be written."""
    import resource

    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * kilobytes, usual[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            run("default", **SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert not any(Path("runs").iterdir())


def test_a_place_that_cannot_be_written_is_refused_before_any_fit(here, fake_fits):
    Path("file").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"file/run.partial: cannot be written"):
        run("default", out="file/run", **SMALL)
    assert fake_fits == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, where no folder can be made")
def test_a_folder_that_the_system_denies_to_hold_is_refused_before_any_fit(here, fake_fits):
    with pytest.raises(InputError, match=r"^/proc/none/run.partial: cannot be written \(No such"):
        run("default", out="/proc/none/run", **SMALL)
    assert fake_fits == []


def test_a_fault_while_writing_leaves_nothing(here, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("forecast.runs.summarise.headline", fail)
    with pytest.raises(RuntimeError):
        run("default", **SMALL)
    assert not any(Path("runs").iterdir())
