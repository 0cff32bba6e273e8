"""The commands about files of your own: init, elicit."""

from pathlib import Path
from typing import Any

import click

from forecast.cli.group import emit
from models.errors import InputError

FOLDER = click.Path(path_type=Path)
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
    from forecast.starting import init

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
    from forecast.eliciting import elicit
    from forecast.folder import json_text

    options["shape"] = dict(_pair(text, "--shape") for text in options["shape"])
    given = [(float(p), v) for p, v in (_pair(text, "--quantile") for text in options["quantiles"])]
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


def _pair(text: str, option: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        float(key) if option == "--quantile" else key
        return key, float(value)
    except ValueError:
        shown = "0.05=0.02" if option == "--quantile" else "nu=4"
        raise InputError(f"{option} {text}: give it as {shown}") from None


def _ask_quantiles(name: str) -> list[tuple[float, float]]:
    from models.slots import SLOTS

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
