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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from forecast.files import locked
from models.errors import InputError

LOG = logging.getLogger("forecast")
MOST = 24
"""Programs that are kept, of about 0.5 MB each; the least recently made go first."""
MARK = hashlib.sha256().digest_size


def folder() -> Path:
    """Return the folder of compiled models; a temporary one where the user has no writable one."""
    from platformdirs import user_cache_path

    stated = os.environ.get("FORECAST_CACHE")
    usual = user_cache_path("mi-forecast", appauthor=False)
    try:
        place = Path(stated).expanduser() if stated else usual
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except (OSError, RuntimeError) as error:  # the second: no such home
        LOG.warning("compiled models are not kept: %s", error)
        return _temporary()


@cache
def _temporary() -> Path:
    """Return this process's own folder, removed at its end.

    Raises
    ------
    InputError
        If there is no place for one.
    """
    try:
        place = tempfile.mkdtemp(prefix="mi-forecast-")
    except OSError as error:
        raise InputError(f"no place for temporary files ({error}); free some space") from None
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
            with _housed():
                held = make()
            store(path, held)
    return held


@contextmanager
def _housed() -> Iterator[None]:
    """Let PyTensor, which wants a folder in the user's home, have ours where that has no place.

    It is told by the environment, which a compiling child inherits.
    """
    flags = os.environ.get("PYTENSOR_FLAGS")
    if "base_compiledir" not in (flags or "") and not _has_home():
        ours = f"base_compiledir={_temporary()}"
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (flags, ours)))
    try:
        yield
    finally:
        if flags is None:
            os.environ.pop("PYTENSOR_FLAGS", None)
        else:
            os.environ["PYTENSOR_FLAGS"] = flags


def _has_home() -> bool:
    """Return whether PyTensor's folder is there, or can be made, and written."""
    try:
        place = Path("~/.pytensor").expanduser()
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except (OSError, RuntimeError):
        return False


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
