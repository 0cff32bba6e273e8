"""One command: run every entrant, one process at a time, and write the table and its charts.

Run from the checkout, with the extra ``benchmarks`` installed, on a machine that is idle::

    python -m benchmarks.compare                 # all of it
    python -m benchmarks.compare --seeds 1 --refits 2 --only project,plain   # a rehearsal
    python -m benchmarks.compare --resume        # go on where an earlier call was stopped
    python -m benchmarks.compare --page          # the page and charts anew from results.json

Each run is a fresh process, timed from its start to its end by this one, which waits. For each seed
every entrant runs once with empty caches and once with caches that an earlier run has filled (the
first cold one, or one that does not count). Entrants take turns, and each seed begins with another,
so that a slow minute of the machine falls on all. Caches are folders of this command, never the
user's own.
"""

import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.charts import draw_charts
from benchmarks.page import write_page
from forecast.inference.identity import code_hash

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
ENTRANTS = {
    "command": "forecast",
    "project": "benchmarks.ours",
    "plain": "benchmarks.plain_pymc",
    "numpyro": "benchmarks.numpyro_port",
    "stan": "benchmarks.stan_port",
}
"""Module of each entrant, in the order of the table."""
NEEDS = {"numpyro": "numpyro", "stan": "stan"}
REFITS = {"project": 50, "plain": 2, "numpyro": 2}
"""Refits that are run; from fewer than 50 the rest is extrapolated."""
MOST_SEEDS = {"stan": 1}
"""Entrants that run fewer seeds, since one takes longer than all of the others' together."""
SHORT = ("--draws", "20", "--tune", "20")
"""Length of the runs that fill caches."""
FILLING_SEED = 999
"""Seed of the runs that only fill caches."""
LIBRARIES = ("pymc", "pytensor", "nutpie", "numba", "numpy", "arviz", "jax", "numpyro", "pystan")


class Step(NamedTuple):
    """One counted process: its kind of figure, and its options beside the seed."""

    kind: str
    entrant: str
    seed: int
    extra: tuple[str, ...] = ()


