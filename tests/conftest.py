"""Fixtures for all tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.parameters import SLOTS

ROOT = Path(__file__).parents[1]
NUMBERS = {
    "real": 'dist = "Normal"\nmu = 0.0\nsigma = 1.0',
    "positive": 'dist = "LogNormal"\nmu = 0.0\nsigma = 0.5',
    "unit": 'dist = "Beta"\nalpha = 2.0\nbeta = 3.0',
}
HEAD = """\
schema = 1
name = "test"
author = "A tester"
date = 2026-11-22
summary = "Every slot answered with round numbers."
"""


def prior_table(name: str, claim: str) -> str:
    slot = SLOTS[name]
    lines = [f"[priors.{name}]", NUMBERS[slot.support], f'unit = "{slot.unit}"']
    lines += [f'block = "{slot.block}"', f'claims = ["{claim}"]', 'source = "none"', 'why = "test"']
    return "\n".join(lines) + "\n"


def valid_priors() -> str:
    """Return a priors file that answers every slot; the first 14 priors carry C1 to C14."""
    claims = [f"C{i}" if i <= 14 else "none" for i in range(1, len(SLOTS) + 1)]
    tables = [prior_table(name, claim) for name, claim in zip(SLOTS, claims, strict=True)]
    return "\n".join([HEAD, *tables])


@pytest.fixture(scope="session")
def priors_text() -> str:
    """The text of a valid priors file."""
    return valid_priors()


@pytest.fixture
def priors_file(tmp_path, priors_text) -> Path:
    """The text of ``priors_text`` in a file."""
    path = tmp_path / "test.toml"
    path.write_text(priors_text, encoding="utf-8")
    return path


@pytest.fixture
def forecast_process(tmp_path):
    """Run ``python -m forecast ARGS`` in an empty folder; its output is text."""

    def run(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "forecast", *map(str, args)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=240,
        )

    return run


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium under Playwright; skipped where one of the two is missing."""
    api = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no chromium on the PATH (Debian: apt-get install chromium)")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=found, args=["--no-sandbox"] if root else []
        )
        yield chromium
        chromium.close()
