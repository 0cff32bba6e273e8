"""Priors: one object in PyMC, SciPy and quantile form; the vector of their numbers."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from scipy.integrate import quad

from models.errors import InputError
from models.priors import (
    FAMILIES,
    Prior,
    add,
    add_grouped,
    hyper_names,
    hyper_values,
    logpdf,
    ppf,
    support,
)

NUMBERS = {
    "Normal": (0.5, 1.3),
    "StudentT": (4.0, -0.3, 0.7),
    "LogNormal": (0.4, 0.6),
    "HalfNormal": (1.7,),
    "Exponential": (2.5,),
    "Gamma": (3.0, 2.0),
    "Beta": (2.0, 3.5),
    "LogitNormal": (-0.5, 1.2),
    "Uniform": (-1.0, 3.0),
    "TruncatedNormal": (0.2, 0.8, 0.0, 1.5),
}
INDEPENDENT = {  # at the numbers above, written as SciPy states each
    "Normal": stats.norm(loc=0.5, scale=1.3),
    "StudentT": stats.t(4.0, loc=-0.3, scale=0.7),
    "LogNormal": stats.lognorm(0.6, scale=np.exp(0.4)),
    "HalfNormal": stats.halfnorm(scale=1.7),
    "Exponential": stats.expon(scale=0.4),
    "Gamma": stats.gamma(3.0, scale=0.5),
    "Beta": stats.beta(2.0, 3.5),
    "Uniform": stats.uniform(-1.0, 4.0),
    "TruncatedNormal": stats.truncnorm(-0.25, 1.625, loc=0.2, scale=0.8),
}
SUPPORT = {
    "Normal": (-np.inf, np.inf),
    "StudentT": (-np.inf, np.inf),
    "LogNormal": (0.0, np.inf),
    "HalfNormal": (0.0, np.inf),
    "Exponential": (0.0, np.inf),
    "Gamma": (0.0, np.inf),
    "Beta": (0.0, 1.0),
    "LogitNormal": (0.0, 1.0),
    "Uniform": (-1.0, 3.0),
    "TruncatedNormal": (0.0, 1.5),
}
Q = np.array([0.001, 0.05, 0.3, 0.5, 0.8, 0.99])


def stated(dist, name="growth"):
    params = tuple(zip(FAMILIES[dist].params, NUMBERS[dist], strict=True))
    return Prior(name, dist, params, "unit", "block", ("none",), "none", "test")


def test_every_family_is_tested():
    assert set(NUMBERS) == set(FAMILIES) == set(SUPPORT)


@pytest.mark.parametrize("dist", NUMBERS)
def test_log_density_is_pymcs_own(dist, evaluate):
    prior = stated(dist)
    x = ppf(prior, Q)
    exact = {param: np.float64(value) for param, value in prior.params}
    expected = evaluate(pm.logp(getattr(pm, dist).dist(**exact), x))
    # PyMC's truncated normal rounds its normalisation at 7e-9
    np.testing.assert_allclose(logpdf(prior, x), expected, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("dist", INDEPENDENT)
def test_log_density_and_quantiles_are_scipys(dist):
    prior, law = stated(dist), INDEPENDENT[dist]
    np.testing.assert_allclose(ppf(prior, Q), law.ppf(Q), rtol=1e-9)
    np.testing.assert_allclose(logpdf(prior, law.ppf(Q)), law.logpdf(law.ppf(Q)), rtol=1e-9)


@pytest.mark.parametrize("dist", NUMBERS)
def test_quantile_function_inverts_the_integrated_density(dist):
    prior = stated(dist)
    low = support(prior)[0] if np.isfinite(support(prior)[0]) else ppf(prior, 1e-9)
    for q in Q:
        area, _ = quad(lambda x: float(np.exp(logpdf(prior, x))), low, ppf(prior, q), limit=200)
        assert area == pytest.approx(q, abs=2e-6)


def test_quantiles_of_a_logit_normal_are_those_of_its_normal():
    normal = stats.norm(-0.5, 1.2).ppf(Q)
    np.testing.assert_allclose(ppf(stated("LogitNormal"), Q), np.exp(normal) / (1 + np.exp(normal)))


@pytest.mark.parametrize("dist", NUMBERS)
def test_support_is_where_the_density_is_positive(dist):
    prior = stated(dist)
    low, high = support(prior)
    assert (low, high) == SUPPORT[dist]
    outside = [x for x in (low - 0.01, high + 0.01) if np.isfinite(x)]
    assert all(logpdf(prior, x) == -np.inf for x in outside)
    inside = (max(low, -50.0) + 1e-6, min(high, 50.0) - 1e-6)
    assert np.isfinite(logpdf(prior, inside)).all()


def test_numbers_stand_in_one_vector_by_name():
    priors = {"ease": stated("Normal", "ease"), "age": stated("StudentT", "age")}
    priors |= {"delay": stated("Exponential", "delay")}
    names = ("age.nu", "age.mu", "age.sigma", "delay.lam", "ease.mu", "ease.sigma")
    assert hyper_names(priors) == names
    np.testing.assert_array_equal(hyper_values(priors), [4.0, -0.3, 0.7, 2.5, 0.5, 1.3])


def test_missing_prior_suggests_the_near_miss():
    with pytest.raises(InputError, match=r"no table \[priors.grwth\]; rename \[priors.growth\]\?"):
        add("grwth", {"growth": stated("Normal")})
    with pytest.raises(InputError, match=r"no table \[priors.zzz\]; add that table"):
        add("zzz", {"growth": stated("Normal")})


def model_of(priors, fill):
    with pm.Model(coords={"hyperparameter": hyper_names(priors)}) as model:
        pm.Data("hyper", hyper_values(priors), dims="hyperparameter")
        fill(priors)
    return model


def test_adding_twice_gives_the_same_variable():
    priors = {"growth": stated("Normal")}
    with model_of(priors, lambda priors: add("growth", priors)) as model:
        assert add("growth", priors) is model["growth"]
    assert len(model.free_RVs) == 1


@pytest.mark.parametrize("dist", NUMBERS)
def test_every_family_is_sampled_on_the_unbounded_scale_of_its_support(dist):
    """Chains start on that scale; PyMC by itself leaves a LogitNormal between 0 and 1."""
    scales = {"positive": "LogTransform", "unit": "LogOddsTransform", "bounds": "Interval"}

    def both(priors):
        add_grouped(["first"], priors)
        return add("alone", priors)

    model = model_of({"first": stated(dist, "first"), "alone": stated(dist, "alone")}, both)
    for name in (f"beliefs_{dist}", "alone"):
        found = type(model.rvs_to_transforms[model[name]]).__name__
        assert found == scales.get(FAMILIES[dist].support, "NoneType")


@pytest.mark.parametrize("dist", NUMBERS)
def test_grouped_priors_are_the_stated_ones(dist, evaluate):
    """Two members of a family, with different numbers, keep their names and densities."""
    first = stated(dist, "first")
    other = tuple((name, value * 1.1) for name, value in stated(dist).params)
    second = Prior("second", dist, other, "unit", "block", ("none",), "none", "test")
    priors = {"first": first, "second": second}
    model = model_of(priors, lambda priors: add_grouped(["second", "first"], priors))
    point = np.array([ppf(first, 0.3), ppf(second, 0.7)])
    names = {name: model[name] for name in priors}
    got = evaluate(names, {model[f"beliefs_{dist}"]: point})
    np.testing.assert_array_equal([got["first"], got["second"]], point)
    vector = model[f"beliefs_{dist}"]
    density = evaluate(pm.logp(vector, point))
    np.testing.assert_allclose(density, [logpdf(first, point[0]), logpdf(second, point[1])])
