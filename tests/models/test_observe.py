"""Observed variables: their densities at given beliefs, weights, and simulators."""

import numpy as np
import pymc as pm
import pytest
from pymc.distributions.custom import CustomDistRV
from pytensor.compile.mode import Mode
from scipy import stats

from models.components import faults, maturity, output, spillover, tracking, workers
from models.components.effects import CENTRING, DIM, SAMPLED, effect
from models.likelihoods import likelihoods
from models.model import build
from models.ops import NumPy
from models.ratings import formula as ratings

DRAW = 5
TABLE_OF = {
    "worker_figures": "workers",
    "list_counts": "lists",
    "fte_figures": "fte",
    "mixed_faults": "studies",
    "found_faults": "diagnosis",
    "use_lags": "lags",
    "ratings": "ratings",
}
NAMES = tuple(TABLE_OF)


@pytest.fixture(scope="module")
def model(priors, arrays, structure):
    return build(priors, arrays, structure=structure)


@pytest.fixture(scope="module")
def parts(draws):
    """The sub-models' terms from draws, in NumPy."""
    shares = faults.world_shares(NumPy, draws["fault_learned_share"], draws["fault_no_learning"])
    diagnosis = faults.terms(NumPy, draws)["diagnosis"]
    found = faults.diagnosed(NumPy, shares, faults.rates(NumPy, diagnosis))
    none, chance = draws["fault_no_learning"], draws["fault_mixed_chance"]
    offset = draws["definition_offset"]
    return {
        "workers": {
            "log_workers": workers.terms(NumPy, draws)["log_workers"],
            "offsets": np.pad(offset, [(0, 0), (0, 1)]),
            "error": draws["worker_error"],
        },
        "output": output.terms(NumPy, draws),
        "maturity": maturity.terms(NumPy, draws),
        "tracking": tracking.terms(NumPy, draws),
        "faults": {
            "mixed": none + (1 - none) * chance,
            "study": draws["fault_concentration"],
            "diagnosis": diagnosis,
            "concentration": draws["diagnosis_concentration"],
            "diagnosed": found,
        },
        "spillover": spillover.terms(NumPy, draws),
        "raters": ratings.terms(NumPy, draws),
    }


def like_of(name, structure):
    return next(like for like in likelihoods(structure) if like.name == name)


@pytest.fixture
def rows(parts, arrays, structure):
    """Parameters of an observed variable at one draw, in NumPy; and its rows' log density."""

    def run(name):
        like = like_of(name, structure)
        one = at_draw(parts)
        params = like.params(NumPy, one, data=arrays, structure=structure)
        return params, like.logp(NumPy, arrays[like.table]["value"], *params)

    return run


def at_draw(terms):
    if isinstance(terms, dict):
        return {name: at_draw(term) for name, term in terms.items()}
    return terms[DRAW]


def given(model, draws):
    return {rv: draws[rv.name][DRAW] for rv in model.free_RVs}


def log_density(model, name):
    return pm.logp(model[name], model[f"{TABLE_OF[name]}.value"]).sum()


def test_every_likelihood_is_a_distribution_and_none_a_potential(model):
    assert model.potentials == []
    assert tuple(rv.name for rv in model.observed_RVs) == NAMES
    assert all(isinstance(rv.owner.op, CustomDistRV) for rv in model.observed_RVs)


