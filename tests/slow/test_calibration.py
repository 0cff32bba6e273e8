"""Likelihoods that are wrong on purpose, in the whole model: calibration must catch them."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from forecast.analyses import worlds
from forecast.analyses.uniformity import verdicts
from forecast.case import with_prior
from forecast.engine import posterior
from forecast.simulating import simulated_case

WORLDS = 60


def sign_turned(case, i):
    """Evidence simulated with the sign of ease turned: what is easy for one side is hard for it."""
    world = worlds.prior_world(case, i)
    turned = world.truth["use_ratio"] - 2.0 * world.truth["ease"]
    told = world.truth | {"ease": -world.truth["ease"], "use_ratio": turned}
    return world, simulated_case(replace(case, experts=()), told, seed=world.case.seed)


def raters_apart(case, i):
    """Raters who share a reading, fitted as if each read by himself: no shared error."""
    world = worlds.prior_world(case, i)
    fitted = world.case
    for name, values in {
        "shared_level_scale": {"mu": -3.0, "sigma": 0.1},
        "shared_level_slip": {"alpha": 1.0, "beta": 999.0},
        "shared_sensitivity": {"alpha": 999.0, "beta": 1.0},
        "shared_specificity": {"alpha": 999.0, "beta": 1.0},
    }.items():
        prior = fitted.by_name[name]
        fitted = with_prior(fitted, replace(prior, params=tuple(values.items())))
    return world, fitted


WRONG = {"sign": sign_turned, "raters": raters_apart}
CHANGED = "shared_"
"""What the second fault states otherwise in the fit: that these fail would show nothing."""


def ranked(job):
    case, name, i = job
    world, fitted = WRONG[name](case, i)
    names, numbers, _ = worlds.ranks(world, posterior(fitted, cores=1))
    return names, numbers[:, 0]


@pytest.mark.nightly
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_likelihood_of_the_whole_model_is_caught(case, name):
    short = replace(case.sampler, draws=500, tune=500, chains=2)
    jobs = [(replace(case, sampler=short), name, i) for i in range(WORLDS)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(ranked, jobs))
    names = [x for x in found[0][0] if all(x in some for some, _ in found)]
    ranks = np.array([[u[some.index(x)] for x in names] for some, u in found])
    rows = verdicts(names, ranks)
    failing = [r["name"] for r in rows if not r["passes"] and not r["name"].startswith(CHANGED)]
    assert failing
    assert name != "sign" or "ease" in failing
