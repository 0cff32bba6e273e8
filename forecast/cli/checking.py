"""The command check."""

from pathlib import Path
from typing import Any

import click

from forecast.cli.group import NOT_CONVERGED, WRONG_INPUT, emit

FOLDER = click.Path(path_type=Path)


@click.command("check")
@click.argument("priors")
@click.option(
    "--evidence",
    type=FOLDER,
    help="Folder of evidence tables.  [default: from PRIORS, else shipped]",
)
@click.option("--draws", type=click.IntRange(10, 100_000), default=1000, help="Draws of the prior.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of every random number.")
@click.option("--out", type=FOLDER, help="Folder to write the check to.  [default: none]")
@click.option("--structure", is_flag=True, help="Of a run: answer it under other structures.")
@click.option("--tables", is_flag=True, help="Of a run: answer it without each evidence table.")
@click.option("--cores", type=click.IntRange(1), help="Processor cores of fits.  [default: all]")
@click.option(
    "--retry/--no-retry",
    default=None,
    help="Fit a variation once more, tuned longer, if it does not converge.  [default: from RUN]",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print everything found as JSON.")
@click.pass_context
def check_command(ctx: click.Context, /, priors: str, as_json: bool, **options: Any) -> None:
    """Check PRIORS and the evidence before a run, or a finished run.

    Every fault of the files is told at once, with its line. Then the prior is drawn: what does it
    imply in plain words, does it already exclude the evidence, and is each prior sampled as stated?
    If PRIORS is the folder of a run, its own checks are shown: replicated evidence, PSIS-LOO, rows
    that move the headline, near predictions. --structure and --tables fit variations of it, some
    with a model of their own: minutes, once; they are kept in the folder. Ends with code 3, naming
    them, if some of these fits did not converge.

    \b
    Example:
      forecast check default
      forecast check my.toml --evidence my-evidence
      forecast check runs/default-1a2b3c4d --structure
    """  # noqa: D301 (click reads the mark)
    from forecast.checks import check
    from forecast.folder import json_text

    result = check(priors, **options)
    emit(json_text(result.json()) if as_json else result.text())
    if not result.ok:
        ctx.exit(WRONG_INPUT)
    failed = getattr(result, "failed", ())
    if failed:
        click.echo(f"not converged: {', '.join(failed)}", err=True)
        ctx.exit(NOT_CONVERGED)
