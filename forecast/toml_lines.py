"""Find the line of every table and key of a TOML text, which ``tomllib`` does not tell.

The text must already have been read by ``tomllib``: this scanner trusts its syntax and only
follows its structure. Paths are tuples of names; an element of an array adds its position as
text, so ``quantiles = [[0.1, 2]]`` gives ``("quantiles", "0")`` and ``("quantiles", "0", "1")``.
"""

import re
import tomllib
from collections.abc import Generator, Iterator, Mapping

Path = tuple[str, ...]
Places = Generator[tuple[Path, int], None, int]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_STRING = re.compile(
    r'''(?s:"""(?:\\.|[^\\])*?""""{0,2}|\'\'\'.*?\'\'\'\'{0,2})'''
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'"""
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def index(text: str) -> dict[Path, int]:
    """Return the line, from 1, on which each table, key and array element first stands."""
    text = text.replace("\r\n", "\n")
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    lines: dict[Path, int] = {}
    line = 0
    for path, position in _places(text):
        while line + 1 < len(starts) and starts[line + 1] <= position:
            line += 1
        for depth in range(1, len(path) + 1):
            lines.setdefault(path[:depth], line + 1)
    return lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of ``path``, else of the nearest table around it, else 1."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Yield every path with its position, in the order of the text."""
    table: Path = ()
    counts: dict[Path, int] = {}
    at = _skip(text, 0)
    while at < len(text):
        if text[at] == "[":
            start, many = at, text.startswith("[[", at)
            keys, at = _keys(text, at + 1 + many)
            at += 1 + many
            table = _table(keys, counts, many=many)
            yield table, start
        else:
            at = yield from _pair(text, at, table=table)
        at = _skip(text, at)


def _table(keys: Path, counts: dict[Path, int], *, many: bool) -> Path:
    """Return the path of a header, with the positions of the arrays of tables it lies in."""
    path: Path = ()
    for key in keys[:-1]:
        path = _inside((*path, key), counts)
    path = (*path, keys[-1])
    if many:
        counts[path] = counts.get(path, -1) + 1
    return _inside(path, counts) if many else path


def _inside(path: Path, counts: dict[Path, int]) -> Path:
    return (*path, str(counts[path])) if path in counts else path


def _pair(text: str, at: int, *, table: Path) -> Places:
    """Yield the places of ``key = value`` and return the position after it."""
    keys, after = _keys(text, at)
    path = (*table, *keys)
    yield path, at
    after = _skip(text, after + 1)
    return (yield from _value(text, after, path=path))


def _value(text: str, at: int, *, path: Path) -> Places:
    """Yield the places inside a value and return the position after it."""
    if text[at] == "[":
        return (yield from _array(text, at + 1, path=path))
    if text[at] == "{":
        return (yield from _inline(text, at + 1, path=path))
    match = _STRING.match(text, at) or _SCALAR.match(text, at)
    return match.end() if match else at + 1


def _array(text: str, at: int, *, path: Path) -> Places:
    position, at = 0, _skip(text, at)
    while text[at] != "]":
        inner = (*path, str(position))
        yield inner, at
        at = _skip(text, (yield from _value(text, at, path=inner)))
        if text[at] == ",":
            at = _skip(text, at + 1)
        position += 1
    return at + 1


def _inline(text: str, at: int, *, path: Path) -> Places:
    at = _skip(text, at)
    while text[at] != "}":
        at = _skip(text, (yield from _pair(text, at, table=path)))
        if text[at] == ",":
            at = _skip(text, at + 1)
    return at + 1


def _keys(text: str, at: int) -> tuple[Path, int]:
    """Read a dotted key; return its parts and the position after it."""
    parts: list[str] = []
    while match := _KEY.match(text, at):
        token, at = match.group(1), match.end()
        quoted = token[0] in "\"'"
        parts.append(tomllib.loads(f"key = {token}")["key"] if quoted else token)
        if not match.group(2):
            break
    return tuple(parts), at


def _skip(text: str, at: int) -> int:
    """Return the position after blanks, line ends and comments."""
    match = _BLANK.match(text, at)
    return match.end() if match else at
