"""The commands on scenarios and choices: whatif, decide, value."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from forecast.cli.group import NOT_CONVERGED, emit

FOLDER = click.Path(path_type=Path)


@click.command("whatif")
@click.argument("run", type=FOLDER)
@click.option(
    "--do",
    multiple=True,
    metavar="KEY=VALUE",
    help="What is done: tracking=0.8, ratio=50, effort=2x, withhold=0.5, delay=1, share.AGENDA=2x; "
    "with @YEAR from that year on; may be given again.  [default: none]",
)
@click.option("--scenarios", type=FOLDER, help="TOML file of scenarios.  [default: none]")
@click.option(
    "--since",
    type=click.IntRange(2013, 2100),
    help="Year of what states none.  [default: the run's cohort]",
)
@click.option("--out", type=FOLDER, help="New folder for tables and figure.  [default: none]")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print whatif.json and nothing else.")
@click.pass_context
def whatif_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Answer the run in the folder RUN under interventions, beside the forecast.

    A number is set, a factor such as 2x multiplies. Several acts are shown each alone and all
    together. tracking: share of works that track a milestone. ratio: capabilities workers for each
    alignment worker. effort: interpretability workers. withhold: share of capabilities uses that
    are prevented. delay: years until others can use a work. share.AGENDA: an agenda's share of
    works (2x doubles its size). An act holds for works of its year and later; it leaves beliefs
    and the years before as they are.

    \b
    Example:
      forecast whatif runs/default-1a2b3c4d --do tracking=0.8 --do withhold=0.5@2028
      forecast whatif runs/default-1a2b3c4d --scenarios my-scenarios.toml --out whatif
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.whatif import whatif
        from forecast.folder import json_text

        done = whatif(**options)
    emit(json_text(done.summary) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)


@click.command("decide")
@click.argument("run", type=FOLDER)
@click.option(
    "--decision", type=FOLDER, help="TOML file with [decision].  [default: the run's priors file]"
)
@click.option("--out", type=FOLDER, help="New folder for tables and figure.  [default: none]")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print decide.json and nothing else.")
@click.pass_context
def decide_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Say which option of a decision pays most in expectation, by the run in the folder RUN.

    [decision] in a TOML file states options (scenarios with a cost) and what each outcome of a work
    is worth to you. Shown: expected payoffs with intervals, how likely each option is best, regret,
    and how far each payoff and cost may move before the choice changes; also what uses the bar
    leaves out, and what the choice would be at the other bar (split), by the same payoffs.

    \b
    Example:
      forecast decide runs/default-1a2b3c4d --decision my-decision.toml
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.deciding import decide
        from forecast.folder import json_text

        done = decide(**options)
    emit(json_text(done.summary) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)


@click.command("value")
@click.argument("run", type=FOLDER)
@click.option("--quantity", default="alignment_relevant", help="Whose variance, of headline.json.")
@click.option(
    "--decision", type=FOLDER, help="TOML file with [decision].  [default: the run's priors file]"
)
@click.option("--quick", is_flag=True, help="Simulate no study: blocks and beliefs alone.")
@click.option("--out", type=FOLDER, help="New folder for tables and figure.  [default: none]")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the bootstrap.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print value.json and nothing else.")
@click.pass_context
def value_command(ctx: click.Context, /, as_json: bool, **options: Any) -> None:
    """Say what knowing a belief, or having a study first, would be worth in the run RUN.

    Shown: what each block, each belief and each of six studies would take off the variance of a
    headline quantity on average, with standard errors; with [decision] also what it is worth in its
    units. Nothing is fitted.

    \b
    Example:
      forecast value runs/default-1a2b3c4d --quick
      forecast value runs/default-1a2b3c4d --decision my-decision.toml --out value
    """  # noqa: D301 (click reads the mark)
    with contextlib.redirect_stdout(sys.stderr):
        from forecast.analyses.valuing import value
        from forecast.folder import json_text

        done = value(**options)
    emit(json_text(done.summary) if as_json else done.text())
    if not done.converged:
        ctx.exit(NOT_CONVERGED)
