"""The DataTree of a run: named dims and coords throughout, netCDF on disk.

A DataTree written as netCDF 4, straight through h5py.

A fifth of the time of xarray, which asks for the length of each dim of each of a thousand variables
by a search of the file. The layout is that of netCDF 4: every dim is an HDF5 dimension scale,
groups and variables stand in their order, texts are of variable length.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from forecast.inference.pointwise import kept_draws
from forecast.inference.sampling import Fit, flat
from models.dims import COLUMNS
from models.likelihoods import likelihoods
from models.outcomes.paths import forecast_years
from models.outcomes.relevance import cohorts
from models.priors import hyper_names, logpdf
from models.quantities import QUANTITIES

NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."
"""What netCDF 4 calls the scale of a dim without coordinates, before its length."""
BLOCK = 2**24
"""Bytes by which the memory of a file grows."""


def netcdf_bytes(tree: Any) -> bytes:
    """Return the content of the netCDF file of a tree of numbers, truth values and texts."""
    import h5py

    options: dict[str, Any] = {"driver": "core", "backing_store": False, "block_size": BLOCK}
    with h5py.File("tree.nc", "w", track_order=True, **options) as file:
        ids = count()
        for node in tree.subtree:
            if node.path != "/":
                file.create_group(node.path, track_order=True)
            _write(file[node.path], node.to_dataset(inherit=False), ids=ids)
        file.flush()
        return bytes(file.id.get_file_image())


def _write(group: Any, data: Any, *, ids: Iterator[int]) -> None:
    """Write a Dataset into a group: its scales first, then its variables."""
    _describe(group, data.attrs)
    scales = {}
    for dim, size in data.sizes.items():
        if dim in data.variables:
            scale = _variable(group, dim, variable=data.variables[dim])
            scale.make_scale(dim)
        else:
            scale = group.create_dataset(dim, shape=(size,), dtype=">f4")
            scale.make_scale(f"{NO_VARIABLE}{size:10d}")
        scale.attrs["_Netcdf4Dimid"] = np.int32(next(ids))
        scales[dim] = scale
    for name, variable in data.variables.items():
        if name not in scales:
            made = _variable(group, name, variable=variable)
            for i, dim in enumerate(variable.dims):
                made.dims[i].attach_scale(scales[dim])


def _variable(group: Any, name: str, *, variable: Any) -> Any:
    """Write values and what is said of them; NaN stands for a number that is missing."""
    import h5py

    values, told = variable.to_numpy(), dict(variable.attrs)
    kind: Any = values.dtype
    if kind.kind in "UO":
        kind = h5py.string_dtype()
        values = values.astype(object)
    elif kind.kind == "b":
        kind, told = np.dtype(np.int8), told | {"dtype": "bool"}
    elif kind.kind == "f":
        told = told | {"_FillValue": np.full(1, np.nan, dtype=kind)}
    made = group.create_dataset(name, data=values, shape=values.shape, dtype=kind)
    _describe(made, told)
    return made


def _describe(place: Any, told: Mapping[str, Any]) -> None:
    """Write attributes; a list of texts keeps each at its own length."""
    import h5py

    for name, value in told.items():
        texts = np.ndim(value) > 0 and np.asarray(value).dtype.kind in "UO"
        kind = h5py.string_dtype() if texts else None
        place.attrs.create(name, np.asarray(value, dtype=object) if texts else value, dtype=kind)


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
MOST_NAMED = 50_000
"""Works whose keys the tree holds; more stand in works.csv alone, in the same order."""
WIDE = frozenset(QUANTITIES)
"""Quantities by agenda and year are kept in single precision; draws of parameters are not."""


def make_tree(fit: Fit, prior: dict[str, np.ndarray], *, groups: dict[str, Any]) -> Any:
    """Return the whole tree of a run.

    Parameters
    ----------
    fit
        The fit.
    prior
        Prior draws of the same variables, dims (draw, ...).
    groups
        ``predictions``, ``prior_predictions``, ``log_likelihood``, ``posterior_predictive`` and
        ``prior_predictive``: arrays by name, draw axis first; ``more``: whole groups to add.
    """
    import xarray as xr

    dims, coords = variable_dims(fit), coordinates(fit)
    chains = fit.case.sampler.chains
    rows = row_dims(fit)
    stats = fit.tree["sample_stats"].to_dataset().drop_vars("divergence_message", errors="ignore")
    if fit.chosen is not None:  # sample_stats hold every draw in its order, posterior the chosen
        stats["chosen"] = (("chain", "draw"), fit.chosen.reshape(chains, -1))
    tree = {
        "posterior": dataset(groups["posterior"], dims, coords=coords, chains=chains),
        "sample_stats": stats,
        "prior": dataset(prior, dims, coords=coords),
        "predictions": dataset(
            groups["predictions"], quantity_dims(), coords=coords, chains=chains
        ),
        "prior_predictions": dataset(groups["prior_predictions"], quantity_dims(), coords=coords),
        "log_likelihood": _log_likelihood(fit, groups["log_likelihood"], coords=coords),
        "log_prior": log_prior(fit, chains),
        "posterior_predictive": dataset(groups["posterior_predictive"], rows, coords=coords),
        "prior_predictive": dataset(groups["prior_predictive"], rows, coords=coords),
        "observed_data": _observed(fit, rows, coords=coords),
        "constant_data": _constant(fit, coords),
    }
    if fit.chosen is not None:
        tree["left_out"] = left_out(fit)
    tree |= groups.get("more", {})
    return xr.DataTree.from_dict(tree)


def _log_likelihood(fit: Fit, arrays: dict[str, np.ndarray], *, coords: dict[str, Any]) -> Any:
    """Return log probabilities by row; of very many rows some draws alone, which ``draw`` names."""
    dims = {name: d[:1] for name, d in row_dims(fit).items()}
    made = dataset(arrays, dims, coords=coords, chains=fit.chains)
    at = kept_draws(fit)[: made.sizes["draw"]]
    return made.assign_coords(draw=at)


def left_out(fit: Fit) -> Any:
    """Return the draws that forecasts by others left out: with them a run has all it drew."""
    import xarray as xr

    drawn, dims = flat(fit.tree["posterior"]), variable_dims(fit)
    place = np.setdiff1d(np.arange(len(drawn["use_rate"])), np.asarray(fit.chosen))
    values = {name: (("left_out", *dims[name]), x[place]) for name, x in drawn.items()}
    return xr.Dataset(values, {"left_out": place})


def dataset(
    arrays: dict[str, np.ndarray],
    dims: dict[str, tuple[str, ...]],
    *,
    coords: dict[str, Any],
    chains: int = 1,
) -> Any:
    """Return arrays with a leading draw axis as a Dataset with dims (chain, draw, ...)."""
    import xarray as xr

    out, used = {}, set()
    for name, values in arrays.items():
        shape = (chains, len(values) // chains, *values.shape[1:])
        kind: Any = np.float32 if name in WIDE and values.ndim > 1 else values.dtype
        kind = np.int8 if values.dtype.kind == "i" and values.ndim > 2 else kind
        own = dims.get(name, ())
        used |= set(own)
        out[name] = (("chain", "draw", *own), values.reshape(shape).astype(kind))
    n = next(iter(out.values()))[1].shape[1]
    index = {"chain": np.arange(chains), "draw": np.arange(n)}
    return xr.Dataset(out, index | {d: list(coords[d]) for d in sorted(used) if d in coords})


def variable_dims(fit: Fit) -> dict[str, tuple[str, ...]]:
    """Return the dims of each sampled variable after the draw axis."""
    group = fit.tree["posterior"]
    return {str(name): tuple(map(str, v.dims[2:])) for name, v in group.data_vars.items()}


def quantity_dims() -> dict[str, tuple[str, ...]]:
    """Return the dims of each predicted quantity after the draw axis."""
    return {name: quantity.dims for name, quantity in QUANTITIES.items()}


def row_dims(fit: Fit) -> dict[str, tuple[str, ...]]:
    """Return the dims of each observed variable."""
    names = [like.name for like in likelihoods(fit.compiled.structure)]
    return {name: (ROWS[name], "answer") if name == "ratings" else (ROWS[name],) for name in names}


def coordinates(fit: Fit) -> dict[str, Any]:
    """Return every coordinate; evidence rows bear their ids, padded ones an empty name."""
    coords: dict[str, Any] = dict(fit.compiled.structure.coords())
    ids = fit.case.evidence.ids
    for table, dim in (
        ("workers", "worker_row"),
        ("lists", "list_row"),
        ("fte", "fte_row"),
        ("diagnosis", "diagnosis_row"),
        ("lags", "lag_row"),
    ):
        spare = len(fit.case.evidence.arrays[table]["weight"]) - len(ids[table])
        coords[dim] = (*ids[table], *("",) * spare) if ids[table] else ("none",)
    raters = fit.compiled.structure.raters
    columns = ("level", *COLUMNS, "capabilities_whose", "alignment_whose")
    return coords | {
        "answer": [f"{column}/{rater}" for column in columns for rater in raters],
        "forecast_year": forecast_years(fit.case.question.horizon),
        "cohort": cohorts(fit.case.asked),
        "hyperparameter": hyper_names(fit.case.by_name),
    }


def log_prior(fit: Fit, chains: int) -> Any:
    """Return the log density of each sampled prior at the draws, with its block and claims."""
    alone = set(fit.compiled.alone)
    out = {
        prior.name: logpdf(prior, fit.draws[prior.name]).reshape((fit.n, -1)).sum(axis=1)
        for prior in fit.case.priors
        if prior.name not in alone
    }
    made = dataset(out, {}, coords={}, chains=chains)
    for prior in fit.case.priors:
        if prior.name in made:
            made[prior.name].attrs = {"block": prior.block, "claims": list(prior.claims)}
    return made


def _observed(fit: Fit, dims: dict[str, tuple[str, ...]], *, coords: dict[str, Any]) -> Any:
    import xarray as xr

    arrays = fit.case.evidence.arrays
    like = {x.name: x.table for x in likelihoods(fit.compiled.structure)}
    used = {d for own in dims.values() for d in own}
    values = {name: (own, arrays[like[name]]["value"]) for name, own in dims.items()}
    return xr.Dataset(values, {d: list(coords[d]) for d in sorted(used)})


def _constant(fit: Fit, coords: dict[str, Any]) -> Any:
    import xarray as xr

    from models.priors import hyper_values

    evidence = fit.case.evidence
    out: dict[str, Any] = {"hyper": ("hyperparameter", hyper_values(fit.case.by_name))}
    for table, columns in evidence.arrays.items():
        for name, values in columns.items():
            axes = tuple(f"{table}_{i}" for i in range(values.ndim))
            out[f"{table}.{name}"] = (axes, values)
    out["row_of_work"] = ("work", evidence.row_of_work)
    labels = {"hyperparameter": list(coords["hyperparameter"])}
    if len(evidence.works) <= MOST_NAMED:  # netCDF is slow with many texts; works.csv has them
        labels["work"] = list(evidence.works)
    return xr.Dataset(out, labels)


def save_tree(tree: Any, path: Path) -> None:
    """Write the tree as netCDF, made in memory: HDF5 crashes the process if the disk fills."""
    path.write_bytes(netcdf_bytes(tree))


def load_tree(path: Path) -> Any:
    """Read a saved tree into memory."""
    import xarray as xr

    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()
