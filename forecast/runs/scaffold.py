"""A working folder: priors that extend the default, tables to fill, and what to do with them."""

import datetime
import os
import re
import shutil
import tempfile
from pathlib import Path

from forecast.config.schema import NAME_PATTERN
from forecast.evidence.load import find_evidence
from models.errors import InputError

CARDS = ("README.md", "RUBRIC.md")
"""What each table holds and how its rows may be used, and what a rater is asked."""
FULL = "agendas"
"""The one table that may not be empty."""
PRIORS = """\
# Your view. What is not stated here is taken from the file that `extends` names.
# Every question: docs/beliefs.md. `forecast elicit priors.toml NAME` writes a table for you.
schema = 1
name = "{name}"
author = "{author}"
date = {date}
summary = "The default, until a table below says otherwise."
extends = "default"

[evidence]
{evidence}

# Take the marks away to state a belief of your own:
# [priors.gate_tracked]
# dist = "Beta"
# quantiles = [[0.05, 0.02], [0.5, 0.1], [0.95, 0.3]]   # probability, value; or alpha and beta
# unit = "probability"
# block = "relevance"
# claims = ["C14"]
# source = "my own judgement"
# why = "Of ten used works that track the required milestone, I would expect one to contribute."
"""
OWN = 'path = "evidence"            # relative to this file'
SHIPPED = """\
# Without a path the shipped tables are used. The tables in evidence/ are empty but for agendas.csv:
# with the line below, what you have not filled in rests on priors alone.
# path = "evidence\""""
README = """\
# {name}

A working folder for `forecast`.

| file | holds |
|---|---|
| `priors.toml` | your beliefs; what it does not state is taken from the default |
| `evidence/` | {tables} |
| `evidence/README.md` | the card of each table: columns, units, and which rows may enter the fit |
| `evidence/RUBRIC.md` | what a rater is asked |

```sh
forecast check priors.toml                       # what is wrong, and what the priors imply
forecast elicit priors.toml gate_tracked         # quantiles in, a distribution out, into the file
forecast run priors.toml                         # the forecast, in runs/
forecast evidence add new.bib --evidence evidence --agenda circuits
forecast evidence check evidence
forecast ledger add --near runs/{name}-HASH8     # dated predictions, to be scored
```
"""
TABLES = {
    False: "empty tables with their headers, and the agendas; not used until `priors.toml` says so",
    True: "the shipped tables, yours to change; `priors.toml` uses them",
}


def init(
    folder: str | Path, *, name: str | None = None, author: str = "me", evidence: bool = False
) -> Path:
    """Make a working folder; return it.

    Parameters
    ----------
    folder
        Must not exist, or be empty.
    name
        Of the forecast; that of the folder if missing.
    author
        Who states the beliefs.
    evidence
        Copy the shipped tables and use them, in place of empty ones that wait to be filled.

    Raises
    ------
    InputError
        If the folder holds anything, or cannot be made.
    """
    target = Path(folder)
    if target.is_dir() and any(target.iterdir()):
        raise InputError(f"{target}: found a folder that is not empty; name a new one")
    if not target.is_dir() and (target.exists() or target.is_symlink()):
        raise InputError(f"{target}: found a file; name a new folder")
    name = _name(target, name)
    if any(c in author for c in '"\\\n') or not author.strip():
        raise InputError(f"--author {author}: give a name without quotes and backslashes")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".init-", dir=target.parent) as temporary:
            new = Path(temporary) / "folder"
            _fill(new, name=name, author=author, evidence=evidence)
            if target.is_dir():
                target.rmdir()  # empty; a rename onto it fails on some systems
            new.rename(target)
    except OSError as error:
        raise InputError(f"{target}: cannot be made ({os.strerror(error.errno or 0)})") from None
    return target


def _name(target: Path, stated: str | None) -> str:
    if stated is None:
        stem = re.sub(r"[^a-z0-9]+", "-", target.resolve().name.lower()).strip("-")[:41]
        return stem or "mine"
    if not re.fullmatch(NAME_PATTERN, stated):
        raise InputError(f"--name {stated}: use 1 to 41 of a-z, 0-9 and '-', not '-' first")
    return stated


def _fill(folder: Path, *, name: str, author: str, evidence: bool) -> None:
    from forecast.evidence.tables import ROWS

    shipped = find_evidence(None)
    tables = folder / "evidence"
    tables.mkdir(parents=True)
    for card in CARDS:
        shutil.copyfile(shipped / card, tables / card)
    for table, row in ROWS.items():
        if evidence or table == FULL:
            shutil.copyfile(shipped / f"{table}.csv", tables / f"{table}.csv")
        else:
            _write(tables / f"{table}.csv", ",".join(row.model_fields) + "\n")
    head = {"name": name, "author": author, "date": datetime.date.today().isoformat()}
    _write(folder / "priors.toml", PRIORS.format(evidence=OWN if evidence else SHIPPED, **head))
    _write(folder / "README.md", README.format(name=name, tables=TABLES[evidence]))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
