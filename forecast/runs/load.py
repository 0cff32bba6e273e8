"""A saved run as a fit: draws from the DataTree, no compilation.

Draws of a finished run that are those of another: what no likelihood touches is free.

Two runs share their draws if evidence, code, sampler options, seed and every prior that is sampled
are the same. The question, what makes a level established, and forecast-only priors may differ.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecast.inference.case import Case, digest, structure_of
from forecast.inference.diagnostics import Diagnosis, Moves
from forecast.inference.evaluate import fitted
from forecast.inference.identity import code_hash, versions
from forecast.inference.sampling import Compiled, Fit, flat
from forecast.runs.folder import read_manifest, unreadable
from models.errors import InputError
from models.parameters import SLOTS


def stored_fit(case: Case, tree: Any, *, diagnostics: dict[str, Any]) -> Fit:
    """Return the fit that a run's tree and diagnostics describe."""
    draws = flat(tree["posterior"])
    touched = {str(name) for name in tree["log_prior"].data_vars}
    alone = tuple(sorted(set(SLOTS) - touched))
    compiled = Compiled(structure_of(case), None, alone, {}, 0.0)
    names = ("parameter", "r_hat", "ess_bulk", "ess_tail")
    verdict = Diagnosis(
        converged=diagnostics["converged"],
        failures=tuple(diagnostics["failures"]),
        max_rhat=diagnostics["max_rhat"],
        min_ess_bulk=diagnostics["min_ess_bulk"],
        min_ess_tail=diagnostics["min_ess_tail"],
        moves=Moves(diagnostics["divergences"], diagnostics["bfmi"], diagnostics["leapfrog_steps"]),
        rows=tuple(tuple(row[n] for n in names) for row in diagnostics["parameters"]),
        retried=diagnostics.get("retried", ""),
    )
    stats = tree["sample_stats"]
    chosen = stats["chosen"].to_numpy().ravel() if "chosen" in stats else None
    return Fit(case, compiled, tree, draws, verdict, chosen=chosen)


def read_groups(path: Path, names: Iterable[str]) -> Any:
    """Return some groups of a saved tree: variables with dims, without attributes of theirs.

    A tenth of the time of xarray, which asks for the name of each dim of each variable by a search
    of the file; here it follows from the address of the dim's scale.

    Raises
    ------
    InputError
        If the file cannot be read, or a group is missing.
    """
    import h5py
    import xarray as xr

    try:
        with h5py.File(path) as file:
            told = {name: (_arrays(file[name]), dict(file[name].attrs)) for name in names}
            made = {name: xr.Dataset(values, attrs=more) for name, (values, more) in told.items()}
            return xr.DataTree.from_dict(made)
    except OSError as error:
        raise unreadable(path, error.strerror or "not a whole netCDF file") from None
    except KeyError as error:
        raise unreadable(path, error.args[0]) from None


def _arrays(group: Any) -> dict[str, tuple[list[str], Any]]:
    """Return dims and values of each variable of a group of a netCDF file."""
    from h5py import h5o, h5r

    names = {h5o.get_info(x.id).addr: name for name, x in group.items()}
    out: dict[str, tuple[list[str], Any]] = {}
    for name, x in group.items():
        told = dict(x.attrs)
        if told.get("NAME", b"").startswith(b"This is a netCDF dimension"):
            continue  # a dim without coordinates
        dims = [h5r.dereference(one[0], group.file.id) for one in told.get("DIMENSION_LIST", ())]
        found = [names[h5o.get_info(dim).addr] for dim in dims]
        if told.get("CLASS") == b"DIMENSION_SCALE":
            found = [name]
        values = x.asstr()[()].astype(str) if x.dtype == object else x[()]
        out[name] = found, values.astype(bool) if told.get("dtype") == "bool" else values
    return out


LOG = logging.getLogger("forecast")
DERIVED = ("worker_ratio_elasticity", "ease")
"""Draws that follow from sampled ones, and are made anew (:func:`forecast.inference.forward.with_ease`)."""


@dataclass(frozen=True)
class Drawn:
    """A finished run whose draws will do: its folder, the run that drew them, priors not drawn."""

    folder: Path
    origin: str
    alone: tuple[str, ...]


def sampled_hash(case: Case, alone: tuple[str, ...]) -> str:
    """Return the SHA-256 of all that the draws of a Case follow from.

    The priors ``alone``, which no likelihood touches, do not count.
    """
    priors = sorted((p.name, p.dist, p.params) for p in case.priors if p.name not in alone)
    options = (case.model.link, case.model.tails, case.sampler, case.seed)
    evidence = (case.evidence.key, case.evidence.kind_of)
    return digest(priors, options, evidence, code_hash(), versions())


def find_drawn(case: Case, beside: Path) -> Drawn | None:
    """Return a finished run in the folder ``beside`` that has the draws of a Case, if any."""
    for file in sorted(beside.glob("*/manifest.json")):
        try:
            made = read_manifest(file.parent) or {}
        except InputError:
            continue  # damaged; no reason to stop another run
        alone = tuple(made.get("alone", ()))
        same = bool(alone) and made.get("sampled_hash") == sampled_hash(case, alone)
        if same and made.get("complete"):
            return Drawn(file.parent, made.get("draws_of") or file.parent.name, alone)
    return None


def drawn_fit(case: Case, drawn: Drawn) -> Fit | None:
    """Return the fit of a Case from the draws of a run; None if they cannot be read."""
    try:
        tree = _sampled_tree(drawn)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        LOG.warning("%s: its draws cannot be read (%s); drawing anew", drawn.folder, error)
        return None
    compiled = Compiled(structure_of(case), None, drawn.alone, {}, 0.0)
    return fitted(case, compiled, tree=tree)


def _sampled_tree(drawn: Drawn) -> Any:
    """Read what the sampler drew, and its statistics."""
    import xarray as xr

    path = drawn.folder / "posterior.nc"
    whole = read_groups(path, ("sample_stats", "posterior"))
    stats, posterior = (whole[name].to_dataset() for name in ("sample_stats", "posterior"))
    kept = posterior.drop_vars([*drawn.alone, *DERIVED], errors="ignore")
    if "chosen" in stats:
        left = read_groups(path, ("left_out",))["left_out"]
        kept = _in_order(kept, left, chosen=stats["chosen"].to_numpy().ravel())
    stats = stats.drop_vars("chosen", errors="ignore")
    return xr.DataTree.from_dict({"posterior": kept, "sample_stats": stats})


def _in_order(kept: Any, left: Any, *, chosen: np.ndarray) -> Any:
    """Return every draw in its order, of those that forecasts by others chose and left out."""
    out = {}
    for name, values in kept.data_vars.items():
        flat = values.to_numpy().reshape(-1, *values.shape[2:])
        whole = np.empty_like(flat)
        whole[chosen] = flat
        whole[left["left_out"].to_numpy()] = left[name].to_numpy()
        out[name] = values.copy(data=whole.reshape(values.shape))
    return kept.assign(out)
