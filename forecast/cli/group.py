"""The group of commands: which failure ends with which exit code, and where text goes.

0 done; 1 a bug (traceback); 2 the user's input, or a place that cannot be written; 3 not
converged; 130 interrupted. click's own defaults differ.
"""

import errno
import os
import sys
from importlib import import_module
from typing import IO, Any

import click

from models.errors import InputError

WRONG_INPUT = 2
NOT_CONVERGED = 3
INTERRUPTED = 130

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
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            raise Failure(_unwritable(error)) from error


def _unwritable(error: OSError) -> str:
    place = error.filename if error.filename is not None else "the output"
    remedy = "free some space, or give another folder by --out"
    return f"{place}: found {os.strerror(error.errno or 0)}; {remedy}"


def emit(text: str) -> None:
    """Print a result on stdout; a reader that has gone away is no failure."""
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