@pytest.mark.parametrize("name", NAMES)
def test_graph_gives_the_weighted_sum_of_rows(name, model, *, rows, arrays, draws, evaluate):
    _, by_row = rows(name)
    weight = arrays[TABLE_OF[name]]["weight"]
    assert np.isfinite(by_row).all()
    got = evaluate(log_density(model, name), given(model, draws))
    assert got == pytest.approx((weight * by_row).sum(), rel=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_weights_multiply_and_zero_leaves_out(name, model, *, rows, draws, evaluate):
    _, by_row = rows(name)
    weight = model[f"{TABLE_OF[name]}.weight"]
    stated = weight.get_value()
    weight.set_value(np.array([0.0, 3.0, *[0.0] * (len(by_row) - 2)]))
    got = evaluate(log_density(model, name), given(model, draws))
    weight.set_value(stated)
    assert got == pytest.approx(3.0 * by_row[1], rel=1e-7)


def zero_sum_logpdf(x, sd):
    """Log density of effects that add up to zero, in the plane where they do."""
    return stats.norm.logpdf(x, 0.0, sd).sum() + np.log(sd * np.sqrt(2.0 * np.pi))


def test_effects_sampled_on_their_own_scale_follow_scipy(model, draws, evaluate):
    point = given(model, draws)
    zero_sums = ("capabilities_agenda", "alignment_level", "maturity_family", "maturity_agenda_own")
    for name in (*zero_sums, "worker_growth"):
        value = draws[name][DRAW]
        got = evaluate(pm.logp(model[name], value).sum(), point)
        sd = draws[f"{name.removesuffix('_own')}_sd"][DRAW]
        if name in zero_sums:
            assert got == pytest.approx(zero_sum_logpdf(value, sd))
        else:
            mean = draws["worker_growth_mean"][DRAW]
            assert got == pytest.approx(stats.norm.logpdf(value, mean, sd).sum())


def test_worker_figures_are_students_t_or_events(rows, arrays):
    (centre, scale, *_), got = rows("worker_figures")
    data = arrays["workers"]
    expected = stats.t.logpdf(data["value"], 4, centre, scale)
    expected[1] = stats.t.logcdf(9.9, 4, centre[1], scale[1])
    np.testing.assert_allclose(got, expected)


def test_counts_and_figures_follow_scipy(rows, arrays, draws, parts):
    value = {table: arrays[table]["value"] for table in arrays if "value" in arrays[table]}
    size = np.exp(parts["workers"]["log_workers"][DRAW, 2])
    mean = (
        draws["list_level"][DRAW, 0]
        * (size[[10, 12, 0]] / size[12]) ** (draws["output_elasticity"][DRAW])
    )
    n = draws["list_dispersion"][DRAW]
    expected = stats.nbinom.logpmf(value["lists"], n, n / (n + mean))
    np.testing.assert_allclose(rows("list_counts")[1], expected)
    mean = draws["fte_level"][DRAW] + parts["output"]["size"][DRAW, [0, 2, 0]]
    sd = np.sqrt(draws["fte_error"][DRAW] ** 2 + np.array([0.3, 0.2, 1.0]) ** 2)
    np.testing.assert_allclose(rows("fte_figures")[1], stats.norm.logpdf(value["fte"], mean, sd))


def test_fault_counts_follow_scipy(rows, arrays, draws, parts):
    data, c = arrays["studies"], draws["fault_concentration"][DRAW]
    p = parts["faults"]["mixed"][DRAW]
    expected = stats.betabinom.logpmf(data["value"], data["total"], p * c, (1 - p) * c)
    np.testing.assert_allclose(rows("mixed_faults")[1], expected)
    data, c = arrays["diagnosis"], draws["diagnosis_concentration"][DRAW]
    term = at_draw(parts["faults"]["diagnosis"])
    drop = term["practice"] * np.array([1, 0, 0])
    odds = term["mean"] + term["world"][[0, 2, 0]] + term["task"][[1, 2, 0]] - drop
    p = 1 / (1 + np.exp(-odds))
    expected = stats.betabinom.logpmf(data["value"], data["total"], p * c, (1 - p) * c)
    np.testing.assert_allclose(rows("found_faults")[1], expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_observed_variable_simulates(name, model, *, arrays, draws, evaluate):
    """At given beliefs, with values in their range and nothing where nothing was asked."""
    table = TABLE_OF[name]
    data = arrays[table]
    drawn = evaluate(model[name], given(model, draws))
    assert drawn.shape == data["value"].shape
    assert drawn.dtype == model[name].dtype
    assert np.isfinite(drawn).all()
    if table in ("studies", "diagnosis"):
        assert ((drawn >= 0) & (drawn <= data["total"])).all()
    if table == "lags":
        assert ((drawn >= 0) & (drawn < data["cells"])).all()
    if table == "workers":
        assert drawn[1] in (0.0, 1.0)
    if table == "ratings":
        missing = np.array([8] * 2 + [2] * 6)
        np.testing.assert_array_equal((drawn[:, :8] != missing) * 1, data["asked"][:, :8])
        np.testing.assert_array_equal(drawn[2, 8:], 0)


def test_observed_variables_can_be_drawn_with_their_beliefs(model):
    mode = Mode(linker="py", optimizer=None)
    figures = [model[name] for name in NAMES if name != "ratings"]
    for x in pm.draw(figures, draws=20, random_seed=1, mode=mode):
        assert len(np.unique(x, axis=0)) > 1


@pytest.mark.parametrize("name", sorted(DIM))
def test_effects_have_one_prior_whatever_their_centring(name, model, draws, evaluate):
    y, sd = draws[SAMPLED[name]][DRAW], draws[f"{name}_sd"][DRAW]
    point = given(model, draws)
    got = evaluate(pm.logp(model[SAMPLED[name]], y).sum(), point)
    e = effect(draws, name)[DRAW]
    jacobian = (len(y) - 1) * (1.0 - CENTRING[name]) * np.log(sd)
    assert got == pytest.approx(zero_sum_logpdf(e, sd) + jacobian)
