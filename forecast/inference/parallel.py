"""Many fits over the processes of this machine, or over a Dask cluster.

Each worker loads (or compiles) the model once, and runs each fit on one core. A finished fit is
written to its own file, named by the hash of all that it follows from, by the process that asked.
So a lost worker, an interrupt or a crash costs the fits at work and no other, and a second call
skips what is there. A fit follows from its Case (and the one that it starts from) alone, so
results do not depend on who made them.

The pool is that of the standard library, not joblib's: with joblib 1.6 (loky) workers outlive a
parent that was killed, and one lost worker fails the whole call, so :func:`end_with_parent` and the
loop of tries below would stay, and little would go.
"""

import json
import logging
import multiprocessing
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from forecast.inference.case import Case, digest, structure_of
from forecast.inference.children import end_children, end_with_parent
from forecast.inference.diagnostics import Diagnosis, Moves
from forecast.inference.evaluate import WARM, posterior, refit
from forecast.inference.forward import taken, with_ease
from forecast.inference.identity import code_hash, versions
from forecast.inference.sampling import Compiled, Fit, flat
from forecast.inference.tree import load_tree, netcdf
from models.batches import limited
from models.errors import InputError

STATS = ("n_steps", "diverging", "energy", "unconstrained_draw")
"""Sampler statistics that are kept."""


def fit_key(case: Case, base: Case | None = None) -> str:
    """Return the hash that names the fit of a Case, afresh or from the fit of another."""
    parts = [_parts(case), code_hash(), versions()]
    return digest(*parts, *([] if base is None else [_parts(base), sorted(WARM.items())]))


def _parts(case: Case) -> tuple[Any, ...]:
    priors = tuple((p.name, p.dist, p.params) for p in case.priors)
    rest = (case.question, case.model, case.sampler, case.seed, case.do, case.experts)
    return (priors, case.evidence.key, *rest)


def to_bytes(fit: Fit) -> bytes:
    """Return a fit as the content of its file, a netCDF tree."""
    import xarray as xr

    stats = fit.tree["sample_stats"].to_dataset()
    stats = stats[[name for name in STATS if name in stats]]
    if fit.chosen is not None:
        stats["chosen"] = (("chain", "draw"), fit.chosen.reshape(fit.chains, -1))
    groups = {"posterior": fit.tree["posterior"].to_dataset(), "sample_stats": stats}
    tree = xr.DataTree.from_dict(groups)
    verdict = {"diagnosis": asdict(fit.diagnosis), "alone": fit.compiled.alone, "soft": fit.soft}
    tree.attrs["fit"] = json.dumps(verdict)
    return bytes(netcdf(tree))


def from_bytes(content: bytes, case: Case) -> Fit:
    """Return the fit of a Case that the content of its file describes; nothing is compiled."""
    tree = load_tree(content)
    saved = json.loads(tree.attrs["fit"])
    diagnosis = saved["diagnosis"]
    rows = tuple(tuple(row) for row in diagnosis.pop("rows"))
    moves = Moves(**(diagnosis.pop("moves") | {"flags": ()}))
    failures = tuple(diagnosis.pop("failures"))
    verdict = Diagnosis(**diagnosis, rows=rows, moves=moves, failures=failures)
    compiled = Compiled(structure_of(case), None, tuple(saved["alone"]), {}, 0.0)
    draws = with_ease(flat(tree["posterior"]), case)
    soft = None if saved["soft"] is None else tuple(saved["soft"])
    fit = Fit(case, compiled, tree, draws, verdict, soft=soft)
    stats = tree["sample_stats"]
    return taken(fit, stats["chosen"].to_numpy().ravel()) if "chosen" in stats else fit


def check(content: bytes) -> None:
    """Raise an exception if the content of a file is damaged or cut short."""
    json.loads(load_tree(content).attrs["fit"])


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name without the content
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


