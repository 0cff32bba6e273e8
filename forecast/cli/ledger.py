"""The commands about dated forecasts: ledger add, list, resolve, score."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import emit
from models.errors import InputError

FILE = click.Path(dir_okay=False, path_type=Path)
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
def add_command(ledger: Path, near: str | None, **fields: Any) -> None:
    """Enter a forecast, or all near predictions of a run.

    What is in the ledger already is not entered again. Prints the id of each new forecast.

    \b
    Example:
      forecast ledger add --near runs/default-1a2b3c4d
      forecast ledger add --quantity "rain" --probability 0.4 --rule "..." --resolves-on 2028-06-30
    """  # noqa: D301 (click reads the mark)
    from forecast import ledger as book

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
    from forecast import ledger as book

    wanted = [name for name in ("quantity", "rule", "resolves_on") if name not in given]
    if wanted:
        option = wanted[0].replace("_", "-")
        raise InputError(f"--{option}: found none; give it, or enter a run's by --near RUN")
    out = {key: _day(x) for key, x in given.items() if key != "run"}
    if "quantiles" in out:
        out["quantiles"] = sorted(_pair(text) for text in out["quantiles"])
    if "run" in given:
        origin = book.origin(given["run"])
        out = {"by": origin["name"]} | out | {"run": origin}
    return out


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _pair(text: str) -> list[float]:
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
    from forecast.ledger import rows
    from reports.ledgers import list_text

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
    from forecast.ledger import resolve

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
    from forecast.folder import json_text
    from forecast.ledger import score

    done = score(ledger, out=out)
    _warn(done.summary["damaged"])
    emit(json_text(done.summary) if as_json else done.text())


def _warn(damaged: Any) -> None:
    for line in damaged:
        click.echo(f"damaged line, left out: {line}", err=True)
