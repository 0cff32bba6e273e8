"""The commands that score forecasts: backtest, score."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import NOT_CONVERGED, emit

FOLDER = click.Path(path_type=Path)


@click.command("backtest")
@click.argument("priors")
@click.option(
    "--until",
    multiple=True,
    default=("2020-2025",),
    metavar="YEAR",
    help="Last year that is known: a year, or a range as 2020-2025; may be given again.",
)
@click.option("--out", type=FOLDER, help="Folder.  [default: runs/backtest-NAME-HASH8]")
@click.option(
    "--evidence",
    type=FOLDER,
    help="Folder of evidence tables.  [default: from PRIORS, else shipped]",
)
@click.option("--draws", type=click.IntRange(10, 100_000), default=2500, help="Draws a chain.")
@click.option(
    "--tune", type=click.IntRange(10, 100_000), default=1500, help="Tuning steps a chain."
)
@click.option("--chains", type=click.IntRange(1, 64), help="Chains.  [default: from PRIORS]")
@click.option("--cores", type=click.IntRange(1), help="Fits at a time.  [default: all cores]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of every random number.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--retry/--no-retry",
    default=None,
    help="Fit once more, tuned longer, where a fit does not converge.  [default: from PRIORS]",
)
@click.option("--json", "as_json", is_flag=True, help="Print backtest.json and nothing else.")
@click.pass_context
def backtest_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Fit what was knowable at the end of each YEAR, and score forecasts of what came later.

    Scores: log score and ranked probability score of levels, Brier score of tracking and uses, CRPS
    of figures on workers and of milestones' dates, beside simple baselines that see the same. The
    priors are today's. Fits that lie in the folder are not made again. Ends with code 3, naming the
    years, if a fit did not converge; the results are kept and marked.

    \b
    Example:
      forecast backtest default
      forecast backtest my.toml --until 2022 --until 2024-2025 --out runs/back
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.backtesting import backtest

        done = backtest(**options)
    emit(json.dumps(done.summary, indent=2) if as_json else done.text())
    if not done.converged:
        click.echo(f"not converged: {', '.join(map(str, done.failed))}", err=True)
        ctx.exit(NOT_CONVERGED)


@click.command("score")
@click.argument("run", type=FOLDER)
@click.option("--evidence", type=FOLDER, required=True, help="Tables with works new to the run.")
@click.option("--out", type=FOLDER, help="Folder for works.csv and scores.csv.  [default: none]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the resampling.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON and nothing else.")
@click.pass_context
def score_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Score the run in the folder RUN on rated works that it has not seen.

    Log score, ranked probability score and Brier score, by work and in all, beside the baselines of
    the backtest. Works that are in the run are ignored and counted.

    \b
    Example:
      forecast score runs/default-1a2b3c4d --evidence my-evidence --out scores
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.scoring import score

        done = score(**options)
    emit(json.dumps(done.summary, indent=2) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)
