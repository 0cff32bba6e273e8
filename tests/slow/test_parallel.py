"""Many fits: the same whoever makes them, and none lost with a worker."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecast.inference import parallel
from forecast.inference.evaluate import posterior, refit
from models.errors import InputError

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
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        kill = Killer(lambda: list(client.run(os.getpid).values()))
        address = cluster.scheduler_address
        check(parallel.fit_many(cases, tmp_path, scheduler=address, tick=kill), alone)
        assert kill.killed not in client.run(os.getpid).values()


def work(item, shared):
    """Work of the tests below: what it gives says who asked for it."""
    if item == "wait":
        time.sleep(60.0)
    time.sleep(0.3)
    return f"{shared}-{item}".encode()


@pytest.fixture
def cluster():
    """A scheduler and a worker in this process, without a client that is the default."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=None
    ) as made:
        yield made


def test_two_calls_on_one_scheduler_do_not_get_each_others_results(cluster, tmp_path):
    run = parallel.runner(scheduler=cluster.scheduler_address)
    items = {"0": 0, "1": 1}

    def call(who):
        return parallel.map_kept(items, tmp_path / who, work=work, shared=who, run=run)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(call, "AB"))
    assert found == [[b"A-0", b"A-1"], [b"B-0", b"B-1"]]


def test_a_lost_scheduler_is_told_and_what_is_done_is_kept(tmp_path):
    pytest.importorskip("distributed")
    file, root = tmp_path / "scheduler.json", Path(__file__).parents[2]
    env = os.environ | {"PYTHONPATH": str(root)}  # the worker imports this module

    def start(*words):
        command = [sys.executable, "-m", *words, "--scheduler-file", str(file), "--no-dashboard"]
        return subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.DEVNULL)

    scheduler = start("distributed.cli.dask_scheduler", "--port", "0")
    worker = start("distributed.cli.dask_worker", "--nthreads", "2", "--no-nanny")
    try:
        deadline = time.monotonic() + 60.0
        while not (file.exists() and file.read_text().endswith("}")):  # written to its end
            assert time.monotonic() < deadline
            time.sleep(0.1)
        run = parallel.runner(scheduler=json.loads(file.read_text())["address"])
        items = {"first": 0, "second": "wait"}
        how = {"shared": "A", "run": run, "tick": scheduler.kill}
        with pytest.raises(InputError, match="lost"):
            parallel.map_kept(items, tmp_path / "kept", work=work, **how)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["first"]


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
