"""The whole model on one screen: sub-models, evidence, and which priors a likelihood touches."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pymc as pm
from pymc.model.transform.basic import prune_vars_detached_from_observed

from models import likelihoods as observe
from models.components import faults, maturity, output, spillover, tracking, workers
from models.dims import Structure
from models.parameters import SLOTS
from models.priors import Prior, add, add_grouped, hyper_names, hyper_values
from models.ratings import formula as ratings

Arrays = Mapping[str, Mapping[str, np.ndarray]]


def build(
    priors: Mapping[str, Prior],
    arrays: Arrays,
    *,
    structure: Structure,
    grouped: Collection[str] = (),
) -> pm.Model:
    """Return the model of everything that is believed and observed.

    Parameters
    ----------
    priors
        One prior for each slot of :mod:`models.parameters`.
    arrays
        Evidence arrays, ``arrays[table][name]``, of the capacities of ``structure``.
    structure
        Families, options and coordinates: what forces a compilation.
    grouped
        Scalar priors to add as one vector per family: same density, smaller graph.
    """
    whole = observe.with_order(arrays)
    coords = structure.coords() | {"hyperparameter": hyper_names(priors)}
    with pm.Model(coords=coords, check_bounds=False) as model:
        _fixed("hyper", hyper_values(priors), dims="hyperparameter")
        add_grouped(grouped, priors)
        data = {table: _data(table, columns) for table, columns in whole.items()}
        parts = {
            "workers": workers.add_workers(priors),
            "output": output.add_output(priors),
            "maturity": maturity.add_maturity(priors, structure.family_of, tails=structure.tails),
            "tracking": tracking.add_tracking(priors, structure.tails),
            "faults": faults.add_faults(priors),
            "spillover": spillover.add_spillover(priors),
            "raters": ratings.add_raters(priors),
        }
        observe.add_evidence(parts, data, structure=structure)
        for name in sorted(set(SLOTS) - {*model.named_vars, *spillover.EASE}):
            add(name, priors)  # beliefs about the forecast alone
    return model


def split(model: pm.Model) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the scalar priors that a likelihood touches, and those that none does.

    Which kind a prior is follows from the graph: the second are no ancestors of evidence.
    """
    touched = {rv.name for rv in prune_vars_detached_from_observed(model).free_RVs}
    stated = [rv for rv in model.free_RVs if rv.name in SLOTS]
    scalars = (rv.name for rv in stated if rv.name in touched and rv.ndim == 0)
    alone = (rv.name for rv in stated if rv.name not in touched)
    return tuple(sorted(scalars)), tuple(sorted(alone))


def build_sampled(
    priors: Mapping[str, Prior], arrays: Arrays, *, structure: Structure
) -> tuple[pm.Model, tuple[str, ...]]:
    """Return the model that is sampled, and the names of the forecast-only priors left out."""
    scalars, alone = split(build(priors, arrays, structure=structure))
    model = build(priors, arrays, structure=structure, grouped=scalars)
    return prune_vars_detached_from_observed(model), alone


def _data(table: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _fixed(f"{table}.{name}", values) for name, values in columns.items()}


def _fixed(name: str, values: Any, *, dims: Any = None) -> Any:
    """Return data whose shape is part of its type, so that the whole graph has static shapes."""
    return pm.Data(name, values, dims=dims, shape=np.shape(values))
