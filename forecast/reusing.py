"""Draws of a finished run that are those of another: what no likelihood touches is free.

Two runs share their draws if evidence, code, sampler options, seed and every prior that is sampled
are the same. The question, what makes a level established, and forecast-only priors may differ.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecast.case import Case, digest, structure_of
from forecast.engine import fitted
from forecast.folder import read_manifest
from forecast.identity import code_hash, versions
from forecast.sampling import Compiled, Fit
from forecast.stored import read_groups
from models.errors import InputError

LOG = logging.getLogger("forecast")
DERIVED = ("worker_ratio_elasticity", "ease")
"""Draws that follow from sampled ones, and are made anew (:func:`forecast.forward.with_ease`)."""


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
