"""Help and the messages on bad input are those of tests/golden; scripts/goldens sees changes."""

import importlib.util
import json
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "goldens"
GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def goldens():
    """scripts/goldens as a module."""
    loader = SourceFileLoader("goldens", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("goldens", loader))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "goldens", module)
        patch.setattr(sys, "dont_write_bytecode", True)  # or it lands in scripts/
        loader.exec_module(module)
        yield module


def golden_texts(kind: str) -> dict[str, str]:
    paths = sorted((GOLDEN / kind).glob("*.txt"))
    return {f"{kind}/{path.name}": path.read_text(encoding="utf-8") for path in paths}


def test_help_of_every_command_is_as_before(goldens):
    assert goldens.help_texts() == golden_texts("help")


def test_messages_on_bad_input_are_as_before(goldens, tmp_path):
    assert goldens.bad_messages(tmp_path, ROOT) == golden_texts("bad")


@pytest.fixture
def compare(tmp_path):
    """Write two sets of goldens and compare them; return exit code and output."""

    def run(first: dict[str, str], second: dict[str, str], *args: str) -> tuple[int, str]:
        for folder, files in (("first", first), ("second", second)):
            (tmp_path / folder).mkdir()
            for name, text in files.items():
                (tmp_path / folder / name).write_text(text, encoding="utf-8")
        command = [sys.executable, SCRIPT, "compare", tmp_path / "first", tmp_path / "second"]
        done = subprocess.run([*command, *args], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


FIRST = {
    "a.json": json.dumps({"p": [0.5, 1.0], "seed": 0}),
    "b.csv": "x,y\nk,2.0\n",
    "c.txt": "so\n",
}


def test_numbers_within_rtol_agree(compare):
    second = FIRST | {"a.json": '{"p": [0.50000000001, 1], "seed": 0}', "b.csv": "x,y\nk,2\n"}
    assert compare(FIRST, second) == (0, "3 of 3 files agree (rtol 1e-09, atol 1e-12)\n")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.json", '{"p": [0.5, 1.1], "seed": 0}', ".p[1]: 1.0 != 1.1 (relative 0.091)"),
        ("a.json", '{"p": [0.5, 1.0], "sede": 0}', ".seed: only in the first"),
        ("b.csv", "x,y\nk,2.1\n", "[1][1]: 2.0 != 2.1 (relative 0.048)"),
        ("b.csv", "x,y\nl,2.0\n", "[1][0]: 'k' != 'l'"),
        ("c.txt", "thus\n", "+thus"),
        ("d.txt", "new\n", "d.txt: only in "),
    ],
)
def test_a_change_is_shown_and_ends_with_code_1(name, text, line, compare):
    code, printed = compare(FIRST, FIRST | {name: text})
    assert code == 1
    assert line in printed


def test_what_changes_from_run_to_run_is_normalised(goldens):
    normaliser = goldens.Normaliser(Path("/somewhere/work"), Path("/elsewhere/code"))
    text = "/somewhere/work/runs/default-1a2b3c4d in 12.3 s, 9.12345678e-05, 2026-11-22"
    assert normaliser.text(text) == "TMP/runs/default-HASH in N s, 9.12345678e-05, 2026-11-22"
    assert normaliser.json({"hash": "x", "mean": 1.5}) == {"hash": "VOLATILE", "mean": 1.5}
    assert normaliser.csv("seconds,y\n3.1,2.50\n") == "seconds,y\nVOLATILE,2.50\n"
    assert normaliser.page("<p>So <b>it</b></p><script>1</script>") == "So\nit\n"
