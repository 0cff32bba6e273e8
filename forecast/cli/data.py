"""The commands of the evidence desk: evidence check, add, rate, agreement, export.

The commands about dated forecasts: ledger add, list, resolve, score.

The commands about files of your own: init, elicit.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from forecast.cli.main import emit
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
    from forecast.evidence import desk

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
def evidence_add_command(works: Path, **options: Any) -> None:
    """Add the works of a CSV or BibTeX file to works.csv.

    Prints the key of each new work. Works that are there already are named on stderr. Of an
    abstract the first two sentences become the gist: edit them, and do not tell what became of it.

    \b
    Example:
      forecast evidence add new.bib --evidence mine/evidence --agenda circuits
      forecast evidence add new.csv --evidence mine/evidence
    """  # noqa: D301 (click reads the mark)
    from forecast.evidence import desk

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
    from forecast.evidence import desk

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
    from forecast.evidence import desk
    from forecast.files import json_text

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
    from forecast.evidence import desk

    emit(f"{out}: {desk.export(out, evidence=folder)} works")


DAY = click.DateTime(["%Y-%m-%d"])
LEDGER = click.option("--ledger", type=FILE, default="ledger.jsonl", help="The ledger's file.")


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
    """  # noqa: D301 (click reads the mark)


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
@click.option("--resolves-on", type=DAY, help="Day of resolution.  [default: none]")
@click.option("--made-on", type=DAY, help="Day of the forecast.  [default: today]")
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
    """  # noqa: D301 (click reads the mark)
    from forecast.analyses import ledger as book

    given = {key: x for key, x in fields.items() if x not in (None, ())}
    if near is not None and given:
        raise InputError(f"--near enters what the run says; leave out --{next(iter(given))}")
    forecasts = book.near(near) if near is not None else (_forecast(given),)
    new, there = book.add(forecasts, ledger)
    if there:
        click.echo(f"already in {ledger}: {', '.join(there)}", err=True)
    if new:
        emit("\n".join(new))


def _forecast(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a forecast from the options."""
    from forecast.analyses import ledger as book

    wanted = [name for name in ("quantity", "rule", "resolves_on") if name not in given]
    if wanted:
        option = wanted[0].replace("_", "-")
        raise InputError(f"--{option}: found none; give it, or enter a run's by --near RUN")
    out = {key: _day(x) for key, x in given.items() if key != "run"}
    if "quantiles" in out:
        out["quantiles"] = sorted(_quantile_pair(text) for text in out["quantiles"])
    if "run" in given:
        origin = book.origin(given["run"])
        out = {"by": origin["name"]} | out | {"run": origin}
    return out


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _quantile_pair(text: str) -> list[float]:
    p, _, value = text.partition("=")
    try:
        return [float(p), float(value)]
    except ValueError:
        raise InputError(f"--quantile {text}: give it as 0.5=120") from None


@ledger_command.command("list")
@LEDGER
@click.option(
    "--state",
    type=click.Choice(["open", "due", "resolved", "void"]),
    help="Only these; due: the day has passed.  [default: all]",
)
@click.option("--json", "as_json", is_flag=True, help="Print every field as JSON.")
def list_command(ledger: Path, state: str | None, as_json: bool) -> None:
    """List the forecasts of a ledger.

    Damaged lines are named on stderr.

    \b
    Example:
      forecast ledger list
      forecast ledger list --state due --json
    """  # noqa: D301 (click reads the mark)
    from forecast.analyses.ledger import rows
    from reports.ledger import list_text

    shown, damaged = rows(ledger, state=state)
    _warn(damaged)
    emit(json.dumps(shown, indent=2, ensure_ascii=False) if as_json else list_text(shown))


@ledger_command.command("resolve")
@click.argument("which")
@click.argument("outcome")
@LEDGER
@click.option("--source", required=True, help="Where a stranger can check the outcome.")
@click.option("--on", type=DAY, help="Day on which it could be known.  [default: today]")
@click.option("--correct", is_flag=True, help="Correct an earlier resolution; both stay.")
def resolve_command(which: str, outcome: str, ledger: Path, **options: Any) -> None:
    """Say how the forecast WHICH resolved.

    OUTCOME is yes, no, a number, or void. WHICH is an id, the beginning of one, or a key: then
    every forecast of that key and rule is resolved alike.

    \b
    Example:
      forecast ledger resolve 3f2a yes --source "https://example.org/rating"
      forecast ledger resolve near-tracking 0.31 --on 2028-06-30 --source "rating sheet, row 9"
    """  # noqa: D301 (click reads the mark)
    from forecast.analyses.ledger import resolve

    options["on"] = _day(options["on"])
    emit("\n".join(resolve(which, outcome, ledger=ledger, **options)))


@ledger_command.command("score")
@LEDGER
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for scores.csv, scores.json and the calibration plot.  [default: none]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def score_command(ledger: Path, out: Path | None, as_json: bool) -> None:
    """Score the resolved forecasts.

    Brier and log score of probabilities, CRPS of quantiles, and how calibrated they are. Void and
    open forecasts have no score; nor have those entered after the day on which they resolved.

    \b
    Example:
      forecast ledger score
      forecast ledger score --out scores --json
    """  # noqa: D301 (click reads the mark)
    from forecast.analyses.ledger import score
    from forecast.files import json_text

    done = score(ledger, out=out)
    _warn(done.summary["damaged"])
    emit(json_text(done.summary) if as_json else done.text())


def _warn(damaged: Any) -> None:
    for line in damaged:
        click.echo(f"damaged line, left out: {line}", err=True)


ASKED = (0.05, 0.5, 0.95)
"""Quantiles that are asked for where none are given."""


@click.command("init")
@click.argument("folder", type=FOLDER)
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
    """  # noqa: D301 (click reads the mark)
    from forecast.runs.scaffold import init

    emit(str(init(folder, **options)))


@click.command("elicit")
@click.argument("priors", type=click.Path(path_type=Path))
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
@click.option("--picture", type=FOLDER, help="Draw to this path, as SVG and PNG.  [default: none]")
@click.option("--dry-run", is_flag=True, help="Show the fits, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the fits as JSON.")
def elicit_command(priors: Path, name: str, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Turn quantiles of the belief NAME into a distribution, written into PRIORS.

    Every family that the belief may have is fitted; the file's comments and all else in it stay.
    What no option gives is asked for.

    \b
    Example:
      forecast elicit mine/priors.toml gate_tracked
      forecast elicit my.toml gate_tracked --quantile 0.05=0.02 --quantile 0.95=0.3 --why "..."
    """  # noqa: D301 (click reads the mark)
    from forecast.config.elicit import elicit
    from forecast.files import json_text

    options["shape"] = dict(_stated_pair(text, "--shape") for text in options["shape"])
    given = [
        (float(p), v)
        for p, v in (_stated_pair(text, "--quantile") for text in options["quantiles"])
    ]
    asked = not given
    options["quantiles"] = given or _ask_quantiles(name)
    if asked:
        seen = elicit(priors, name, **options, write=False)
        click.echo(seen.text(), err=True)
        options["dist"] = options["dist"] or _ask("Family", default=seen.dist)
    if not dry_run and not options["why"]:
        options["why"] = _ask("Why do you believe so?", missing="--why")
    done = elicit(priors, name, **options, write=not dry_run)
    emit(json_text(done.json()) if as_json else done.text())


def _stated_pair(text: str, option: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        float(key) if option == "--quantile" else key
        return key, float(value)
    except ValueError:
        shown = "0.05=0.02" if option == "--quantile" else "nu=4"
        raise InputError(f"{option} {text}: give it as {shown}") from None


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
