"""Child processes that end when their parent does, however it ended."""

import multiprocessing
import os
import threading
from collections.abc import Iterable
from multiprocessing.process import BaseProcess


def end_with_parent() -> None:
    """Let this child process end as soon as its parent is gone; an initializer of a pool.

    A worker waits for its next task on a pipe whose other end it holds itself, so that a parent
    that was killed would leave it waiting for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def end_children(besides: Iterable[BaseProcess]) -> None:
    """End the children of this process that are at work, but for those that were there before."""
    before = set(besides)
    for child in multiprocessing.active_children():
        if child not in before:
            child.terminate()
