"""What an analysis of finished runs returns, and the folder that it writes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from forecast.files import write_csv, write_json
from forecast.runs.open import Run, show
from models.errors import InputError

Row = dict[str, Any]
"""A row of a table, by column; also an object of a JSON file."""


@dataclass(frozen=True)
class Result:
    """An analysis: ``summary`` is what its JSON file holds; ``converged`` the verdict on its draws.

    ``words`` names the function of ``reports`` that puts the summary in words.
    """

    summary: Row
    converged: bool
    folder: Path | None = None
    words: ClassVar[tuple[str, str]]

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.table import wrapped
        from reports.words import outside_opening

        module, name = self.words
        in_words: Callable[[Row], str] = getattr(import_module(module), name)
        opening = [wrapped(line) for line in outside_opening(self.summary)]
        folder = [str(self.folder)] if self.folder else []
        return "\n".join([*opening, in_words(self.summary), *folder])


def finished_run(run: Run | str | Path, what: str) -> Run:
    """Return a finished run; ``what`` says what an interrupted one cannot give.

    Raises
    ------
    InputError
        If there is no run, or it was interrupted.
    """
    run = run if isinstance(run, Run) else show(run)
    run.demand_whole(what)
    return run


def outside_of(head: Mapping[str, Any]) -> Row:
    """Return the outside view that headline.json holds, with the model's number; or nothing."""
    view = head.get("outside_view")
    return {"outside_view": view | {"model": head["quantities"][view["quantity"]]}} if view else {}


def new_folder(folder: str | Path | None) -> Path | None:
    """Return a folder that is not there yet, or is empty; None if none is asked for.

    Raises
    ------
    InputError
        If something is there, or stands where a folder on the way to it should be.
    """
    if folder is None:
        return None
    folder = Path(folder)
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


def save(
    folder: Path,
    name: str,
    summary: Row,
    *,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    figures: Callable[[Path, Row], Any] | None = None,
) -> None:
    """Write the tables as CSV files, then the figures, then the summary as ``name.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        write_csv(folder / f"{table}.csv", rows)
    if figures is not None:
        figures(folder, summary)
    write_json(folder / f"{name}.json", summary)
