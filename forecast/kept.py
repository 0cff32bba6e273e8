"""One file per finished fit, named by the hash of all that it follows from."""

import json
import os
import tempfile
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

from forecast.case import Case, digest, structure_of
from forecast.convergence import Diagnosis, Moves
from forecast.engine import WARM
from forecast.forward import taken, with_ease
from forecast.identity import code_hash, versions
from forecast.sampling import Compiled, Fit, flat
from forecast.tree import load_tree, save_tree

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
    """Return a fit as the content of its file."""
    import xarray as xr

    stats = fit.tree["sample_stats"].to_dataset()
    told = {"diagnosis": asdict(fit.diagnosis), "alone": fit.compiled.alone, "soft": fit.soft}
    kept = stats[[name for name in STATS if name in stats]]
    if fit.chosen is not None:
        kept["chosen"] = (("chain", "draw"), fit.chosen.reshape(fit.chains, -1))
    groups = {"posterior": fit.tree["posterior"].to_dataset(), "sample_stats": kept}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["told"] = json.dumps(told)
    with tempfile.TemporaryDirectory(prefix="mi-forecast-") as folder:
        path = Path(folder) / "fit.nc"
        save_tree(tree, path)
        return path.read_bytes()


def from_bytes(content: bytes, case: Case) -> Fit:
    """Return the fit of a Case that the content of its file describes; nothing is compiled."""
    with tempfile.TemporaryDirectory(prefix="mi-forecast-") as folder:
        path = Path(folder) / "fit.nc"
        path.write_bytes(content)
        tree = load_tree(path)
    told = json.loads(tree.attrs["told"])
    found = told["diagnosis"]
    rows = tuple(tuple(row) for row in found.pop("rows"))
    moves = Moves(**(found.pop("moves") | {"flags": ()}))
    failures = tuple(found.pop("failures"))
    verdict = Diagnosis(**found, rows=rows, moves=moves, failures=failures)
    compiled = Compiled(structure_of(case), None, tuple(told["alone"]), {}, 0.0)
    draws = with_ease(flat(tree["posterior"]), case)
    soft = None if told["soft"] is None else tuple(told["soft"])
    fit = Fit(case, compiled, tree, draws, verdict, soft=soft)
    stats = tree["sample_stats"]
    return taken(fit, stats["chosen"].to_numpy().ravel()) if "chosen" in stats else fit


def check(content: bytes) -> None:
    """Raise an exception if the content of a file is damaged or cut short; draws are not read."""
    import h5py

    with h5py.File(BytesIO(content), "r") as file:
        json.loads(file.attrs["told"])


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
