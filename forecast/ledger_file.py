"""The ledger's file: JSON lines that are only ever appended, by one writer at a time.

A writer holds the lock beside the file, reads what is there, and appends all its lines in one
write. A writer that was killed half-way leaves a torn last line: the next one begins a new line, so
nothing of its own is lost, and readers report the torn one. What stands is never written again.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from forecast.ledger_entries import Entry, Forecast, Resolution, id_of, line_of, read_line
from forecast.locks import locked
from models.errors import InputError


@dataclass(frozen=True)
class Held:
    """A forecast in the ledger: its id, when it was entered, and how it resolved, if it has."""

    id: str
    forecast: Forecast
    added: str
    resolution: Resolution | None = None

    def state(self, today: date) -> str:
        """Return ``open``, ``due``, ``void`` or ``resolved``."""
        if self.resolution is not None:
            return "void" if self.resolution.outcome is None else "resolved"
        return "due" if self.forecast.resolves_on <= today else "open"

    def row(self, today: date) -> dict[str, Any]:
        """Return everything that is known of it as plain data."""
        row = {"id": self.id, "state": self.state(today), "late": self.late, "added": self.added}
        row |= self.forecast.model_dump(mode="json")
        if self.resolution is not None:
            row |= {"outcome": self.resolution.outcome, "resolved_on": str(self.resolution.on)}
            row |= {"resolved_by": self.resolution.source}
        return row

    @property
    def late(self) -> bool:
        """Whether it was entered after it could be known: such a forecast proves nothing."""
        last = self.forecast.resolves_on
        if self.resolution is not None:
            last = min(last, self.resolution.on)
        return self.added[:10] > last.isoformat()


@dataclass(frozen=True)
class Ledger:
    """What a ledger holds, in the order of its lines, and which lines cannot be read."""

    path: Path
    held: tuple[Held, ...]
    damaged: tuple[str, ...]

    @property
    def by_id(self) -> dict[str, Held]:
        """Forecasts by id."""
        return {one.id: one for one in self.held}


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def lock_of(path: Path) -> Path:
    """Return the file whose lock a writer holds."""
    return path.with_name(f"{path.name}.lock")


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; a damaged line is named by its number and the rest is read.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    if not path.exists():
        raise InputError(
            f"{path}: found no such ledger; give another by --ledger, or begin it by "
            "'forecast ledger add'"
        )
    raw = _bytes(path)
    if raw[-1:] not in {b"", b"\n"} and os.access(path.parent, os.W_OK):
        with locked(lock_of(path)):  # a writer may be at work on that line
            raw = _bytes(path)
    return _parsed(path, raw)


def append(path: Path, make: Callable[[Ledger], Sequence[Entry]]) -> Sequence[Entry]:
    """Append the entries that ``make`` returns for the ledger as it stands; return them.

    The lock is held from reading to writing, so that two writers see each other's lines.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: found no folder {path.parent}; make it first")
    with locked(lock_of(path)):
        raw = _bytes(path) if path.exists() else b""
        if raw.strip() and raw.lstrip()[:1] != b"{":
            raise InputError(f"{path}: found no ledger in it; give another file by --ledger")
        entries = make(_parsed(path, raw))
        if entries:
            added = now().strftime("%Y-%m-%dT%H:%M:%SZ")
            lines = b"".join(line_of(entry, added=added) for entry in entries)
            torn = raw[-1:] not in {b"", b"\n"}
            _write(path, (b"\n" if torn else b"") + lines)
    return entries


def _write(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags, 0o644)
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        os.close(file)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        found = os.strerror(error.errno or 0)
        raise InputError(f"{path}: found {found}; give a readable file by --ledger") from None


def _parsed(path: Path, raw: bytes) -> Ledger:
    held: dict[str, Held] = {}
    damaged: list[str] = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            entry, added = read_line(line)
            _enter(held, entry, added=added)
        except ValueError as error:
            damaged.append(f"{path}:{number}: {error}")
    return Ledger(path, tuple(held.values()), tuple(damaged))


def _enter(held: dict[str, Held], entry: Forecast | Resolution, *, added: str) -> None:
    if isinstance(entry, Forecast):
        key = id_of(entry)
        held.setdefault(key, Held(key, entry, added))
        return
    if entry.forecast not in held:
        raise ValueError(f"resolves {entry.forecast}, which no line above holds")
    one = held[entry.forecast]
    if one.resolution is not None and not entry.corrects:
        raise ValueError(f"a second resolution of {one.id} that corrects nothing; the first stands")
    held[one.id] = Held(one.id, one.forecast, one.added, entry)


__all__ = ["Held", "Ledger", "append", "lock_of", "now", "read_ledger"]
