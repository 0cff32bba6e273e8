"""Compiled code on disk: read only if it is the user's own and undamaged, compiled once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecast.native import cache
from forecast.native.cache import SUFFIX, cached, read, write
from forecast.native.child import compile_in_child
from forecast.native.program import CompilationError, UnknownOperationError, refusal, unpacked

ROOT = Path(__file__).parents[3]
COMPILER = """
import sys, time
from pathlib import Path
from forecast.native.cache import cached
def compile_():
    with Path("compiled.txt").open("a") as file:
        file.write("once ")
    time.sleep(1.0)
    return b"code"
assert cached(Path(), "a", compile_) == b"code"
"""


def test_of_two_processes_that_miss_an_entry_one_compiles(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", COMPILER]
    both = [subprocess.Popen(command, cwd=tmp_path, env=environment) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert (tmp_path / "compiled.txt").read_text(encoding="utf-8") == "once "


@pytest.mark.parametrize("position", [0, 40, -1, None])
def test_a_damaged_entry_is_not_read_but_compiled_again(position, tmp_path):
    path = tmp_path / f"a{SUFFIX}"
    assert read(path) is None
    write(path, b"code " * 100)
    content = bytearray(path.read_bytes())
    if position is None:
        content = content[:50]
    else:
        content[position] ^= 1
    path.write_bytes(content)
    assert read(path) is None
    assert cached(tmp_path, "a", lambda: b"anew") == b"anew"
    assert read(path) == b"anew"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs owners of files")
@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_an_entry_that_others_can_write_is_not_read(mode, tmp_path, caplog):
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    path = folder / f"a{SUFFIX}"
    write(path, b"code")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    assert read(path) is None
    path.chmod(0o600)
    assert read(path) == b"code"
    folder.chmod(mode)
    assert read(path) is None
    assert caplog.text.count("others can write to it") == 2


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs owners of files")
def test_an_entry_of_another_user_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / f"a{SUFFIX}"
    write(path, b"code")
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    assert read(path) is None


def test_the_oldest_entries_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "ENTRIES", 2)
    for i, key in enumerate("abc"):
        path = tmp_path / f"{key}{SUFFIX}"
        write(path, key.encode())
        os.utime(path, (i, i))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_folder_that_is_not_there_stops_nothing(tmp_path, caplog):
    assert cached(tmp_path / "no" / "folder", "a", lambda: b"code") == b"code"
    assert "this compiled model is not kept" in caplog.text


def test_a_lock_that_nobody_holds_does_not_block(tmp_path):
    (tmp_path / "a.lock").write_text("99999999", encoding="utf-8")
    begin = time.monotonic()
    assert cached(tmp_path, "a", lambda: b"code") == b"code"
    assert time.monotonic() - begin < 10


def test_a_child_returns_the_bytes_of_a_function():
    assert compile_in_child(bytes, [1, 2]) == b"\x01\x02"


def test_a_child_that_fails_gives_its_last_line():
    with pytest.raises(CompilationError, match="Traceback") as failure:
        compile_in_child(bytes.fromhex, "no number")
    assert failure.value.reason.startswith("ValueError: non-hexadecimal number")


def test_a_refusal_of_the_child_is_kept_and_raised_when_read():
    with pytest.raises(UnknownOperationError, match="knows no Sort"):
        unpacked(refusal("knows no Sort"))


def test_a_child_has_a_place_where_the_home_has_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("PYTENSOR_FLAGS", "optimizer_verbose=False")
    first, *others = compile_in_child(os.getenvb, b"PYTENSOR_FLAGS").decode().split(",")
    assert first == "optimizer_verbose=False"
    assert "cxx=" in others
    assert any(flag.startswith("base_compiledir=") for flag in others)
