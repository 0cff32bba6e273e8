"""The commands about one run: run, show, report, check."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from forecast.cli import options as opt
from forecast.cli.main import NOT_CONVERGED, WRONG_INPUT, emit


@click.command("run")
@click.argument("priors")
@opt.out("Folder of the run.  [default: runs/NAME-HASH8]")
@opt.evidence()
@opt.draws("Draws a chain.  [default: from PRIORS]")
@opt.tune("Tuning steps a chain.  [default: from PRIORS]")
@opt.chains()
@opt.cores("Processor cores.  [default: all]")
@opt.seed()
@opt.QUIET
@opt.as_json("Print headline.json and nothing else.")
@click.option("--no-report", is_flag=True, help="Leave out report.html and what only it shows.")
@click.option("--force", is_flag=True, help="Draw anew, also over a finished run.")
@opt.retry("Fit once more, tuned longer, where a fit does not converge.  [default: from PRIORS]")
@opt.BACKEND
@click.pass_context
def run_command(ctx: click.Context, /, as_json: bool, no_report: bool, **options: Any) -> None:
    """Sample, summarise, plot and report the forecast of PRIORS.

    PRIORS is a TOML file or a shipped name: default, doubter, questioner. The same priors,
    evidence, options and seed give the same folder, which is shown again when it is complete. A run
    beside it that differs only in what no evidence touches, or in the question, lends its draws.
    Ends with code 3 if the sampler did not converge; the results are kept and marked.

    \b
    Example:
      forecast run default
      forecast run my.toml --seed 7 --out runs/mine --json
    """
    with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints is no result
        from forecast.runs.run import run

        done = run(report=not no_report, **options)
    if done.already:
        click.echo(f"already computed: {done.folder}", err=True)
    elif done.draws_of:
        click.echo(f"nothing to sample: the draws are those of {done.draws_of}", err=True)
    if as_json:
        opt.print_json(done.headline)
    else:
        emit(done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)


@click.command("show")
@opt.RUN
@click.option("--work", metavar="KEY", help="Show the posterior of one work instead.")
def show_command(run: Path, work: str | None) -> None:
    """Print the finished run in the folder RUN again.

    \b
    Example:
      forecast show runs/default-1a2b3c4d
      forecast show runs/default-1a2b3c4d --work meng-2022-rome
    """
    from forecast.runs.open import show

    shown = show(run, work=work)
    emit(shown.text() if work is None else shown.work_text(work))


@click.command("report")
@opt.RUN
def report_command(run: Path) -> None:
    """Build report.html of the finished run in the folder RUN anew.

    \b
    Example:
      forecast report runs/default-1a2b3c4d
    """
    from forecast.runs.run import report

    emit(str(report(run)))


@click.command("check")
@click.argument("priors")
@opt.evidence()
@opt.draws("Draws of the prior.", default=1000)
@opt.seed()
@opt.out("Folder to write the check to.  [default: none]")
@click.option("--structure", is_flag=True, help="Of a run: answer it under other structures.")
@click.option("--tables", is_flag=True, help="Of a run: answer it without each evidence table.")
@opt.cores("Processor cores of fits.  [default: all]")
@opt.retry("Fit a variation once more, tuned longer, if it does not converge.  [default: from RUN]")
@opt.QUIET
@opt.as_json("Print everything found as JSON.")
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
    """
    from forecast.analyses.check import check

    result = check(priors, **options)
    if as_json:
        opt.print_json(result.json())
    else:
        emit(result.text())
    if not result.ok:
        ctx.exit(WRONG_INPUT)
    failed = getattr(result, "failed", ())
    if failed:
        click.echo(f"not converged: {', '.join(failed)}", err=True)
        ctx.exit(NOT_CONVERGED)
