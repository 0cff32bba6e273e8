"""Compiled models against PyMC's own evaluation."""

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

from forecast.native.lowering import compile_model
from forecast.native.program import nutpie_model, value_and_gradient
from models.priors import FAMILIES

PLAIN = Mode(linker="py", optimizer=None)
NUMBERS = {
    "Normal": (0.3, 1.2),
    "StudentT": (4.0, 0.3, 1.2),
    "LogNormal": (0.3, 0.6),
    "HalfNormal": (1.3,),
    "Exponential": (0.8,),
    "Gamma": (2.5, 1.5),
    "Beta": (2.0, 3.5),
    "LogitNormal": (0.2, 0.9),
    "Uniform": (-1.0, 2.5),
    "TruncatedNormal": (0.3, 1.2, -0.5, 2.0),
}
"""Parameters of each family, in its order."""


def model_of(dist):
    """A prior of a family, data that it explains, and what follows from it."""
    family = FAMILIES[dist]
    with pm.Model(coords={"i": range(3)}, check_bounds=False) as model:
        given = np.array(NUMBERS[dist])
        hyper = pm.Data("hyper", given, shape=given.shape)
        params = {p: hyper[k] for k, p in enumerate(family.params)}
        belief = getattr(pm, dist)("belief", dims="i", **params)
        seen = pm.Data("seen", np.array([0.2, 0.5, 0.9]), shape=(3,))
        pm.Normal("y", pm.Deterministic("twice", 2.0 * belief), 0.7, observed=seen)
    return model


@pytest.mark.parametrize("dist", FAMILIES)
def test_every_family_of_priors_compiles(dist):
    model = model_of(dist)
    program = compile_model(model, ["belief", "twice"])
    data = {"hyper": np.array(NUMBERS[dist]), "seen": np.array([0.2, 0.5, 0.9])}
    native = nutpie_model(program, data, start=None)
    point = np.array([0.4, 0.3, 0.8])  # inside (0, 1), where PyMC has no transform of its own
    value, gradient = value_and_gradient(native, point)
    (var,) = model.value_vars
    given = {var.name: point}
    assert value == pytest.approx(model.compile_logp(mode=PLAIN)(given), rel=1e-12)
    expected = model.compile_dlogp(mode=PLAIN)(given)
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-12)
    assert program.shape_info[0] == [var.name, *["belief"] * (var.name != "belief"), "twice"]
    assert program.sizes == (("belief", 3),)


def test_outside_the_support_of_a_number_the_density_is_not_finite():
    program = compile_model(model_of("Gamma"), ["belief"])
    data = {"hyper": np.array([-1.0, 1.0]), "seen": np.zeros(3)}
    assert np.isnan(value_and_gradient(nutpie_model(program, data, start=None), np.zeros(3))[0])


@pytest.mark.parametrize("n", [1, 4, 7, 12])
def test_value_and_gradient_in_a_metric(n):
    """Rows are multiplied four at a time, then one by one: x = c + L z, gradient L' g(x)."""
    with pm.Model(check_bounds=False) as model:
        pm.Normal("x", pm.Data("hyper", np.arange(1.0 * n), shape=(n,)), 0.5, shape=n)
    native = nutpie_model(compile_model(model, ["x"]), {"hyper": np.arange(1.0 * n)}, start=None)
    rng = np.random.default_rng(n)
    centre, scale, z = rng.normal(size=n), np.tril(rng.normal(size=(n, n))), rng.normal(size=n)
    value, gradient = value_and_gradient(
        native.with_data(metric_centre=centre, metric_scale=scale), z
    )
    u = (centre + scale @ z - np.arange(n)) / 0.5
    expected = stats.norm.logpdf(u).sum() - n * np.log(0.5)
    assert value == pytest.approx(expected, rel=1e-8)  # the graph's constant has nine digits
    np.testing.assert_allclose(gradient, scale.T @ (-u / 0.5), rtol=1e-12, atol=1e-12)
