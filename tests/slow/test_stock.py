"""The stock backend: a run of the default model, short, from compilation to manifest."""

import json

import pytest

from forecast.runs.run import run

PRIORS = """
schema = 1
extends = "default"
name = "stock"
author = "a test"
date = 2026-01-01
summary = "The default priors."
"""


@pytest.mark.slow
def test_a_run_on_the_stock_backend_is_complete(tmp_path):
    priors = tmp_path / "stock.toml"
    priors.write_text(PRIORS, encoding="utf-8")
    done = run(
        priors,
        out=tmp_path / "run",
        draws=50,
        tune=50,
        chains=2,
        report=False,
        quiet=True,
        backend="stock",
    )
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"]
    assert manifest["backend"] == "stock"
