"""The three shipped priors files: whole, reasoned, and far from certainty before any evidence."""

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from forecast.config.load import load_config
from forecast.config.schema import CLAIMS
from forecast.inference.outcomes import predict
from models.dims import LOG_RATIO, Structure
from models.outcomes.paths import Asked
from models.parameters import SLOTS
from models.prior_draws import prior_draws
from models.priors import families, frozen

ROOT = Path(__file__).parents[1]
NAMES = ("default", "doubter", "questioner")
SIDES = {
    "doubter": {f"C{i}" for i in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14)},
    "questioner": {"C7", "C12"},
}
N = 800  # quantiles of the prior to about two points of probability
MOVES = {
    # worldview, quantity, index, and which way its median goes against the default
    ("doubter", "C1", "level5_established", None): -1,
    ("doubter", "C3", "bottleneck_gain", None): 1,
    ("doubter", "C4", "relevant_if_reflection_needed", None): -1,
    ("doubter", "C5", "tracks_end_goal", None): -1,
    ("doubter", "C6", "tracking_effect_capabilities", None): -1,
    ("doubter", "C6", "untracked_leak", None): -1,
    ("doubter", "C8", "diagnosed", 3): 1,
    ("doubter", "C9", "path_count", None): 1,
    ("doubter", "C9", "no_path_caught", None): -1,
    ("doubter", "C10", "ease_documented", None): 1,
    ("doubter", "C10", "ease_actual", None): 1,
    ("doubter", "C11", "capabilities_first", None): 1,
    ("doubter", "C13", "value_constancy", None): -1,
    ("doubter", "C14", "relevant_untracked", None): -1,
    ("doubter", "C14", "capabilities_only_untracked", None): 1,
    ("questioner", "C7", "fault_shares", 2): -1,
    ("questioner", "C12", "relevant_if_values_enough", None): 1,
}


@pytest.fixture(scope="module")
def priors():
    return {
        name: {p.name: p for p in load_config(ROOT / f"priors/{name}.toml").priors}
        for name in NAMES
    }


@pytest.fixture(scope="module")
def predicted(priors):
    """Predictions of the three worldviews from paired prior draws (2026 works, by 2040)."""
    rng = np.random.default_rng(1)
    future = {
        "worker_shocks": rng.standard_normal((N, 3, 14)),
        "new_agenda": rng.standard_normal((N, 7)),
    }
    asked = Asked(cohort=2026, horizon=2040, established_at=3, established_in="field")
    out = {}
    for name, stated in priors.items():
        structure = small_structure(stated)
        draws = prior_draws(stated, structure, n=N, rng=np.random.default_rng(0))
        out[name] = predict(draws, future, structure=structure, question=asked)
    return out