LOG = logging.getLogger("forecast")
ADDRESS = re.compile(r"(?:(?:tcp|tls|ucx|ws|wss)://)?(?:\[[^\s\]]+\]|[^\s:/]+):\d{1,5}", re.ASCII)
"""Addresses of a Dask scheduler. Dask itself tries for a minute to reach one that is none."""
TRIES = 3
"""Times that a fit is given to local workers before it is held to be what kills them."""
LOST = (
    f"worker processes ended {TRIES} times before any fit was done; if memory is short take fewer "
    "(workers), and a script must call this under: if __name__ == '__main__':"
)
Base = tuple[Case, bytes]
Work = Callable[[Any, Any], bytes]
Done = Callable[[str, bytes], None]
Runner = Callable[..., None]
_BASES: dict[str, Fit] = {}


def fit_many(
    cases: Sequence[Case],
    folder: str | Path,
    *,
    base: Case | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    tick: Callable[[], None] | None = None,
) -> list[Fit]:
    """Fit each Case, or take its fit from the folder.

    Local processes import the script that calls this: it must do so under
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    cases
        What to fit (``fc.load_case``, ``fc.with_belief``); order is kept, equal Cases are fitted
        once.
    folder
        Where finished fits are kept, one file each.
    base
        A Case that is fitted first; the others then start among its draws
        (:func:`forecast.inference.evaluate.refit`).
    workers
        Local processes; as many as there are cores by default.
    scheduler
        Address of a Dask scheduler to use in place of local processes.
    tick
        Called whenever a fit is done.

    Raises
    ------
    InputError
        If a Case is at fault, there is no scheduler at the address, or local processes end
        time after time.
    """
    folder, start = Path(folder), None
    if base is not None:
        run = runner(1 if scheduler is None else None, scheduler)
        _fit_missing([base], folder, base=None, run=run, tick=tick)
        start = (base, (folder / f"{fit_key(base)}.nc").read_bytes())
    run = runner(workers, scheduler)
    return _fit_missing(cases, folder, base=start, run=run, tick=tick)


def _fit_missing(
    cases: Sequence[Case],
    folder: Path,
    *,
    base: Base | None,
    run: Runner,
    tick: Callable[[], None] | None,
) -> list[Fit]:
    start = None if base is None else base[0]
    names = [f"{fit_key(case, start)}.nc" for case in cases]
    items = dict(zip(names, cases, strict=True))
    drop_damaged(items, folder, check=check)
    files = map_kept(items, folder, work=fit_one, shared=base, run=run, tick=tick)
    contents = dict(zip(items, files, strict=True))
    return [from_bytes(contents[name], case) for name, case in zip(names, cases, strict=True)]


def runner(workers: int | None = None, scheduler: str | None = None) -> Runner:
    """Return what runs work: local processes, or a Dask cluster at an address.

    Raises
    ------
    InputError
        If that is no address.
    """
    if scheduler is not None and not ADDRESS.fullmatch(scheduler):
        raise InputError(f"scheduler: found {scheduler!r}; give an address as tcp://HOST:8786")

    def run(todo: Mapping[str, Any], shared: Any, *, work: Work, done: Done) -> None:
        if scheduler is not None:
            _on_cluster(todo, shared, work=work, done=done, address=scheduler)
        else:
            _on_processes(todo, shared, work=work, done=done, workers=workers)

    return run


