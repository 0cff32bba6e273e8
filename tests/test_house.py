"""scripts/house measures a tree as its docstring says, on one small enough to count by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "scripts" / "house"
CLI = """\
import click
@click.command("crux")
def crux_command():
    _run()
def _run():
    from forecast.analyses.crux import crux
@click.group("ledger")
def ledger_command():
    pass
@ledger_command.command("add")
def add_command():
    from forecast import book
"""
FILES = {
    "pyproject.toml": '[project]\nname = "tiny"\ndependencies = ["click", "numpy"]\n',
    "models/__init__.py": "",
    "models/prior.py": "from typing import Any\nout = 1\nshape: dict[str, Any] = {}\n",
    "forecast/__init__.py": "",
    "forecast/data/copied.py": "out = 2\n",
    "forecast/book.py": "import models.prior\n",
    "forecast/cli.py": CLI,
    "forecast/analyses/crux.py": "def crux():\n    from forecast.analyses import shares\n",
    "forecast/analyses/shares.py": "from models.prior import shape\n",
    "reports/js/page.js": "let x;\nlet y;\n",
    "reports/js/vendor/big.js": "let z;\n",
    "reports/page.css": "a {}\n",
    "tests/test_prior.py": "\n\n",
}


@pytest.fixture
def house(tmp_path):
    """Run the script on the made-up tree."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(*args):
        command = [sys.executable, HOUSE, "--root", tmp_path, *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return run


def test_measures_of_a_tiny_tree(house):
    measures = json.loads(house("--json"))
    assert measures == {
        "lines": 3 + 1 + 12 + 2 + 1 + 2 + 1,
        "modules": 7,
        "import_depth": 4,  # cli, crux, shares, prior
        "files_for_crux": 3,
        "one_importer_modules": 4,  # book, crux, shares, and forecast itself by the cli
        "dependencies": 2,
        "dict_str_any": 1,
        "vague_names": 1,
        "test_lines": 2,
        "median_file": 1,
        "largest_file": 12,
        "largest": "forecast.cli",
        "vague": {"out": 1},
        "commands": {
            "crux": ["forecast.analyses.crux", "forecast.analyses.shares", "forecast.cli"],
            "ledger": ["forecast", "forecast.book", "forecast.cli"],
        },
    }


def test_table_has_a_row_for_each_measure_and_its_target(house):
    lines = house().splitlines()
    assert [len(line) for line in lines[:13]] == [len(lines[0])] * 13
    assert [part.strip() for part in lines[2].split("|")[2:4]] == ["22", "<= 25000"]
