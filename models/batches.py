"""Work over draws in blocks: each stays in a processor's cache, and threads share them.

NumPy lets other threads run while it computes, so blocks of draws need no second process. The
blocks do not depend on the number of threads, and neither do the numbers.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from models.priors import Array

BLOCK = 50
"""Draws computed together: few enough to stay in a processor's cache."""
LONG = 200
"""Draws of a block whose states are summed by compiled code: calls are then what costs."""
MOST = 8
"""Threads at most: beyond these memory is what a block waits for."""


_CORES: ContextVar[int | None] = ContextVar("cores", default=None)


@contextmanager
def limited(cores: int | None) -> Iterator[None]:
    """Let blocks be shared by no more threads than ``cores``; by all cores if None."""
    before = _CORES.set(cores)
    try:
        yield
    finally:
        _CORES.reset(before)


def threads() -> int:
    """Return the number of threads that share the blocks: the cores of this process, or fewer."""
    return min(MOST, _CORES.get() or getattr(os, "process_cpu_count", os.cpu_count)() or 1)


def over_blocks[T](
    make: Callable[..., T], *groups: Mapping[str, Array], n: int, size: int = BLOCK
) -> list[T]:
    """Return what ``make`` gives of each block of draws, in order.

    Parameters
    ----------
    make
        Function of as many mappings as there are ``groups``, each cut to the block's draws.
    groups
        Arrays by name, each with a leading draw axis.
    n
        Number of draws.
    size
        Draws of a block.
    """
    cuts = [slice(start, start + size) for start in range(0, n, size)]

    def one(at: slice) -> T:
        return make(*({name: x[at] for name, x in group.items()} for group in groups))

    if len(cuts) < 2 or threads() < 2:
        return [one(at) for at in cuts]
    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(one, cuts))


def joined(parts: list[dict[str, Array]]) -> dict[str, Array]:
    """Return arrays by name from those of each block."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
