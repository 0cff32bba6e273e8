"""Progress on stderr: silent when stderr is no terminal, when quiet, and in tests."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any


class Stages:
    """Names the stage at work, with its elapsed time, and keeps the seconds of each."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._show = not quiet and sys.stderr.isatty()
        self._status: Any = None
        self._name, self._start = "", 0.0

    def __enter__(self) -> "Stages":
        if self._show:
            from rich.console import Console

            self._status = Console(stderr=True).status("starting")
            self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._status is not None:
            self._status.stop()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Run a stage under its name."""
        self._name, self._start = name, time.perf_counter()
        self.tick()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - self._start

    def tick(self) -> None:
        """Show the elapsed time of the stage."""
        if self._status is not None:
            self._status.update(f"{self._name} {time.perf_counter() - self._start:.0f} s")

    def counting(self, total: int) -> Callable[[], None]:
        """Return a tick that is called whenever one of ``total`` is done, and says how many are."""
        name, done = self._name, count(1)

        def tick() -> None:
            self._name = f"{name}: {next(done)} of {total} done,"
            self.tick()

        return tick
