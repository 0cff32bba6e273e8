"""A model that cannot start, a sampler that fails, and the threads it leaves."""

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from forecast.inference import sampling as failures
from forecast.inference.sampling import _wait, check_starts, extreme, failed
from models.errors import InputError
from models.priors import Prior

LAYOUT = (("beliefs_Normal", ("near", "far"), 2), ("effect_z", (), 3))


def normal(name: str, *, mu: float, sigma: float) -> Prior:
    params = (("mu", mu), ("sigma", sigma))
    return Prior(name, "Normal", params, "unit", "block", ("none",), "none", "test")


NEAR = normal("near", mu=0.3, sigma=0.5)
PRIORS = {"near": NEAR, "far": normal("far", mu=1e200, sigma=1e-9)}
MILD = {"near": NEAR, "far": normal("far", mu=1.0, sigma=1.0)}


@pytest.fixture
def model(monkeypatch):
    """A model whose value and gradient at any point are what the test says."""

    def make(value, gradient):
        monkeypatch.setattr(
            "forecast.native.program.value_and_gradient",
            lambda model, x: (value(x), np.array(gradient, dtype=float)),
        )
        return SimpleNamespace(initial_point_func=lambda seed: np.full(5, float(seed)))

    return make


def test_one_finite_start_of_fifty_is_enough(model):
    some = model(lambda x: np.nan if x[0] < 49 else -1.0, np.ones(5))
    check_starts(some, LAYOUT, priors=MILD)
    none = model(lambda x: np.nan if x[0] < 50 else -1.0, np.ones(5))
    with pytest.raises(InputError, match="no starting point has a finite log density and slope; a"):
        check_starts(none, LAYOUT, priors=MILD)


def test_a_slope_of_zero_is_refused_as_the_sampler_would_and_its_belief_named(model):
    flat = model(lambda x: -1.0, [1, 0, 1, 1, 1])
    with pytest.raises(InputError, match=r"slope; \[priors.far\] lies too far off"):
        check_starts(flat, LAYOUT, priors=MILD)
    with pytest.raises(InputError, match="slope; a prior lies"):  # an effect is no belief
        check_starts(model(lambda x: -1.0, [1, 1, 0, 1, 1]), LAYOUT, priors=MILD)


def test_priors_far_off_or_narrow_are_suspects():
    assert extreme(LAYOUT, MILD) == []
    assert extreme(LAYOUT, PRIORS) == ["far"]
    assert extreme(LAYOUT, MILD | {"near": normal("near", mu=0.3, sigma=1e-300)}) == ["near"]


def test_a_failed_start_is_the_users_fault_and_any_other_failure_a_bug():
    waited = []
    start = RuntimeError("All initialization points failed\n\nCaused by: ...")
    assert isinstance(failed(start, settle=lambda: waited.append(1)), InputError)
    other = RuntimeError("out of luck")
    assert failed(other, settle=lambda: waited.append(2)) is other
    assert waited == [1, 2]


def test_waiting_turns_a_failure_into_a_message(monkeypatch):
    monkeypatch.setattr(failures, "_settle", lambda: None)

    def wait(timeout):
        raise RuntimeError("Could not initialize state because of bad initial gradient")

    with pytest.raises(InputError, match="no starting point"):
        _wait(SimpleNamespace(wait=wait), None)


def test_failure_waits_for_the_samplers_threads(tmp_path, monkeypatch):
    names = {"1": "python", "2": "nutpie-worker-0"}
    for thread, name in names.items():
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "comm").write_text(f"{name}\n", encoding="utf-8")
    monkeypatch.setattr(failures, "THREADS", tmp_path)
    ended = threading.Timer(0.2, (tmp_path / "2" / "comm").unlink)
    begin = time.monotonic()
    ended.start()
    failures._settle()
    assert 0.2 <= time.monotonic() - begin < failures.SETTLE / 2
    monkeypatch.setattr(failures, "THREADS", tmp_path / "none")
    monkeypatch.setattr(failures, "BLIND", 0.0)
    failures._settle()


def test_the_default_names_no_suspect(default_case):
    layout = (("beliefs", tuple(default_case.by_name), len(default_case.by_name)),)
    assert extreme(layout, default_case.by_name) == []
    odd = replace(default_case.by_name["halo"], params=(("mu", 1e200), ("sigma", 1.0)))
    assert extreme(layout, default_case.by_name | {"halo": odd}) == ["halo"]
