"""A DataTree as the content of a netCDF-4 file, which is HDF5 with shared axes.

xarray's own writer takes most of its time to ask the file again and again for the length of each
axis, seven seconds of a run of some 900 small arrays. Here each group's axes are made once, as
HDF5's dimension scales, and each array is written and tied to them. xarray encodes what HDF5 does
not know (truth values, say), so that it reads back the same tree. Format: NetCDF-4 File Format
(Unidata), section "Dimensions"; the file lies in memory, as HDF5 crashes the process if a disk
fills.
"""

from typing import Any

import numpy as np

BARE = "This is a netCDF dimension but not a netCDF variable. "
"""Name that netCDF gives the scale of a dimension without coordinate, before its length."""
CLASH = "_nc4_non_coord_"
"""What netCDF puts before the name of a variable that is named like a dimension it lacks."""


def content_of(tree: Any) -> bytes:
    """Return the content of the netCDF-4 file that holds a DataTree."""
    import h5py

    with h5py.File("tree.nc", "w", driver="core", backing_store=False, track_order=True) as file:
        for node in tree.subtree:
            made = file.require_group(node.path) if node.path == "/" else _group(file, node.path)
            _write(made, node.to_dataset(inherit=False))
        file.flush()
        return bytes(file.id.get_file_image())


def _group(file: Any, path: str) -> Any:
    return file.create_group(path, track_order=True)  # netCDF asks for the order of creation


def _write(group: Any, dataset: Any) -> None:
    """Write one group: first the axes, then all that lies on them."""
    import h5py
    from xarray.conventions import cf_encoder, encode_dataset_coordinates

    variables, attrs = cf_encoder(*encode_dataset_coordinates(dataset))
    _tell(group, attrs)
    scales = {
        dim: _scale(group, str(dim), size=size, at=variables.get(dim), number=i)
        for i, (dim, size) in enumerate(dataset.sizes.items())
    }
    for name, variable in variables.items():
        if variable.dims == (name,):
            continue
        made = _array(group, f"{CLASH}{name}" if name in scales else str(name), variable)
        for axis, dim in enumerate(variable.dims):
            h5py.h5ds.attach_scale(made.id, scales[dim].id, axis)


def _scale(group: Any, name: str, *, size: int, at: Any, number: int) -> Any:
    """Return the scale of a dimension: its coordinate, or an empty array of its length."""
    if at is not None and at.dims == (name,):
        made, title = _array(group, name, at), name
    else:
        made, title = group.create_dataset(name, (size,), dtype=">f4"), f"{BARE}{size:10d}"
    made.make_scale(title)
    made.attrs["_Netcdf4Dimid"] = np.int32(number)
    return made


def _array(group: Any, name: str, variable: Any) -> Any:
    """Write the values of one variable; text as strings of any length."""
    import h5py

    values = np.asarray(variable.values)
    if values.dtype.kind in "UOT":
        made = group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        made = group.create_dataset(name, data=values)
    _tell(made, {key: x for key, x in variable.attrs.items() if key != "_FillValue"})
    return made


def _tell(place: Any, attrs: Any) -> None:
    """Write attributes; several texts as an array of them."""
    for key, value in attrs.items():
        several = isinstance(value, list | tuple)
        text = several and any(isinstance(x, str) for x in value)
        place.attrs[key] = np.array(value, dtype=object) if text else value
