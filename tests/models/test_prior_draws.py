"""Prior draws: each variable is drawn from its stated prior, by name and shape as in the model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from forecast.evidence.arrays import to_arrays
from forecast.evidence.load import load_tables
from models.components.effects import CENTRING, SAMPLED
from models.components.spillover import conditional_elasticity
from models.dims import Structure
from models.model import build
from models.parameters import SLOTS
from models.prior_draws import NORMALS, prior_draws
from models.priors import families, frozen

N = 2000
LEAST = 1e-4  # least p-value of some 90 tests with a fixed seed


def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def many(priors, structure):
    return prior_draws(priors, structure, n=N, rng=rng())


def assert_follows(value, law):
    assert stats.kstest(np.ravel(value), law).pvalue > LEAST


@pytest.mark.parametrize("name", SLOTS)
def test_prior_drawn_is_the_prior_stated(many, priors, name):
    assert_follows(many[name], frozen(priors[name]).cdf)


@pytest.mark.parametrize("name", NORMALS)
def test_effects_are_standard_normal(many, name):
    assert_follows(many[name], stats.norm.cdf)


@pytest.mark.parametrize("name", CENTRING)
def test_zero_sums_are_projected_normals(many, name):
    z = many[SAMPLED[name]] / many[f"{name}_sd"][:, None] ** CENTRING[name]
    np.testing.assert_allclose(z.sum(axis=1), 0.0, atol=1e-12)
    assert_follows(z[:, 0], stats.norm(0, np.sqrt(1 - 1 / z.shape[1])).cdf)


NARROW = stats.norm(0, np.sqrt(1 - 1 / 4))  # four agendas less their mean


@pytest.mark.parametrize(
    ("tails", "own_law"),
    [("normal", NARROW), ("student-t", stats.t(4))],
)
def test_agenda_effects_have_the_stated_tails(priors, structure, tails, own_law):
    out = prior_draws(priors, replace(structure, tails=tails), n=N, rng=rng())
    assert_follows(out["tracking_agenda_z"][:, 0], own_law.cdf)
    centre = out["maturity_family"][:, list(structure.family_of)]
    own = (out["maturity_agenda"] - centre) / out["maturity_agenda_sd"][:, None]
    assert_follows(own[:, 0], own_law.cdf)
    if tails == "normal":
        np.testing.assert_allclose(own.sum(axis=1), 0.0, atol=1e-9)


def test_ratio_of_uses_is_independent_of_its_partner(many, priors):
    e, b = (priors[name].values for name in ("ease", "worker_ratio_elasticity"))
    (mean, variance), _, _ = conditional_elasticity((e["mu"], e["sigma"]), (b["mu"], b["sigma"]))
    assert_follows(many["use_ratio"], stats.norm(mean, np.sqrt(variance)).cdf)
    assert_follows(many["worker_ratio_elasticity_z"], stats.norm.cdf)
    pair = many["use_ratio"], many["worker_ratio_elasticity_z"]
    assert abs(np.corrcoef(*pair)[0, 1]) < 4 / np.sqrt(N)


def test_priors_are_drawn_independently(many):
    scalars = np.stack([x for name, x in many.items() if x.ndim == 1 and name in SLOTS])
    off = np.corrcoef(stats.rankdata(scalars, axis=1)) - np.eye(len(scalars))
    assert np.abs(off).max() < 5 / np.sqrt(N)


def test_a_changed_prior_leaves_the_others_as_they_are(many, priors, structure):
    changed = dict(priors) | {"gate_tracked": priors["leak_untracked"]}
    out = prior_draws(changed, structure, n=N, rng=rng())
    assert [name for name in out if not np.array_equal(out[name], many[name])] == []
    shifted = dict(priors) | {"gate_tracked": priors["use_rate"]}
    out = prior_draws(shifted, structure, n=N, rng=rng())
    assert [name for name in out if not np.array_equal(out[name], many[name])] == ["gate_tracked"]


def test_names_and_shapes_are_those_of_the_model(priors):
    evidence = to_arrays(load_tables(Path(__file__).parents[2] / "evidence"))
    labels = evidence.labels
    structure = Structure(
        families=families(priors),
        link="logit",
        tails="normal",
        agendas=labels["agenda"],
        family_of=evidence.family_of,
        agenda_families=labels["family"],
        definitions=labels["definition"],
        lists=labels["list"],
        studies=labels["study"],
        raters=labels["rater"],
        kind_of=evidence.kind_of,
        kinds=labels["kind"],
        capacities=(),
    )
    model = build(priors, evidence.arrays, structure=structure)
    drawn = prior_draws(priors, structure, n=3, rng=rng())
    derived = {"ease", "worker_ratio_elasticity", "maturity_agenda"}
    assert {rv.name for rv in model.free_RVs} == set(drawn) - derived
    for rv in model.free_RVs:
        dims = model.named_vars_to_dims.get(rv.name, ())
        expected = tuple(len(model.coords[dim]) for dim in dims)
        assert drawn[rv.name].shape[1:] == expected, rv.name
