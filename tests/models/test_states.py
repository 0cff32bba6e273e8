"""The 16 states of each cell and the chances of no use, by loops over the docstrings."""

from math import exp, log

import numpy as np
import pytest
from scipy.stats import norm

from models.components import faults, maturity, spillover, states, tracking, workers
from models.dims import LOG_RATIO, SIDES, YEARS
from models.ops import NumPy, flatten

CELLS = {
    "agenda": np.array([0, 3, 2]),
    "year": np.array([10, 13, 4]),
    "purposive": np.array([0, 0, 1]),
    "age": np.array([3.4, 0.4, 9.4]),
}
LINKS = {"logit": (lambda x: 1 / (1 + exp(-x)), lambda p: log(p / (1 - p)))}
LINKS["probit"] = (norm.cdf, norm.ppf)
SIGN = {"capabilities": 1, "alignment": -1}


@pytest.fixture(scope="module", params=LINKS)
def computed(request, values, structure):
    """Parts of the graph at one draw, and the states of the cells from them."""
    d = {}

    def add(priors):
        parts = {
            "workers": workers.add_workers(priors),
            "maturity": maturity.add_maturity(priors, structure.family_of, tails="normal"),
            "tracking": tracking.add_tracking(priors, "normal"),
            "faults": faults.add_faults(priors),
            "spillover": spillover.add_spillover(priors),
        }
        from models.ops import graph

        state, unused = states.cell_states(graph(), parts, CELLS, link=request.param)
        parts["faults"] = {"diagnosed": parts["faults"]["diagnosed"]}
        return parts | {"state": state, "unused": dict(enumerate(unused))}

    terms, d = values(add)
    return request.param, terms, d


def effort(size, year):
    def total(last):
        return log(1 + sum(exp(size[t]) for t in range(last + 1)))

    return total(year) - total(YEARS.index(2023))


def level_chances(d, terms, *, cell, link):
    forward, back = LINKS[link]
    a, year, c = (CELLS[name][cell] for name in ("agenda", "year", "purposive"))
    x = effort(terms["workers"]["log_workers"][2], year)
    theta = terms["maturity"]["agenda"][a] + d["maturity_purposive"] * c
    theta += (d["effort_slope"] + d["effort_slope_sd"] * d["effort_slope_z"][a]) * x
    chances, reach = [], 1.0
    for k in range(1, 8):
        u = 1.0 if k < 4 else d[f"{'step_4' if k == 4 else 'upper'}_discrimination"]
        p = forward(back(d[f"step_{k}"]) + u * theta)
        chances.append(reach * (1 - p))
        reach *= p
    return [*chances, reach]


def test_states_are_levels_times_tracking(computed):
    link, terms, d = computed
    for cell in range(3):
        levels = level_chances(d, terms, cell=cell, link=link)
        a, year, c = (CELLS[name][cell] for name in ("agenda", "year", "purposive"))
        for k in range(8):
            base = log(d["tracking_share"] / (1 - d["tracking_share"]))
            base += d["tracking_agenda_sd"] * d["tracking_agenda_z"][a]
            base += d["tracking_trend"] * (YEARS[year] - 2023) + d["tracking_purposive"] * c
            base += d["tracking_level_sd"] * d["tracking_level_z"][k]
            tracks = 1 / (1 + exp(-base))
            got = terms["state"][cell, 2 * k : 2 * k + 2]
            np.testing.assert_allclose(got, [levels[k] * (1 - tracks), levels[k] * tracks])
    np.testing.assert_allclose(terms["state"].sum(axis=1), 1.0)


PROFILE = {
    "capabilities": lambda d, k: d["capabilities_level_sd"] ** 0.5 * d["capabilities_level_z"][k],
    "alignment": lambda d, k: d["alignment_level"][k],
}
AGENDA = {
    "capabilities": lambda d, a: d["capabilities_agenda"][a],
    "alignment": lambda d, a: d["alignment_agenda_sd"] * d["alignment_agenda_z"][a],
}


@pytest.mark.parametrize("side", SIDES)
def test_chances_of_no_use(computed, side):
    _, terms, d = computed
    size, i = terms["workers"]["log_workers"], SIDES.index(side)
    for cell in range(3):
        a, year, c = (CELLS[name][cell] for name in ("agenda", "year", "purposive"))
        ratio = size[1][year] - size[0][year] - LOG_RATIO
        age, delay, lag = CELLS["age"][cell], d["reporting_delay"], d[f"{side}_lag"]
        seen = age - delay * (1 - exp(-age / delay))
        for k in range(8):
            for z in (0, 1):
                m = log(d["use_rate"])
                m += SIGN[side] * 0.5 * (d["use_ratio"] + terms["spillover"]["elasticity"] * ratio)
                m += PROFILE[side](d, k) + AGENDA[side](d, a) + d[f"{side}_purposive"] * c
                m += d[f"{side}_year_sd"] * d[f"{side}_year_z"][year]
                m -= SIGN[side] * d[f"tracking_{side}"] * z
                if side == "capabilities":
                    m += log(1 + d["bottleneck"] * terms["faults"]["diagnosed"][k])
                own, others = (terms["unused"][2 * i + j][cell, 2 * k + z] for j in (0, 1))
                assert own == pytest.approx(exp(-d[f"{side}_own"] * exp(m)))
                assert others == pytest.approx(exp(-exp(m) * (1 - exp(-seen / lag))))


def test_one_formula_serves_draws_and_graph(computed, draws):
    link, terms, _ = computed
    parts = {
        "workers": {"log_workers": workers.terms(NumPy, draws)["log_workers"]},
        "maturity": maturity.terms(NumPy, draws),
        "tracking": tracking.terms(NumPy, draws),
        "spillover": spillover.terms(NumPy, draws),
    }
    shares = faults.world_shares(NumPy, draws["fault_learned_share"], draws["fault_no_learning"])
    rate = faults.rates(NumPy, faults.terms(NumPy, draws)["diagnosis"])
    parts["faults"] = {"diagnosed": faults.diagnosed(NumPy, shares, rate)}
    state, unused = states.cell_states(NumPy, parts, CELLS, link=link)
    np.testing.assert_allclose(state[3], terms["state"], rtol=1e-8)
    for i in range(4):
        np.testing.assert_allclose(unused[i][3], terms["unused"][i], rtol=1e-6)


def test_flattened_states_are_level_major():
    pair = np.array([[["k0 no", "k0 yes"], ["k1 no", "k1 yes"]]])
    assert flatten(pair).tolist() == [["k0 no", "k0 yes", "k1 no", "k1 yes"]]
