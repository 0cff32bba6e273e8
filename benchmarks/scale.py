"""How cost grows with works: read, build, gradient, and a whole run, each size in its own process.

    python -m benchmarks.scale 1000 10000 100000 1000000 --raters 1 --run 1000000

simulates tables (:mod:`benchmarks.simulated_tables`), measures each size and prints a table with
the exponent of the gradient's time against works, fitted by least squares on logarithms. ``--run``
names the sizes for which `forecast run --no-report` is run to its end; options that are not ours
(``--draws 250``) are passed to it.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPEATS, LEAST_S = 7, 0.1
"""Timings of a gradient, of which the least is taken, and the seconds that each lasts."""
COLUMNS = ("works", "raters", "read_s", "arrays_s", "ready_s", "rows", "room", "cells", "patterns")
TIMES = ("gradient_ms", "ratio", "memory_mb", "run_s", "run_memory_mb", "run_code")


def timed[T](call: Callable[[], T]) -> tuple[T, float]:
    """Return what a call gives, and its seconds."""
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def gradient_seconds(case: Any) -> tuple[float, float]:
    """Return the seconds until the model is ready, and of one value with its gradient."""
    from forecast.inference.sampling import compiled_model, swap
    from forecast.native.program import value_and_gradient

    compiled, ready = timed(lambda: compiled_model(case))
    model = swap(compiled, case)
    point = np.full(model.n_dim, 0.01)
    value_and_gradient(model, point)
    _, once = timed(lambda: value_and_gradient(model, point))
    n = max(1, int(LEAST_S / once))

    def many() -> None:
        for _ in range(n):
            value_and_gradient(model, point)

    return ready, min(timed(many)[1] / n for _ in range(REPEATS))


def measure(folder: str) -> dict[str, Any]:
    """Return what one size costs in this process; an empty folder means the shipped tables."""
    from forecast.inference.case import make_case
    from forecast.runs.inputs import load_inputs

    inputs, read = timed(lambda: load_inputs("default", evidence=folder or None))
    case, built = timed(lambda: make_case(*inputs))
    ready, gradient = gradient_seconds(case)
    rows = case.evidence.arrays["ratings"]
    n = len(case.evidence.ids["ratings"])
    return {
        "read_s": read,
        "arrays_s": built,
        "ready_s": ready,
        "rows": n,
        "room": len(rows["weight"]),
        "cells": len(case.evidence.arrays["cells"]["year"]),
        "patterns": len(np.unique(rows["value"][:n], axis=0)),
        "gradient_ms": 1e3 * gradient,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def apart(folder: str) -> dict[str, Any]:
    """Return :func:`measure` of another process, so that memory is of one size alone."""
    command = [sys.executable, "-m", "benchmarks.scale", "--measure", folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def whole_run(folder: Path, options: list[str]) -> dict[str, Any]:
    """Return seconds, peak memory and exit code of a whole run, and its seconds by stage."""
    out = folder.parent / f"{folder.name}-run"
    command = [sys.executable, "-m", "forecast", "run", "default", "--evidence", str(folder)]
    command += ["--no-report", "--quiet", "--out", str(out), *options]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    found: dict[str, Any] = {"run_s": time.perf_counter() - start}
    found |= {"run_memory_mb": usage.ru_maxrss / 1024}
    found["run_code"] = os.waitstatus_to_exitcode(status)
    manifest = out / "manifest.json"
    if manifest.is_file():
        found["timings_s"] = json.loads(manifest.read_text(encoding="utf-8"))["timings_s"]
        size = {file.name: file.stat().st_size for file in out.iterdir() if file.is_file()}
        found["megabytes"] = {name: round(n / 1e6, 1) for name, n in sorted(size.items())}
    return found


def exponent(works: list[int], seconds: list[float]) -> float:
    """Return the slope of log seconds against log works."""
    return float(np.polyfit(np.log(works), np.log(seconds), 1)[0])


def table(given: Namespace, folder: Path, *, options: list[str]) -> list[dict[str, Any]]:
    """Return the rows of all sizes, the default's first."""
    from benchmarks.simulated_tables import write_tables

    base = {"works": 0, "raters": 3, **apart("")}
    rows = [base | {"ratio": 1.0}]
    for works in given.works:
        place = folder / f"{works}x{given.raters}"
        write_tables(place, works, raters=given.raters, seed=given.seed)
        row = {"works": works, "raters": given.raters, **apart(str(place))}
        row["ratio"] = row["gradient_ms"] / base["gradient_ms"]
        if works in given.run:
            row |= whole_run(place, options)
        rows.append(row)
    return rows


def show(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown; works 0 are the shipped tables."""
    names = [name for name in (*COLUMNS, *TIMES) if any(name in row for row in rows)]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = (row.get(name, "") for name in names)
        told = (f"{x:.3g}" if isinstance(x, float) else str(x) for x in cells)
        lines.append("| " + " | ".join(told) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure the sizes of the command line and print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("works", type=int, nargs="*", help="numbers of works")
    parser.add_argument("--raters", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--run", type=int, action="append", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure", help="measure one folder of tables in this process")
    given, options = parser.parse_known_args()
    if given.measure is not None:
        print(json.dumps(measure(given.measure)))
        return
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        rows = table(given, Path(folder), options=options)
    print(show(rows))
    sizes = rows[1:]
    if len(sizes) > 1:
        slope = exponent([r["works"] for r in sizes], [r["gradient_ms"] for r in sizes])
        print(f"\nexponent of the gradient's time against works: {slope:.2f}")
    for row in sizes:
        if "timings_s" in row:
            print(json.dumps({k: row[k] for k in ("works", "timings_s", "megabytes")}))


if __name__ == "__main__":
    main()
