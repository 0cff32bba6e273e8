"""The commands that analyse forecasts; each calls the library's function of its name."""

from typing import Any

import click

from forecast.cli import options as opt
from forecast.cli.options import answer


@click.command("sensitivity")
@click.argument("priors_or_run", metavar="PRIORS_OR_RUN")
@click.option("--target", default="alignment_relevant", help="Quantity of headline.json.")
@click.option("--threshold", type=float, help="Chance of your own to reach.  [default: none]")
@click.option(
    "--quick", is_flag=True, help="Skip refits; use only exact and importance-reweighted results."
)
@opt.out("Folder.  [default: sensitivity-RUN beside the run]")
@opt.evidence("Folder of tables, for a priors file.")
@opt.cores()
@opt.seed("Seed, for a priors file.")
@opt.QUIET
@opt.as_json("Print sensitivity.json and nothing else.")
def sensitivity_command(**options: Any) -> None:
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
    """
    answer("sensitivity", **options)


@click.command("whatif")
@opt.RUN
@click.option(
    "--do",
    multiple=True,
    metavar="KEY=VALUE",
    help="What is done: tracking=0.8, ratio=50, effort=2x, withhold=0.5, delay=1, share.AGENDA=2x; "
    "with @YEAR from that year on; may be given again.  [default: none]",
)
@click.option("--scenarios", type=opt.PATH, help="TOML file of scenarios.  [default: none]")
@click.option(
    "--since",
    type=click.IntRange(2013, 2100),
    help="Year of what states none.  [default: the run's cohort]",
)
@opt.OUT_NEW
@opt.QUIET
@opt.as_json("Print whatif.json and nothing else.")
def whatif_command(**options: Any) -> None:
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
    """
    answer("whatif", **options)


@click.command("decide")
@opt.RUN
@opt.DECISION
@opt.OUT_NEW
@opt.QUIET
@opt.as_json("Print decide.json and nothing else.")
def decide_command(**options: Any) -> None:
    """Say which option of a decision pays most in expectation, by the run in the folder RUN.

    [decision] in a TOML file states options (scenarios with a cost) and what each outcome of a work
    is worth to you. Shown: expected payoffs with intervals, how likely each option is best, regret,
    and how far each payoff and cost may move before the choice changes; also what uses the bar
    leaves out, and what the choice would be at the other bar (split), by the same payoffs.

    \b
    Example:
      forecast decide runs/default-1a2b3c4d --decision my-decision.toml
    """
    answer("decide", **options)


@click.command("value")
@opt.RUN
@click.option("--quantity", default="alignment_relevant", help="Whose variance, of headline.json.")
@opt.DECISION
@click.option("--quick", is_flag=True, help="Simulate no study: blocks and beliefs alone.")
@opt.OUT_NEW
@opt.seed("Seed of the bootstrap.")
@opt.QUIET
@opt.as_json("Print value.json and nothing else.")
def value_command(**options: Any) -> None:
    """Say what knowing a belief, or having a study first, would be worth in the run RUN.

    Shown: what each block, each belief and each of six studies would take off the variance of a
    headline quantity on average, with standard errors; with [decision] also what it is worth in its
    units. Nothing is fitted.

    \b
    Example:
      forecast value runs/default-1a2b3c4d --quick
      forecast value runs/default-1a2b3c4d --decision my-decision.toml --out value
    """
    answer("value", **options)


@click.command("crux")
@click.argument("priors", nargs=-1, required=True, metavar="A B [C ...]")
@opt.out("Folder.  [default: runs/crux-A-B-HASH8]")
@click.option(
    "--evidence", type=opt.PATH, help="Folder of evidence tables for all.  [default: from A]"
)
@click.option(
    "--weight",
    multiple=True,
    metavar="NAME=NUMBER",
    help="A worldview's weight in the pooled forecasts; may be given again.  [default: equal]",
)
@click.option("--weights", type=opt.PATH, help="TOML file with [weights].  [default: none]")
@click.option("--fits", type=click.IntRange(2, 500), default=24, help="Most fits for each pair.")
@click.option("--quick", is_flag=True, help="Fit only the worldviews, no mixture of them.")
@opt.cores()
@opt.seed()
@opt.QUIET
@opt.as_json("Print crux.json and nothing else.")
def crux_command(**options: Any) -> None:
    """Say how much of the gap between worldview A and each other one every belief explains.

    Each is a priors file, a shipped name or the folder of a run; all see the same evidence. Shown:
    the gap before and after the evidence, its parts by block and by claim (Shapley values, which
    add up to it), what each would say with the other's view of one claim, what would close the gap,
    what each learned, and pooled forecasts. Fits that lie in the folder are not made again.

    \b
    Example:
      forecast crux doubter questioner
      forecast crux my.toml doubter --weight my=0.7 --weight doubter=0.3 --out runs/ours
    """
    answer("crux", **options)


