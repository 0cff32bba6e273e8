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

from forecast.config.load import Config
from forecast.config.outside import outside_view
from forecast.evidence.load import Tables, hash_tables
from forecast.inference.case import Case, digest

LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "arviz", "xarray")
"""Libraries whose version can change the numbers."""
NUMBERS = (
    "models",
    "forecast/inference",
    "forecast/native",
    "forecast/config",
    "forecast/evidence",
)
"""Folders whose sources make the numbers."""
COMPILED = ("models", "forecast/native")
"""Folders whose sources shape the compiled model."""


def versions() -> dict[str, str]:
    """Return the versions of the libraries that make the numbers."""
    return {name: version(name) for name in LIBRARIES}


def code_hash() -> str:
    """Return the SHA-256 of what the sources that make the numbers do.

    Comments, docstrings and layout do not count: they move no number.
    """
    return _hash_sources(NUMBERS)


def compiler_hash() -> str:
    """Return the SHA-256 of what the sources that shape the compiled model do."""
    return _hash_sources(COMPILED)


@cache
def _hash_sources(folders: tuple[str, ...]) -> str:
    """Return the SHA-256 of the sources below some folders of the project."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for file in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode())
        digest.update("\0".join(code_tokens(file.read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()


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
    return (str(stated),)


def run_hash(config: Config, tables: Tables, *, case: Case) -> str:
    """Return the SHA-256 that names a run's folder; its first eight digits are shown."""
    return digest(forecast_hash(config, tables, case=case, code=code_hash()), versions())
