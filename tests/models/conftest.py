"""Fixtures for the tests of the model: a small structure, its priors, draws and a question."""

import numpy as np
import pytest
from scipy import stats

from forecast.inference.outcomes import predict
from models.components.spillover import elasticity_from_draws
from models.dims import LOG_RATIO, Structure
from models.outcomes.paths import NEW_AGENDA, Asked
from models.parameters import SLOTS
from models.prior_draws import prior_draws
from models.priors import FAMILIES, Prior, families, hyper_names, hyper_values

N = 120
STATED = {
    "real": ("Normal", (0.0, 0.5)),
    "positive": ("LogNormal", (-0.5, 0.4)),
    "unit": ("Beta", (3.0, 4.0)),
}
OTHERS = {
    "workers_alignment": ("LogNormal", (5.0, 0.3)),
    "workers_capabilities": ("LogNormal", (9.5, 0.3)),
    "workers_interpretability": ("LogNormal", (4.0, 0.3)),
    "worker_growth_mean": ("Normal", (0.2, 0.05)),
    "worker_growth_sd": ("HalfNormal", (0.05,)),
    "worker_shock_sd": ("HalfNormal", (0.05,)),
    "works_2025": ("LogNormal", (5.0, 0.5)),
    "output_elasticity": ("Normal", (1.0, 0.2)),
    "worker_ratio_elasticity": ("Normal", (0.5, 0.2)),
    "step_6": ("Beta", (1.5, 8.0)),
    "step_7": ("Beta", (1.0, 9.0)),
    "paths": ("LogNormal", (2.0, 0.5)),
}


@pytest.fixture(scope="session")
def priors():
    """A prior for each slot, of round numbers."""
    out = {}
    for name, slot in SLOTS.items():
        dist, numbers = OTHERS.get(name, STATED[slot.support])
        params = tuple(zip(FAMILIES[dist].params, numbers, strict=True))
        out[name] = Prior(name, dist, params, slot.unit, slot.block, ("none",), "none", "test")
    return out


@pytest.fixture(scope="session")
def structure(priors):
    """Four agendas in two families, two raters of one kind."""
    return Structure(
        families=families(priors),
        link="logit",
        tails="normal",
        agendas=("a", "b", "c", "d"),
        family_of=(0, 0, 1, 1),
        agenda_families=("first", "second"),
        definitions=("other",),
        lists=("hand",),
        studies=("one", "two"),
        raters=("R1", "R2"),
        kind_of=(0, 0),
        kinds=("language-model",),
        capacities=(),
    )


@pytest.fixture(scope="session")
def draws(priors, structure):
    """Prior draws of every variable."""
    out = prior_draws(priors, structure, n=N, rng=np.random.default_rng(1))
    np.testing.assert_allclose(elasticity_from_draws(out, priors), out["worker_ratio_elasticity"])
    np.testing.assert_allclose(
        out["use_ratio"] - LOG_RATIO * out["worker_ratio_elasticity"], out["ease"]
    )
    return out


@pytest.fixture(scope="session")
def arrays():
    """A few rows of evidence for the small structure, the last of each table padded."""
    whole = {
        "workers": {"group": [0, 1, 2, 2], "year": [8, 3, 10, 0], "definition": [1, 1, 0, 1]},
        "lists": {"list": [0, 0, 0], "year": [10, 12, 0]},
        "fte": {"agenda": [0, 2, 0]},
        "studies": {},
        "diagnosis": {"world": [0, 2, 0], "task": [1, 2, 0], "production": [1, 0, 0]},
        "lags": {"side": [0, 1, 1]},
        "cells": {"agenda": [0, 3], "year": [10, 12], "purposive": [0, 1]},
        "ratings": {
            "cell": [0, 1, 0],
            "asked": [[1] * 12, [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0], [0] * 12],
            "value": [
                [3, 2, 1, 0, 1, 1, 0, 0, 3, 1, 0, 0],
                [5, 8, 0, 1, 0, 1, 2, 2, 0, 2, 0, 0],
                [8, 8, *[2] * 6, *[0] * 4],
            ],
        },
    }
    whole["workers"] |= {"bound": [0, 1, 0, 0], "unverified": [1, 0, 0, 0]}
    real = {
        "workers": {"value": [5.2, 1.0, 4.4, 0.0], "threshold": [0.0, 9.9, 0.0, 0.0]},
        "lists": {"value": [14, 60, 0]},
        "fte": {"value": [2.0, 1.1, 0.0], "spread": [0.3, 0.2, 1.0]},
        "studies": {"value": [4, 17, 0], "total": [9, 20, 1]},
        "diagnosis": {"value": [3, 8, 0], "total": [11, 19, 1]},
        "lags": {"value": [0, 2, 0], "age": [4.39, 3.39, 1.0], "cells": [5, 4, 1]},
        "cells": {"age": [3.4, 1.4]},
        "ratings": {"weight": [2.0, 1.0, 0.0]},
    }
    real["workers"] |= {"spread": [0.0, 0.0, 0.2, 0.0], "weight": [1.0, 0.5, 2.0, 0.0]}
    for table in ("lists", "fte", "studies", "diagnosis", "lags"):
        real[table]["weight"] = [1.0, 0.7, 0.0]
    return {
        table: {name: np.array(x, dtype=np.int64) for name, x in whole[table].items()}
        | {name: np.array(x, dtype=np.float64) for name, x in real[table].items()}
        for table in whole
    }


