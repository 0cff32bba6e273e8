"""The command on what a forecast hangs on: sensitivity."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import NOT_CONVERGED, emit

FOLDER = click.Path(path_type=Path)


@click.command("sensitivity")
@click.argument("priors_or_run", metavar="PRIORS_OR_RUN")
@click.option("--target", default="alignment_relevant", help="Quantity of headline.json.")
@click.option("--threshold", type=float, help="Chance of your own to reach.  [default: none]")
@click.option("--quick", is_flag=True, help="Fit nothing: exact and reweighted answers alone.")
@click.option("--out", type=FOLDER, help="Folder.  [default: sensitivity-RUN beside the run]")
@click.option(
    "--evidence",
    type=FOLDER,
    help="Folder of tables, for a priors file.  [default: from PRIORS, else shipped]",
)
@click.option("--cores", type=click.IntRange(1), help="Fits at a time.  [default: all cores]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed, for a priors file.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print sensitivity.json and nothing else.")
@click.pass_context
def sensitivity_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Say how far a result is its priors, and which evidence moves it.

    PRIORS_OR_RUN is the folder of a finished run, or a priors file, which is run first. Every prior
    is moved, every table, rater, agenda and source left out; blocks are weighed against each other
    by four methods, and where these disagree it says which to trust. Writes sensitivity.html, CSV
    tables and figures. Fits that lie in the folder are not made again. Ends with code 3 if the run
    or a fit did not converge; the results are kept.

    \b
    Example:
      forecast sensitivity runs/default-1a2b3c4d --quick
      forecast sensitivity default --target capabilities_first --threshold 0.5
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.sensitivity import sensitivity
        from forecast.folder import json_text

        done = sensitivity(**options)
    emit(json_text(done.summary) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)
