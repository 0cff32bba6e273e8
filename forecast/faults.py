"""Faults of a user's TOML file: where, what was found, and the remedy; all told at once."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from forecast.toml_lines import index, line_of
from models.errors import InputError

MOST_SHOWN = 20
"""Faults printed at once: more would scroll the first, often the cause, off the screen."""


@dataclass(frozen=True)
class TomlFile:
    """A TOML file as read: its name for messages, content, and the line of every key."""

    label: str
    path: Path
    data: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int] = field(repr=False)


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of one file."""

    file: str
    line: int
    where: str
    found: str
    remedy: str

    def __str__(self) -> str:
        place = f" {self.where}" if self.where else ""
        return f"{self.file}:{self.line}{place}: found {self.found}; {self.remedy}"


@dataclass(frozen=True)
class Place:
    """A table, key or array element of a file, named by its path."""

    file: TomlFile
    path: tuple[str, ...] = ()

    def at(self, *parts: str) -> "Place":
        """Return a place inside this one."""
        return Place(self.file, (*self.path, *parts))

    def fault(self, found: str, remedy: str) -> Fault:
        """Return the fault of this place."""
        line = line_of(self.file.lines, self.path)
        return Fault(self.file.label, line, _where(self.path, self.file), found, remedy)


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raise one InputError that lists ``faults``, at most MOST_SHOWN of them; none, do nothing."""
    listed = list(dict.fromkeys(faults))
    if not listed:
        return
    shown = [str(one) for one in listed[:MOST_SHOWN]]
    if len(listed) > MOST_SHOWN:
        shown.append(f"... and {len(listed) - MOST_SHOWN} more faults, not shown")
    raise InputError("\n".join(shown))


def near_miss(name: str, known: Iterable[str]) -> str:
    """Return a remedy for an unknown ``name``: the near miss, else the known names."""
    known = list(known)
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"remove it, or use one of: {', '.join(known)}"


def read_toml(path: Path) -> TomlFile:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it cannot be read, is not UTF-8, or is not TOML.
    """
    label = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        found = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(f"{label}: found {found}; give a readable TOML file") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x}, which is not UTF-8"
        raise InputError(f"{label}:{line}: found {found}; save the file as UTF-8") from None
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{label}:1: found arrays nested too deeply; flatten them") from None
    except ValueError as error:
        raise InputError(_syntax(label, text, message=str(error))) from None
    return TomlFile(label, path, data, index(text))


def _syntax(label: str, text: str, *, message: str) -> str:
    """Word an error of ``tomllib`` in our form; 3.13 tells its line only within the text."""
    match = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", message)
    line = int(match.group(1)) if match and match.group(1) else text.rstrip().count("\n") + 1
    problem = message[: match.start()].strip() if match else message
    repeated = "Cannot overwrite" in problem or "Cannot declare" in problem
    remedy = "each key and table stands once; remove one" if repeated else "correct the line"
    return f"{label}:{line}: found invalid TOML ({problem}); {remedy}"


def _where(path: tuple[str, ...], file: TomlFile) -> str:
    """Return ``[table] key`` for a path of the file."""
    depth = 2 if path[:1] == ("priors",) else 1
    value: Any = file.data
    for part in path[:1]:
        value = value.get(part)
    is_table = isinstance(value, Mapping) or (value is None and len(path) > 1)
    table, keys = (path[:depth], path[depth:]) if is_table else ((), path)
    key = keys[0] + "".join(f"[{part}]" for part in keys[1:]) if keys else ""
    return " ".join(part for part in (f"[{'.'.join(table)}]" if table else "", key) if part)
