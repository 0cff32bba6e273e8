"""A process of the command line with a stand-in for `forecast.runs.run.run`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUB = "import sys; from types import ModuleType as M; m = M('forecast.runs.run');"


@pytest.fixture(scope="session")
def process_with_run():
    """Start `forecast run x ARGS` where the body of the function `run` is the one given."""

    def start(body: str, *args: str, **options) -> subprocess.Popen:
        code = (
            f"{STUB}\ndef run(priors, **options):\n    {body}\nm.run = run\n"
            "sys.modules['forecast.runs.run'] = m\nfrom forecast.cli.main import main\n"
            f"sys.argv = ['forecast', 'run', 'x', *{args!r}]\nmain()"
        )
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, **streams)

    return start
