"""The DataTree of a run: named dims and coords throughout, netCDF on disk.

Groups are those of ArviZ: ``posterior``, ``sample_stats``, ``prior``, ``predictions``,
``prior_predictions``, ``log_likelihood``, ``log_prior``, ``posterior_predictive``,
``prior_predictive``, ``observed_data`` and ``constant_data``, beside ``left_out`` and the test
quantities of the checks. ``arviz.from_netcdf`` opens the file.

Outcomes are one variable with a dim, not a variable for each: ``outcome_field``,
``outcome_by_agenda``, ``outcome_by_cohort`` and ``outcome_new_agenda``.

What a later run continues from (``posterior``, ``sample_stats``, ``left_out``) is stored to the
bit. The rest follows from it and is stored shorter: densities, draws of the prior (1000 of them,
evenly spaced) and predictions with further dims in single precision, these to 12 significant bits
(a relative error of 1.2e-4 at most, far below the sd of a draw), log likelihoods to 16.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forecast.inference.pointwise import kept_draws
from forecast.inference.sampling import Fit, flat
from models.dims import COLUMNS
from models.likelihoods import likelihoods
from models.outcomes.paths import forecast_years
from models.outcomes.relevance import cohorts
from models.priors import hyper_names, hyper_values, logpdf
from models.quantities import OUTCOMES, QUANTITIES, SCOPES, scope_of

ROWS = {
    "worker_figures": "worker_row",
    "list_counts": "list_row",
    "fte_figures": "fte_row",
    "mixed_faults": "study",
    "found_faults": "diagnosis_row",
    "use_lags": "lag_row",
    "ratings": "rating",
}
"""Dim of the rows of each observed variable."""
EVIDENCE_ROWS = {
    "worker_row": "workers",
    "list_row": "lists",
    "fte_row": "fte",
    "diagnosis_row": "diagnosis",
    "lag_row": "lags",
}
"""Evidence table of each dim whose rows bear ids, and may be padded."""
MOST_NAMED = 50_000
"""Works whose keys the tree holds; more stand in works.csv alone, in the same order."""
PRIOR_DRAWS = 1000
"""Most draws of the prior that the file holds."""
SINGLE = ("prior", "log_prior", "log_likelihood")
"""Groups stored in single precision."""
BITS = {"predictions": 12, "prior_predictions": 12, "log_likelihood": 16}
"""Significant bits of what is in single precision, by group."""
COMPRESSED = {"zlib": True, "complevel": 1, "shuffle": True}
"""Higher levels take longer and save 3% of the file."""
SMALL = 10_000
"""Numbers of a variable below which compression gains nothing."""


def make_tree(fit: Fit, prior: Mapping[str, np.ndarray], *, groups: Mapping[str, Any]) -> Any:
    """Return the whole tree of a run, in memory and in full precision.

    Parameters
    ----------
    fit
        The fit.
    prior
        Prior draws of the same variables, dims (draw, ...).
    groups
        ``posterior``, ``predictions``, ``prior_predictions``, ``log_likelihood``,
        ``posterior_predictive`` and ``prior_predictive``: arrays by name, draw axis first;
        ``more``: whole groups to add.
    """
    import xarray as xr

    dims, coords, rows, chains = variable_dims(fit), coordinates(fit), row_dims(fit), fit.chains
    stats = fit.tree["sample_stats"].to_dataset().drop_vars("divergence_message", errors="ignore")
    if fit.chosen is not None:  # sample_stats hold every draw in its order, posterior the chosen
        stats["chosen"] = (("chain", "draw"), fit.chosen.reshape(chains, -1))
    tree = {
        "posterior": dataset(groups["posterior"], dims, coords=coords, chains=chains),
        "sample_stats": stats,
        "prior": dataset(prior, dims, coords=coords),
        "predictions": predictions(groups["predictions"], coords, chains=chains),
        "prior_predictions": predictions(groups["prior_predictions"], coords),
        "log_likelihood": _log_likelihood(fit, groups["log_likelihood"], coords=coords),
        "log_prior": log_prior(fit, chains),
        "posterior_predictive": dataset(groups["posterior_predictive"], rows, coords=coords),
        "prior_predictive": dataset(groups["prior_predictive"], rows, coords=coords),
        "observed_data": _observed(fit, rows, coords=coords),
        "constant_data": _constant(fit, coords),
    }
    if fit.chosen is not None:
        tree["left_out"] = left_out(fit)
    return xr.DataTree.from_dict(tree | groups.get("more", {}))


def dataset(
    arrays: Mapping[str, np.ndarray],
    dims: Mapping[str, tuple[str, ...]],
    *,
    coords: Mapping[str, Any],
    chains: int = 1,
) -> Any:
    """Return arrays with a leading draw axis as a Dataset with dims (chain, draw, ...)."""
    import xarray as xr

    variables, used = {}, set()
    for name, values in arrays.items():
        shape = (chains, len(values) // chains, *values.shape[1:])
        kind: Any = np.int8 if values.dtype.kind == "i" and values.ndim > 2 else values.dtype
        own = dims.get(name, ())
        used |= set(own)
        variables[name] = (("chain", "draw", *own), values.reshape(shape).astype(kind, copy=False))
    n = next(iter(variables.values()))[1].shape[1]
    index = {"chain": np.arange(chains), "draw": np.arange(n)}
    return xr.Dataset(variables, index | {d: list(coords[d]) for d in sorted(used) if d in coords})


def predictions(
    arrays: Mapping[str, np.ndarray], coords: Mapping[str, Any], *, chains: int = 1
) -> Any:
    """Return quantities by draw as a Dataset: outcomes of each scope stacked into one variable.

    Arrays are by registered name (:data:`models.quantities.QUANTITIES`), dims (draw, ...); those of
    a scope that is not there are left out. What has dims beside the draw's is in single precision.
    """
    arrays = {name: x.astype(np.float32) if x.ndim > 1 else x for name, x in arrays.items()}
    alone = {name: x for name, x in arrays.items() if scope_of(name) is None}
    dims = {name: QUANTITIES[name].dims for name in alone}
    for scope, prefix in SCOPES.items():
        names = [prefix + name for name in OUTCOMES]
        if names[0] in arrays:
            alone[scope] = np.stack([arrays[name] for name in names], axis=1)
            dims[scope] = ("outcome", *QUANTITIES[names[0]].dims)
    return dataset(alone, dims, coords=coords, chains=chains)


def _log_likelihood(
    fit: Fit, arrays: Mapping[str, np.ndarray], *, coords: Mapping[str, Any]
) -> Any:
    """Return log probabilities by row; of very many rows for some draws, which ``draw`` names."""
    dims = {name: d[:1] for name, d in row_dims(fit).items()}
    data = dataset(arrays, dims, coords=coords, chains=fit.chains)
    return data.assign_coords(draw=kept_draws(fit)[: data.sizes["draw"]])


def left_out(fit: Fit) -> Any:
    """Return the draws that forecasts by others left out: with them a run has all it drew."""
    import xarray as xr

    drawn, dims = flat(fit.tree["posterior"]), variable_dims(fit)
    places = np.setdiff1d(np.arange(len(drawn["use_rate"])), np.asarray(fit.chosen))
    values = {name: (("left_out", *dims[name]), x[places]) for name, x in drawn.items()}
    return xr.Dataset(values, {"left_out": places})


def variable_dims(fit: Fit) -> dict[str, tuple[str, ...]]:
    """Return the dims of each sampled variable after the draw axis."""
    group = fit.tree["posterior"]
    return {str(name): tuple(map(str, v.dims[2:])) for name, v in group.data_vars.items()}


def row_dims(fit: Fit) -> dict[str, tuple[str, ...]]:
    """Return the dims of each observed variable."""
    names = [like.name for like in likelihoods(fit.compiled.structure)]
    return {name: (ROWS[name], "answer") if name == "ratings" else (ROWS[name],) for name in names}


def coordinates(fit: Fit) -> dict[str, Any]:
    """Return every coordinate; evidence rows bear their ids, padded ones an empty name."""
    coords: dict[str, Any] = dict(fit.compiled.structure.coords())
    evidence = fit.case.evidence
    for dim, table in EVIDENCE_ROWS.items():
        ids = evidence.ids[table]
        padding = len(evidence.arrays[table]["weight"]) - len(ids)
        coords[dim] = (*ids, *("",) * padding) if ids else ("none",)
    raters = fit.compiled.structure.raters
    columns = ("level", *COLUMNS, "capabilities_whose", "alignment_whose")
    return coords | {
        "answer": [f"{column}/{rater}" for column in columns for rater in raters],
        "forecast_year": forecast_years(fit.case.question.horizon),
        "cohort": cohorts(fit.case.asked),
        "hyperparameter": hyper_names(fit.case.by_name),
        "outcome": OUTCOMES,
    }


def log_prior(fit: Fit, chains: int) -> Any:
    """Return the log density of each sampled prior at the draws, with its block and claims."""
    priors = [prior for prior in fit.case.priors if prior.name not in fit.compiled.alone]
    densities = {
        prior.name: logpdf(prior, fit.draws[prior.name]).reshape((fit.n, -1)).sum(axis=1)
        for prior in priors
    }
    data = dataset(densities, {}, coords={}, chains=chains)
    for prior in priors:
        data[prior.name].attrs = {"block": prior.block, "claims": list(prior.claims)}
    return data


def _observed(fit: Fit, dims: Mapping[str, tuple[str, ...]], *, coords: Mapping[str, Any]) -> Any:
    import xarray as xr

    arrays = fit.case.evidence.arrays
    tables = {like.name: like.table for like in likelihoods(fit.compiled.structure)}
    used = {d for own in dims.values() for d in own}
    values = {name: (own, arrays[tables[name]]["value"]) for name, own in dims.items()}
    return xr.Dataset(values, {d: list(coords[d]) for d in sorted(used)})


def _constant(fit: Fit, coords: Mapping[str, Any]) -> Any:
    import xarray as xr

    evidence = fit.case.evidence
    data: dict[str, Any] = {"hyper": ("hyperparameter", hyper_values(fit.case.by_name))}
    for table, columns in evidence.arrays.items():
        for name, values in columns.items():
            axes = tuple(f"{table}_{i}" for i in range(values.ndim))
            data[f"{table}.{name}"] = (axes, values)
    data["row_of_work"] = ("work", evidence.row_of_work)
    labels = {"hyperparameter": list(coords["hyperparameter"])}
    if len(evidence.works) <= MOST_NAMED:  # netCDF is slow with many texts; works.csv has them
        labels["work"] = list(evidence.works)
    return xr.Dataset(data, labels)


def save_tree(tree: Any, path: Path) -> None:
    """Write a tree as netCDF 4, at the precision that this module's docstring states.

    The file is made in memory and written at once, so that a full disk is an OSError.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.write_bytes(netcdf(tree))


