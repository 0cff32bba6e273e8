"""The forecast's arithmetic against integration, the likelihood's own states, and simulation."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytensor.tensor as pt
import pytest
from scipy.integrate import quad

from forecast.inference.outcomes import predict
from models.components import spillover, states
from models.dims import FIRST_YEAR
from models.errors import InputError
from models.ops import NumPy
from models.outcomes import race, relevance
from models.outcomes.graphs import data_of
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked, make_paths
from models.outcomes.states import ages_of_use, make_states, moments, uses
from models.terms import all_terms

D, LAST = 5, 2040 - FIRST_YEAR


def one(value):
    return np.array([float(value)])


@pytest.fixture(scope="module")
def draw(draws):
    """One draw of every variable, as constants of a graph."""
    return {name: pt.constant(x[D]) for name, x in draws.items()}


@pytest.fixture(scope="module")
def paths(draw, future, structure, question):
    """The paths of that draw, as graphs."""
    data = data_of("relevance", future, structure=structure, question=question)
    normals = {name: pt.constant(data[name][D]) for name in future}
    do = {name: pt.constant(x) for name, x in data.items() if name not in future}
    return make_paths(draw, normals, do, n_years=LAST + 1)


def uses_of(paths, draw, *, side, year):
    """Return the uses of one cohort, and its age."""
    at = pt.constant([year - FIRST_YEAR])
    return uses(paths, draw, side=side, at=at, age=ages_of_use(paths, at, last=LAST))


@pytest.mark.parametrize("means", [(0.1, 0.3), (5.0, 2.0), (60.0, 40.0)])
@pytest.mark.parametrize("age", [0.5, 14.5])
def test_quadrature_is_the_closed_form_at_equal_lags(means, age):
    cap, ali = map(one, means)
    grown = spillover.reached(NumPy, age, one(2.0))
    total = cap + ali
    expected = cap / total * -np.expm1(-total * grown)
    got = race.first_by(NumPy, cap, ali, lag=2.0, other_lag=2.0, age=one(age))
    np.testing.assert_allclose(got, expected, atol=1e-4)  # 16 nodes


@pytest.mark.parametrize(
    ("means", "error"), [((0.1, 0.1), 2e-4), ((10, 3), 2e-4), ((90, 99), 5e-4)]
)
@pytest.mark.parametrize("lags", [(1.0, 1.5), (0.5, 5.0), (5.0, 0.5)])
def test_quadrature_is_adaptive_integration(means, lags, error):
    def density(x):
        hazard = means[0] * np.exp(-x / lags[0]) / lags[0]
        grown = [m * -np.expm1(-x / lag) for m, lag in zip(means, lags, strict=True)]
        return hazard * np.exp(-sum(grown))

    ends = [0.0, 0.01, 0.1, 1.0, 14.5]
    expected = sum(quad(density, a, b)[0] for a, b in pairwise(ends))
    cap, ali = map(one, means)
    got = race.first_by(NumPy, cap, ali, lag=lags[0], other_lag=lags[1], age=one(14.5))
    assert got[0] == pytest.approx(expected, abs=error)


def test_race_has_one_winner_or_none():
    rng = np.random.default_rng(3)
    cap, ali = rng.lognormal(size=(2, 50, 4))
    for lags in rng.lognormal(size=(20, 2)):
        age = np.full(50, 6.0)
        won = race.first_by(NumPy, cap, ali, lag=lags[0], other_lag=lags[1], age=age)
        lost = race.first_by(NumPy, ali, cap, lag=lags[1], other_lag=lags[0], age=age)
        grown = [spillover.reached(NumPy, 6.0, lag) for lag in lags]
        none = np.exp(-cap * grown[0] - ali * grown[1])
        np.testing.assert_allclose(won + lost + none, 1.0, atol=5e-4)


def test_states_are_those_of_the_likelihood(draws, draw, paths, structure, evaluate):
    """In the window, without year effects and known cases, both files give one number."""
    quiet = {name: x[D] for name, x in draws.items()}
    quiet |= {f"{side}_year_sd": np.array(0.0) for side in relevance_sides()}
    year, cells = 2024, {"agenda": np.arange(4), "purposive": np.zeros(4)}
    cells |= {"year": np.full(4, year - FIRST_YEAR), "age": np.full(4, 2040.5 - year)}
    parts = all_terms(NumPy, {name: np.asarray(x) for name, x in quiet.items()})
    state, unused = states.cell_states(NumPy, parts, cells, link=structure.link)
    s = evaluate(vars(make_states(paths, structure.link)))
    level, track = (s[name][:4, year - FIRST_YEAR] for name in ("level", "track"))
    joint = np.stack([level * (1.0 - track), level * track], axis=-1)
    np.testing.assert_allclose(joint.reshape(state.shape), state)
    for i, side in enumerate(relevance_sides()):
        use = evaluate(vars(uses_of(paths, draw, side=side, year=year)))
        for j, name in enumerate(("no_own", "no_documented")):
            flat = use[name][0, :4].swapaxes(-1, -2).reshape(state.shape)
            np.testing.assert_allclose(flat, unused[2 * i + j])


def relevance_sides():
    return ("capabilities", "alignment")


def test_outcomes_are_those_of_simulated_works(draws, draw, paths, structure, evaluate):
    """Draw works, their uses and dates for one draw; frequencies meet the computed chances."""
    rng, n, agenda, age = np.random.default_rng(4), 200_000, 1, 14.5
    s, gates = make_states(paths, structure.link), evaluate(relevance.gate(draw))
    level, track = (x[agenda, 2026 - FIRST_YEAR] for x in evaluate([s.level, s.track]))
    p = np.stack([level * (1.0 - track), level * track]).ravel()
    at = np.unravel_index(rng.choice(16, size=n, p=p / p.sum()), (2, 8))
    own, by, seen = {}, {}, {}
    for side in relevance_sides():
        use = evaluate(vars(uses_of(paths, draw, side=side, year=2026)))
        mean, lag = use["mean"][0, agenda][at], draws[f"{side}_lag"][D]
        own[side] = rng.uniform(size=n) > use["no_own"][0, agenda][at]
        # first of a Poisson number of uses with exponential dates: invert its distribution
        never = -np.log(rng.uniform(size=n)) / mean
        by[side] = np.where(never < 1, -lag * np.log1p(-np.minimum(never, 1 - 1e-12)), np.inf)
        seen[side] = own[side] | (rng.uniform(size=n) > use["no_documented"][0, agenda][at])
    cap, ali = (own[x] | (by[x] < age) for x in relevance_sides())
    first = np.where(own["capabilities"], np.where(own["alignment"], 0.5, 1.0), 0.0)
    later = (by["capabilities"] < age) & (by["capabilities"] < by["alignment"])
    first = np.where(own["capabilities"] | own["alignment"], first, later)
    helped = ali & (rng.uniform(size=n) < gates[at[0]] * 0.7)
    m = moments(paths, draw, states=s, at=pt.constant([2026 - FIRST_YEAR]), last=LAST)
    got = evaluate(relevance.outcomes(m, pt.constant(gates), reach=np.full(5, 0.7)))
    expected = {
        "alignment_used": ali,
        "capabilities_relevant": cap,
        "capabilities_used_by_others": by["capabilities"] < age,
        "capabilities_first": first,
        "alignment_relevant": helped,
        "strict_both": helped & cap,
        "both": seen["capabilities"] & seen["alignment"],
        "capabilities_only": seen["capabilities"] & ~seen["alignment"],
    }
    for name, x in expected.items():
        error = 4.5 * x.std() / np.sqrt(n) + 1e-4  # standard errors, and 16 nodes
        assert got[name][0, agenda] == pytest.approx(x.mean(), abs=error), name


def test_chunks_do_not_matter(draws, future, structure, question, usual):
    few = [{k: v[:30] for k, v in group.items()} for group in (draws, future)]
    out = predict(*few, structure=structure, question=question)
    for name, x in out.items():
        np.testing.assert_allclose(x, usual[name][:30], rtol=1e-12, atol=1e-15, err_msg=name)


def test_field_is_the_mean_of_agendas_by_share(usual):
    mean = (usual["agenda_share"] * usual["agenda_alignment_relevant"]).sum(axis=1)
    np.testing.assert_allclose(usual["alignment_relevant"], mean)
    np.testing.assert_allclose(usual["agenda_share"].sum(axis=1), 1.0)


def test_own_cohort_is_the_headline(usual, question):
    at = relevance.cohorts(question).index(question.cohort)
    for name in ("alignment_relevant", "capabilities_first", "both"):
        np.testing.assert_allclose(usual[f"cohort_{name}"][:, at], usual[name])


def test_a_new_agenda_is_like_the_others_where_agendas_do_not_differ(forecast):
    zeros = {f"{side}_agenda_sd": 0.0 for side in relevance_sides()}
    zeros |= {"capabilities_agenda": 0.0}
    zeros |= {"maturity_family_sd": 0.0, "maturity_agenda_sd": 0.0, "maturity_agenda": 0.0}
    out = forecast(tracking_agenda_sd=0.0, effort_slope_sd=0.0, **zeros)
    for name in ("alignment_relevant", "capabilities_relevant", "strict_both"):
        np.testing.assert_allclose(out[f"new_agenda_{name}"], out[f"agenda_{name}"][:, 2])


def test_a_later_horizon_only_adds_use(forecast, question, usual):
    out = forecast(asked=replace(question, horizon=2030))
    assert (out["alignment_used"] <= usual["alignment_used"]).all()
    assert (out["established_field"] <= usual["established_field"] + 1e-12).all()


def test_a_horizon_within_the_evidence_is_answered(forecast):
    out = forecast(asked=Asked(2020, 2024, 3, "agenda"))
    assert out["established"].shape[2] == 2024 - FIRST_YEAR + 1
    assert out["cohort_both"].shape[1] == 5


def test_probit_and_heavy_tails_are_answered(draws, future, structure, question):
    other = replace(structure, link="probit", tails="student-t")
    out = predict(draws, future, structure=other, question=question)
    assert all(np.isfinite(x).all() for x in out.values())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Asked(2041, 2040, 3, "field"), "found cohort 2041, horizon 2040"),
        (lambda: Asked(2026, 2040, 3, "world"), "use one of field, family, agenda"),
        (lambda: Do("trackin", 0.5, 2026), "no key 'trackin'"),
        (lambda: Do("tracking", 1.5, 2026), "a chance from 0 to 1"),
        (lambda: Do("ratio", 0.0, 2026, times=True), "a factor above 0"),
    ],
)
def test_impossible_questions_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_an_unknown_agenda_is_refused(forecast):
    with pytest.raises(InputError, match="no agenda 'z'"):
        forecast(do=(Do("share.z", 2.0, 2026, times=True),))


def test_wanted_quantities_are_those_of_the_whole(draws, future, structure, question, usual):
    names = ("alignment_relevant", "established", "relevant_tracked", "cohort_both")
    some = predict(draws, future, structure=structure, question=question, names=names)
    assert set(some) == set(names)
    one = predict(draws, future, structure=structure, question=question, names=names[:3])
    for name in names[:3]:
        np.testing.assert_array_equal(one[name], usual[name])
        np.testing.assert_array_equal(some[name], usual[name])
    np.testing.assert_array_equal(some["cohort_both"], usual["cohort_both"])
