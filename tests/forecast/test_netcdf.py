"""What is written as netCDF reads back as the same tree, by xarray's own reader."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.tree import load_tree, save_tree


@pytest.fixture
def tree() -> xr.DataTree:
    """A tree with every kind of array that a run writes."""
    draws = xr.Dataset(
        {
            "level": (("chain", "draw"), np.arange(6.0).reshape(2, 3), {"claims": ["C1", "C2"]}),
            "small": (("chain", "draw", "agenda"), np.ones((2, 3, 2), dtype=np.float32)),
            "held": (("agenda",), np.array([True, False])),
            "answer": (("row",), np.array([-1, 3, 2], dtype=np.int8)),
            "row": (("chain", "row"), np.full((2, 3), np.nan)),
            "note": ((), np.array("a text")),
            "none": (("empty",), np.zeros(0)),
        },
        {"chain": [0, 1], "draw": [0, 1, 2], "agenda": ["probes", "Wörter: all"]},
        {"made_by": "a test", "block": [], "n": 3},
    )
    return xr.DataTree.from_dict(
        {"posterior": draws, "observed_data": xr.Dataset({"y": ("row", [1, 2, 3])})}
    )


def test_a_tree_reads_back_the_same(tree: xr.DataTree, tmp_path: Path) -> None:
    save_tree(tree, tmp_path / "ours.nc")
    made = load_tree(tmp_path / "ours.nc")
    with xr.open_datatree(tmp_path / "ours.nc", engine="h5netcdf") as again:
        assert set(again["posterior"].dims) == set(tree["posterior"].dims)
    bare = tree.map_over_datasets(lambda x: x.drop_attrs())
    bare.to_netcdf(tmp_path / "theirs.nc", engine="h5netcdf")
    theirs = load_tree(tmp_path / "theirs.nc")
    xr.testing.assert_equal(made, theirs)
    for name, array in theirs["posterior"].dataset.variables.items():
        assert made["posterior"].dataset.variables[name].dtype == array.dtype
    assert made["posterior"]["level"].attrs["claims"] == ["C1", "C2"]
    assert made["posterior"].attrs["made_by"] == "a test"
