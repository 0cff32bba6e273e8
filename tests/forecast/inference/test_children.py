"""Workers end with the process that started them, through real processes."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")

POOL = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from forecast.inference.children import end_with_parent

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    if sys.argv[1:]:
        pool.submit(time.sleep, 600)
    time.sleep(600)
"""

MANY = """
import os, sys, time
from pathlib import Path
from forecast.inference.parallel import map_kept

def work(item, folder):
    Path(folder, "pid").write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    map_kept({"one": 1}, sys.argv[1], work=work, shared=sys.argv[1])
"""


def alive(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pid: int) -> bool:
    """Return whether a process ends by itself within 20 seconds; end it if not."""
    end = time.monotonic() + 20
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.1)
    stays = alive(pid)
    if stays:
        os.kill(pid, signal.SIGKILL)
    return not stays


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_worker_ends_when_its_parent_is_killed(tmp_path, busy):
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    command = [sys.executable, str(script), *(["busy"] if busy else [])]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    assert alive(worker)
    parent.kill()
    parent.wait(timeout=30)
    parent.stdout.close()
    assert gone(worker)


def test_an_interrupt_of_the_parent_alone_ends_its_workers_at_once(tmp_path):
    script = tmp_path / "many.py"
    script.write_text(MANY, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)], stderr=subprocess.PIPE)
    noted, end = tmp_path / "pid", time.monotonic() + 60
    while not (noted.exists() and noted.read_text()) and time.monotonic() < end:
        time.sleep(0.1)
    worker = int(noted.read_text())
    parent.send_signal(signal.SIGINT)
    said = parent.communicate(timeout=30)[1]
    assert b"KeyboardInterrupt" in said
    assert gone(worker)
