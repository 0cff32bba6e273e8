"""Refits begun ahead: the same draws, only where they are sure to be needed, and ended."""

import threading

import numpy as np
import pytest

from forecast.inference.evaluate import posterior, refit
from forecast.runs.variants import far, rater_cases, refits_ahead
from models.batches import limited


def quiet():
    """Do nothing while a refit is waited for."""


@pytest.fixture
def fit(default_case, fake_fits):
    return posterior(default_case)


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr("forecast.runs.variants.threads", lambda: 2)


def test_far_cases_alone_are_begun_and_give_what_a_refit_gives(fit, fake_fits, two_cores):
    cases = [fit.case, *rater_cases(fit.case)]
    needed = [case for case in cases if far(fit, case)]
    assert 0 < len(needed) < len(cases)
    with refits_ahead(fit, cases, cores=None, tick=quiet) as made:
        found = made(needed[0])
    assert fake_fits[1].priors == needed[0].priors
    assert found.draws["halo"] is made(needed[0]).draws["halo"]  # kept, not made again
    np.testing.assert_array_equal(found.draws["halo"], refit(fit, needed[0]).draws["halo"])


def test_on_one_core_nothing_is_begun(fit, fake_fits):
    with limited(1), refits_ahead(fit, rater_cases(fit.case), cores=1, tick=quiet):
        assert len(fake_fits) == 1


def test_a_fault_of_a_refit_is_raised_where_it_is_asked_for(fit, monkeypatch, two_cores):
    def fail(*args, **options):
        raise TimeoutError("a fault of its own")

    monkeypatch.setattr("forecast.runs.variants.refit", fail)
    cases = [case for case in rater_cases(fit.case) if far(fit, case)]
    with (
        pytest.raises(TimeoutError, match="of its own"),
        refits_ahead(fit, cases, cores=None, tick=quiet) as made,
    ):
        made(cases[0])


def test_an_interrupt_ends_a_refit_at_work(fit, monkeypatch, two_cores):
    """As a sampler does, the refit calls its tick until it is done: here for ever."""
    begun, ended = threading.Event(), threading.Event()

    def endless(*args, tick, **options):
        begun.set()
        try:
            while True:
                tick()
        finally:
            ended.set()

    monkeypatch.setattr("forecast.runs.variants.refit", endless)
    ahead = refits_ahead(fit, rater_cases(fit.case), cores=None, tick=quiet)
    ahead.__enter__()
    assert begun.wait(10)
    assert ahead.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is False
    assert ended.is_set()
