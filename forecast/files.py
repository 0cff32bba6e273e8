"""Files: locks between processes, writing in one step, JSON and CSV.

Locks are held by the system, so that none outlives the process that took it.
"""

import csv
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from models.errors import InputError

LOG = logging.getLogger("forecast")


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of a file; wait for it, and call ``waiting`` once if another holds it.

    Where the file system knows no locks, or the folder cannot be written, nothing is held: the
    work is then done twice, and each file is still replaced in one step.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        LOG.warning("no lock on %s: %s", path, error)
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Return whether a living process holds the lock of a file; in doubt, yes."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError, NotImplementedError):
        return True
    lock.release()
    return False


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the disk that names no file, as a full one's does, name this path."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def read_text(path: Path, *, remedy: str) -> str:
    """Return the text of a user's file; ``remedy`` says what to give in its place.

    Raises
    ------
    InputError
        If it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: found {error.strerror}; {remedy}") from None
    except UnicodeDecodeError:
        message = f"{path}: found bytes that are not UTF-8; save the file as UTF-8"
        raise InputError(message) from None


def replace_file(
    path: Path, data: bytes, *, check: Callable[[Path], None] = lambda _: None
) -> None:
    """Write a file in one step: a reader, or a process killed meanwhile, finds the old or the new.

    ``check`` sees the new file beside the old one; if it raises, the old one stays. The mode of the
    old file is kept.
    """
    number, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, new)
        else:
            new.chmod(0o644)
        check(new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def create_file(path: Path, data: bytes) -> None:
    """Write a file that must not exist, completely or not at all.

    Raises
    ------
    InputError
        If it exists, or cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise InputError(f"--out {path}: exists, and may hold answers; name another") from None
    except OSError as error:
        if error.filename is None:  # opened, but not written to its end
            path.unlink(missing_ok=True)
        reason = os.strerror(error.errno or 0)
        raise InputError(f"--out {path}: cannot be written ({reason})") from None


def write_json(path: Path, content: Any) -> None:
    """Write JSON with keys in their order; NaN becomes null."""
    with naming(path):
        path.write_text(json_text(content) + "\n", encoding="utf-8", newline="\n")


def json_text(content: Any) -> str:
    """Return JSON with keys in their order; NaN becomes null."""
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of plain values; nested ones are left out."""
    columns = [n for n, v in rows[0].items() if not isinstance(v, list | dict)] if rows else []
    with naming(path), path.open("w", encoding="utf-8", newline="") as file:
        _write_rows(file, rows, columns=columns, line_end="\n")


def csv_text(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    header: bool = True,
    line_end: str = "\n",
) -> str:
    """Return rows as CSV; None becomes an empty cell."""
    text = StringIO()
    _write_rows(text, rows, columns=columns, line_end=line_end, header=header)
    return text.getvalue()


def _write_rows(
    file: Any,
    rows: Iterable[Mapping[str, Any]],
    *,
    columns: Sequence[str],
    line_end: str,
    header: bool = True,
) -> None:
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator=line_end)
    if header:
        writer.writeheader()
    writer.writerows(rows)
