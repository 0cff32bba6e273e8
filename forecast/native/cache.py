"""Compiled code on disk: only the user's own is read, and only if it is undamaged.

An entry is the SHA-256 of its content, then the content. It is read from a folder, and a file, that
belong to the user and that nobody else can write to. An entry that fails either check is compiled
again. A cache that cannot be read or written costs a compilation, and never a run.
"""

import contextlib
import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

LOG = logging.getLogger(__name__)
ENTRIES = 120
"""Entries of a folder, of about 0.5 MB each; the oldest go first. A structure takes about six."""
SUFFIX = ".native"
DIGEST = hashlib.sha256().digest_size


def private(status: os.stat_result) -> bool:
    """Return whether a file or folder is the user's own, and nobody else can write to it."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def read(path: Path) -> bytes | None:
    """Return the content of an entry; None if there is none that may be trusted."""
    try:
        with path.open("rb") as file:
            if not (private(path.parent.stat()) and private(os.fstat(file.fileno()))):
                LOG.warning("not read, since others can write to it: %s", path)
                return None
            content = file.read()
    except OSError:
        return None
    digest, content = content[:DIGEST], content[DIGEST:]
    return content if hashlib.sha256(content).digest() == digest else None


def write(path: Path, content: bytes) -> None:
    """Write an entry, moved into place once it is complete; drop the oldest beyond the most."""
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("wb") as file:
            draft.chmod(0o600)
            file.write(hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        entries = sorted(path.parent.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime)
        for old in entries[:-ENTRIES]:
            old.unlink(missing_ok=True)
            old.with_suffix(".lock").unlink(missing_ok=True)
    except OSError as error:
        LOG.warning("this compiled model is not kept: %s", error)
    finally:
        draft.unlink(missing_ok=True)


def cached(folder: Path, key: str, compile_: Callable[[], bytes]) -> bytes:
    """Return the content of an entry, compiled and written if there is none.

    Of several processes that miss it one compiles; the others wait, and read it.
    """
    path = folder / f"{key}{SUFFIX}"
    content = read(path)
    if content is None:
        with _locked(path.with_suffix(".lock")):
            content = read(path)
            if content is None:
                content = compile_()
                write(path, content)
    return content


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which ends with the process; without one where there are none."""
    try:
        import fcntl

        file = path.open("ab")
    except (ImportError, OSError) as error:
        LOG.warning("no lock on %s: %s", path, error)
        yield
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            LOG.info("another process compiles this structure; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            LOG.warning("no lock on %s: %s", path, error)
        yield
