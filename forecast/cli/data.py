"""The commands about files of one's own: evidence, ledger, init, elicit."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from forecast.cli import options as opt
from forecast.cli.main import emit
from models.errors import InputError

TABLES = click.option("--evidence", type=opt.PATH, required=True, help="Folder of your tables.")
FOLDER = click.argument("folder", type=opt.PATH, required=False)


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
    """


@evidence_command.command("check")
@FOLDER
@opt.as_json("Print the numbers of rows as JSON.")
def check_command(folder: Path | None, as_json: bool) -> None:
    """Check every table of FOLDER, by default the shipped ones.

    \b
    Example:
      forecast evidence check mine/evidence
    """
    from forecast.evidence import desk

    counts = desk.check(folder)
    if as_json:
        opt.print_json(counts)
    else:
        lines = [f"{n:6d} {name}" for name, n in counts.items()]
        emit("\n".join([*lines, "all tables are valid"]))


@evidence_command.command("add")
@click.argument("works", type=opt.FILE)
@TABLES
@click.option("--agenda", help="Agenda of works that state none.  [default: none]")
@click.option(
    "--selection",
    type=click.Choice(["purposive", "sampled"]),
    default="purposive",
    help="sampled: drawn without regard to what became of them.",
)
def evidence_add_command(works: Path, **options: Any) -> None:
    """Add the works of a CSV or BibTeX file to works.csv.

    Prints the key of each new work. Works that are there already are named on stderr. Of an
    abstract the first two sentences become the gist: edit them, and do not tell what became of it.

    \b
    Example:
      forecast evidence add new.bib --evidence mine/evidence --agenda circuits
      forecast evidence add new.csv --evidence mine/evidence
    """
    from forecast.evidence import desk

    new, present = desk.add(works, **options)
    for title in present:
        click.echo(f"there already: {title}", err=True)
    if new:
        emit("\n".join(new))


@evidence_command.command("rate")
@TABLES
@click.option("--rater", required=True, help="Name of the rater.")
@click.option("--out", type=opt.FILE, help="Write a blind sheet to this new file.  [default: none]")
@click.option("--take", type=opt.FILE, help="Take this filled sheet back.  [default: none]")
@click.option("--most", type=click.IntRange(1), help="At most so many works.  [default: all]")
@click.option("--unrated", is_flag=True, help="Only works that nobody has rated.")
@opt.seed("Seed of the order.")
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
    """
    from forecast.evidence import desk

    if (out is None) == (take is None):
        raise InputError("evidence rate: give either --out FILE or --take FILE")
    if out is not None:
        n = desk.hand_out(out, **options)
        emit(f"{out}: {n} works for {options['rater']}; the questions are in RUBRIC.md")
        return
    rater = {key: options[key] for key in ("evidence", "rater")}
    counts = desk.take(take or "", kind=kind, note=note, **rater)
    emit(
        f"{counts['added']} ratings added, {counts['there']} there already, "
        f"{counts['blank']} rows left blank"
    )


@evidence_command.command("agreement")
@FOLDER
@click.option(
    "--run", type=opt.PATH, help="Also how this run's model reads each rater.  [default: none]"
)
@opt.as_json("Print everything as JSON.")
def agreement_command(folder: Path | None, run: Path | None, as_json: bool) -> None:
    """Show how raters agree: alpha over all, kappa by pair, confusion as the model sees it.

    \b
    Example:
      forecast evidence agreement mine/evidence
      forecast evidence agreement --run runs/default-1a2b3c4d
    """
    from forecast.evidence import desk
    from reports.agreement import agreement_text

    tables = desk.agreement(folder, run=run)
    if as_json:
        opt.print_json(tables)
    else:
        emit(agreement_text(tables))


@evidence_command.command("export")
@FOLDER
@click.option("--out", type=opt.FILE, required=True, help="A new .csv, .json or .parquet file.")
def export_command(folder: Path | None, out: Path) -> None:
    """Write one row a work, with every rater's answers, for other programs.

    \b
    Example:
      forecast evidence export mine/evidence --out works.parquet
    """
    from forecast.evidence import desk

    emit(f"{out}: {desk.export(out, evidence=folder)} works")


LEDGER = click.option("--ledger", type=opt.FILE, default="ledger.jsonl", help="The ledger's file.")


@click.group("ledger")
def ledger_command() -> None:
    """Keep dated forecasts, and score them when they resolve.

    The ledger is a file of JSON lines that is only appended to: nothing written is ever changed,
    two writers at once lose nothing, and a damaged line is named while the rest is read.

    \b
    Example:
      forecast ledger add --near runs/default-1a2b3c4d
      forecast ledger list --state due
      forecast ledger resolve near-tracking 0.31 --source "the rating of 2028-06-30"
      forecast ledger score --out scores
    """


@ledger_command.command("add")
@LEDGER
@click.option(
    "--near",
    metavar="RUN",
    help="Enter the near predictions of the run in this folder.  [default: none]",
)
@click.option("--quantity", help="What is forecast, in words.  [default: none]")
@click.option("--probability", type=click.FloatRange(0, 1), help="Chance of yes.  [default: none]")
@click.option(
    "--quantile",
    "quantiles",
    multiple=True,
    metavar="P=VALUE",
    help="A quantile of a number, as 0.5=120; give several.  [default: none]",
)
@click.option("--unit", help="Unit of the number.  [default: none]")
@click.option("--rule", help="How a stranger resolves it.  [default: none]")
@click.option("--resolves-on", type=opt.DAY, help="Day of resolution.  [default: none]")
@click.option("--made-on", type=opt.DAY, help="Day of the forecast.  [default: today]")
@click.option("--key", help="Name of the question, shared by runs.  [default: none]")
@click.option("--by", help="Who says so.  [default: the run, if any]")
@click.option("--run", help="Folder of the run that it rests on.  [default: none]")
def ledger_add_command(ledger: Path, near: str | None, **fields: Any) -> None:
    """Enter a forecast, or all near predictions of a run.

    What is in the ledger already is not entered again. Prints the id of each new forecast.

    \b
    Example:
      forecast ledger add --near runs/default-1a2b3c4d
      forecast ledger add --quantity "rain" --probability 0.4 --rule "..." --resolves-on 2028-06-30
    """
    from forecast.analyses import ledger as book

    stated = {key: value for key, value in fields.items() if value not in (None, ())}
    if near is None:
        forecasts: Sequence[dict[str, Any]] = [_forecast(stated)]
    elif stated:
        raise InputError(f"--near enters what the run says; leave out --{next(iter(stated))}")
    else:
        forecasts = list(book.near(near))
    new, present = book.add(forecasts, ledger)
    if present:
        click.echo(f"already in {ledger}: {', '.join(present)}", err=True)
    if new:
        emit("\n".join(new))


def _forecast(stated: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a forecast from the options given."""
    from forecast.analyses import ledger as book

    for name in ("quantity", "rule", "resolves_on"):
        if name not in stated:
            option = name.replace("_", "-")
            raise InputError(f"--{option}: found none; give it, or enter a run's by --near RUN")
    fields = {key: _day(value) for key, value in stated.items() if key != "run"}
    if "quantiles" in fields:
        fields["quantiles"] = sorted(_quantile(text, "0.5=120") for text in fields["quantiles"])
    if "run" in stated:
        origin = book.origin(stated["run"])
        fields = {"by": origin["name"]} | fields | {"run": origin}
    return fields


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _quantile(text: str, example: str) -> tuple[float, float]:
    """Return probability and value of ``P=VALUE``."""
    p, _, value = text.partition("=")
    try:
        return float(p), float(value)
    except ValueError:
        raise InputError(f"--quantile {text}: give it as {example}") from None


