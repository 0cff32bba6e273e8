"""The command line: each command parses, calls one library function and prints its result."""

import sys

import click

from forecast.cli.group import Commands, failure, interrupted, listen

SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}

COMMANDS = {
    "run": "forecast.cli.running",
    "check": "forecast.cli.checking",
    "show": "forecast.cli.running",
    "report": "forecast.cli.running",
    "sensitivity": "forecast.cli.asking",
    "whatif": "forecast.cli.deciding",
    "decide": "forecast.cli.deciding",
    "value": "forecast.cli.deciding",
    "crux": "forecast.cli.disagreeing",
    "diff": "forecast.cli.disagreeing",
    "backtest": "forecast.cli.scoring",
    "score": "forecast.cli.scoring",
    "calibrate": "forecast.cli.calibrating",
    "ledger": "forecast.cli.ledger",
    "evidence": "forecast.cli.evidence",
    "init": "forecast.cli.working",
    "elicit": "forecast.cli.working",
}
"""Every command and the module that holds ``NAME_command``; a command is here once it works."""


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        import forecast

        click.echo(f"forecast {forecast.__version__}")
        ctx.exit()


@click.group(cls=Commands, lazy=COMMANDS, context_settings=SETTINGS)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def cli() -> None:
    """Forecast whether mechanistic-interpretability work ends up alignment-relevant.

    \b
    Example:
      forecast run default
      forecast show runs/default-1a2b3c4d
    """  # noqa: D301 (click reads the mark)


def main() -> None:
    """Run the command line as a process."""
    listen()
    try:
        cli(prog_name="forecast")
    except KeyboardInterrupt:
        sys.exit(interrupted())
    except OSError as error:  # the text of --help or --version, which click prints by itself
        told = failure(error)
        told.show()
        sys.exit(told.exit_code)
