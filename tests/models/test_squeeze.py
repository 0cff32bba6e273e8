"""The scale of a kind's common error: an inverse, a Jacobian, and the prior that is stated."""

import numpy as np
import pymc as pm
import pytest
from scipy import integrate

from models.priors import (
    ANCHORS,
    Prior,
    add,
    hyper_names,
    hyper_values,
    logpdf,
    squeeze,
    squeezed,
)

NAME = "shared_level_scale"
VALUES = (1e-3, 0.05, 0.25, 0.4, 1.0, 40.0)


def test_values_go_there_and_back(evaluate):
    scale = squeeze(0.25)
    for value in VALUES:
        t = squeezed(value, 0.25)
        assert float(evaluate(scale.forward(np.array(value)))) == pytest.approx(t, rel=1e-12)
        assert float(evaluate(scale.backward(np.array(t)))) == pytest.approx(value, rel=1e-10)


def test_the_jacobian_is_the_slope(evaluate):
    scale = squeeze(0.25)
    for t in (-28.0, -20.0, -1.0, 0.0, 0.5, 5.0, 20.0):
        high, low = (float(evaluate(scale.backward(np.array(t + step)))) for step in (1e-5, -1e-5))
        slope = (high - low) / 2e-5
        assert float(evaluate(scale.log_jac_det(np.array(t)))) == pytest.approx(
            np.log(slope), abs=1e-6
        )


@pytest.mark.parametrize("dist", ["LogNormal", "Gamma"])
def test_the_prior_on_that_scale_is_the_stated_one(dist, evaluate):
    params = {"LogNormal": (("mu", -0.7), ("sigma", 0.4)), "Gamma": (("alpha", 3), ("beta", 6))}
    prior = Prior(NAME, dist, params[dist], "levels", "ratings", ("none",), "none", "test")
    priors = {NAME: prior}
    with pm.Model(coords={"hyperparameter": hyper_names(priors)}) as model:
        pm.Data("hyper", hyper_values(priors), dims="hyperparameter")
        add(NAME, priors)
    logp = model.compile_logp()
    value = f"{NAME}_squeeze__"

    def density(t):
        return float(np.exp(logp({value: np.array(t)})))

    below, _ = integrate.quad(density, -30.0, squeezed(0.4, ANCHORS[NAME]), limit=400)
    plain, _ = integrate.quad(lambda x: float(np.exp(logpdf(prior, x))), 0.0, 0.4, limit=400)
    assert below == pytest.approx(plain, rel=1e-6)


def test_a_belief_with_two_ends_stays_on_its_own_scale():
    """The squeeze is for the positive numbers; a Uniform keeps PyMC's interval."""
    ends = (("lower", 0.1), ("upper", 0.9))
    prior = Prior(NAME, "Uniform", ends, "levels", "ratings", ("none",), "none", "test")
    with pm.Model(coords={"hyperparameter": hyper_names({NAME: prior})}) as model:
        pm.Data("hyper", hyper_values({NAME: prior}), dims="hyperparameter")
        add(NAME, {NAME: prior})
    assert type(model.rvs_to_transforms[model[NAME]]).__name__ == "Interval"
