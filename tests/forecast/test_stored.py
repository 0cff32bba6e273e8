"""Groups of a saved tree, read by the addresses of their dims."""

import numpy as np
import pytest
import xarray as xr

from forecast.inference.tree import save_tree
from forecast.runs.load import read_groups
from models.errors import InputError


@pytest.fixture
def saved(tmp_path):
    """Two groups with coords of text and number, a dim without coords, and flags."""
    x = np.arange(24.0).reshape(2, 3, 4)
    one = xr.Dataset(
        {"x": (("chain", "draw", "agenda"), x), "odd": (("chain", "draw"), x[..., 0] > 5)},
        coords={"chain": [0, 1], "draw": [0, 1, 2], "agenda": ["a", "bc", "d", "é"]},
    )
    other = xr.Dataset({"y": (("draw", "bare"), x[0])}, coords={"draw": [1, 5, 7]})
    path = tmp_path / "posterior.nc"
    save_tree(xr.DataTree.from_dict({"one": one, "other": other}), path)
    return path, {"one": one, "other": other}


def test_groups_are_what_was_saved(saved):
    path, groups = saved
    made = read_groups(path, groups)
    for name, group in groups.items():
        xr.testing.assert_equal(made[name].to_dataset(), group)
        for key in group.variables:
            assert made[name][key].dtype.kind == group[key].dtype.kind


def test_a_damaged_file_and_a_missing_group_are_named(saved, tmp_path):
    path, _ = saved
    with pytest.raises(InputError, match="not readable"):
        read_groups(path, ["absent"])
    broken = tmp_path / "broken.nc"
    broken.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match=r"broken\.nc: not readable"):
        read_groups(broken, ["one"])
