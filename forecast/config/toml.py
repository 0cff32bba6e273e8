"""A user's TOML file with the line of every key, and its faults: place, finding and remedy.

``tomllib`` reads the file; :func:`index` adds the lines, which it does not give. That scanner
trusts the syntax, which ``tomllib`` has accepted, and only follows the structure. Paths are tuples
of names; an element of an array adds its position as text, so ``quantiles = [[0.1, 2]]`` gives
``("quantiles", "0")`` and ``("quantiles", "0", "1")``.
"""

import os
import re
import tomllib
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from models.errors import InputError

KeyPath = tuple[str, ...]
TomlTable = dict[str, Any]
Places = Generator[tuple[KeyPath, int], None, int]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_STRING = re.compile(
    r'''(?s:"""(?:\\.|[^\\])*?""""{0,2}|\'\'\'.*?\'\'\'\'{0,2})'''
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'"""
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def index(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, on which each table, key and array element first stands."""
    text = text.replace("\r\n", "\n")
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    lines: dict[KeyPath, int] = {}
    line = 0
    for path, position in _places(text):
        while line + 1 < len(starts) and starts[line + 1] <= position:
            line += 1
        for depth in range(1, len(path) + 1):
            lines.setdefault(path[:depth], line + 1)
    return lines


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of ``path``, else of the nearest table around it, else 1."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _places(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Yield every path with its position, in the order of the text."""
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    position = _skip(text, 0)
    while position < len(text):
        if text[position] == "[":
            start, many = position, text.startswith("[[", position)
            keys, position = _keys(text, position + 1 + many)
            position += 1 + many
            table = _table(keys, counts, many=many)
            yield table, start
        else:
            position = yield from _pair(text, position, table=table)
        position = _skip(text, position)


def _table(keys: KeyPath, counts: dict[KeyPath, int], *, many: bool) -> KeyPath:
    """Return the path of a header, with the positions of the arrays of tables it lies in."""
    path: KeyPath = ()
    for key in keys[:-1]:
        path = _inside((*path, key), counts)
    path = (*path, keys[-1])
    if many:
        counts[path] = counts.get(path, -1) + 1
    return _inside(path, counts) if many else path


def _inside(path: KeyPath, counts: dict[KeyPath, int]) -> KeyPath:
    return (*path, str(counts[path])) if path in counts else path


def _pair(text: str, position: int, *, table: KeyPath) -> Places:
    """Yield the places of ``key = value`` and return the position after it."""
    keys, after = _keys(text, position)
    path = (*table, *keys)
    yield path, position
    after = _skip(text, after + 1)
    return (yield from _value(text, after, path=path))


def _value(text: str, position: int, *, path: KeyPath) -> Places:
    """Yield the places inside a value and return the position after it."""
    if text[position] == "[":
        return (yield from _array(text, position + 1, path=path))
    if text[position] == "{":
        return (yield from _inline(text, position + 1, path=path))
    match = _STRING.match(text, position) or _SCALAR.match(text, position)
    return match.end() if match else position + 1


def _array(text: str, position: int, *, path: KeyPath) -> Places:
    element, position = 0, _skip(text, position)
    while text[position] != "]":
        inner = (*path, str(element))
        yield inner, position
        position = _skip(text, (yield from _value(text, position, path=inner)))
        if text[position] == ",":
            position = _skip(text, position + 1)
        element += 1
    return position + 1


def _inline(text: str, position: int, *, path: KeyPath) -> Places:
    position = _skip(text, position)
    while text[position] != "}":
        position = _skip(text, (yield from _pair(text, position, table=path)))
        if text[position] == ",":
            position = _skip(text, position + 1)
    return position + 1


def _keys(text: str, position: int) -> tuple[KeyPath, int]:
    """Read a dotted key; return its parts and the position after it."""
    parts: list[str] = []
    while match := _KEY.match(text, position):
        token, position = match.group(1), match.end()
        quoted = token[0] in "\"'"
        parts.append(tomllib.loads(f"key = {token}")["key"] if quoted else token)
        if not match.group(2):
            break
    return tuple(parts), position


def _skip(text: str, position: int) -> int:
    """Return the position after blanks, line ends and comments."""
    match = _BLANK.match(text, position)
    return match.end() if match else position


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
    finding: str
    remedy: str

    def __str__(self) -> str:
        place = f" {self.where}" if self.where else ""
        return f"{self.file}:{self.line}{place}: found {self.finding}; {self.remedy}"


@dataclass(frozen=True)
class Place:
    """A table, key or array element of a file, named by its path."""

    file: TomlFile
    path: tuple[str, ...] = ()

    def at(self, *parts: str) -> "Place":
        """Return a place inside this one."""
        return Place(self.file, (*self.path, *parts))

    def fault(self, finding: str, remedy: str) -> Fault:
        """Return the fault of this place."""
        line = line_of(self.file.lines, self.path)
        return Fault(self.file.label, line, _where(self.path, self.file), finding, remedy)


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
        finding = os.strerror(error.errno) if error.errno else str(error)
        raise InputError(f"{label}: found {finding}; give a readable TOML file") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        finding = f"byte 0x{raw[error.start]:02x}, which is not UTF-8"
        raise InputError(f"{label}:{line}: found {finding}; save the file as UTF-8") from None
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
