"""Fits on disk: named by what they follow from, and read back as they were."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.inference import parallel
from forecast.inference.evaluate import answer, posterior
from forecast.inference.parallel import check, fit_key, from_bytes, to_bytes, write
from models.errors import InputError
from tests.forecast.test_engine import moved


def test_the_name_of_a_fit_follows_from_all_that_makes_it(default_case):
    base = fit_key(default_case)
    assert fit_key(replace(default_case)) == base
    others = [
        replace(default_case, seed=1),
        replace(default_case, experts=()),
        moved(default_case, "ease", mu=0.3),
        replace(default_case, sampler=replace(default_case.sampler, draws=41)),
    ]
    names = {fit_key(case) for case in others} | {fit_key(default_case, others[0]), base}
    assert len(names) == 6


def test_a_fit_is_read_back_as_it_was(default_case, fake_fits):
    fit = posterior(default_case)
    again = from_bytes(to_bytes(fit), default_case)
    np.testing.assert_array_equal(again.chosen, fit.chosen)
    assert (again.diagnosis, again.soft) == (fit.diagnosis, fit.soft)
    before, after = answer(fit, default_case), answer(again, default_case)
    for name, x in before.items():
        np.testing.assert_array_equal(after[name], x)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    write(tmp_path / "a.nc", b"whole")
    assert (tmp_path / "a.nc").read_bytes() == b"whole"

    def fail(descriptor, mode):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fdopen", fail)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "b.nc", b"half")
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]


def test_a_damaged_file_is_made_anew(default_case, fake_fits, tmp_path, caplog):
    whole = to_bytes(posterior(default_case))
    made = []

    def run(todo, shared, *, work, done):
        for name in todo:
            made.append(name)
            done(name, whole)

    for name, content in {
        "a": whole,
        "b": whole[: len(whole) // 2],
        "c": b"",
        "d": b"PK" + whole,
    }.items():
        (tmp_path / name).write_bytes(content)
    items = dict.fromkeys("abcde", 0)
    parallel.drop_damaged(items, tmp_path, check=check)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    found = parallel.map_kept(items, tmp_path, work=fit_key, run=run)
    assert made == ["b", "c", "d", "e"]
    assert found == [whole] * 5
    assert "damaged" in caplog.text


@pytest.mark.parametrize(
    "address", ["", "foo", "tcp://127.0.0.1", "tcp://127.0.0.1:abc", "http://127.0.0.1:1", "a b:1"]
)
def test_what_is_no_address_is_refused_at_once(address):
    with pytest.raises(InputError, match="give an address as tcp://HOST:8786"):
        parallel.runner(scheduler=address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "node-3:8786", "tls://[::1]:8786"])
def test_an_address_is_taken(address):
    assert callable(parallel.runner(scheduler=address))


def test_no_scheduler_is_the_users_fault(default_case, tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="no scheduler there"):
        parallel.fit_many([default_case], tmp_path, scheduler="tcp://127.0.0.1:1")