def netcdf(tree: Any) -> memoryview:
    """Return the content of the netCDF file of a tree; :func:`load_tree` reads it too."""
    import xarray as xr

    groups, encoding = {}, {}
    for node in tree.subtree:
        data = node.to_dataset(inherit=False)
        if node.name in ("prior", "prior_predictions"):
            n = data.sizes["draw"]
            data = data.isel(draw=np.linspace(0, n - 1, min(n, PRIOR_DRAWS)).astype(int))
        groups[node.path] = data
        encoding[node.path] = {name: _encoding(node.name, x) for name, x in data.data_vars.items()}
    return xr.DataTree.from_dict(groups).to_netcdf(engine="netcdf4", encoding=encoding)


def _encoding(group: str | None, x: Any) -> dict[str, Any]:
    """Return how a variable of a group is stored."""
    encoding: dict[str, Any] = dict(COMPRESSED) if x.size > SMALL else {}
    short = group in SINGLE and x.dtype == np.float64
    if short:
        encoding["dtype"] = np.dtype(np.float32)
    if group in BITS and (short or x.dtype == np.float32):
        encoding |= {"significant_digits": BITS[group], "quantize_mode": "BitRound"}
    return encoding


def load_tree(source: Path | bytes, groups: Iterable[str] | None = None) -> Any:
    """Read a saved tree, or some of its groups, into memory.

    Parameters
    ----------
    source
        The file, or its content.
    groups
        Names of groups; all by default.

    Raises
    ------
    OSError
        If it is no whole netCDF file, or a group is not there.
    """
    import xarray as xr

    if groups is None:
        with xr.open_datatree(source, engine="netcdf4") as tree:
            return tree.load()
    load = xr.load_dataset
    return xr.DataTree.from_dict({g: load(source, group=g, engine="netcdf4") for g in groups})
