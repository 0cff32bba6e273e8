"""The run folder: written apart, renamed when whole, never half there."""

import csv
import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.errors import InputError

SCHEMA = 1
MANIFEST = "manifest.json"


def default_folder(name: str, run_hash: str) -> Path:
    """Return ``runs/NAME-HASH8`` under the working directory."""
    return Path("runs") / f"{name}-{run_hash[:8]}"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder, or None if it has none."""
    try:
        made = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{folder / MANIFEST}: not readable ({error}); run with --force") from None
    return made if isinstance(made, dict) else None


def is_complete(folder: Path) -> bool:
    """Return whether the folder holds a whole run."""
    manifest = read_manifest(folder)
    return bool(manifest and manifest.get("complete"))


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse a target that exists and is no run folder to write over."""
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and read_manifest(folder) is None):
        raise InputError(f"--out {folder}: exists and is no run folder; name another")
    if not force:
        raise InputError(f"--out {folder}: exists; add --force to draw that run anew")


def open_partial(target: Path) -> Path:
    """Return a new folder of this process under ``TARGET.partial``; stale ones are cleared."""
    parent = target.with_name(f"{target.name}.partial")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for old in parent.iterdir():
            manifest = read_manifest(old) if old.is_dir() else None
            if manifest and manifest.get("interrupted"):
                shutil.rmtree(old, ignore_errors=True)
        folder = parent / uuid.uuid4().hex[:12]
        folder.mkdir()
    except OSError as error:
        raise InputError(f"{parent}: cannot be written ({error.strerror}); use --out") from None
    return folder


def publish(partial: Path, target: Path, *, force: bool) -> None:
    """Rename a whole run into place; a run that another process finished first stays."""
    if target.exists() and force:
        trash = partial.with_name(f"{partial.name}-old")
        target.replace(trash)
        partial.replace(target)
        shutil.rmtree(trash, ignore_errors=True)
    elif is_complete(target):
        shutil.rmtree(partial)
    else:
        if target.exists():
            target.rmdir()
        partial.replace(target)
    drop_partial(partial)


def drop_partial(partial: Path) -> None:
    """Remove this process's folder, and its parent if no other process uses it."""
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.parent.rmdir()
    except OSError:
        return


def find_run(folder: Path) -> Path:
    """Return the folder of a run, or of the draws that an interrupted run left.

    Raises
    ------
    InputError
        If there is neither.
    """
    if read_manifest(folder) is not None:
        return folder
    if folder.name.endswith(".partial") and folder.is_dir():
        left = [p for p in sorted(folder.iterdir()) if read_manifest(p) is not None]
        if left:
            return left[-1]
    raise InputError(f"{folder}: no run here (no {MANIFEST}); name a folder made by 'forecast run'")


def write_json(path: Path, content: Any) -> None:
    """Write JSON with keys in their order; NaN becomes null."""
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _plain(x: Any) -> Any:
    if isinstance(x, Mapping):
        return {str(key): _plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(value) for value in x]
    if isinstance(x, float) and (x != x or x in (float("inf"), float("-inf"))):
        return None
    return x


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of plain values; nested ones are left out."""
    names = [n for n, v in rows[0].items() if not isinstance(v, list | dict)] if rows else []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def copy_evidence(source: Path, target: Path) -> None:
    """Copy the tables used into the run."""
    target.mkdir()
    for file in sorted(source.glob("*.csv")):
        shutil.copyfile(file, target / file.name)