@click.command("diff")
@click.argument("run1", type=opt.PATH)
@click.argument("run2", type=opt.PATH)
@opt.out("New folder for the tables.  [default: none]")
@opt.cores("Cores of a fit.  [default: all cores]")
@opt.QUIET
@opt.as_json("Print diff.json and nothing else.")
def diff_command(**options: Any) -> None:
    """Say what changed from the run in RUN1 to that in RUN2, and what each change moved.

    Compared are priors, rows of evidence, options, seed, code and versions. Each change of the
    inputs gets its part of the headline's move, as a Shapley value and as changes are made in the
    order listed; what is left is code, libraries and sampling.

    \b
    Example:
      forecast diff runs/default-1a2b3c4d runs/default-5e6f7a8b
    """
    answer("diff", **options)


@click.command("backtest")
@click.argument("priors")
@click.option(
    "--until",
    multiple=True,
    default=("2020-2025",),
    metavar="YEAR",
    help="Last year that is known: a year, or a range as 2020-2025; may be given again.",
)
@opt.out("Folder.  [default: runs/backtest-NAME-HASH8]")
@opt.evidence()
@opt.draws("Draws a chain.", default=2500)
@opt.tune("Tuning steps a chain.", default=1500)
@opt.chains()
@opt.cores()
@opt.seed()
@opt.QUIET
@opt.retry("Fit once more, tuned longer, where a fit does not converge.  [default: from PRIORS]")
@opt.BACKEND
@opt.as_json("Print backtest.json and nothing else.")
def backtest_command(**options: Any) -> None:
    """Fit what was knowable at the end of each YEAR, and score forecasts of what came later.

    Scores: log score and ranked probability score of levels, Brier score of tracking and uses, CRPS
    of figures on workers and of milestones' dates, beside simple baselines that see the same. The
    priors are today's. Fits that lie in the folder are not made again. Ends with code 3, naming the
    years, if a fit did not converge; the results are kept and marked.

    \b
    Example:
      forecast backtest default
      forecast backtest my.toml --until 2022 --until 2024-2025 --out runs/back
    """
    answer("backtest", **options)


@click.command("score")
@opt.RUN
@click.option("--evidence", type=opt.PATH, required=True, help="Tables with works new to the run.")
@opt.out("Folder for works.csv and scores.csv.  [default: none]")
@opt.seed("Seed of the resampling.")
@opt.QUIET
@opt.as_json("Print the scores as JSON and nothing else.")
def score_command(**options: Any) -> None:
    """Score the run in the folder RUN on rated works that it has not seen.

    Log score, ranked probability score and Brier score, by work and in all, beside the baselines of
    the backtest. Works that are in the run are ignored and counted.

    \b
    Example:
      forecast score runs/default-1a2b3c4d --evidence my-evidence --out scores
    """
    answer("score", **options)


@click.command("calibrate")
@click.argument("priors")
@click.option("--simulations", type=click.IntRange(20, 100_000), default=200, help="Worlds.")
@click.option(
    "--around",
    type=click.Choice(["prior", "posterior"]),
    default="prior",
    help="Where truths come from: the priors, or the posterior of the evidence.",
)
@opt.out("Folder.  [default: runs/calibration-NAME-HASH8]")
@opt.evidence("Folder of tables that give the design.")
@opt.draws("Draws a chain.", default=500)
@opt.tune("Tuning steps a chain.", default=500)
@opt.chains("Chains.", default=2)
@opt.cores()
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler to fit on.  [default: none]")
@opt.seed()
@click.option("--retry", is_flag=True, help="Fit a world once more where its fit misses the rule.")
@opt.BACKEND
@opt.QUIET
@opt.as_json("Print calibration.json and nothing else.")
def calibrate_command(**options: Any) -> None:
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
    """
    answer("calibrate", **options)
