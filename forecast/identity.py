"""What a run is: the hash of everything that changes its numbers."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from tokenize import (
    COMMENT,
    DEDENT,
    ENDMARKER,
    INDENT,
    NEWLINE,
    NL,
    STRING,
    TokenInfo,
    generate_tokens,
    tok_name,
)

from forecast.case import Case, digest
from forecast.config import Config
from forecast.evidence import Tables, hash_tables
from forecast.outside import outside_view

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "arviz", "xarray")
"""Libraries whose version can change the numbers."""
ENGINE = (
    "arrays",
    "case",
    "engine",
    "experts",
    "forward",
    "lags",
    "matching",
    "metric",
    "pointwise",
    "rating_rows",
    "retrying",
    "reweighting",
    "sampling",
    "seeds",
    "soft",
    "starts",
    "summaries",
)
"""Modules of ``forecast`` that make the numbers beside ``models`` and the compiler."""
SIMULATED = (
    "arrays",
    "case",
    "convergence",
    "engine",
    "failures",
    "forward",
    "lags",
    "metric",
    "pointwise",
    "rating_rows",
    "retrying",
    "sampling",
    "seeds",
    "simulating",
    "starts",
    "analyses/worlds",
)
"""The same of the ranks of a calibration: what simulates evidence, fits it and ranks truths."""
COMPILER = "compiler"
"""Folder of ``forecast`` that makes the compiled model; all of ``models`` does."""
NUMBERLESS = ("glossary", "cache")
"""Modules of ``models`` that hold words alone, and of the compiler that only keep its files."""


def versions() -> dict[str, str]:
    """Return the versions of the libraries that make the numbers."""
    return {name: version(name) for name in LIBRARIES}


def code_hash() -> str:
    """Return the SHA-256 of what the model's and the engine's sources do.

    Comments, docstrings and layout do not count, nor does the glossary: they move no number.
    """
    return _hash_sources(ENGINE)


def simulated_hash() -> str:
    """Return the SHA-256 of what the sources do that make the ranks of a calibration."""
    return _hash_sources(SIMULATED)


def compiler_hash() -> str:
    """Return the SHA-256 of what the sources do that shape the compiled model."""
    return _hash_sources(())


@cache
def _hash_sources(modules: tuple[str, ...]) -> str:
    """Return the SHA-256 of the sources of ``models``, the compiler and modules of ``forecast``."""
    here = Path(__file__).parent
    files = [p for folder in (here.parent / "models", here / COMPILER) for p in folder.glob("*.py")]
    files = sorted(p for p in files if p.stem not in NUMBERLESS)
    files += [here / f"{name}.py" for name in modules]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode())
        whole.update("\0".join(code_tokens(file.read_text(encoding="utf-8"))).encode())
    return whole.hexdigest()


def code_tokens(source: str) -> Iterator[str]:
    """Yield the tokens of a source that are neither comment, docstring nor layout."""
    line: list[TokenInfo] = []
    for token in generate_tokens(StringIO(source).readline):
        if token.type in {COMMENT, NL, ENDMARKER}:
            continue
        line.append(token)
        if token.type in {NEWLINE, INDENT, DEDENT}:
            if [t.type for t in line] != [STRING, NEWLINE]:  # a string by itself says, not does
                yield from (t.string.strip() or tok_name[t.type] for t in line)
            line = []
    yield from (t.string for t in line)


def priors_hash(config: Config) -> str:
    """Return the SHA-256 of the priors' distributions and numbers."""
    return digest(tuple((p.name, p.dist, p.params) for p in config.priors))


def forecast_hash(config: Config, tables: Tables, *, case: Case, code: str) -> str:
    """Return the SHA-256 of priors, evidence, options, seed and code: all but library versions."""
    used = (config.evidence.off, config.evidence.expert_weight)
    outside = _outside(config.outside_view)
    parts = (config.question, config.model, case.sampler, *used, case.seed, *outside)
    return digest(priors_hash(config), hash_tables(tables), parts, code)


def _outside(stated: str | None) -> tuple[str, ...]:
    """Return what an outside view adds: what it says and how it is mixed; nothing without one."""
    if outside_view(stated) is None:
        return ()
    source = (Path(__file__).parent / "outside.py").read_text(encoding="utf-8")
    return (str(stated), *code_tokens(source))


def run_hash(config: Config, tables: Tables, *, case: Case) -> str:
    """Return the SHA-256 that names a run's folder; its first eight digits are shown."""
    return digest(forecast_hash(config, tables, case=case, code=code_hash()), versions())
