"""Where compiled models are kept: a folder of the user, ``FORECAST_CACHE`` if that is set."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST = 24
"""Programs that are kept, of about 10 MB each; the least recently made go first."""


def folder() -> Path:
    """Return the folder of compiled models; a temporary one where the user has no writable one."""
    from platformdirs import user_cache_path

    stated = os.environ.get("FORECAST_CACHE")
    place = Path(stated) if stated else user_cache_path("mi-forecast", appauthor=False)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return Path(tempfile.gettempdir()) / f"mi-forecast-{os.getpid()}"


def entry(key: str) -> Path:
    """Return the file of a compiled model."""
    return folder() / f"{key}.program"


@contextmanager
def keep(path: Path) -> Iterator[Path]:
    """Give a file to write; put it in place when it is whole, and drop the oldest beyond the most.

    Two processes that compile the same model write the same bytes; the later one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    programs = sorted(path.parent.glob("*.program"), key=lambda file: file.stat().st_mtime)
    for old in programs[:-MOST]:
        old.unlink(missing_ok=True)
