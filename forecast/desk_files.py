"""Change tables of a folder without ever losing a row.

A change appends rows. The old bytes stay as they are, the new folder is checked as a whole before
anything is touched, the old file is kept in ``.backup``, and the new one takes its place in one
step. Whatever is at fault is refused, and then nothing has changed.
"""

import csv
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from forecast.evidence import Tables, load_tables
from forecast.ledger_file import now
from forecast.locks import locked
from forecast.tables import ROWS
from models.errors import InputError

BACKUP = ".backup"
Rows = Sequence[Mapping[str, Any]]


def append_rows(folder: Path, new: Mapping[str, Rows], *, before: Tables) -> list[Path]:
    """Append rows to tables of a folder; return the files that changed.

    Parameters
    ----------
    folder
        Of the tables.
    new
        Rows by table, in the order in which the files are replaced.
    before
        The tables as the rows were made for: a row that went or came since is a fault.

    Raises
    ------
    InputError
        If the tables would be at fault with these rows, or changed meanwhile.
    """
    some = {name: rows for name, rows in new.items() if rows}
    with locked(folder / ".desk.lock"), tempfile.TemporaryDirectory() as made:
        _unchanged(folder, before)
        trial = Path(made) / folder.name
        shutil.copytree(folder, trial, ignore=shutil.ignore_patterns(".*"))
        for name, rows in some.items():
            _extend(trial / f"{name}.csv", name, rows=rows)
        try:
            load_tables(trial)
        except InputError as error:
            told = str(error).replace(str(trial), str(folder))
            raise InputError(
                f"nothing was written, as the tables would be at fault: {told}"
            ) from None
        return [_put(trial / f"{name}.csv", folder / f"{name}.csv") for name in some]


def _unchanged(folder: Path, before: Tables) -> None:
    from forecast.evidence import hash_tables

    if hash_tables(load_tables(folder)) != hash_tables(before):
        raise InputError(f"{folder}: was changed by somebody else meanwhile; try again")


def _extend(path: Path, name: str, *, rows: Rows) -> None:
    """Write rows below those of a table, in the order of its columns."""
    if path.with_suffix(".parquet").exists():
        raise InputError(f"{path.stem}.parquet: only CSV tables can be added to; save it as CSV")
    raw = (
        path.read_bytes() if path.exists() else (",".join(ROWS[name].model_fields) + "\n").encode()
    )
    header = next(csv.reader(StringIO(raw.decode("utf-8-sig").splitlines()[0])))
    columns = [column.strip() for column in header]
    end = "\r\n" if b"\r\n" in raw else "\n"
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator=end)
    writer.writerows({key: "" if x is None else x for key, x in row.items()} for row in rows)
    gap = b"" if raw.endswith((b"\n", b"\r")) else end.encode()
    path.write_bytes(raw + gap + text.getvalue().encode("utf-8"))


def _put(new: Path, old: Path) -> Path:
    """Keep the old file, and let the new one take its place in one step."""
    if old.exists():
        kept = old.parent / BACKUP
        kept.mkdir(exist_ok=True)
        stamp = now().strftime("%Y%m%dT%H%M%S%f")
        shutil.copy2(old, kept / f"{old.stem}-{stamp}.csv")
    number, beside = tempfile.mkstemp(prefix=f".{old.stem}-", dir=old.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(new.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(new, beside)
        Path(beside).replace(old)
    finally:
        Path(beside).unlink(missing_ok=True)
    return old


__all__ = ["append_rows"]
