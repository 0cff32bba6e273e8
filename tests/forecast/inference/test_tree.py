"""A tree written as netCDF: what is read back is what was given, at the precision stated."""

import numpy as np
import pytest
import xarray as xr

from forecast.inference.tree import PRIOR_DRAWS, load_tree, netcdf, predictions, save_tree
from models.quantities import OUTCOMES, QUANTITIES, SCOPES


@pytest.fixture
def tree():
    """Groups with numbers, flags, texts, attributes, and dims with and without coords."""
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
    return xr.DataTree.from_dict({"one": one, "other": other})


def test_values_names_order_and_attributes_are_read_back(tree, tmp_path):
    path = tmp_path / "tree.nc"
    save_tree(tree, path)
    for saved in (load_tree(path), load_tree(path, ["one", "other"]), load_tree(netcdf(tree))):
        assert list(saved.children) == ["one", "other"]
        for name in tree.children:
            before, after = (x[name].to_dataset() for x in (tree, saved))
            xr.testing.assert_equal(before, after)
            assert list(after.data_vars) == list(before.data_vars)
            for key in before.variables:
                assert before[key].dtype.kind in {after[key].dtype.kind, "U"}
        attrs = saved["one"].attrs
        assert (attrs["made"], list(attrs["dims"]), attrs["n"]) == ("é", ["chain", "draw"], 3)
        assert list(saved["one"]["z"].attrs["claims"]) == ["C1", "C12"]


def test_what_is_no_whole_file_is_an_error_of_the_disk(tree, tmp_path):
    path = tmp_path / "tree.nc"
    path.write_bytes(bytes(netcdf(tree))[:300])
    for groups in (None, ["one"], ["absent"]):
        with pytest.raises(OSError, match=r"NetCDF|group"):
            load_tree(path, groups)


def test_outcomes_are_one_variable_of_each_scope():
    rng, coords = np.random.default_rng(0), {"agenda": ["a", "b"], "outcome": OUTCOMES}
    sizes = {"agenda": 2, "cohort": 5}
    draws = {
        prefix + name: rng.random((6, *(sizes[d] for d in QUANTITIES[prefix + name].dims)))
        for prefix in SCOPES.values()
        for name in OUTCOMES
    }
    data = predictions(draws | {"path_count": rng.random(6)}, coords, chains=2)
    assert set(data.data_vars) == {*SCOPES, "path_count"}
    field, both = (
        data["outcome_field"].sel(outcome="both"),
        data["outcome_by_agenda"].sel(outcome="both"),
    )
    np.testing.assert_array_equal(field.to_numpy().ravel(), draws["both"])
    np.testing.assert_allclose(both.to_numpy().reshape(6, 2), draws["agenda_both"], rtol=1e-7)
    assert both.dims == ("chain", "draw", "agenda")


def test_predictions_keep_12_bits_and_the_prior_some_of_its_draws():
    x = np.random.default_rng(0).lognormal(size=(1, 5000, 3))
    coords = {"chain": [0], "draw": np.arange(5000)}
    wide = xr.Dataset({"x": (("chain", "draw", "k"), x.astype(np.float32))}, coords)
    narrow = xr.Dataset({"y": (("chain", "draw"), x[..., 0])}, coords)
    groups = {"posterior": narrow, "predictions": wide, "prior": narrow, "prior_predictions": wide}
    tree = xr.DataTree.from_dict(groups)
    content = netcdf(tree)
    saved = load_tree(content)
    np.testing.assert_allclose(saved["predictions"]["x"], x, rtol=2.0**-12)
    np.testing.assert_array_equal(saved["posterior"]["y"], x[..., 0])
    np.testing.assert_allclose(saved["prior"]["y"][0, -1], x[0, -1, 0], rtol=1e-7)
    assert saved["prior"].sizes["draw"] == saved["prior_predictions"].sizes["draw"] == PRIOR_DRAWS
    assert tree["prior"].sizes["draw"] == 5000  # the tree in memory stays whole
