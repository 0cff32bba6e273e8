"""The ports of the benchmark are the same density: log densities differ by a constant."""

import numpy as np
import pytensor
import pytest

from benchmarks.common import CHAINS, rows_of, stated_case
from benchmarks.latents import latents
from benchmarks.plain_pymc import make_model
from forecast.inference.case import structure_of
from models.model import build_sampled

pytestmark = pytest.mark.slow
N = 20
QUICK = "FAST_COMPILE"
"""PyTensor's mode that runs each operation in Python: twenty values need no compiler."""


@pytest.fixture(scope="module")
def case():
    return stated_case()


@pytest.fixture(scope="module")
def plain(case):
    return make_model(case)


@pytest.fixture(scope="module")
def points(plain):
    """Unconstrained points, spread as chains start: up to 1 from each variable's middle."""
    rng, middle = np.random.default_rng(20), plain.initial_point()
    return [
        {name: x + rng.uniform(-1.0, 1.0, np.shape(x)) for name, x in middle.items()}
        for _ in range(N)
    ]


@pytest.fixture(scope="module")
def stated(plain, points):
    """Constrained values by name, at each point."""
    values = [plain.rvs_to_values[rv] for rv in plain.free_RVs]
    outputs = plain.replace_rvs_by_values(plain.free_RVs)
    function = pytensor.function(values, outputs, mode=QUICK)
    names = [rv.name for rv in plain.free_RVs]
    return [dict(zip(names, function(**point), strict=True)) for point in points]


@pytest.fixture(scope="module")
def ours(case, points):
    """Log density of the model that this project samples, on the constrained scale."""
    model, _ = build_sampled(case.by_name, case.evidence.arrays, structure=structure_of(case))
    logp = terms_of(model)
    return np.array([logp(grouped(model, point)) for point in points])


def terms_of(model):
    """Return a function of values: the log density, its terms summed outside the graph.

    In Python mode PyTensor adds no more than 32 numbers at once.
    """
    terms = model.compile_logp(jacobian=False, sum=False, mode=QUICK)
    return lambda point: sum(float(np.sum(term)) for term in terms(point))


def grouped(model, point):
    """Return the values of a model whose beliefs are one vector a family."""
    out = {}
    for var in model.value_vars:
        dist, _, transform = var.name.removeprefix("beliefs_").partition("_")
        if var.name.startswith("beliefs_"):
            suffix = f"_{transform}" if transform else ""
            members = model.coords[f"{dist} belief"]
            out[var.name] = np.array([point[f"{member}{suffix}"] for member in members])
        else:
            out[var.name] = point[var.name]
    return out


def assert_constant(difference):
    np.testing.assert_allclose(difference - difference[0], 0.0, atol=1e-8)


def test_the_latents_are_what_the_plain_model_samples(case, plain):
    shapes = {rv.name: rv.shape.eval().tolist() for rv in plain.free_RVs}
    assert {x.name: list(x.shape) for x in latents(case)} == shapes


def test_the_points_are_far_apart(ours):
    assert np.isfinite(ours).all()
    assert np.ptp(ours) > 10.0


def test_plain_pymc_is_the_same_density(plain, points, ours):
    logp = terms_of(plain)
    assert_constant(np.array([logp(point) for point in points]) - ours)


def test_numpyro_is_the_same_density(case, stated, ours):
    pytest.importorskip("numpyro", reason="the extra benchmarks is not installed")
    from benchmarks.numpyro_port import log_density

    value = log_density(case)
    assert_constant(np.array([value(x) for x in stated]) - ours)


@pytest.mark.filterwarnings("ignore:It is recommended to use web.AppKey")  # PyStan's server
def test_stan_is_the_same_density_and_starts_where_it_is_finite(case, stated, ours):
    pytest.importorskip("stan", reason="the extra benchmarks is not installed")
    from benchmarks.stan_port import build, log_density, start

    value = log_density(case)
    assert_constant(np.array([value(x) for x in stated]) - ours)
    model = build(case)
    starts = [model.unconstrain_pars(start(case, chain)) for chain in range(CHAINS)]
    assert np.isfinite([model.log_prob(x) for x in starts]).all()
    assert np.ptp(starts, axis=0).min() > 0.0  # chains start apart in every element


def test_only_padding_is_left_out(case):
    whole, kept = case.evidence.arrays, rows_of(case)
    for table, columns in kept.items():
        if "weight" in columns:
            assert (columns["weight"] > 0).all()
            total = whole[table]["weight"].sum()  # thirds do not add up to the last digit
            assert columns["weight"].sum() == pytest.approx(total, rel=1e-12)
