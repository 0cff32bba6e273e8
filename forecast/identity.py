"""What a run is: the hash of everything that changes its numbers."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from forecast.case import Case, digest
from forecast.config import Config
from forecast.evidence import Tables, hash_tables

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "arviz", "xarray")
"""Libraries whose version can change the numbers."""
ENGINE = (
    "arrays",
    "case",
    "engine",
    "native",
    "pointwise",
    "rating_rows",
    "reweighting",
    "sampling",
    "seeds",
    "summaries",
)
"""Modules of ``forecast`` that make the numbers; all of ``models`` does."""


def versions() -> dict[str, str]:
    """Return the versions of the libraries that make the numbers."""
    return {name: version(name) for name in LIBRARIES}


def code_hash() -> str:
    """Return the SHA-256 of the sources of the model and the engine, line endings apart."""
    here = Path(__file__).parent
    files = sorted((here.parent / "models").glob("*.py"))
    files += [here / f"{name}.py" for name in ENGINE]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode())
        whole.update(file.read_text(encoding="utf-8").encode())
    return whole.hexdigest()


def priors_hash(config: Config) -> str:
    """Return the SHA-256 of the priors' distributions and numbers."""
    return digest(tuple((p.name, p.dist, p.params) for p in config.priors))


def run_hash(config: Config, tables: Tables, *, case: Case) -> str:
    """Return the SHA-256 that names a run's folder; its first eight digits are shown."""
    parts = (config.question, config.model, case.sampler, config.evidence.off, case.seed)
    return digest(priors_hash(config), hash_tables(tables), parts, code_hash(), versions())
