"""The door to compiled code: which backend compiles, what falls back, and the cache's folder."""

import ast
import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from forecast.config.load import SamplerOptions
from forecast.inference import backend
from forecast.native.program import CompilationError, UnknownOperationError, untested
from models.errors import InputError

NATIVE = Path(backend.__file__).parents[1] / "native"


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_the_native_backend_imports_nothing_of_ours():
    for path in NATIVE.glob("*.py"):
        for name in imports_of(path):
            ours = name.split(".")[0] in {"forecast", "models", "reports"}
            assert not ours or name.startswith("forecast.native."), f"{path.name}: {name}"


def case_of(stated):
    return SimpleNamespace(sampler=SamplerOptions(backend=stated))


@pytest.fixture
def failing(monkeypatch):
    """Let the native backend fail with an error, and the stock one answer."""

    def fail(error):
        def native(*_):
            raise error

        monkeypatch.setattr(backend, "_native", native)
        monkeypatch.setattr(backend, "_stock", lambda *_: "stock")

    return fail


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnknownOperationError("the native backend knows no SortOp"), "knows no SortOp"),
        (CompilationError("compiling failed:\nTraceback\nKeyError: 3\n"), "KeyError: 3"),
    ],
)
def test_auto_falls_back_with_one_line(error, reason, failing, caplog):
    failing(error)
    assert backend.compile(case_of("auto"), None, {}) == "stock"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("using nutpie's stock backend, which is slower: ")
    assert record.getMessage().endswith(reason)


def test_auto_falls_back_for_a_release_that_was_not_tested(failing, monkeypatch, caplog):
    failing(AssertionError("not tried"))
    monkeypatch.setattr(
        "forecast.native.program.version", lambda name: "9.1" if name == "numba" else "0.0"
    )
    monkeypatch.setattr("forecast.native.program.TESTED", {"numba": ((0, 68), (0, 69))})
    assert backend.compile(case_of("auto"), None, {}) == "stock"
    assert "numba 9.1 was not tested" in caplog.text


def test_the_installed_releases_are_tested():
    assert untested() is None


def test_native_names_the_operation_and_the_remedy(failing):
    failing(UnknownOperationError("the native backend knows no SortOp"))
    with pytest.raises(InputError, match=r"--backend native: .* SortOp; use --backend stock"):
        backend.compile(case_of("native"), None, {})


def test_native_keeps_the_traceback_of_any_other_failure(failing):
    failing(CompilationError("KeyError: 3"))
    with pytest.raises(CompilationError):
        backend.compile(case_of("native"), None, {})


def test_only_the_stock_backend_makes_another_run():
    auto, native, stock = (repr(SamplerOptions(backend=b)) for b in backend.BACKENDS)
    assert auto == native != stock


def test_a_home_that_is_not_there_keeps_nothing_and_stops_nothing(monkeypatch, caplog):
    monkeypatch.setenv("FORECAST_CACHE", "~nobody-of-this-name/x")
    assert backend.cache_folder().is_dir()
    assert "compiled models are not kept" in caplog.text


def test_a_cache_folder_that_others_can_write_is_not_used(tmp_path, monkeypatch, caplog):
    tmp_path.chmod(0o770)
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path))
    assert backend.cache_folder() != tmp_path
    assert f"others can write to {tmp_path}; run chmod go-w on it" in caplog.text


def test_no_place_for_temporary_files_is_an_input_error(monkeypatch):
    def full(prefix):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    backend._temporary.cache_clear()
    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(InputError, match=r"no place for temporary files .* free some space"):
        backend._temporary()


def normal_model(n):
    """nutpie's model of independent normals, as the stock backend compiles it."""
    import nutpie
    import pymc as pm

    with pm.Model() as model:
        pm.Normal("x", np.arange(n), 2.0, shape=n)
    return nutpie.compile_pymc_model(model)


@pytest.mark.slow
def test_a_metric_around_the_stock_callbacks_changes_coordinates_alone():
    from forecast.native.program import expanded, values_and_gradients

    rng, model = np.random.default_rng(3), normal_model(4)
    centre, scale = rng.normal(size=4), np.tril(rng.normal(size=(4, 4)))
    moved = backend.with_metric(model, centre, scale)
    z = rng.normal(size=(3, 4))
    x = centre + z @ scale.T
    values, gradients = values_and_gradients(moved, z)
    plain, slopes = values_and_gradients(model, x)
    np.testing.assert_allclose(values, plain, rtol=1e-12)
    np.testing.assert_allclose(gradients, slopes @ scale, rtol=1e-12)
    np.testing.assert_allclose(expanded(moved, z, names=["x"])["x"], x, rtol=1e-12)
