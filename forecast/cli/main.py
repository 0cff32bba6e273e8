"""The group of commands: which failure ends with which exit code, and where text goes.

0 done; 1 a bug (traceback); 2 the user's input, or a place that cannot be written; 3 not
converged; 130 interrupted; 128 and its number for another signal that asks to end: 143 for SIGTERM,
129 for SIGHUP. click's own defaults differ.
"""

import errno
import os
import signal
import sys
from importlib import import_module
from typing import IO, Any

import click

from models.errors import InputError

WRONG_INPUT = 2
NOT_CONVERGED = 3
INTERRUPTED = 130

_ENDING = ("SIGTERM", "SIGHUP")
"""Signals that end a command as Ctrl-C does: what was begun is cleaned up."""
_received: list[int] = []

_UNWRITABLE = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EFBIG", "ENOTDIR", "ENAMETOOLONG")
    if hasattr(errno, name)
}


class Failure(click.ClickException):
    """A message for the user and the exit code 2."""

    exit_code = WRONG_INPUT

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on stderr; several faults stand below each other."""
        lead = "Error:\n" if "\n" in self.message else "Error: "
        click.echo(lead + self.message, err=True)


class Commands(click.Group):
    """Commands whose modules load on use, so that help needs no more than click."""

    def __init__(self, *args: Any, lazy: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are used."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return the command."""
        module = self.lazy.get(cmd_name)
        return getattr(import_module(module), f"{cmd_name}_command") if module else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn its failures into our exit codes."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(interrupted())
        except OSError as error:
            raise failure(error) from error


def listen() -> None:
    """Let the signals that ask a process to end interrupt it, unless it was told to ignore them."""
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, _: Any) -> None:
    """Interrupt the command once; the same signal again must not disturb the cleaning up."""
    signal.signal(number, signal.SIG_IGN)
    _received.append(number)
    raise KeyboardInterrupt


def interrupted() -> int:
    """Return the exit code of an interrupted command: 130, or that of the signal received."""
    return 128 + _received[0] if _received else INTERRUPTED


def failure(error: OSError) -> Failure:
    """Return what to say of a place that cannot be written; raise any other error again."""
    if error.errno not in _UNWRITABLE:
        raise error
    if error.filename is None:
        _drop_stdout()
    place = error.filename2 or error.filename or "the output"  # filename2: the target of a copy
    remedy = "free some space, or give another folder by --out"
    return Failure(f"{place}: found {os.strerror(error.errno or 0)}; {remedy}")


def emit(text: str) -> None:
    """Print a result on stdout; a reader that has gone away, or never was, is no failure."""
    if sys.stdout is None:  # closed by whoever started us
        return
    try:
        click.echo(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    except OSError:
        _drop_stdout()
        raise


def _drop_stdout() -> None:
    """Let what is left in the buffer go nowhere, or Python fails again when it ends."""
    stdout = sys.__stdout__
    if stdout is not None and sys.stdout is stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())


SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}

COMMANDS = {
    "run": "forecast.cli.run",
    "check": "forecast.cli.run",
    "show": "forecast.cli.run",
    "report": "forecast.cli.run",
    "sensitivity": "forecast.cli.analyse",
    "whatif": "forecast.cli.analyse",
    "decide": "forecast.cli.analyse",
    "value": "forecast.cli.analyse",
    "crux": "forecast.cli.analyse",
    "diff": "forecast.cli.analyse",
    "backtest": "forecast.cli.analyse",
    "score": "forecast.cli.analyse",
    "calibrate": "forecast.cli.analyse",
    "ledger": "forecast.cli.data",
    "evidence": "forecast.cli.data",
    "init": "forecast.cli.data",
    "elicit": "forecast.cli.data",
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
    """


def main() -> None:
    """Run the command line as a process."""
    listen()
    try:
        cli(prog_name="forecast")
    except KeyboardInterrupt:
        sys.exit(interrupted())
    except OSError as error:  # the text of --help or --version, which click prints by itself
        unwritable = failure(error)
        unwritable.show()
        sys.exit(unwritable.exit_code)
