"""One seam for tests of plumbing: fits are prior draws, so nothing is compiled or sampled."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forecast.config.load import load_config
from forecast.inference.case import make_case, structure_of
from forecast.inference.evaluate import posterior
from forecast.inference.reweighting import smoothed
from forecast.inference.sampling import Compiled
from forecast.inference.seeds import stream
from forecast.runs.inputs import load_inputs
from forecast.runs.sliders import slider_data
from forecast.runs.variants import NearFit
from models.model import build, split
from models.parameters import SLOTS
from models.prior_draws import DIMS, NORMALS, ZERO_SUMS, prior_draws

EXTRA = {
    "tracking_agenda_z": ("agenda",),
    "maturity_agenda_own": ("agenda",),
    "maturity_agenda": ("agenda",),
    "worker_growth": ("group",),
    "definition_offset": ("definition",),
}


@pytest.fixture(scope="session")
def default_case():
    """The default priors on the shipped evidence, with few draws."""
    config, tables = load_inputs("default")
    case = make_case(config, tables)
    return replace(case, sampler=replace(case.sampler, draws=40, tune=10, chains=2))


KEPT = {}
"""What is made once: the seam of fits lasts for one test only."""


@pytest.fixture
def slider_fit(default_case, fake_fits):
    if "fit" not in KEPT:
        options = replace(default_case.sampler, draws=400, chains=2)
        KEPT["fit"] = posterior(replace(default_case, sampler=options))
    return KEPT["fit"]


@pytest.fixture
def doubter_near(slider_fit, fake_fits):
    """Draws of the doubter's own, unequally weighted, as moved draws are."""
    if "near" not in KEPT:
        case = replace(slider_fit.case, priors=load_config("doubter").priors)
        own = posterior(case)
        logs = np.random.default_rng(5).normal(0.0, 0.8, size=own.n)
        KEPT["near"] = NearFit(own, "moment-matched", smoothed(logs))
    return KEPT["near"]


@pytest.fixture
def slider_made(slider_fit, doubter_near):
    if "made" not in KEPT:
        config, tables = load_inputs("default")
        near = {doubter_near.fit.case.priors: doubter_near}
        KEPT["made"] = slider_data(slider_fit, config, tables=tables, near=near)
    return KEPT["made"]


@pytest.fixture(scope="session")
def alone(default_case):
    """Names of the priors that no likelihood touches, from the graph."""
    case = default_case
    model = build(case.by_name, case.evidence.arrays, structure=structure_of(case))
    return split(model)[1]


@pytest.fixture
def fake_fits(monkeypatch, alone):
    """Replace compiling and drawing; returns the list of Cases that were 'fitted'."""
    fitted = []

    def compiled(case):
        return Compiled(structure_of(case), None, alone, {}, 0.0)

    def draw(made, case, *, ground=None, cores=None, tick=None):
        fitted.append(case)
        return fake_tree(case, made)

    monkeypatch.setattr("forecast.inference.evaluate.compiled_model", compiled)
    monkeypatch.setattr("forecast.inference.sampling.compiled_model", compiled)
    monkeypatch.setattr("forecast.inference.evaluate.draw", draw)
    monkeypatch.setattr("forecast.inference.sampling.Fit.ground", None)
    monkeypatch.setattr("forecast.runs.variants.DRAWS", 60)
    monkeypatch.setattr("forecast.analyses.check.prior_predictions.__defaults__", (60,))
    monkeypatch.setattr("forecast.inference.pointwise.REPLICATES", 5)
    monkeypatch.setattr("forecast.analyses.near.MOST", 10)
    return fitted


def fake_tree(case, made):
    """Return prior draws in the shape of a sampled tree."""
    chains, draws = case.sampler.chains, case.sampler.draws
    rng = stream(case.seed, "fake")
    flat = prior_draws(case.by_name, made.structure, n=chains * draws, rng=rng)
    skip = {"ease", "worker_ratio_elasticity", *made.alone}
    dims = DIMS | NORMALS | {k: (v,) for k, v in (ZERO_SUMS).items()} | EXTRA
    posterior = {
        name: (
            ("chain", "draw", *dims.get(name, ())),
            x.reshape((chains, draws, *x.shape[1:])),
        )
        for name, x in flat.items()
        if name not in skip
    }
    shape = (chains, draws)
    stats = {
        "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
        "energy": (("chain", "draw"), rng.normal(size=shape)),
        "n_steps": (("chain", "draw"), np.full(shape, 31)),
        "depth": (("chain", "draw"), np.full(shape, 5)),
        "maxdepth_reached": (("chain", "draw"), np.zeros(shape, dtype=bool)),
    }
    assert set(SLOTS) - set(flat) == set()
    at = {"chain": np.arange(chains), "draw": np.arange(draws)}
    groups = {"posterior": posterior, "sample_stats": stats}
    return xr.DataTree.from_dict({name: xr.Dataset(x, at) for name, x in groups.items()})
