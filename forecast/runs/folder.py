"""The run folder: written apart, renamed when whole, never half there."""

import errno
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from forecast.files import is_locked, locked, naming
from models.errors import InputError

SCHEMA = 1
MANIFEST = "manifest.json"
SEALED = ("headline.json", "context.json")
"""Files of a run whose hashes its manifest keeps."""
TRIES = 20
"""Times to try again where another process writes the same run at the same moment."""
TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EACCES}
"""How a rename fails when another process took the place; on Windows the last."""


def default_folder(name: str, run_hash: str) -> Path:
    """Return ``runs/NAME-HASH8`` under the working directory."""
    return Path("runs") / f"{name}-{run_hash[:8]}"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder, or None if it has none."""
    try:
        manifest = read_json(folder / MANIFEST)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return manifest if isinstance(manifest, dict) else None


def read_json(path: Path) -> Any:
    """Return the content of a JSON file of a run.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If it is not there.
    InputError
        If it is there and cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise unreadable(path, reason) from None


def unreadable(path: Path, reason: object) -> InputError:
    """Return the fault of a file of a run that is damaged or gone."""
    return InputError(f"{path}: not readable ({reason}); draw the run anew with --force")


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of numbers that others read from a run."""
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in SEALED}


def check_unchanged(folder: Path) -> None:
    """Refuse a run whose files of numbers are not those that it wrote.

    Raises
    ------
    InputError
        If one was changed.
    """
    written = (read_manifest(folder) or {}).get("written", {})
    for name, digest in digests(folder).items():
        if written.get(name) != digest:
            path = folder / name
            raise InputError(
                f"{path}: found other content than the run wrote (changed since?); put it back, or "
                "draw the run anew with --force"
            )


def is_complete(folder: Path) -> bool:
    """Return whether the folder holds a whole run."""
    manifest = read_manifest(folder)
    return bool(manifest and manifest.get("complete"))


def check_target(folder: Path, *, force: bool, stated: bool) -> None:
    """Refuse a target that exists and is no run folder to write over; ``stated`` by ``--out``."""
    name = f"--out {folder}" if stated else str(folder)
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).exists()):
        remedy = "name another" if stated else "move it away, or name another by --out"
        raise InputError(f"{name}: exists and is no run folder; {remedy}")
    if stated and not force:
        raise InputError(f"{name}: exists; add --force to draw that run anew")


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder of this process under ``TARGET.partial``.

    It is gone afterwards, unless it holds the draws of an interrupted fit. A lock beside it, held
    by this process, tells others that it is in use; what a killed one left is cleared.
    """
    parent = partial_of(target)
    folder = parent / uuid.uuid4().hex[:12]
    lock = folder.with_suffix(".lock")
    _clear(parent)
    _make(parent)
    try:
        with naming(target), locked(lock):
            _make(folder)
            try:
                yield folder
            finally:
                if not is_interrupted(folder):
                    shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.unlink(missing_ok=True)
        with suppress(OSError):  # another process may be at work there
            parent.rmdir()


def partial_of(target: Path) -> Path:
    """Return the folder in which a run is written before it is whole.

    Raises
    ------
    InputError
        If the target has no name beside which that could lie: the working or the root folder.
    """
    if not target.name:
        raise InputError(f"{target}: no run here, and no name for one; name a folder inside it")
    return target.with_name(f"{target.name}.partial")


def is_interrupted(folder: Path) -> bool:
    """Return whether the folder holds the draws of an interrupted fit."""
    try:
        return bool((read_manifest(folder) or {}).get("interrupted"))
    except InputError:
        return False


def _make(folder: Path) -> None:
    for _ in range(TRIES):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:  # a process that ended took the parent away
            last = error
        except OSError as error:
            raise _unmakable(folder, error) from None
        else:
            return
    raise _unmakable(folder, last)


def _unmakable(folder: Path, error: OSError) -> InputError:
    return InputError(f"{folder}: cannot be written ({error.strerror}); use --out")


def _clear(parent: Path) -> None:
    """Remove what interrupted and killed processes left."""
    for old in parent.iterdir() if parent.is_dir() else ():
        lock = old.with_suffix(".lock")
        if not is_locked(lock):
            shutil.rmtree(old, ignore_errors=True)
            lock.unlink(missing_ok=True)


def publish(partial: Path, target: Path, *, force: bool) -> None:
    """Rename a whole run into place; the same run that another process finished first stays.

    Raises
    ------
    InputError
        If something else took the place meanwhile.
    """
    for _ in range(TRIES):
        try:
            if target.exists() and (force or _is_unfinished(target)):
                _swap(partial, target)
            else:
                partial.replace(target)
            return
        except OSError as error:
            if error.errno not in TAKEN:
                raise
        if is_complete(target) and not force:
            break
    ours, theirs = read_manifest(partial) or {}, read_manifest(target) or {}
    if not ours.get("hash") or ours.get("hash") != theirs.get("hash"):
        raise InputError(f"{target}: was made by another process meanwhile; name another by --out")


def _is_unfinished(folder: Path) -> bool:
    return read_manifest(folder) is not None and not is_complete(folder)


def _swap(partial: Path, target: Path) -> None:
    """Put a run in the place of another, which stays unless the new one is there."""
    trash = partial.with_suffix(".old")  # under the lock of ``partial``
    try:
        target.replace(trash)
        partial.replace(target)
    except BaseException:
        if trash.exists() and not target.exists():
            trash.replace(target)
        raise
    finally:
        shutil.rmtree(trash, ignore_errors=True)


def find_run(folder: Path) -> Path:
    """Return the folder of a run, or of the draws that an interrupted run left.

    Raises
    ------
    InputError
        If there is neither.
    """
    if read_manifest(folder) is not None:
        return folder
    parent = folder if folder.name.endswith(".partial") else partial_of(folder)
    if parent.is_dir():
        interrupted = [path for path in parent.iterdir() if is_interrupted(path)]
        if interrupted:
            return max(interrupted, key=lambda path: path.stat().st_mtime)
    raise InputError(f"{folder}: no run here (no {MANIFEST}); name a folder made by 'forecast run'")


def copy_evidence(source: Path, target: Path) -> None:
    """Copy the tables used into the run."""
    target.mkdir()
    for file in sorted((*source.glob("*.csv"), *source.glob("*.parquet"))):
        shutil.copyfile(file, target / file.name)
