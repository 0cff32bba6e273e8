"""The command that tests the inference itself: calibrate."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import NOT_CONVERGED, emit

FOLDER = click.Path(path_type=Path)
STEPS = click.IntRange(10, 100_000)


@click.command("calibrate")
@click.argument("priors")
@click.option("--simulations", type=click.IntRange(20, 100_000), default=200, help="Worlds.")
@click.option(
    "--around",
    type=click.Choice(["prior", "posterior"]),
    default="prior",
    help="Where truths come from: the priors, or the posterior of the evidence.",
)
@click.option("--out", type=FOLDER, help="Folder.  [default: runs/calibration-NAME-HASH8]")
@click.option(
    "--evidence",
    type=FOLDER,
    help="Folder of tables that give the design.  [default: from PRIORS, else shipped]",
)
@click.option("--draws", type=STEPS, default=500, help="Draws a chain.")
@click.option("--tune", type=STEPS, default=500, help="Tuning steps a chain.")
@click.option("--chains", type=click.IntRange(1, 64), default=2, help="Chains.")
@click.option("--cores", type=click.IntRange(1), help="Fits at a time.  [default: all cores]")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler to fit on.  [default: none]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of every random number.")
@click.option("--retry", is_flag=True, help="Fit a world once more where its fit misses the rule.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print calibration.json and nothing else.")
@click.pass_context
def calibrate_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Test the inference on simulated evidence whose truth is known.

    Each of many worlds has a truth drawn from PRIORS, and evidence simulated from it with the
    works, raters and studies of the real evidence. If model, sampler and code agree, the rank of
    the truth among the draws of each fit is uniform, for every parameter and headline quantity.
    Coverage of central intervals is told with its errors. Worlds that lie in the folder are not
    made again; one that cannot be fitted is counted and told. Ends with code 3 if ranks are not
    uniform or fits missed the rule, naming them; the results are kept.

    \b
    Example:
      forecast calibrate default --simulations 50
      forecast calibrate my.toml --around posterior --out runs/calibration-mine
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.calibration import calibrate

        done = calibrate(**options)
    emit(json.dumps(done.summary, indent=2) if as_json else done.text())
    if not (done.converged and done.passed):
        ctx.exit(NOT_CONVERGED)
