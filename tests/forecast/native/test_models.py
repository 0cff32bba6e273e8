"""Models that are not ours, compiled: value and gradient are PyTensor's, draws stock nutpie's."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from forecast.native.lowering import compile_model
from forecast.native.program import UnknownOperationError, nutpie_model, values_and_gradients

PLAIN = Mode(linker="py", optimizer="fast_compile")
RNG = np.random.default_rng(11)
SCHOOLS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
GROUP = np.repeat(np.arange(6), 8)
FEATURES = RNG.normal(size=(48, 3))
RESPONSE = FEATURES @ [1.0, -0.5, 0.2] + 0.3 * GROUP + RNG.normal(size=48)
COUNTS = RNG.poisson(np.exp(0.5 + FEATURES @ [0.3, 0.2, -0.4]))
GRADES = RNG.integers(0, 4, 48)
SERIES = np.cumsum(RNG.normal(size=40)) + RNG.normal(size=40)


def eight_schools():
    with pm.Model(coords={"school": range(8)}) as model:
        mean, sd = pm.Normal("mean", 0.0, 5.0), pm.HalfCauchy("sd", 5.0)
        z = pm.Normal("z", dims="school")
        effect = pm.Deterministic("effect", mean + sd * z, dims="school")
        pm.Normal("observed", effect, ERRORS, observed=SCHOOLS)
    return model


def hierarchical_regression():
    with pm.Model() as model:
        sd, noise = pm.HalfNormal("sd"), pm.Exponential("noise", 1.0)
        intercept = pm.Normal("intercept", 0.0, sd, shape=6)
        slope = pm.Normal("slope", 0.0, 1.0, shape=3)
        mean = intercept[GROUP] + pt.dot(pm.Data("features", FEATURES), slope)
        pm.StudentT("observed", nu=5.0, mu=mean, sigma=noise, observed=RESPONSE)
    return model


def poisson_regression():
    with pm.Model() as model:
        intercept, slope = pm.Normal("intercept"), pm.Normal("slope", shape=3)
        pm.Poisson("observed", pt.exp(intercept + FEATURES @ slope), observed=COUNTS)
    return model


def ordinal_regression():
    with pm.Model() as model:
        slope = pm.Normal("slope", shape=3)
        cuts = pm.Normal(
            "cuts",
            0.0,
            2.0,
            shape=3,
            transform=pm.distributions.transforms.ordered,
            initval=[-1.0, 0.0, 1.0],
        )
        pm.OrderedLogistic("observed", eta=FEATURES @ slope, cutpoints=cuts, observed=GRADES)
    return model


def autoregression():
    with pm.Model() as model:
        rho, sd = pm.Uniform("rho", -1.0, 1.0), pm.HalfNormal("sd")
        level = pm.AR("level", [rho], sigma=sd, init_dist=pm.Normal.dist(0.0, 3.0), steps=39)
        pm.Normal("observed", level, 1.0, observed=SERIES)
    return model


def random_walk():
    with pm.Model() as model:
        sd = pm.HalfNormal("sd")
        level = pm.GaussianRandomWalk(
            "level", sigma=sd, init_dist=pm.Normal.dist(0.0, 3.0), steps=39
        )
        pm.NegativeBinomial("observed", mu=pt.exp(0.1 * level), alpha=2.0, observed=COUNTS[:40])
    return model


MODELS = {
    f.__name__.replace("_", " "): f
    for f in (
        eight_schools,
        hierarchical_regression,
        poisson_regression,
        ordinal_regression,
        autoregression,
        random_walk,
    )
}
POINTS = 5


@pytest.mark.parametrize("name", MODELS)
def test_value_and_gradient_are_pytensors(name):
    model = MODELS[name]()
    program = compile_model(model)
    start = model.initial_point(0)
    sizes = [np.size(start[v.name]) for v in model.value_vars]
    points = np.concatenate([np.ravel(start[v.name]) for v in model.value_vars])
    points = points + RNG.uniform(-0.5, 0.5, (POINTS, points.size))
    native = nutpie_model(program, data_of(model), start=None)
    values, gradients = values_and_gradients(native, points)
    call = model.compile_fn(
        [model.logp(), model.dlogp()],
        inputs=model.value_vars,
        mode=PLAIN,
        point_fn=False,
    )
    for point, value, gradient in zip(points, values, gradients, strict=True):
        parts = np.split(point, np.cumsum(sizes)[:-1])
        shaped = [
            part.reshape(np.shape(start[v.name]))
            for part, v in zip(parts, model.value_vars, strict=True)
        ]
        expected, slope = call(*shaped)
        np.testing.assert_allclose(value, expected, rtol=1e-10)
        np.testing.assert_allclose(gradient, slope, rtol=1e-10, atol=1e-10 * abs(slope).max())
    assert program.error < 1e-10


def data_of(model):
    return {var.name: np.asarray(var.get_value()) for var in model.data_vars}


def start_of(model):
    point = model.initial_point(0)
    middle = np.concatenate([np.ravel(point[v.name]) for v in model.value_vars])
    return lambda seed: middle + np.random.default_rng(seed).uniform(-0.5, 0.5, middle.size)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_posterior_means_are_those_of_stock_nutpie(name):
    import arviz as az
    import nutpie

    model = MODELS[name]()
    native = nutpie_model(compile_model(model), data_of(model), start=start_of(model))
    given = {"draws": 1000, "tune": 1000, "chains": 4, "progress_bar": False}
    ours = nutpie.sample(native, seed=1, **given)
    theirs = nutpie.sample(nutpie.compile_pymc_model(model), seed=2, **given)
    names = [v.name for v in model.free_RVs]
    tables = [az.summary(tree, var_names=names, round_to="none") for tree in (ours, theirs)]
    error = np.hypot(*(table["mcse_mean"] for table in tables))
    # Of some 150 means the largest of so many standard normals is near 3.
    assert (np.abs(tables[0]["mean"] - tables[1]["mean"]) < 4.5 * error).all()


def test_an_operation_that_is_not_known_is_named():
    with pm.Model() as model:
        x = pm.Normal("x", shape=4)
        pm.Potential("sorted", pt.sum(pt.sort(x) * np.arange(4.0)))
    with pytest.raises(UnknownOperationError, match="knows no Sort"):
        compile_model(model)
