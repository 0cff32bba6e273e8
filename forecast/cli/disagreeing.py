"""The commands on disagreement and change: crux, diff."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import NOT_CONVERGED, emit

FOLDER = click.Path(path_type=Path)


@click.command("crux")
@click.argument("priors", nargs=-1, required=True, metavar="A B [C ...]")
@click.option("--out", type=FOLDER, help="Folder.  [default: runs/crux-A-B-HASH8]")
@click.option(
    "--evidence", type=FOLDER, help="Folder of evidence tables for all.  [default: from A]"
)
@click.option(
    "--weight",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A worldview's weight in the pooled forecasts; may be given again.  [default: equal]",
)
@click.option("--weights", type=FOLDER, help="TOML file with [weights].  [default: none]")
@click.option("--fits", type=click.IntRange(2, 500), default=24, help="Most fits for each pair.")
@click.option("--quick", is_flag=True, help="Fit the worldviews alone, no mixture of them.")
@click.option("--cores", type=click.IntRange(1), help="Fits at a time.  [default: all cores]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of every random number.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print crux.json and nothing else.")
@click.pass_context
def crux_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Say how much of the gap between worldview A and each other one every belief explains.

    Each is a priors file, a shipped name or the folder of a run; all see the same evidence. Shown:
    the gap before and after the evidence, its parts by block and by claim (Shapley values, which
    add up to it), what each would say with the other's view of one claim, what would close the gap,
    what each learned, and pooled forecasts. Fits that lie in the folder are not made again.

    \b
    Example:
      forecast crux doubter questioner
      forecast crux my.toml doubter --weight my=0.7 --weight doubter=0.3 --out runs/ours
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.disagreeing import crux
        from forecast.folder import json_text

        done = crux(**options)
    emit(json_text(done.summary) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)


@click.command("diff")
@click.argument("run1", type=FOLDER)
@click.argument("run2", type=FOLDER)
@click.option("--out", type=FOLDER, help="New folder for the tables.  [default: none]")
@click.option("--cores", type=click.IntRange(1), help="Cores of a fit.  [default: all cores]")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print diff.json and nothing else.")
@click.pass_context
def diff_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Say what changed from the run in RUN1 to that in RUN2, and what each change moved.

    Compared are priors, rows of evidence, options, seed, code and versions. Each change of the
    inputs gets its part of the headline's move, as a Shapley value and as changes are made in the
    order listed; what is left is code, libraries and sampling.

    \b
    Example:
      forecast diff runs/default-1a2b3c4d runs/default-5e6f7a8b
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.differing import diff
        from forecast.folder import json_text

        done = diff(**options)
    emit(json_text(done.summary) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)