@pytest.fixture(scope="session")
def future():
    """Standard normals of 14 years and one agenda to come."""
    rng = np.random.default_rng(2)
    return {
        "worker_shocks": rng.normal(size=(N, 3, 14)),
        "new_agenda": rng.normal(size=(N, len(NEW_AGENDA))),
    }


@pytest.fixture(scope="session")
def question():
    """Works of 2026 by 2040, levels established in the field by three works."""
    return Asked(2026, 2040, 3, "field")


@pytest.fixture(scope="session")
def forecast(draws, future, structure, question):
    """Predict from the draws with some of them changed (to a number, or by a function)."""

    def run(do=(), asked=question, **changed):
        given = dict(draws)
        for name, value in changed.items():
            new = value(given[name]) if callable(value) else np.full_like(given[name], value)
            given[name] = new
        return predict(given, future, structure=structure, question=asked, do=do)

    return run


@pytest.fixture(scope="session")
def usual(forecast):
    """The forecast from unchanged draws."""
    return forecast()


@pytest.fixture(scope="session")
def evaluate():
    """Return the value of graphs, a variable or a (nested) dict or list, by plain Python steps."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode

    def flat(term):
        parts = term.values() if isinstance(term, dict) else term
        return [x for t in parts for x in flat(t)] if isinstance(term, dict | list) else [term]

    def filled(term, numbers):
        if isinstance(term, dict):
            return {name: filled(t, numbers) for name, t in term.items()}
        if isinstance(term, list):
            return [filled(t, numbers) for t in term]
        return next(numbers)

    def run(term, given=None):
        given = given or {}
        variables = [pt.as_tensor_variable(x) for x in flat(term)]
        mode = Mode(linker="py", optimizer=None)
        call = pytensor.function([*given], variables, mode=mode, on_unused_input="ignore")
        return filled(term, iter(call(*given.values())))

    return run


@pytest.fixture(scope="session")
def values(priors, structure, draws, evaluate):
    """Values of a sub-model's terms at one draw, and that draw by name."""
    import pymc as pm

    def run(add, *args, draw=3, **options):
        coords = structure.coords() | {"hyperparameter": hyper_names(priors)}
        with pm.Model(coords=coords) as model:
            pm.Data("hyper", hyper_values(priors))
            terms = add(priors, *args, **options)
        point = {rv.name: draws[rv.name][draw] for rv in model.free_RVs}
        given = {model[name]: np.asarray(x) for name, x in point.items()}
        return evaluate(terms, given), point

    return run


@pytest.fixture(scope="session")
def graph_value(evaluate):
    """Value of a formula ``f(xp, *numbers)`` computed as a graph, equal to NumPy's own."""
    import pytensor.tensor as pt

    from models.ops import NumPy, graph

    def run(formula, *numbers, **options):
        variables = [pt.as_tensor_variable(np.asarray(x)) for x in numbers]
        value = evaluate(formula(graph(), *variables, **options))
        np.testing.assert_allclose(formula(NumPy, *numbers, **options), value, rtol=1e-10)
        return value

    return run


@pytest.fixture(scope="session")
def assert_counts():
    """Assert that simulated categories have the stated chances, by chi-square (p > 1e-3)."""

    def check(simulated, categories, *, chances):
        n = len(simulated)
        expected = n * np.asarray(chances, dtype=float)
        counts = np.array([(simulated == c).sum() for c in categories])
        assert counts.sum() == n
        order = np.argsort(expected)[::-1]
        many = order[expected[order] >= 5]
        rest = order[len(many) :]
        seen = [*counts[many], counts[rest].sum()]
        due = [*expected[many], expected[rest].sum()]
        if due[-1] < 5:  # merge a thin tail into the least of the others
            seen[-2:], due[-2:] = [sum(seen[-2:])], [sum(due[-2:])]
        assert stats.chisquare(seen, due, sum_check=False).pvalue > 1e-3

    return check
