"""The commands of the evidence desk: evidence check, add, rate, agreement, export."""

import json
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import emit
from models.errors import InputError

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(path_type=Path)
OWN = click.option("--evidence", type=FOLDER, required=True, help="Folder of your tables.")
FOLDER_ARGUMENT = click.argument("folder", type=FOLDER, required=False)


@click.group("evidence")
def evidence_command() -> None:
    """Keep the evidence tables: check them, add works, have them rated, see how raters agree.

    No row is lost: rows are only added, the tables are checked as a whole first, the old file is
    kept in .backup, and a fault leaves everything as it was.

    \b
    Example:
      forecast evidence add new.bib --evidence mine/evidence --agenda circuits
      forecast evidence rate --out sheet.csv --rater ann --evidence mine/evidence
      forecast evidence rate --take sheet.csv --rater ann --evidence mine/evidence
      forecast evidence agreement mine/evidence
    """  # noqa: D301 (click reads the mark)


@evidence_command.command("check")
@FOLDER_ARGUMENT
@click.option("--json", "as_json", is_flag=True, help="Print the numbers of rows as JSON.")
def check_command(folder: Path | None, as_json: bool) -> None:
    """Check every table of FOLDER, by default the shipped ones.

    \b
    Example:
      forecast evidence check mine/evidence
    """  # noqa: D301 (click reads the mark)
    from forecast import desk

    rows = desk.check(folder)
    told = "\n".join(f"{n:6d} {name}" for name, n in rows.items())
    emit(json.dumps(rows) if as_json else f"{told}\nall tables are valid")


@evidence_command.command("add")
@click.argument("works", type=FILE)
@OWN
@click.option("--agenda", help="Agenda of works that state none.  [default: none]")
@click.option(
    "--selection",
    type=click.Choice(["purposive", "sampled"]),
    default="purposive",
    help="sampled: drawn without regard to what became of them.",
)
def add_command(works: Path, **options: Any) -> None:
    """Add the works of a CSV or BibTeX file to works.csv.

    Prints the key of each new work. Works that are there already are named on stderr. Of an
    abstract the first two sentences become the gist: edit them, and do not tell what became of it.

    \b
    Example:
      forecast evidence add new.bib --evidence mine/evidence --agenda circuits
      forecast evidence add new.csv --evidence mine/evidence
    """  # noqa: D301 (click reads the mark)
    from forecast import desk

    new, there = desk.add(works, **options)
    for title in there:
        click.echo(f"there already: {title}", err=True)
    if new:
        emit("\n".join(new))


@evidence_command.command("rate")
@OWN
@click.option("--rater", required=True, help="Name of the rater.")
@click.option("--out", type=FILE, help="Write a blind sheet to this new file.  [default: none]")
@click.option("--take", type=FILE, help="Take this filled sheet back.  [default: none]")
@click.option("--most", type=click.IntRange(1), help="At most so many works.  [default: all]")
@click.option("--unrated", is_flag=True, help="Only works that nobody has rated.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the order.")
@click.option(
    "--kind",
    type=click.Choice(["human", "language-model"]),
    default="human",
    help="Kind of a new rater.",
)
@click.option("--note", help="Note on a new rater, for raters.csv.  [default: how many they rated]")
def rate_command(
    out: Path | None, take: Path | None, kind: str, note: str | None, **options: Any
) -> None:
    """Hand a rater a blind, shuffled sheet (--out), or take it back (--take).

    The sheet holds key, title, year, venue and gist, and nobody's answers. Works that the rater has
    rated are left out. An empty cell is a missing answer, and a row without answers is skipped.

    \b
    Example:
      forecast evidence rate --out sheet.csv --rater ann --most 50 --evidence mine/evidence
      forecast evidence rate --take sheet.csv --rater ann --evidence mine/evidence
    """  # noqa: D301 (click reads the mark)
    from forecast import desk

    if (out is None) == (take is None):
        raise InputError("evidence rate: give either --out FILE or --take FILE")
    if out is not None:
        n = desk.hand_out(out, **options)
        emit(f"{out}: {n} works for {options['rater']}; the questions are in RUBRIC.md")
        return
    told = {key: options[key] for key in ("evidence", "rater")}
    counts = desk.take(take or "", kind=kind, note=note, **told)
    emit(
        f"{counts['added']} ratings added, {counts['there']} there already, "
        f"{counts['blank']} rows left blank"
    )


@evidence_command.command("agreement")
@FOLDER_ARGUMENT
@click.option(
    "--run", type=FOLDER, help="Also how this run's model reads each rater.  [default: none]"
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def agreement_command(folder: Path | None, run: Path | None, as_json: bool) -> None:
    """Show how raters agree: alpha over all, kappa by pair, confusion as the model sees it.

    \b
    Example:
      forecast evidence agreement mine/evidence
      forecast evidence agreement --run runs/default-1a2b3c4d
    """  # noqa: D301 (click reads the mark)
    from forecast import desk
    from forecast.folder import json_text

    found = desk.agreement(folder, run=run)
    emit(json_text(found.found) if as_json else found.text())


@evidence_command.command("export")
@FOLDER_ARGUMENT
@click.option("--out", type=FILE, required=True, help="A new .csv, .json or .parquet file.")
def export_command(folder: Path | None, out: Path) -> None:
    """Write one row a work, with every rater's answers, for other programs.

    \b
    Example:
      forecast evidence export mine/evidence --out works.parquet
    """  # noqa: D301 (click reads the mark)
    from forecast import desk

    emit(f"{out}: {desk.export(out, evidence=folder)} works")
