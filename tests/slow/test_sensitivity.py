"""Reweighted bars against fits of their own: where Pareto k allows weights, they agree."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.analyses.sensitivity import baseline_of, cheap_effect, moved, refit_effect
from forecast.inference.case import with_prior
from forecast.inference.evaluate import refit
from forecast.inference.pointwise import log_likelihoods

BARS = 20


@pytest.fixture(scope="module")
def compared(fit):
    """Every so many of the reweighted bars with the largest k, beside a refit of each."""
    m = baseline_of(fit, "alignment_used", rows=log_likelihoods(fit))
    found = []
    for prior in m.case.priors:
        if prior.name not in fit.compiled.alone:
            for new in moved(prior).values():
                bar = cheap_effect(m, with_prior(m.case, new))
                if bar.how == "reweighted":
                    found.append((bar, with_prior(m.case, new)))
    some = sorted(found, key=lambda one: -one[0].pareto_k)[:: max(len(found) // BARS, 1)][:BARS]
    return [(bar, refit_effect(m, refit(fit, case), k=bar.pareto_k)) for bar, case in some]


def test_reweighted_bars_agree_with_refits(compared):
    """All within 2 combined errors, which are too wide: they take the worst parameter's draws."""
    assert len(compared) == BARS
    away = np.array([(a.shift - b.shift) / np.hypot(a.mcse, b.mcse) for a, b in compared])
    assert np.abs(away).max() <= 2, away


def test_a_converged_fit_of_another_seed_has_the_same_bars(fit):
    m = baseline_of(fit, "alignment_used", rows=log_likelihoods(fit))
    other = refit(fit, replace(fit.case, seed=fit.case.seed + 1))
    bar = refit_effect(m, other, k=float("nan"))
    assert abs(bar.shift) < 4 * bar.mcse
