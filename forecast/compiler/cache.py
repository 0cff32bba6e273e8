"""Where compiled models are kept: a folder of the user, ``FORECAST_CACHE`` if that is set.

A file is the SHA-256 of its content and then the content, so that damaged bytes are never run. A
cache that cannot be read or written costs a compilation, and never a run.
"""

import atexit
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from forecast.locks import locked

LOG = logging.getLogger("forecast")
MOST = 24
"""Programs that are kept, of about 0.5 MB each; the least recently made go first."""
MARK = hashlib.sha256().digest_size


def folder() -> Path:
    """Return the folder of compiled models; a temporary one where the user has no writable one."""
    from platformdirs import user_cache_path

    stated = os.environ.get("FORECAST_CACHE")
    usual = user_cache_path("mi-forecast", appauthor=False)
    place = Path(stated).expanduser() if stated else usual
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError as error:
        LOG.warning("compiled models are not kept: %s", error)
        return _temporary()


@cache
def _temporary() -> Path:
    """Return this process's own folder, removed at its end."""
    place = tempfile.mkdtemp(prefix="mi-forecast-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(place)


def entry(key: str) -> Path:
    """Return the file of a compiled model."""
    return folder() / f"{key}.program"


def load(path: Path) -> bytes | None:
    """Return the content of a file; None if there is none, or if it was damaged."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content = whole[MARK:]
    return content if hashlib.sha256(content).digest() == whole[:MARK] else None


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the content of a file, made and stored if it is not there.

    Of several processes that miss it one makes it; the others wait, and load it.
    """
    held = load(path)
    if held is not None:
        return held
    with locked(path.with_suffix(".lock"), waiting=_say_waiting):
        held = load(path)
        if held is None:
            held = make()
            store(path, held)
    return held


def _say_waiting() -> None:
    LOG.info("another process compiles this structure; waiting for it")


def store(path: Path, content: bytes) -> None:
    """Keep ``content``, put in place when it is whole; drop the oldest beyond the most."""
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        kept = sorted(path.parent.glob("*.program"), key=lambda file: file.stat().st_mtime)
        for old in kept[:-MOST]:
            old.unlink(missing_ok=True)
            old.with_suffix(".lock").unlink(missing_ok=True)
    except OSError as error:
        LOG.warning("this compiled model is not kept: %s", error)
    finally:
        fresh.unlink(missing_ok=True)
