"""Each fault of the evidence tables ends a real process with code 2 and names the place."""

import csv
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CASES = tomllib.loads((Path(__file__).parent / "bad_evidence.toml").read_text(encoding="utf-8"))
KEY_COLUMNS = {"ratings": ("work", "rater"), "uses": ("work", "side", "rater")}


def put(path: Path, key: str, *, cells: Mapping[str, str]) -> int:
    """Write ``cells`` into the row called ``key``; return its line."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = [header.index(column) for column in KEY_COLUMNS.get(path.stem, header[:1])]
    (row,) = (n for n, row in enumerate(rows) if "/".join(row[i] for i in at) == key)
    for column, cell in cells.items():
        rows[row][header.index(column)] = cell
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return row + 2


def edit(folder: Path, case: Mapping[str, str]) -> int:
    """Do to the tables in ``folder`` what ``case`` says; return the line of the edit."""
    path = folder / f"{case['table']}.csv"
    before = path.read_bytes()
    match case:
        case {"edit": "put", "key": key, "cells": cells}:
            return put(path, key, cells=cells)
        case {"edit": "add", "line": line}:
            path.write_bytes(before + f"{line}\n".encode())
            return before.count(b"\n") + 1
        case {"edit": "swap", "old": old, "new": new}:
            start = before.index(old.encode())
            path.write_bytes(before.replace(old.encode(), new.encode("latin-1"), 1))
            return before.count(b"\n", 0, start) + 1
        case {"edit": "write", "text": text}:
            path.write_text(text, encoding="utf-8")
            return 1
        case {"edit": "rename", "to": name}:
            path.rename(folder / name)
            return 0
    raise ValueError(case)


@pytest.fixture
def check(forecast_process, priors_file):
    """Run ``forecast check`` on a valid priors file and the tables of a folder."""
    return lambda folder: forecast_process("check", priors_file, "--evidence", folder)


@pytest.fixture
def tables(tmp_path):
    return Path(shutil.copytree(ROOT / "evidence", tmp_path / "evidence"))


@pytest.mark.parametrize("case", CASES["case"], ids=lambda case: case["name"])
def test_bad_table_exits_2_and_names_the_place(case, tables, check):
    line = edit(tables, case)
    done = check(tables)
    assert (done.returncode, done.stdout) == (2, "")
    assert case["says"].replace("{n}", str(line)) in done.stderr.splitlines()
    assert f"evidence {tables}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_no_folder_exits_2(tmp_path, check):
    done = check(tmp_path / "gone")
    remedy = "found no such folder; give the folder that holds the tables"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: evidence {tmp_path / 'gone'}: {remedy}\n"


def test_twenty_faults_are_shown_and_the_rest_counted(tables, check):
    path = tables / "ratings.csv"
    path.write_bytes(path.read_bytes().replace(b",R1,", b",R1,x"))
    done = check(tables)
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert f"evidence {tables}: 483 faults" in lines
    assert sum(line.startswith("ratings.csv line ") for line in lines) == 20
    assert lines[-1] == "... and 463 more, not shown"
