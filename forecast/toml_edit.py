"""Write one prior into a TOML file: comments and all else stay, and it is never half there."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import InputError
from models.prior import FAMILIES

BOM = b"\xef\xbb\xbf"
NUMBERS = {"quantiles", "fitted_to", *(name for one in FAMILIES.values() for name in one.params)}
"""Keys that say a distribution's numbers, of whatever family."""


def write_prior(path: Path, name: str, *, table: Mapping[str, Any]) -> None:
    """Put ``[priors.NAME]`` into a file in place of what it says there, or at its end.

    Keys of the old numbers go; others stay where they stand, with their comments. The new text is
    written beside the file, must load without a fault, and then takes its place in one step.

    Raises
    ------
    InputError
        If the new file would be at fault, cannot be written, or the old one changed meanwhile.
    """
    before = path.read_bytes()
    text = before.removeprefix(BOM).decode("utf-8")
    after = before[: len(before) - len(before.removeprefix(BOM))] + edited(
        text, name, table=table
    ).encode("utf-8")
    _replace(path, after, before=before)


def edited(text: str, name: str, *, table: Mapping[str, Any]) -> str:
    """Return a TOML text with the table of one prior changed or added."""
    import tomlkit

    document = tomlkit.parse(text)
    priors = document.get("priors")
    if priors is None:
        document.append("priors", tomlkit.table(is_super_table=True))
        priors = document["priors"]
    if name in priors:
        old = priors[name]
        for key in [key for key in old if key in NUMBERS - set(table)]:
            del old[key]
    else:
        priors[name] = old = tomlkit.table()
    for key, value in table.items():
        old[key] = value
    return tomlkit.dumps(document)


def _replace(path: Path, data: bytes, *, before: bytes) -> None:
    from forecast.config import load_config

    try:
        number, made = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".toml", dir=path.parent)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({os.strerror(error.errno or 0)})") from None
    new = Path(made)
    try:
        shutil.copymode(path, new)
        load_config(new)
        if path.read_bytes() != before:
            raise InputError(f"{path}: was changed by somebody else meanwhile; try again")
        new.replace(path)
    except InputError as error:
        raise InputError(str(error).replace(str(new), str(path))) from None
    finally:
        new.unlink(missing_ok=True)


__all__ = ["edited", "write_prior"]
