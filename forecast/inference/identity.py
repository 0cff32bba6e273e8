"""What a run is: the hash of everything that changes its numbers.

Sources count as they stand, byte by byte, with the versions of the libraries, the priors, the
evidence, the options and the seed.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from forecast.config.load import Config
from forecast.config.outside import outside_view
from forecast.evidence.load import Tables, hash_tables
from forecast.inference.case import Case, digest

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "arviz", "xarray")
"""Libraries whose version can change the numbers."""
COMPILED = ("models", "forecast/native")
"""Packages whose sources shape the compiled model."""
NUMBERS = (*COMPILED, "forecast/inference", "forecast/config", "forecast/evidence")
"""Packages whose sources make the numbers."""


def versions() -> dict[str, str]:
    """Return the versions of the libraries that make the numbers."""
    return {name: version(name) for name in LIBRARIES}


def code_hash() -> str:
    """Return the SHA-256 of the sources that make the numbers."""
    return sources_hash(*NUMBERS)


def compiler_hash() -> str:
    """Return the SHA-256 of the sources that shape the compiled model."""
    return sources_hash(*COMPILED)


@cache
def sources_hash(*places: str) -> str:
    """Return the SHA-256 of the project's files and packages at these places, once per process.

    Raises
    ------
    FileNotFoundError
        If there is no source at one of them.
    """
    root, whole = Path(__file__).parents[2], hashlib.sha256()
    for place in sorted(places):
        path = root / place
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        if not files:
            raise FileNotFoundError(path)
        for file in files:
            whole.update(file.relative_to(root).as_posix().encode() + b"\0")
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def priors_hash(config: Config) -> str:
    """Return the SHA-256 of the priors' distributions and numbers."""
    return digest(tuple((p.name, p.dist, p.params) for p in config.priors))


def forecast_hash(config: Config, tables: Tables, *, case: Case, code: str) -> str:
    """Return the SHA-256 of priors, evidence, options, seed and code: all but library versions."""
    used = (config.evidence.off, config.evidence.expert_weight)
    stated = outside_view(config.outside_view) is not None
    outside = (str(config.outside_view),) if stated else ()
    parts = (config.question, config.model, case.sampler, *used, case.seed, *outside)
    return digest(priors_hash(config), hash_tables(tables), parts, code)


def run_hash(config: Config, tables: Tables, *, case: Case) -> str:
    """Return the SHA-256 that names a run's folder; its first eight digits are shown."""
    return digest(forecast_hash(config, tables, case=case, code=code_hash()), versions())
