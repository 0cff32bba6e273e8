"""The whole model: what is data, what a likelihood touches, and grouping without effect."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors

from forecast.config.load import load_config
from forecast.evidence.arrays import to_arrays
from forecast.evidence.load import load_tables
from models.components.spillover import EASE
from models.dims import Structure
from models.model import build, build_sampled, split
from models.parameters import SLOTS
from models.priors import families

ALONE = (
    "alignment_documented",
    "capabilities_documented",
    "cluster_size",
    "gate_tracked",
    "leak_untracked",
    "on_target",
    "paths",
    "stop_6",
    "stop_7",
    "tracking_damping",
    "value_constancy",
    "worker_damping",
    "works_2025",
)
MODE = Mode(linker="py", optimizer=None)


@pytest.fixture(scope="module")
def shipped():
    """Default priors, the shipped evidence, and their structure."""
    priors = {prior.name: prior for prior in load_config("default").priors}
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
    return priors, evidence.arrays, structure


@pytest.fixture(scope="module")
def model(shipped):
    priors, arrays, structure = shipped
    return build(priors, arrays, structure=structure)


def densities(model):
    """Log density of each variable, summed, as a function of unconstrained values by name."""
    terms = [term.sum() for term in model.logp(sum=False)]
    call = pytensor.function(model.value_vars, terms, mode=MODE, on_unused_input="ignore")
    names = [rv.name for rv in model.basic_RVs]
    order = [value.name for value in model.value_vars]

    def run(point):
        out = call(*(point[name] for name in order))
        return dict(zip(names, map(float, out), strict=True))

    return run


def make_point(model, rng):
    start = model.initial_point(random_seed=0)
    return {name: x + rng.normal(0.0, 0.3, np.shape(x)) for name, x in start.items()}


@pytest.fixture(scope="module")
def density(model):
    return densities(model)


@pytest.fixture(scope="module")
def point(model):
    return make_point(model, np.random.default_rng(12))


def test_default_file_has_thirteen_priors_that_no_likelihood_touches(model):
    touched, alone = split(model)
    assert alone == ALONE
    assert not set(touched) & set(alone)


def test_every_slot_is_in_the_model_or_in_its_change_of_variables(model):
    assert set(SLOTS) - set(model.named_vars) == set(EASE)
    assert {"use_ratio", "worker_ratio_elasticity_z"} <= set(model.named_vars)


def test_forecast_only_priors_are_those_that_move_no_other_density(model, density, point):
    """Move each prior's own value: all densities but its own stay for those alone."""
    base = density(point)
    still = []
    for rv in model.free_RVs:
        if rv.name not in SLOTS:
            continue
        value = model.rvs_to_values[rv].name
        moved = density(point | {value: point[value] + 0.2})
        if all(moved[name] == x for name, x in base.items() if name != rv.name):
            still.append(rv.name)
    assert tuple(sorted(still)) == ALONE


def test_sampled_model_leaves_out_what_is_alone(shipped):
    priors, arrays, structure = shipped
    model, alone = build_sampled(priors, arrays, structure=structure)
    assert alone == ALONE
    assert not set(ALONE) & set(model.named_vars)
    assert set(SLOTS) - set(ALONE) - set(EASE) <= set(model.named_vars)


def test_no_observed_value_or_weight_is_a_constant(shipped, model):
    """By content: no array of evidence, and no hyperparameter vector, is baked in."""
    _, arrays, _ = shipped
    baked = [
        np.asarray(node.data)
        for node in ancestors([model.logp()])
        if isinstance(node, Constant) and np.ndim(getattr(node, "data", None)) > 0
    ]
    evidence = {f"{t}.{n}": x for t, columns in arrays.items() for n, x in columns.items()}
    evidence["hyper"] = model["hyper"].get_value()
    for name, array in evidence.items():
        if np.unique(array).size > 1:
            same = [x for x in baked if x.shape == array.shape and np.array_equal(x, array)]
            assert not same, name
        assert model[name].get_value().shape == array.shape


def test_grouping_priors_leaves_the_density(shipped, model, density):
    priors, arrays, structure = shipped
    touched, _ = split(model)
    grouped = build(priors, arrays, structure=structure, grouped=touched)
    groups = {rv.name: rv for rv in grouped.free_RVs if rv.name.startswith("beliefs_")}
    assert len(grouped.free_RVs) == len(model.free_RVs) - len(touched) + len(groups)
    other, rng = densities(grouped), np.random.default_rng(13)
    for _ in range(5):
        at = make_point(model, rng)
        there = {value.name: at.get(value.name) for value in grouped.value_vars}
        for name, rv in groups.items():
            members = grouped.coords[f"{name.removeprefix('beliefs_')} belief"]
            values = [at[model.rvs_to_values[model[m]].name] for m in members]
            there[grouped.rvs_to_values[rv].name] = np.array(values)
        mine, theirs = density(at), other(there)
        assert sum(theirs.values()) == pytest.approx(sum(mine.values()), rel=1e-10)


def test_swapped_numbers_reach_a_compiled_density(priors, arrays, structure):
    """One compiled function gives another Case's density once its arrays are set."""
    numbers = tuple((name, value * 1.5) for name, value in priors["step_5"].params)
    changed = dict(priors) | {"step_5": replace(priors["step_5"], params=numbers)}
    swapped = {table: dict(columns) for table, columns in arrays.items()}
    for table, column in (("lists", "value"), ("ratings", "weight"), ("ratings", "value")):
        swapped[table][column] = swapped[table][column][[1, 0, 2]]
    model = build(priors, arrays, structure=structure)
    fresh = build(changed, swapped, structure=structure)
    run, at = densities(model), make_point(model, np.random.default_rng(14))
    totals = [sum(run(at).values())]
    for name in ("hyper", "lists.value", "ratings.weight", "ratings.value"):
        model[name].set_value(fresh[name].get_value())
        totals.append(sum(run(at).values()))
    assert len(set(totals)) == 5
    assert totals[-1] == pytest.approx(sum(densities(fresh)(at).values()), rel=1e-12)


@pytest.mark.parametrize(("link", "tails"), [("probit", "normal"), ("logit", "student-t")])
def test_options_leave_what_a_likelihood_touches(link, tails, priors, *, arrays, structure):
    options = replace(structure, link=link, tails=tails)
    assert split(build(priors, arrays, structure=options))[1] == ALONE


@pytest.mark.parametrize(
    ("name", "dist", "params"),
    [
        ("effort_slope", "StudentT", (("nu", 5.0), ("mu", 0.0), ("sigma", 1.0))),
        ("use_rate", "HalfNormal", (("sigma", 1.0),)),
        ("use_rate", "Exponential", (("lam", 1.0),)),
        ("step_1", "LogitNormal", (("mu", 0.0), ("sigma", 1.0))),
        ("step_1", "Uniform", (("lower", 0.1), ("upper", 0.9))),
        (
            "step_1",
            "TruncatedNormal",
            (("mu", 0.5), ("sigma", 1.0), ("lower", 0.0), ("upper", 1.0)),
        ),
    ],
)
def test_a_family_of_one_belief_is_sampled(name, dist, params, shipped):
    priors, arrays, structure = shipped
    priors = priors | {name: replace(priors[name], dist=dist, params=params)}
    model, _ = build_sampled(
        priors, arrays, structure=replace(structure, families=families(priors))
    )
    point = model.initial_point(0)
    value = model[name].eval({model[f"beliefs_{dist}"]: [0.4]})
    assert value == pytest.approx(0.4)
    assert any(key.startswith(f"beliefs_{dist}") for key in point)
