"""The commands on disagreement: crux."""

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