def small_structure(stated):
    """The listed agendas and families, with one label wherever the evidence has no say here."""
    with (ROOT / "evidence/agendas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = tuple(dict.fromkeys(row["family"] for row in rows))
    return Structure(
        families=families(stated),
        link="logit",
        tails="normal",
        agendas=tuple(row["agenda"] for row in rows),
        family_of=tuple(kinds.index(row["family"]) for row in rows),
        agenda_families=kinds,
        definitions=("other",),
        lists=("list",),
        studies=("study",),
        raters=("R1", "R2"),
        kind_of=(0, 0),
        kinds=("language-model",),
        capacities=(),
    )


def near_an_end(p):
    """Share of draws within 0.01 of 0 or 1."""
    return np.mean((p < 0.01) | (p > 0.99))


@pytest.mark.parametrize("name", NAMES)
def test_file_states_every_prior_with_a_reason(priors, name):
    assert set(priors[name]) == set(SLOTS)
    for prior in priors[name].values():
        assert len(prior.why.split()) >= 8, prior.name
        assert prior.source.strip(), prior.name
        assert prior.unit == SLOTS[prior.name].unit


@pytest.mark.parametrize("name", NAMES)
def test_no_two_priors_share_a_reason(priors, name):
    reasons = Counter(prior.why for prior in priors[name].values())
    assert [why for why, n in reasons.items() if n > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_is_some_priors_home(priors, name):
    assert {p.claims[0] for p in priors[name].values()} - {"none"} == set(CLAIMS)


def test_sources_are_listed_or_say_what_they_are(priors):
    with (ROOT / "evidence/sources.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["source"] for row in csv.DictReader(file)}
    said = ("base rate: ", "stated symmetry", "our reading of ")
    for stated in priors.values():
        for prior in stated.values():
            assert prior.source in listed or prior.source.startswith(said), prior.name


def test_files_follow_the_order_of_the_slots():
    for name in NAMES:
        text = (ROOT / f"priors/{name}.toml").read_text(encoding="utf-8")
        order = [line[8:-1] for line in text.splitlines() if line.startswith("[priors.")]
        assert order == [slot for slot in SLOTS if slot in order]


@pytest.mark.parametrize("name", SIDES)
def test_side_states_the_homes_of_its_claims(priors, name):
    changed = [p for key, p in priors[name].items() if p != priors["default"][key]]
    assert {p.claims[0] for p in changed} >= SIDES[name]
    for prior in changed:
        assert prior.claims == priors["default"][prior.name].claims  # homes stay comparable
        assert SIDES[name] & set(re.findall(r"C\d+", prior.why)), prior.name


def test_doubter_alone_says_that_a_use_is_easier_for_capabilities(priors):
    above = {name: 1 - frozen(stated["ease"]).cdf(0.0) for name, stated in priors.items()}
    assert above["doubter"] > 0.5 > 0.1 > above["default"] == above["questioner"]
    steeper = {
        name: stated["worker_ratio_elasticity"].values["mu"] for name, stated in priors.items()
    }
    assert steeper["doubter"] > steeper["default"]


def test_default_expects_equal_use_on_both_sides(priors):
    ease, slope = (priors["default"][name].values for name in ("ease", "worker_ratio_elasticity"))
    eta = ease["mu"] + LOG_RATIO * slope["mu"]
    sd = np.hypot(ease["sigma"], LOG_RATIO * slope["sigma"])
    assert abs(eta) < 0.1
    assert 1.4 < sd < 2.0


def test_pairs_of_sides_have_the_same_numbers(priors):
    stated, pairs = (
        priors["default"],
        ("level_sd", "agenda_sd", "year_sd", "purposive", "lag", "own"),
    )
    for pair in pairs:
        assert stated[f"capabilities_{pair}"].params == stated[f"alignment_{pair}"].params
    assert stated["tracking_capabilities"].params == stated["tracking_alignment"].params


@pytest.mark.parametrize("name", NAMES)
def test_levels_six_and_seven_are_open_before_any_evidence(predicted, name):
    for step in (5, 6):
        f = predicted[name]["established_field"][:, step]
        assert near_an_end(f) < 0.4
        assert 0.02 < np.median(f) < 0.9


def test_default_spreads_level_seven_widely(predicted):
    f = predicted["default"]["established_field"][:, 6]
    low, high = np.quantile(f, [0.1, 0.9])
    assert low < 0.05
    assert high > 0.4


def test_works_above_level_five_are_rare_and_not_ruled_out(predicted):
    reach = predicted["default"]["level_share"][:, ::-1].cumsum(axis=1)[:, ::-1]
    assert 1e-3 < np.median(reach[:, 6]) < 0.05
    assert 1e-4 < np.median(reach[:, 7]) < 0.02
    assert np.mean(reach[:, 7] > 1e-6) > 0.95


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["alignment", "capabilities"])
def test_use_after_fourteen_years_is_open(predicted, name, side):
    for quantity in (f"documented_{side}", f"{side}_used_by_others"):
        use = predicted[name][quantity]
        assert near_an_end(use) < 0.4, quantity
    if name != "doubter":
        assert 0.02 < np.median(predicted[name][f"documented_{side}"]) < 0.6


def test_relevance_falls_for_the_doubter_and_rises_for_the_questioner(predicted):
    median = {name: np.median(predicted[name]["alignment_relevant"]) for name in NAMES}
    assert 2 * median["doubter"] < median["default"] < median["questioner"] / 1.2


def test_doubter_puts_the_plateau_below_the_reading_of_values(predicted):
    below = {name: predicted[name]["plateau"][:, :6].sum(axis=1) for name in NAMES}
    assert np.median(below["doubter"]) > np.median(below["default"]) + 0.1


@pytest.mark.parametrize("case", MOVES, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_claim_moves_as_its_side_says(predicted, case):
    name, _, quantity, index = case
    moved, default = (predicted[which][quantity] for which in (name, "default"))
    if index is not None:
        moved, default = moved[:, index], default[:, index]
    assert (np.median(moved) - np.median(default)) * MOVES[case] > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_side_answers_the_same_question(name):
    config = load_config(ROOT / f"priors/{name}.toml")
    assert (config.question.cohort, config.question.horizon) == (2026, 2040)
    assert config.name == name