def caches(folder: Path) -> dict[str, str]:
    """Return the environment in which every cache of compiled code lies in ``folder``."""
    return {
        "FORECAST_CACHE": str(folder / "forecast"),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def run_once(entrant: str, *, cache: Path, seed: int, extra: tuple[str, ...] = ()) -> dict:
    """Run one process to its end; return its record with wall seconds, peak memory and load."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        words = [sys.executable, "-m", ENTRANTS[entrant]]
        if entrant == "command":
            words += ["run", "priors/default.toml", "--no-report", "--force", "--quiet"]
        words += ["--seed", str(seed), "--out", str(out), *extra]
        env = usual() | caches(cache)
        load, start = os.getloadavg()[0], time.perf_counter()
        with Path(folder, "log").open("w+", encoding="utf-8") as log:
            process = subprocess.Popen(words, cwd=HERE.parent, env=env, stdout=log, stderr=log)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in (0, 3):  # 3: our command's sampler did not converge
                log.seek(0)
                raise RuntimeError(f"{entrant} ended with {process.returncode}:\n{log.read()}")
        if entrant == "command":
            record = _read_run(out)
        else:
            record = json.loads(out.read_text(encoding="utf-8"))
    where = {"entrant": entrant, "seed": seed, "seconds": seconds, "load": load}
    where["cpu_seconds"] = used.ru_utime + used.ru_stime
    return where | {"peak_gb": used.ru_maxrss / 1024**2} | record


def usual() -> dict[str, str]:
    """Return the environment of every run: what an installed package has already is there.

    That is Python's bytecode (:func:`write_bytecode`), whatever this process was told of it, and
    matplotlib's list of fonts; neither is code that an entrant compiles.
    """
    shared = Path(tempfile.gettempdir()) / "mi-forecast-benchmarks"
    places = {"MPLCONFIGDIR": shared / "fonts", "PYTHONPYCACHEPREFIX": shared / "bytecode"}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    left = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return left | {name: str(place) for name, place in places.items()}


def write_bytecode() -> None:
    """Write the bytecode of the checkout and of all installed packages."""
    installed = sysconfig.get_path("purelib")
    words = [sys.executable, "-m", "compileall", "-q", "-j", "0", installed]
    words += [str(HERE.parent / name) for name in ("forecast", "models", "reports", "benchmarks")]
    subprocess.run(words, env=usual(), check=False, stdout=subprocess.DEVNULL)


def _read_run(folder: Path) -> dict[str, Any]:
    """Return the figures of a run folder, of the same parameters as the other entrants'."""
    from benchmarks.common import quality, stated_case
    from benchmarks.latents import latents
    from forecast.inference.tree import load_tree

    tree = load_tree(folder / "posterior.nc")
    stats = tree["sample_stats"]
    found = {"gradients": int(stats["n_steps"].sum())}
    found |= {"divergences": int(stats["diverging"].sum())}
    return found | quality(tree["posterior"], [x.name for x in latents(stated_case())])


def plan(given: Namespace, entrants: list[str]) -> Iterator[Step]:
    """Yield every counted process, in order; the first seed is followed by refits and counts."""
    for seed in range(given.seeds):
        turn = seed % len(entrants)
        for entrant in entrants[turn:] + entrants[:turn]:
            if seed >= MOST_SEEDS.get(entrant, given.seeds):
                continue
            if seed < given.cold:
                yield Step("cold", entrant, seed)
            yield Step("warm", entrant, seed)
        for entrant in [name for name in entrants if name in REFITS and seed == 0]:
            n = min(REFITS[entrant], given.refits)
            yield Step("refits", entrant, 1000, ("--refits", str(n)))
            yield Step("count", entrant, 0, ("--count",))


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, memory, versions and source."""
    info = Path("/proc/cpuinfo")
    models = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in models if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name in LIBRARIES if (found := _version(name))},
        "source": code_hash()[:8],
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def measure(given: Namespace) -> dict[str, Any]:
    """Run every process that is still to be run; return all records, saved after each."""
    names = given.only.split(",") if given.only else list(ENTRANTS)
    entrants = [name for name in names if name not in NEEDS or find_spec(NEEDS[name])]
    missing = [name for name in names if name not in entrants]
    results = {"machine": machine(), "missing": missing, "records": []}
    if given.resume:
        results = resumed(given.results, results)
    done = {(r["kind"], r["entrant"], r["seed"]) for r in results["records"]}
    todo = [s for s in plan(given, entrants) if (s.kind, s.entrant, s.seed) not in done]
    write_bytecode()
    length = ("--draws", str(given.draws), "--tune", str(given.tune))
    with ExitStack() as stack:
        kept = given.caches or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for i, step in enumerate(todo):
            cache = kept / step.entrant
            if step.kind != "cold" and not cache.exists():
                fill(step.entrant, cache=cache, length=length)
            options = {"seed": step.seed, "extra": (*step.extra, *length)}
            if step.kind == "cold" and cache.exists():
                with tempfile.TemporaryDirectory() as empty:
                    record = run_once(step.entrant, cache=Path(empty), **options)
            else:
                record = run_once(step.entrant, cache=cache, **options)
            results["records"].append({"kind": step.kind} | record)
            said = f"{i + 1}/{len(todo)} {step.kind} {step.entrant} seed {step.seed}"
            said = f"{said}: {record['seconds']:.1f} s, least ESS {record['min_ess']:.0f}"
            print(said, file=sys.stderr, flush=True)
            given.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return results


def fill(entrant: str, *, cache: Path, length: tuple[str, ...]) -> None:
    """Fill an entrant's caches by a run that does not count, where no cold one came before."""
    # What JAX compiles depends on the number of draws; nobody else's code does.
    usual = length if entrant == "numpyro" else SHORT
    done = run_once(entrant, cache=cache, seed=FILLING_SEED, extra=usual)
    print(f"caches of {entrant} filled: {done['seconds']:.1f} s", file=sys.stderr, flush=True)


def resumed(path: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    """Return the earlier results, refused if they are of another machine, source or version."""
    if not path.exists():
        return fresh
    found = json.loads(path.read_text(encoding="utf-8"))
    then, now = ({**x["machine"], "date": ""} for x in (found, fresh))
    if then != now:
        names = [name for name in now if then.get(name) != now[name]]
        raise SystemExit(f"{path.name}: {', '.join(names)} changed since; start without --resume")
    return found | {"missing": fresh["missing"]}


def main() -> None:
    """Measure, then write the page and its charts beside the results."""
    parser = ArgumentParser(prog="python -m benchmarks.compare")
    parser.add_argument("--seeds", type=int, default=5, help="seeds with warm caches")
    parser.add_argument("--cold", type=int, default=5, help="of these, with empty caches too")
    parser.add_argument("--refits", type=int, default=50)
    parser.add_argument("--draws", type=int, default=1000, help="less for a rehearsal")
    parser.add_argument("--tune", type=int, default=1000)
    parser.add_argument("--only", default="", help="entrants, with commas between")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--resume", action="store_true", help="keep what results.json holds")
    parser.add_argument("--caches", type=Path, help="keep warm caches here, for --resume")
    parser.add_argument("--page", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if given.page:
        results = json.loads(given.results.read_text(encoding="utf-8"))
    else:
        results = measure(given)
    draw_charts(results, given.results.parent)
    write_page(results, given.results.parent)


if __name__ == "__main__":
    main()
