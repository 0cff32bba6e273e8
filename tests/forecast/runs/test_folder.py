"""Run folders and locks between real processes: nothing half there, nothing in the way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecast.files import is_locked, locked, write_json
from forecast.runs import folder
from forecast.runs.folder import find_run, is_complete, partial_folder, publish
from forecast.runs.open import show
from models.errors import InputError

ROOT = Path(__file__).parents[3]
RUNS = 25
WRITER = f"""
import sys
from pathlib import Path
from forecast.files import write_json
from forecast.runs.folder import partial_folder, publish
who, force = sys.argv[1], sys.argv[2] == "force"
for i in range({RUNS}):
    target = Path("runs") / f"r{{i}}"
    with partial_folder(target) as place:
        for part in range(3):
            (place / f"{{part}}.txt").write_text(who, encoding="utf-8")
        write_json(place / "manifest.json", {{"complete": True, "hash": "same", "who": who}})
        publish(place, target, force=force)
"""
HOLDER = """
import sys, time
from pathlib import Path
from forecast.runs.folder import partial_folder
with partial_folder(Path("run")) as place:
    (place / "big.nc").write_text("x")
    print("up", flush=True)
    time.sleep(60)
"""


def start(code: str, *args: str, cwd: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("how", ["first", "force"])
def test_two_processes_that_write_the_same_runs_corrupt_none(how, tmp_path):
    both = [start(WRITER, who, how, cwd=tmp_path) for who in "ab"]
    said = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {f"r{i}" for i in range(RUNS)}
    for place in (tmp_path / "runs").iterdir():
        who = json.loads((place / "manifest.json").read_text(encoding="utf-8"))["who"]
        assert {(place / f"{i}.txt").read_text(encoding="utf-8") for i in range(3)} == {who}


def test_what_a_killed_process_left_blocks_nobody_and_is_cleared(tmp_path):
    held = start(HOLDER, cwd=tmp_path)
    assert held.stdout.readline() == "up\n"
    with partial_folder(tmp_path / "run"):  # the other lives: its folder stays
        (living,) = (tmp_path / "run.partial").glob("*/big.nc")
    assert living.exists()
    held.send_signal(signal.SIGKILL)
    held.communicate(timeout=30)
    assert living.exists()
    with partial_folder(tmp_path / "run") as mine:
        assert [p for p in mine.parent.iterdir() if p.is_dir()] == [mine]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_nobody_holds_is_not_locked(tmp_path):
    (tmp_path / "a.lock").write_text("99999999", encoding="utf-8")
    assert not is_locked(tmp_path / "a.lock")


def test_a_lock_that_cannot_be_taken_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with locked(tmp_path / "file" / "a.lock"):
        pass
    assert "no lock on" in caplog.text


def written(target: Path, name: str, *, force: bool) -> None:
    """Write a run called ``name`` to ``target``."""
    with partial_folder(target) as place:
        write_json(place / "manifest.json", {"complete": True, "hash": name})
        publish(place, target, force=force)


def test_another_run_that_took_the_place_meanwhile_is_not_written_over(tmp_path):
    target = tmp_path / "run"
    written(target, "theirs", force=False)
    with pytest.raises(InputError, match="made by another process meanwhile; name another by"):
        written(target, "mine", force=False)
    assert folder.read_manifest(target)["hash"] == "theirs"
    written(target, "theirs", force=False)  # the same run twice is no fault
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupt_between_the_two_renames_leaves_the_old_run(tmp_path, monkeypatch):
    target, rename = tmp_path / "run", Path.replace
    written(target, "old", force=False)

    def replace(self, other):
        if self.parent.name == "run.partial" and self.suffix != ".old":
            raise KeyboardInterrupt
        return rename(self, other)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        written(target, "new", force=True)
    assert folder.read_manifest(target)["hash"] == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_newest_interrupted_draws_are_found_by_either_name(tmp_path):
    for age, name in ((200, "b"), (100, "a")):
        place = tmp_path / "run.partial" / name
        place.mkdir(parents=True)
        write_json(place / "manifest.json", {"complete": False, "interrupted": True})
        os.utime(place, (time.time() - age,) * 2)
    (tmp_path / "run.partial" / "half-written").mkdir()
    for given in ("run", "run.partial"):
        assert find_run(tmp_path / given).name == "a"
        assert not is_complete(find_run(tmp_path / given))
    with pytest.raises(InputError, match="no run here"):
        find_run(tmp_path / "other")


@pytest.mark.parametrize("given", ["", ".", "/"])
def test_a_folder_without_a_name_is_no_run(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (find_run, folder.partial_of):
        with pytest.raises(InputError, match="no name for one"):
            read(Path(given))


def test_a_manifest_that_cannot_be_read_is_the_users_fault(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder" / "manifest.json").mkdir(parents=True)
    for name, text in (("cut", '{"complete": tr'), ("deep", "[" * 100_000), ("bytes", "\udcff")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    for name in ("loop", "folder", "cut", "deep", "bytes"):
        with pytest.raises(InputError, match="not readable"):
            find_run(tmp_path / name)


def damaged(place: Path, **content: str) -> Path:
    place.mkdir()
    whole = {"manifest": '{"complete": true}', "headline": '{"converged": true}', "context": "{}"}
    for name, text in (whole | content).items():
        (place / f"{name}.json").write_text(text, encoding="utf-8")
    if "manifest" not in content:
        manifest = {"complete": True, "written": folder.digests(place)}
        (place / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return place


@pytest.mark.parametrize(
    "content",
    [
        {"headline": "[1]"},
        {"headline": "5"},
        {"headline": "{}"},
        {"context": "[1]"},
        {"context": ""},
        {"context": '{"works": 3}'},
        {"context": '{"works": [3]}'},
        {"context": '{"headline": []}'},
        {"structure": "5"},
        {"left_out": "[5]"},
    ],
)
def test_an_edited_file_of_a_run_is_named(content, tmp_path):
    full = {"context": '{"works": []}'} | content
    with pytest.raises(InputError, match=rf"{next(iter(content))}\.json: not readable"):
        show(damaged(tmp_path / "run", **full))


@pytest.mark.parametrize("draws", [None, b"", b"CDF"])
def test_draws_that_are_gone_or_cut_are_named(draws, tmp_path):
    place = tmp_path / "run"
    damaged(place, manifest='{"complete": false, "interrupted": true}')
    if draws is not None:
        (place / "posterior.nc").write_bytes(draws)
    with pytest.raises(InputError, match=r"posterior\.nc: not readable"):
        show(place).text()