def _shape(text: str) -> tuple[str, float]:
    """Return name and number of ``KEY=VALUE``."""
    key, _, value = text.partition("=")
    try:
        return key, float(value)
    except ValueError:
        raise InputError(f"--shape {text}: give it as nu=4") from None


@ledger_command.command("list")
@LEDGER
@click.option(
    "--state",
    type=click.Choice(["open", "due", "resolved", "void"]),
    help="Only these; due: the day has passed.  [default: all]",
)
@opt.as_json("Print every field as JSON.")
def list_command(ledger: Path, state: str | None, as_json: bool) -> None:
    """List the forecasts of a ledger.

    Damaged lines are named on stderr.

    \b
    Example:
      forecast ledger list
      forecast ledger list --state due --json
    """
    from forecast.analyses.ledger import now, read_ledger
    from reports.ledger import list_text

    book, today = read_ledger(ledger), now().date()
    rows = [one.row(today) for one in book.records]
    rows = [row for row in rows if state is None or row["state"] == state]
    _warn(book.damaged)
    if as_json:
        opt.print_json(rows)
    else:
        emit(list_text(rows))


@ledger_command.command("resolve")
@click.argument("which")
@click.argument("outcome")
@LEDGER
@click.option("--source", required=True, help="Where a stranger can check the outcome.")
@click.option("--on", type=opt.DAY, help="Day on which it could be known.  [default: today]")
@click.option("--correct", is_flag=True, help="Correct an earlier resolution; both stay.")
def resolve_command(which: str, outcome: str, ledger: Path, **options: Any) -> None:
    """Say how the forecast WHICH resolved.

    OUTCOME is yes, no, a number, or void. WHICH is an id, the beginning of one, or a key: then
    every forecast of that key and rule is resolved alike.

    \b
    Example:
      forecast ledger resolve 3f2a yes --source "https://example.org/rating"
      forecast ledger resolve near-tracking 0.31 --on 2028-06-30 --source "rating sheet, row 9"
    """
    from forecast.analyses.ledger import resolve

    options["on"] = _day(options["on"])
    emit("\n".join(resolve(which, outcome, ledger=ledger, **options)))


