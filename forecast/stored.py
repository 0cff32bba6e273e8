"""A saved run as a fit: draws from the DataTree, no compilation."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from forecast.case import Case, structure_of
from forecast.convergence import Diagnosis, Moves
from forecast.folder import unreadable
from forecast.sampling import Compiled, Fit, flat
from models.slots import SLOTS


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
