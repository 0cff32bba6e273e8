"""The folder of an analysis: new, so that nothing is written over."""

from pathlib import Path

from models.errors import InputError


def check_new(folder: Path) -> Path:
    """Return a folder that is not there yet, or is empty.

    Raises
    ------
    InputError
        If something is there, or stands where a folder on the way to it should be.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"--out {folder}: exists and is no folder; name another")
    if folder.is_dir():
        if any(folder.iterdir()):
            raise InputError(f"--out {folder}: exists and is not empty; name another")
        folder.rmdir()
    for above in folder.absolute().parents:
        if above.exists() and not above.is_dir():
            raise InputError(f"--out {folder}: {above} is no folder; name another")
    return folder


__all__ = ["check_new"]
