"""Signals that end a command, through real processes."""

import os
import signal
from functools import partial

import pytest


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_interrupt_signal_ends_with_130_and_no_traceback(process_with_run):
    process = process_with_run("import time; print('up', flush=True); time.sleep(30)")
    assert process.stderr.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "Interrupted.\n")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_that_ask_to_end_clean_up_once_and_tell_their_number(name, process_with_run):
    number = getattr(signal, name)
    body = (
        "import os, time\n"
        "    try: print('up', flush=True); time.sleep(30)\n"
        f"    finally: os.kill(os.getpid(), {int(number)}); time.sleep(0.1); print('clean')"
    )
    heed = partial(signal.signal, number, signal.SIG_DFL)  # nohup ignores SIGHUP for all below it
    process = process_with_run(body, preexec_fn=heed)
    assert process.stderr.readline() == "up\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (128 + number, "", "clean\nInterrupted.\n")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_signal_that_the_process_was_started_to_ignore_stays_ignored(process_with_run):
    ignore = partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
    body = "import time; print('up', flush=True); time.sleep(1); raise KeyboardInterrupt"
    process = process_with_run(body, preexec_fn=ignore)
    assert process.stderr.readline() == "up\n"
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 130
