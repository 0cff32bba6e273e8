"""Faults: world shares, diagnosis rates, what each level lets one diagnose, and both counts."""

import numpy as np
import pytest
from scipy import stats

from models import likelihoods as simulate
from models.components import faults
from models.dims import TASKS, WORLDS
from models.ops import NumPy

SHARES = np.array([0.5, 0.2, 0.3])
TASK_AT = {1: 0, 2: 1}  # detect at level 1, locate at level 2, explain above


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def diagnosed_by_loops(shares, rate):
    out = [0.0]
    for k in range(1, 8):
        task = TASK_AT.get(k, 2)
        out.append(sum(shares[w] * rate[w][task] for w in range(3) if w <= k - 1))
    return out


def test_world_shares_split_what_was_not_learned(graph_value):
    got = graph_value(faults.world_shares, 0.3, 0.6)
    np.testing.assert_allclose(got, [0.7 * 0.6, 0.7 * 0.4, 0.3])


def test_mixed_bin_takes_a_chance_of_code_faults():
    assert faults.mixed_probability(0.6, 0.25) == pytest.approx(0.6 + 0.4 * 0.25)


def test_levels_diagnose_the_worlds_open_to_them(graph_value):
    rate = np.array([[0.9, 0.7, 0.5], [0.6, 0.4, 0.3], [0.2, 0.15, 0.1]])
    got = graph_value(faults.diagnosed, SHARES, rate)
    np.testing.assert_allclose(got, diagnosed_by_loops(SHARES, rate))
    np.testing.assert_allclose(got[:4], [0.0, 0.5 * 0.9, 0.5 * 0.7 + 0.2 * 0.4, 0.34])


def test_graph_diagnoses_as_the_formula_says(values):
    terms, d = values(faults.add_faults)
    rest = 1 - d["fault_learned_share"]
    shares = [rest * d["fault_no_learning"], rest * (1 - d["fault_no_learning"])]
    shares.append(d["fault_learned_share"])
    mean = np.log(d["diagnosis_rate"] / (1 - d["diagnosis_rate"]))
    rate = [
        [
            sigmoid(
                mean
                + d["diagnosis_world_sd"] * d["diagnosis_world_z"][w]
                + d["diagnosis_task_sd"] * d["diagnosis_task_z"][q]
                - d["diagnosis_practice"]
            )
            for q in range(len(TASKS))
        ]
        for w in range(len(WORLDS))
    ]
    np.testing.assert_allclose(terms["diagnosed"], diagnosed_by_loops(shares, rate))
    none, chance = d["fault_no_learning"], d["fault_mixed_chance"]
    assert terms["mixed"] == pytest.approx(none + (1 - none) * chance)
    assert terms["concentration"] == d["diagnosis_concentration"]
    assert terms["study"] == d["fault_concentration"]


def test_rates_of_rows_drop_in_production_alone(values, graph_value, draws):
    terms, d = values(faults.add_faults)
    rows = {"world": np.array([2, 0]), "task": np.array([1, 2]), "production": np.array([1, 0])}

    def formula(xp, mean, practice):
        given = terms["diagnosis"] | {"mean": mean, "practice": practice}
        return faults.row_rates(xp, given, data=rows)

    got = graph_value(formula, *(terms["diagnosis"][name] for name in ("mean", "practice")))
    mean = np.log(d["diagnosis_rate"] / (1 - d["diagnosis_rate"]))
    for i, drop in enumerate((d["diagnosis_practice"], 0.0)):
        world = d["diagnosis_world_sd"] * d["diagnosis_world_z"][rows["world"][i]]
        task = d["diagnosis_task_sd"] * d["diagnosis_task_z"][rows["task"][i]]
        assert got[i] == pytest.approx(sigmoid(mean + world + task - drop))
    for name, value in faults.terms(NumPy, draws)["diagnosis"].items():
        np.testing.assert_allclose(value[3], terms["diagnosis"][name])


def test_counts_are_beta_binomial(graph_value):
    value, total = np.array([0.0, 4.0, 19.0]), np.array([5.0, 9.0, 19.0])
    a, b = np.array([0.7, 3.0, 2.0]), np.array([2.0, 5.0, 0.4])
    got = graph_value(faults.beta_binomial_logp, value, total, a, b)
    np.testing.assert_allclose(got, stats.betabinom.logpmf(value, total, a, b))


@pytest.mark.parametrize(("total", "a", "b"), [(7, 0.8, 2.5), (12, 6.0, 4.0)])
def test_simulated_counts_are_beta_binomial(total, a, b, assert_counts):
    n, support = 20000, np.arange(total + 1.0)
    numbers = (np.full(n, float(x)) for x in (total, a, b))
    drawn = simulate.beta_binomial_random(np.random.default_rng(9), *numbers)
    chances = np.exp(faults.beta_binomial_logp(NumPy, support, float(total), a, b))
    assert_counts(drawn, support, chances=chances)