def map_kept(
    items: Mapping[str, Any],
    folder: str | Path,
    *,
    work: Work,
    shared: Any = None,
    run: Runner | None = None,
    tick: Callable[[], None] | None = None,
) -> list[bytes]:
    """Return ``work(item, shared)`` of each item, from the file of its name if there is one.

    Parameters
    ----------
    items
        What to work on, by the name of its file in the folder; order is kept.
    folder
        Where the results are kept.
    work
        A function that other processes can import; it returns the content of a file.
    shared
        What is the same for all, sent to each process.
    run
        Of :func:`runner`; over local processes by default.
    tick
        Called whenever one is done.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    todo = {name: item for name, item in items.items() if not (folder / name).exists()}

    def done(name: str, content: bytes) -> None:
        write(folder / name, content)
        if tick is not None:
            tick()

    if todo:
        (run or runner())(todo, shared, work=work, done=done)
    return [(folder / name).read_bytes() for name in items]


def drop_damaged(names: Iterable[str], folder: Path, *, check: Callable[[bytes], object]) -> None:
    """Remove the files of these names whose content ``check`` raises an exception of."""
    for path in [folder / name for name in names if (folder / name).exists()]:
        try:
            check(path.read_bytes())
        except Exception as error:  # each reader says in its own way that it cannot
            LOG.warning("%s: damaged (%s); made anew", path, " ".join(str(error).split())[:80])
            path.unlink()


def fit_one(case: Case, base: Base | None) -> bytes:
    """Fit a Case on one core of this process; return the content of its file."""
    with limited(1):
        if base is None:
            return to_bytes(posterior(case, cores=1))
        key = fit_key(base[0])
        if key not in _BASES:
            _BASES[key] = from_bytes(base[1], base[0])
        return to_bytes(refit(_BASES[key], case, cores=1))


def _on_worker(item: Any, shared: Any, *, work: Work) -> bytes:
    """Work in a task of Dask, which needs no lock of the cluster's for a file of its own.

    Within a task xarray asks the scheduler for the lock of each file that it writes, also of one in
    memory, which the scheduler does not know by name.
    """
    import dask

    with dask.config.set(scheduler="synchronous"):
        return work(item, shared)


def _on_processes(
    todo: Mapping[str, Any], shared: Any, *, work: Work, done: Done, workers: int | None
) -> None:
    """Work in local processes; what a lost one had, and what waited, goes to new ones."""
    left, tries = dict(todo), 0
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the threads of the sampler
    while left:
        before, others = len(left), multiprocessing.active_children()
        count = min(workers or os.cpu_count() or 1, len(left))
        pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=end_with_parent)
        try:
            for name, content in _finished(pool, left, shared=shared, work=work):
                done(name, content)
                del left[name]
        except BrokenProcessPool:
            tries = tries + 1 if len(left) == before else 1
            if tries >= TRIES:
                raise InputError(LOST) from None
        except KeyboardInterrupt:  # what is half done is lost in any case
            end_children(others)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _finished(
    pool: ProcessPoolExecutor, left: Mapping[str, Any], *, shared: Any, work: Work
) -> Iterator[tuple[str, bytes]]:
    names = {pool.submit(work, item, shared): name for name, item in left.items()}
    for future in as_completed(names):
        yield names[future], future.result()


def _on_cluster(
    todo: Mapping[str, Any], shared: Any, *, work: Work, done: Done, address: str
) -> None:
    """Work on a Dask cluster, which gives the items of a lost worker to another one.

    A scheduler knows work by its key alone, whoever asked for it: keys are of this call.
    """
    distributed, call = _distributed(), uuid4().hex
    try:
        client = distributed.Client(address, set_as_default=False)
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"scheduler {address}: no scheduler there ({error})") from None
    with client:
        held = None if shared is None else client.scatter(shared, broadcast=True, hash=False)
        names = {
            client.submit(_on_worker, item, held, work=work, key=f"{call}-{name}", pure=False): name
            for name, item in todo.items()
        }
        for future in distributed.as_completed(names, loop=client.loop):  # there may be no default
            try:
                content = future.result()
            except CancelledError:
                raise InputError(
                    f"scheduler {address}: lost, or it gave up the work; what is done is kept: "
                    "start a scheduler and call again"
                ) from None
            done(names[future], content)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "scheduler: Dask is not installed; install the extra: pip install 'mi-forecast[dask]'"
        ) from None
    return distributed
