"""Likelihoods that are wrong on purpose, in the whole model: calibration must catch them.

As many worlds as the power calculation (``detectable``, family-wise 1% among 366 quantities,
power 80%) asks for: 20 see a shift of 1.2 or a width of 2.0, and what data say much of should be
off by more once sign or raters are wrong; a missing Jacobian tilts a positive belief by its
posterior standard deviation in logs, at most 0.6 where evidence says little, which takes 80.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from forecast.analyses import calibrate as worlds
from forecast.analyses.calibrate import Ranking, common, key_of, verdicts
from forecast.inference.case import digest, with_prior
from forecast.inference.parallel import map_kept
from forecast.inference.simulate import simulated_case

CHANGED = "shared_"
"""What the raters' fault states otherwise in the fit: that these fail would show nothing."""


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


def no_jacobian(case, i):
    """Positive beliefs sampled in logs with the density of the belief itself.

    Without the Jacobian s of s = exp x a LogNormal(m, v) is sampled as p(s) / s, which is the
    LogNormal(m - v^2, v) exactly. Beliefs that no evidence reaches show nothing of it: they are not
    sampled, so not ranked, and headline quantities take them from the world's own Case.
    """
    world = worlds.prior_world(case, i)
    fitted = world.case
    for prior in case.priors:
        if prior.dist == "LogNormal":
            mu, sigma = prior.values["mu"], prior.values["sigma"]
            params = (("mu", mu - sigma**2), ("sigma", sigma))
            fitted = with_prior(fitted, replace(prior, params=params))
    return world, fitted


WRONG = {"sign": (sign_turned, 20), "raters": (raters_apart, 20), "Jacobian": (no_jacobian, 80)}
"""Each fault, and the number of worlds that shows it."""


def ranked(item, case):
    """The content of a world's file: the ranks of its truth in the wrong fit."""
    name, i = item
    return worlds.ranked(*WRONG[name][0](case, i)).to_bytes()


def failing_of(case, name, *, n, folder):
    """The names of quantities that n worlds find not uniform, the worst first."""
    items = {f"{name}-{i:05d}.npz": (name, i) for i in range(n)}
    files = map_kept(items, folder, work=ranked, shared=case)
    names, numbers = common([Ranking.from_bytes(file) for file in files])
    rows = [row for row in verdicts(names, numbers[..., 0]) if not row["passes"]]
    rows = sorted(rows, key=lambda row: min(row["p_shift"], row["p_width"], row["p_shape"]))
    return [row["name"] for row in rows if not row["name"].startswith(CHANGED)]


@pytest.fixture
def short(case):
    """The Case as ``forecast calibrate`` fits each world."""
    sampler = replace(case.sampler, draws=500, tune=500, chains=2, retry=False)
    return replace(case, sampler=sampler, experts=())


@pytest.fixture
def folder(short, cache):
    """Where worlds are kept, so that a test that was ended goes on; of this code alone."""
    mine = Path(__file__).read_text(encoding="utf-8")
    return cache.mkdir(f"controls-{digest(key_of(short), mine)[:8]}")


@pytest.mark.nightly
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_likelihood_of_the_whole_model_is_caught(short, folder, name):
    failing = failing_of(short, name, n=WRONG[name][1], folder=folder)
    positive = {prior.name for prior in short.priors if prior.dist == "LogNormal"}
    where = {"sign": {"use_ratio"}, "raters": {*failing}, "Jacobian": positive}[name]
    assert where & {one.split("[")[0] for one in failing}, failing
