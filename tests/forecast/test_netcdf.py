"""A tree written as netCDF: what xarray reads back is what was given."""

import numpy as np
import xarray as xr

from forecast.inference.tree import load_tree, netcdf_bytes, save_tree


def tree():
    """Return groups with numbers, flags, texts, attributes, and dims with and without coords."""
    x = np.arange(24.0).reshape(2, 3, 4)
    x[0, 1, 2] = np.nan
    one = xr.Dataset(
        {
            "z": (("chain", "draw", "agenda"), x.astype(np.float32), {"claims": ["C1", "C12"]}),
            "a": (("chain", "draw"), x[..., 0] > 5),
            "count": (("agenda", "bare"), np.arange(8, dtype=np.int8).reshape(4, 2)),
            "big": ((), np.uint64(2**63 + 1)),
            "word": (("agenda",), ["", "bc", "long enough", "é"]),
        },
        coords={"chain": [0, 1], "draw": [0, 1, 2], "agenda": ["a", "bc", "d", "é"]},
        attrs={"made": "é", "dims": ["chain", "draw"], "n": 3},
    )
    other = xr.Dataset({"y": (("none",), np.zeros(0))}, coords={"draw": [1, 5, 7]})
    made = xr.DataTree.from_dict({"one": one, "other": other})
    made.attrs["told"] = "x" * 100_000
    return made


def test_xarray_reads_back_values_names_order_and_attributes(tmp_path):
    path, given = tmp_path / "tree.nc", tree()
    save_tree(given, path)
    found = load_tree(path)
    assert found.attrs == given.attrs
    assert list(found.children) == ["one", "other"]
    for name in given.children:
        mine, read = (t[name].to_dataset() for t in (given, found))
        xr.testing.assert_equal(mine, read)
        assert list(read.data_vars) == list(mine.data_vars)
        for key in mine.variables:
            assert mine[key].dtype.kind in {read[key].dtype.kind, "U"}
            assert mine[key].dims == read[key].dims
    said = found["one"].attrs
    assert (said["made"], list(said["dims"]), said["n"]) == ("é", ["chain", "draw"], 3)
    assert list(found["one"]["z"].attrs["claims"]) == ["C1", "C12"]


def test_the_layout_is_that_of_xarray(tmp_path):
    """Scales, their names and those of dims without coordinates, and how a gap is marked."""
    import h5py

    given = tree()
    given["one"]["z"].attrs.pop("claims")
    found = []
    for i, content in enumerate((netcdf_bytes(given), bytes(given.to_netcdf(engine="h5netcdf")))):
        path = tmp_path / f"{i}.nc"
        path.write_bytes(content)
        with h5py.File(path) as file:
            found.append({name: layout(x) for name, x in file["one"].items()})
    assert found[0] == found[1]


def layout(x):
    """Return shape, name as a scale, scales of its dims, type and gap of a variable of a file."""
    gap = [str(v) for v in x.attrs.get("_FillValue", [])]
    scales = [[dim[key].name for key in dim] for dim in x.dims]
    return (x.shape, x.attrs.get("NAME"), scales, str(x.dtype), x.attrs.get("dtype"), gap)
