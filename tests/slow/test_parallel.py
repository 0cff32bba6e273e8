"""Many fits: the same whoever makes them, and none lost with a worker."""

import multiprocessing
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from forecast import parallel
from forecast.engine import posterior, refit

pytestmark = pytest.mark.slow
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@pytest.fixture(scope="module")
def cases(case, compiled):
    """Five short Cases that differ in their seed."""
    few = replace(case.sampler, draws=40, tune=60, chains=2)
    return [replace(case, sampler=few, seed=seed) for seed in range(5)]


@pytest.fixture(scope="module")
def alone(cases):
    """The same, one by one in this process."""
    return [posterior(case, cores=1).draws for case in cases]


def check(fits, alone):
    for fit, draws in zip(fits, alone, strict=True):
        for name, x in draws.items():
            np.testing.assert_array_equal(fit.draws[name], x)


class Killer:
    """Kills one worker, once, when the first fit is done."""

    def __init__(self, pids):
        self.pids, self.killed = pids, 0

    def __call__(self):
        if not self.killed:
            self.killed = self.pids()[0]
            os.kill(self.killed, KILL)


def test_local_processes_give_the_same_fits_and_redo_those_of_a_lost_one(cases, alone, tmp_path):
    kill = Killer(lambda: [child.pid for child in multiprocessing.active_children()])
    check(parallel.fit_many(cases, tmp_path, workers=2, tick=kill), alone)
    assert kill.killed
    assert len(list(tmp_path.iterdir())) == len(cases)


def test_a_cluster_gives_the_same_fits_and_redoes_those_of_a_lost_worker(cases, alone, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        kill = Killer(lambda: list(client.run(os.getpid).values()))
        address = cluster.scheduler_address
        check(parallel.fit_many(cases, tmp_path, scheduler=address, tick=kill), alone)
        assert kill.killed not in client.run(os.getpid).values()


def test_an_interrupt_keeps_what_is_done_and_the_next_call_skips_it(
    cases, alone, tmp_path, monkeypatch
):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parallel.fit_many(cases[:3], tmp_path, workers=1, tick=stop)
    assert len(list(tmp_path.iterdir())) == 1
    again = []
    check(
        parallel.fit_many(cases[:3], tmp_path, workers=1, tick=lambda: again.append(1)), alone[:3]
    )
    assert len(again) == 2
    monkeypatch.setattr(parallel, "_on_processes", None)
    check(parallel.fit_many(cases[:3], tmp_path), alone[:3])


def test_refits_over_processes_start_from_the_one_base(cases, tmp_path):
    base, *others = cases[:3]
    fits = parallel.fit_many(others, tmp_path, base=base, workers=2)
    start = posterior(base, cores=1)
    check(fits, [refit(start, case, cores=1).draws for case in others])
