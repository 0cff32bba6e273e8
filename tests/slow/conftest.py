"""The real model, compiled once and fitted a few times: minutes, so marked slow."""

from dataclasses import replace

import pytest

from forecast.inference.case import make_case
from forecast.inference.evaluate import posterior
from forecast.inference.sampling import compiled_model
from forecast.runs.inputs import load_inputs


@pytest.fixture(scope="session")
def case():
    """The default priors on the shipped evidence."""
    config, tables = load_inputs("default")
    return make_case(config, tables)


@pytest.fixture(scope="session")
def compiled(case):
    """The compiled model of the default structure."""
    return compiled_model(case)


@pytest.fixture(scope="session")
def fit(case, compiled):
    """One fit with the shipped options."""
    return posterior(case)


@pytest.fixture(scope="session")
def short(case):
    """The Case with two short chains, for many fits."""
    return replace(case, sampler=replace(case.sampler, draws=300, tune=400, chains=2))