@ledger_command.command("score")
@LEDGER
@opt.out("Folder for scores.csv, scores.json and the calibration plot.  [default: none]")
@opt.as_json("Print the scores as JSON.")
def score_command(ledger: Path, out: Path | None, as_json: bool) -> None:
    """Score the resolved forecasts.

    Brier and log score of probabilities, CRPS of quantiles, and how calibrated they are. Void and
    open forecasts have no score; nor have those entered after the day on which they resolved.

    \b
    Example:
      forecast ledger score
      forecast ledger score --out scores --json
    """
    from forecast.analyses.ledger import score

    scores = score(ledger, out=out)
    _warn(scores.summary["damaged"])
    if as_json:
        opt.print_json(scores.summary)
    else:
        emit(scores.text())


def _warn(damaged: Sequence[str]) -> None:
    for line in damaged:
        click.echo(f"damaged line, left out: {line}", err=True)


ASKED = (0.05, 0.5, 0.95)
"""Quantiles that are asked for where none are given."""


@click.command("init")
@click.argument("folder", type=opt.PATH)
@click.option("--name", help="Name of the forecast.  [default: that of FOLDER]")
@click.option("--author", default="me", help="Who states the beliefs.")
@click.option("--evidence", is_flag=True, help="Copy the shipped tables, in place of empty ones.")
def init_command(folder: Path, **options: Any) -> None:
    """Make a working folder: priors, evidence tables with their cards, and what to do next.

    The priors extend the default. FOLDER must be new or empty.

    \b
    Example:
      forecast init mine
      forecast init mine --evidence --author "A. Person"
    """
    from forecast.runs.scaffold import init

    emit(str(init(folder, **options)))


@click.command("elicit")
@click.argument("priors", type=opt.PATH)
@click.argument("name")
@click.option(
    "--quantile",
    "quantiles",
    multiple=True,
    metavar="P=VALUE",
    help="As 0.05=0.02; give several.  [default: asked for]",
)
@click.option("--dist", help="Family.  [default: as now if it fits, else the best]")
@click.option(
    "--shape",
    multiple=True,
    metavar="KEY=VALUE",
    help="nu of a StudentT, lower and upper of a TruncatedNormal.  [default: none]",
)
@click.option("--why", help="The reason, in a sentence.  [default: asked for]")
@click.option("--source", default="my own judgement", help="Where it comes from.")
@click.option(
    "--picture", type=opt.PATH, help="Draw to this path, as SVG and PNG.  [default: none]"
)
@click.option("--dry-run", is_flag=True, help="Show the fits, write nothing.")
@opt.as_json("Print the fits as JSON.")
def elicit_command(priors: Path, name: str, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Turn quantiles of the belief NAME into a distribution, written into PRIORS.

    Every family that the belief may have is fitted; the file's comments and all else in it stay.
    What no option gives is asked for.

    \b
    Example:
      forecast elicit mine/priors.toml gate_tracked
      forecast elicit my.toml gate_tracked --quantile 0.05=0.02 --quantile 0.95=0.3 --why "..."
    """
    from forecast.config.elicit import elicit

    options["shape"] = dict(_shape(text) for text in options["shape"])
    stated = [_quantile(text, "0.05=0.02") for text in options["quantiles"]]
    options["quantiles"] = stated or _ask_quantiles(name)
    if not stated:
        preview = elicit(priors, name, **options, write=False)
        click.echo(preview.text(), err=True)
        options["dist"] = options["dist"] or _ask("Family", default=preview.dist)
    if not dry_run and not options["why"]:
        options["why"] = _ask("Why do you believe so?", missing="--why")
    elicited = elicit(priors, name, **options, write=not dry_run)
    if as_json:
        opt.print_json(elicited.json())
    else:
        emit(elicited.text())


def _ask_quantiles(name: str) -> list[tuple[float, float]]:
    from models.parameters import SLOTS

    if name not in SLOTS:
        return [(0.5, 0.0)]  # the name is refused before these are looked at
    slot = SLOTS[name]
    click.echo(f"{slot.question} ({slot.unit})", err=True)
    texts = {p: f"The value that it is below with {p:.0%} chance" for p in ASKED}
    return [(p, _ask(text, missing="--quantile", kind=float)) for p, text in texts.items()]


def _ask(text: str, *, default: str | None = None, missing: str = "", kind: Any = str) -> Any:
    """Ask on stderr; where nobody can answer, say which option is missing."""
    try:
        return click.prompt(text, default=default, type=kind, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise InputError(f"{missing or text}: found none, and nobody answers") from None
