"""Where priors files are: as given, shipped by name, and along ``extends``."""

import importlib.resources
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from forecast.faults import Fault, Place, TomlFile, raise_faults, read_toml
from forecast.schema import show
from models.errors import InputError

MOST_EXTENDS = 8
"""Longest chain of ``extends``: beyond it nobody can say where a number comes from."""


def shipped_priors() -> Path:
    """Return the folder of shipped priors: that of the checkout, else that of the wheel."""
    root = Path(__file__).resolve().parents[1]
    if (root / "pyproject.toml").is_file() and (root / "priors").is_dir():
        return root / "priors"
    return Path(str(importlib.resources.files("forecast"))) / "data" / "priors"


def find_priors(priors: str | Path) -> Path:
    """Return the path of a priors file: as given, else the shipped file of that name.

    Raises
    ------
    InputError
        If there is neither.
    """
    path = Path(priors)
    if path.is_file():
        return path
    shipped = _shipped(priors)
    if shipped:
        return shipped
    if path.is_dir():
        raise InputError(f"{priors}: found a folder; give the TOML file in it")
    names = sorted(one.stem for one in shipped_priors().glob("*.toml"))
    near = get_close_matches(path.stem, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"shipped names: {', '.join(names)}"
    raise InputError(f"{priors}: found no such file and no shipped name; {remedy}")


def _shipped(name: str | Path) -> Path | None:
    """Return the shipped file of a name such as ``default`` or ``priors/default.toml``."""
    stem = Path(name).as_posix().removeprefix("priors/").removesuffix(".toml")
    path = shipped_priors() / f"{stem}.toml"
    return path if "/" not in stem and path.is_file() else None


def read_chain(
    path: Path, *, check: Callable[[TomlFile], list[Fault]] = lambda _: []
) -> list[TomlFile]:
    """Read a file and all that it extends, nearest first.

    Where the chain breaks, what ``check`` finds in the files read so far is told with it.

    Raises
    ------
    InputError
        If one of them cannot be read, is not there, or extends in a circle or too long a chain.
    """
    files = [read_toml(path)]
    while isinstance(name := files[-1].data.get("extends"), str) and name.strip():
        place = Place(files[-1], ("extends",))
        following = files[-1].path.parent / name
        target = following if following.is_file() else _shipped(name)
        if target is None:
            remedy = "no such file, nor a shipped name: give one relative to this file"
            raise_faults([place.fault(show(name), remedy), *(x for f in files for x in check(f))])
            break
        if target.resolve() in [one.path.resolve() for one in files]:
            remedy = "break the circle (a shipped name needs no .toml)"
            raise_faults([place.fault(f"{name!r}, which extends this file in turn", remedy)])
        if len(files) > MOST_EXTENDS:
            found = f"more than {MOST_EXTENDS} files, each extending the next"
            raise_faults([place.fault(found, "shorten the chain")])
        files.append(read_toml(target))
    return files
