"""Refits that are sure to be needed, at work while one thread checks, writes and draws figures.

Sampling needs no Python, so another thread costs the one that draws nothing but a core it leaves
idle. A refit follows from its Case and the fit that it starts from alone, whenever it is made.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

from threadpoolctl import threadpool_limits

from forecast.case import Case, structure_of
from forecast.engine import refit
from forecast.matching import HOPELESS
from forecast.metric import ONE_THREAD
from forecast.reweighting import log_ratio, smoothed
from forecast.sampling import Fit
from models.blocks import threads

POLL = 0.1
"""Seconds between looks at a refit that is waited for."""
Refit = Callable[[Case], Fit]


@contextmanager
def refits_ahead(
    fit: Fit, cases: Iterable[Case], *, cores: int | None, tick: Callable[[], None]
) -> Iterator[Refit]:
    """Yield what refits a Case; those of ``cases`` that weights are hopeless for are begun.

    Within, linear algebra is on one thread throughout: two threads that each set and put back the
    number for themselves would change it for one another.

    Parameters
    ----------
    fit
        Where refits start.
    cases
        Cases of the same evidence that will be asked for.
    cores
        Processor cores of a refit; with one alone nothing is begun.
    tick
        Called while a refit is waited for.
    """
    stopped = threading.Event()

    def until_stopped() -> None:
        if stopped.is_set():
            raise KeyboardInterrupt

    def begin(case: Case) -> Future[Fit]:
        return pool.submit(copy_context().run, refit, fit, case, cores=cores, tick=until_stopped)

    with threadpool_limits(**ONE_THREAD):
        pool = ThreadPoolExecutor(1)
        needed = [x for x in cases if far(fit, x)] if threads() > 1 else []
        if needed:
            _ = fit.ground  # held from here on: its many short calls would wait for figures
        begun = {case.priors: begin(case) for case in needed}

        def refitted(case: Case) -> Fit:
            if case.priors not in begun:
                return refit(fit, case, cores=cores, tick=tick)
            return _waited(begun[case.priors], tick)

        try:
            yield refitted
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


def far(fit: Fit, case: Case) -> bool:
    """Return whether neither weights nor moved draws can be tried (:mod:`forecast.matching`)."""
    if structure_of(case) != fit.compiled.structure:
        return True
    return smoothed(log_ratio(fit, case)).pareto_k > HOPELESS


def _waited(future: Future[Fit], tick: Callable[[], None]) -> Fit:
    while True:
        try:
            return future.result(timeout=POLL)
        except TimeoutError:
            if future.done():  # its own, not that of waiting
                raise
            tick()
