"""What an analysis of a finished run gives, and its folder: new, so nothing is written over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from forecast.runs.open import Run, show
from models.errors import InputError


@dataclass(frozen=True)
class Result:
    """An analysis: ``summary`` is what its JSON file holds; ``converged`` the verdict on its draws.

    ``words`` names the function of ``reports`` that puts the summary in words.
    """

    summary: dict[str, Any]
    converged: bool
    folder: Path | None = None
    words: ClassVar[tuple[str, str]]

    def text(self) -> str:
        """Return what the terminal shows."""
        module, name = self.words
        put: Callable[[dict[str, Any]], str] = getattr(import_module(module), name)
        told = [*_outside_text(self.summary), put(self.summary)]
        return "\n".join([*told, str(self.folder)] if self.folder else told)


def outside_of(run: Run) -> dict[str, Any]:
    """Return the outside view of a run and the model's number beside it; nothing without one."""
    return beside_model(run.headline)


def beside_model(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of what headline.json holds, or of an analysis' own quantities."""
    view = head.get("outside_view")
    if not view:
        return {}
    return {"outside_view": view | {"model": head["quantities"][view["quantity"]]}}


def _outside_text(summary: dict[str, Any]) -> list[str]:
    from reports.table import wrapped
    from reports.words import outside_opening

    return [wrapped(line) for line in outside_opening(summary)]


def opened(run: Run | str | Path, what: str) -> Run:
    """Return a finished run; ``what`` says what an interrupted one cannot give.

    Raises
    ------
    InputError
        If there is no run, or it was interrupted.
    """
    made = run if isinstance(run, Run) else show(run)
    made.demand_whole(what)
    return made


def target_of(out: str | Path | None) -> Path | None:
    """Return the folder to write, if one is asked for; refuse one that is taken."""
    return None if out is None else check_new(Path(out))


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


def resumable(folder: Path, inner: str, *, what: str) -> Path:
    """Make a folder with its inner folder of finished fits, or take one that has it; return that.

    ``what`` says in the error what the folder is not.

    Raises
    ------
    InputError
        If something else is there, or the folder cannot be written.
    """
    finished = folder / inner
    if folder.is_dir() and any(folder.iterdir()) and not finished.is_dir():
        raise InputError(f"--out {folder}: exists and is {what}; name another")
    try:
        finished.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    return finished
