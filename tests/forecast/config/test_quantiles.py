"""Stated quantiles give the family's numbers, or a refusal."""

import subprocess
import sys

import numpy as np
import pytest

from forecast.config import quantiles
from forecast.config.quantiles import MisfitError, fit, misfit
from models.priors import FAMILIES

KNOWN = {
    "Normal": {"mu": 0.5, "sigma": 0.3},
    "StudentT": {"nu": 4.0, "mu": -2.0, "sigma": 3.0},
    "LogNormal": {"mu": -4.0, "sigma": 1.5},
    "HalfNormal": {"sigma": 0.02},
    "Exponential": {"lam": 30.0},
    "Gamma": {"alpha": 0.7, "beta": 0.01},
    "Beta": {"alpha": 1.5, "beta": 40.0},
    "LogitNormal": {"mu": -3.0, "sigma": 0.8},
    "Uniform": {"lower": 0.1, "upper": 0.4},
    "TruncatedNormal": {"mu": 2.0, "sigma": 1.0, "lower": 0.0, "upper": 10.0},
}
POINTS = {
    "two": (0.05, 0.95),
    "three": (0.1, 0.5, 0.9),
    "quartiles": (0.25, 0.5, 0.75),
    "five": (0.05, 0.25, 0.5, 0.75, 0.95),
}


def pairs(dist, probabilities):
    values = FAMILIES[dist].frozen(**KNOWN[dist]).ppf(probabilities)
    return list(zip(probabilities, np.asarray(values).tolist(), strict=True))


def shape(dist):
    return {name: KNOWN[dist][name] for name in quantiles.SHAPES.get(dist, ())}


def test_every_family_is_tried():
    assert set(KNOWN) == set(FAMILIES)


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize("dist", KNOWN)
def test_exact_quantiles_give_the_numbers_back(dist, points):
    if points == "quartiles" and dist in ("Beta", "Gamma"):
        pytest.skip("PreliZ fits these; it has its own test")
    found = fit(dist, pairs(dist, POINTS[points]), shape=shape(dist))
    assert list(found) == list(FAMILIES[dist].params)
    for name, value in KNOWN[dist].items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5)  # the search stops at 1e-8


@pytest.mark.parametrize("dist", ["Beta", "Gamma"])
def test_quartiles_fitted_by_preliz_have_the_stated_values(dist):
    stated = pairs(dist, POINTS["quartiles"])
    assert misfit(dist, stated, params=fit(dist, stated)) < 0.01


@pytest.mark.parametrize("dist", ["HalfNormal", "Exponential"])
def test_one_point_is_enough_for_one_number(dist):
    found = fit(dist, pairs(dist, (0.5,)))
    np.testing.assert_allclose(list(found.values()), list(KNOWN[dist].values()))


def test_misfit_is_a_share_of_the_spread_on_the_scale_of_the_fit():
    stated = [(0.25, 1.0), (0.5, 10.0), (0.75, 100.0)]
    exact = {"mu": np.log(10.0), "sigma": np.log(10.0) / 0.6744897501960817}
    np.testing.assert_allclose(misfit("LogNormal", stated, params=exact), 0.0, atol=1e-12)
    off = {**exact, "mu": np.log(20.0)}  # all values doubled: log 2 of a spread of log 100
    np.testing.assert_allclose(misfit("LogNormal", stated, params=off), np.log(2) / np.log(100))


@pytest.mark.parametrize("by", [0.9, 1.1])
def test_tolerance_takes_rounding_and_refuses_another_shape(by):
    low, high = 0.5 - 1.6448536, 0.5 + 1.6448536
    middle = quantiles.TOLERANCE * (high - low) * 1.5 * by  # 2/3 of it stays after the fit
    stated = [(0.05, low), (0.5, 0.5 + middle), (0.95, high)]
    if by < 1:
        assert misfit("Normal", stated, params=fit("Normal", stated)) < quantiles.TOLERANCE
    else:
        with pytest.raises(MisfitError, match=r"a misfit of \d+% of the spread, where 5% is"):
            fit("Normal", stated)


def test_misfit_of_impossible_numbers_is_large_and_not_nan():
    assert misfit("Beta", [(0.1, 0.2), (0.9, 0.5)], params={"alpha": 1e-9, "beta": 1.0}) > 1e3


def test_rounded_quartiles_stay_within_tolerance_with_any_start():
    stated = [(0.25, 0.001), (0.5, 0.004), (0.75, 0.012)]
    for dist in ("Beta", "Gamma", "LogNormal"):
        assert misfit(dist, stated, params=fit(dist, stated)) < quantiles.TOLERANCE


def test_no_quantiles_import_neither_preliz_nor_scipy(priors_file):
    code = (
        "import sys; from forecast.config.load import load_config; load_config(sys.argv[1]);"
        "print(sorted({'preliz', 'scipy', 'pymc', 'matplotlib'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(priors_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_preliz_prints_nothing(priors_file, forecast_process):
    text = priors_file.read_text(encoding="utf-8")
    stated = 'dist = "Beta"\nquantiles = [[0.25, 0.2], [0.5, 0.3], [0.75, 0.4]]'
    text = text.replace('dist = "Beta"\nalpha = 2.0\nbeta = 3.0', stated, 1)
    priors_file.write_text(text, encoding="utf-8")
    done = forecast_process("check", priors_file)
    assert (done.returncode, done.stderr) == (0, "")
