"""Options that several commands share, and the way an analysis prints its result and ends."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from forecast.cli.main import NOT_CONVERGED, emit

FILE = click.Path(dir_okay=False, path_type=Path)
PATH = click.Path(path_type=Path)
DRAWS = click.IntRange(10, 100_000)
"""Draws or tuning steps of a chain; the upper end only catches slips of the finger."""
DAY = click.DateTime(["%Y-%m-%d"])

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

RUN = click.argument("run", type=PATH)
QUIET = click.option("--quiet", is_flag=True, help="Show no progress.")
BACKEND = click.option(
    "--backend",
    type=click.Choice(["auto", "native", "stock"]),
    help="What compiles the model; auto is native where it can be.  [default: from PRIORS]",
)
"""Of every command that samples a priors file; an analysis of a run takes the run's."""
DECISION = click.option(
    "--decision", type=PATH, help="TOML file with [decision].  [default: the run's priors file]"
)


def out(help_text: str) -> Decorator:
    """Return ``--out``, the folder in which a command writes its files."""
    return click.option("--out", type=PATH, help=help_text)


OUT_NEW = out("New folder for tables and figure.  [default: none]")


def evidence(help_text: str = "Folder of evidence tables.") -> Decorator:
    """Return ``--evidence``, whose default is what the priors file says."""
    return click.option(
        "--evidence", type=PATH, help=f"{help_text}  [default: from PRIORS, else shipped]"
    )


def cores(help_text: str = "Fits at a time.  [default: all cores]") -> Decorator:
    """Return ``--cores``."""
    return click.option("--cores", type=click.IntRange(1), help=help_text)


def seed(help_text: str = "Seed of every random number.") -> Decorator:
    """Return ``--seed``."""
    return click.option("--seed", type=click.IntRange(0), default=0, help=help_text)


def as_json(help_text: str) -> Decorator:
    """Return ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def draws(help_text: str, *, default: int | None = None) -> Decorator:
    """Return ``--draws``."""
    return click.option("--draws", type=DRAWS, default=default, help=help_text)


def tune(help_text: str, *, default: int | None = None) -> Decorator:
    """Return ``--tune``."""
    return click.option("--tune", type=DRAWS, default=default, help=help_text)


def chains(help_text: str = "Chains.  [default: from PRIORS]", **default: Any) -> Decorator:
    """Return ``--chains``."""
    return click.option("--chains", type=click.IntRange(1, 64), help=help_text, **default)


def retry(help_text: str) -> Decorator:
    """Return ``--retry/--no-retry``, whose default is what the priors file says."""
    return click.option("--retry/--no-retry", default=None, help=help_text)


def print_json(content: Any) -> None:
    """Print plain data as JSON on stdout."""
    from forecast.files import json_text

    emit(json_text(content))


def answer(name: str, *, as_json: bool, **options: Any) -> None:
    """Call the library's function ``name``, print its result, and exit with 3 if a fit failed.

    Whatever a library prints meanwhile goes to stderr, so that stdout holds the result alone.
    """
    import forecast

    with contextlib.redirect_stdout(sys.stderr):
        result = getattr(forecast, name)(**options)
    if as_json:
        print_json(result.summary)
    else:
        emit(result.text())
    failed = getattr(result, "failed", ())
    if failed:
        click.echo(f"not converged: {', '.join(map(str, failed))}", err=True)
    if not (result.converged and getattr(result, "passed", True)):
        click.get_current_context().exit(NOT_CONVERGED)
