"""Ratings: the summed-out likelihood by brute force, its sums over answers, its simulator."""

from functools import partial
from itertools import product
from math import exp, prod

import numpy as np
import pytest

from models.ops import NumPy
from models.ratings import formula as ratings
from models.ratings.formula import MISSING, MISSING_LEVEL, NO_ANSWER, TERMS
from models.ratings.simulate import row_random

KINDS = {"one kind": (0, 0), "two kinds": (0, 1), "three raters": (1, 0, 1)}
WHOSE = (1, 2, 3)


def make_terms(kind_of, seed=0):
    """Every term of the raters at numbers without symmetry."""
    rng, q, r = np.random.default_rng(seed), max(kind_of) + 1, len(kind_of)
    lean = rng.normal(size=r)
    return {
        "shared_scale": rng.uniform(0.5, 1.5, q),
        "shared_slip": rng.uniform(0.05, 0.3, q),
        "shared_sensitivity": rng.uniform(0.6, 0.9, (q, 3)),
        "shared_specificity": rng.uniform(0.6, 0.9, (q, 3)),
        "shared_own": np.array(0.15),
        "lean": lean - lean.mean(),
        "scale": rng.uniform(0.4, 1.2, r),
        "slip": rng.uniform(0.05, 0.2, r),
        "sensitivity": rng.uniform(0.6, 0.95, (r, 3)),
        "specificity": rng.uniform(0.6, 0.95, (r, 3)),
        "own": np.array(0.25),
        "halo": np.array(0.7),
    }


def make_cells(n=2, seed=1):
    """P(k, z) and the chances of no use of ``n`` cells, dims (cell, 16)."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(16), n), tuple(rng.uniform(0.2, 0.9, (4, n, 16)))


def logp(xp, value, *numbers, kind_of):
    return ratings.row_logp(xp, value, *numbers, kind_of=kind_of)


def numbers_of(cells, terms, *, cell, asked):
    state, unused = cells
    return (state, *unused, *(terms[name] for name in TERMS), cell, asked)


def probability(value, kind_of, *, terms, cells=None, cell=None):
    """P of each row, by the model's own function in NumPy."""
    at = np.zeros(len(value), dtype=int) if cell is None else cell
    numbers = numbers_of(cells or make_cells(), terms, cell=at, asked=np.ones_like(value))
    return np.exp(ratings.row_logp(NumPy, np.asarray(value), *numbers, kind_of=kind_of))


def kernel(a, b, *, lean, scale, slip):
    weight = [exp(lean * (y - a) - 0.5 * ((y - a) / scale) ** 2) for y in range(8)]
    return (1 - slip) * weight[b] / sum(weight) + slip / 8


def level_chance(t, kind_of, *, answers, k):
    total = 0.0
    for readings in product(range(8), repeat=max(kind_of) + 1):
        p = prod(
            kernel(k, read, lean=0.0, scale=t["shared_scale"][q], slip=t["shared_slip"][q])
            for q, read in enumerate(readings)
        )
        for r, q in enumerate(kind_of):
            if answers[r] != MISSING_LEVEL:
                own = {"lean": t["lean"][r], "scale": t["scale"][r], "slip": t["slip"][r]}
                p *= kernel(readings[q], answers[r], **own)
        total += p
    return total


def binary_chance(t, kind_of, *, column, answers, present, odds=0.0):
    total = 0.0
    for readings in product((0, 1), repeat=max(kind_of) + 1):
        p = 1.0
        for q, read in enumerate(readings):
            no = 1 - t["shared_specificity"][q, column]
            yes = t["shared_sensitivity"][q, column] if present else no
            yes = 1 / (1 + (1 - yes) / yes * exp(-odds))
            p *= yes if read else 1 - yes
        for r, q in enumerate(kind_of):
            if answers[r] != MISSING:
                hit, no = t["sensitivity"][r, column], 1 - t["specificity"][r, column]
                yes = hit if readings[q] else no
                p *= yes if answers[r] else 1 - yes
        total += p
    return total


def whose_chance(t, answers, *, use):
    total = 0.0
    for read in WHOSE:
        right, wrong = 1 - t["shared_own"], t["shared_own"] / 2
        p = 1 / 3 if use == 0 else (right if read == use else wrong)
        for answer in answers:
            if answer != NO_ANSWER:
                p *= 1 - t["own"] if answer == read else t["own"] / 2
        total += p
    return total


def brute_force(row, kind_of, *, terms, state, unused):
    """P of one row, summing over level, tracking, both uses, and every shared reading."""
    level, track, *rest = np.reshape(row, (6, len(kind_of))).tolist()
    answered = [y for y in track if y != MISSING]
    odds = float(terms["halo"]) * (sum(answered) / len(answered) if answered else 0.0)
    marks, whose, total = rest[:2], rest[2:], 0.0
    chance = {}
    for g, use in product((0, 1), range(4)):
        p = binary_chance(
            terms, kind_of, column=g + 1, answers=marks[g], present=use > 0, odds=odds
        )
        chance[g, use] = p * whose_chance(terms, whose[g], use=use)
    levels = [level_chance(terms, kind_of, answers=level, k=k) for k in range(8)]
    tracks = [
        binary_chance(terms, kind_of, column=0, answers=track, present=z == 1) for z in (0, 1)
    ]
    for k, z, *uses in product(range(8), (0, 1), range(4), range(4)):
        s = 2 * k + z
        p = state[s] * levels[k] * tracks[z]
        for g, use in enumerate(uses):
            own, others = unused[2 * g][s], unused[2 * g + 1][s]
            p *= (1 - own if use in (1, 3) else own) * (1 - others if use in (2, 3) else others)
            p *= chance[g, use]
        total += p
    return total


def random_answers(n_raters, rows, *, seed=2):
    rng = np.random.default_rng(seed)
    level = rng.integers(0, MISSING_LEVEL + 1, (rows, n_raters))
    binary = rng.integers(0, MISSING + 1, (rows, 3 * n_raters))
    return np.concatenate([level, binary, rng.integers(0, 4, (rows, 2 * n_raters))], axis=1)


@pytest.mark.parametrize("kind_of", KINDS.values(), ids=KINDS)
def test_likelihood_is_the_sum_over_all_that_is_latent(kind_of, graph_value):
    terms, (state, unused) = make_terms(kind_of), make_cells()
    value, cell = random_answers(len(kind_of), 12), np.arange(12) % 2
    numbers = numbers_of((state, unused), terms, cell=cell, asked=np.ones_like(value))
    got = graph_value(partial(logp, kind_of=kind_of), value, *numbers)
    expected = [
        brute_force(row, kind_of, terms=terms, state=state[c], unused=[u[c] for u in unused])
        for row, c in zip(value, cell, strict=True)
    ]
    np.testing.assert_allclose(got, np.log(expected), atol=1e-10)


def one_side(n_raters):
    """Marks of a side with 'whose use' answered by all raters if any of them marked one."""
    for marks in product((0, 1), repeat=n_raters):
        answers = product(WHOSE, repeat=n_raters) if any(marks) else [(NO_ANSWER,) * n_raters]
        yield from ((marks, whose) for whose in answers)


def patterns(n_raters, *, levels):
    """Every pattern of answers, with all of ``levels``."""
    rows = []
    sides = list(one_side(n_raters))
    tracks = product((0, 1), repeat=n_raters)
    for level, track, cap, ali in product(levels, list(tracks), sides, sides):
        rows.append((*level, *track, *cap[0], *ali[0], *cap[1], *ali[1]))
    return np.array(rows)


ONE = patterns(1, levels=[(k,) for k in range(8)])
TWO = patterns(2, levels=[(MISSING_LEVEL,) * 2])


def test_one_raters_answers_have_probability_one():
    assert len(ONE) == 8 * 2 * 4 * 4
    assert probability(ONE, (0,), terms=make_terms((0,))).sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind_of", [(0, 0), (0, 1)])
def test_two_raters_binary_answers_have_probability_one(kind_of):
    total = probability(TWO, kind_of, terms=make_terms(kind_of)).sum()
    assert total == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind_of", [(0, 0), (0, 1)])
@pytest.mark.parametrize("column", range(6))
def test_a_missing_answer_sums_over_what_it_may_be(kind_of, column):
    """Without the halo, which by design reads recorded tracking."""
    terms = make_terms(kind_of) | {"halo": np.array(0.0)}
    row = np.array([2, 5, 1, 0, 1, 1, 0, 1, 1, 3, 2, 2])
    at, missing = 2 * column + 1, [MISSING_LEVEL, *[MISSING] * 3, *[NO_ANSWER] * 2][column]
    codes = {0: range(8), 4: WHOSE, 5: WHOSE}.get(column, (0, 1))
    each = np.array([[*row[:at], code, *row[at + 1 :]] for code in [*codes, missing]])
    p = probability(each, kind_of, terms=terms)
    assert p[:-1].sum() == pytest.approx(p[-1])


def test_a_padded_row_says_nothing(graph_value):
    kind_of = (0, 1)
    blank = np.repeat([MISSING_LEVEL, *[MISSING] * 3, *[NO_ANSWER] * 2], 2)[None]
    cell = np.zeros(1, dtype=int)
    numbers = numbers_of(make_cells(), make_terms(kind_of), cell=cell, asked=0 * blank)
    got = graph_value(partial(logp, kind_of=kind_of), blank, *numbers)
    np.testing.assert_allclose(got, [0.0], atol=1e-12)


def test_an_impossible_row_has_a_finite_log_probability():
    terms = make_terms((0,)) | {
        "shared_specificity": np.ones((1, 3)),
        "specificity": np.ones((1, 3)),
    }
    state, unused = make_cells()
    never = state * (np.arange(16) % 2 == 0), unused
    tracked = np.array([[MISSING_LEVEL, 1, MISSING, MISSING, NO_ANSWER, NO_ANSWER]])
    assert probability(tracked, (0,), terms=terms, cells=never)[0] == pytest.approx(0.0, abs=1e-99)


def simulate(kind_of, asked, *, n=20000, seed=3):
    terms, cells = make_terms(kind_of), make_cells(1)
    at = np.zeros(n, dtype=int)
    numbers = numbers_of(cells, terms, cell=at, asked=np.tile(asked, (n, 1)))
    return row_random(np.random.default_rng(seed), *numbers, kind_of=kind_of)


def places(rows, every):
    index = {tuple(row): i for i, row in enumerate(every.tolist())}
    return np.array([index[tuple(row)] for row in rows.tolist()])


def test_one_raters_simulated_answers_have_their_chances(assert_counts):
    p = probability(ONE, (0,), terms=make_terms((0,)), cells=make_cells(1))
    at = places(simulate((0,), np.ones(6, dtype=int)), ONE)
    assert_counts(at, np.arange(len(ONE)), chances=p)


@pytest.mark.parametrize("kind_of", [(0, 0), (0, 1)])
def test_two_raters_simulated_answers_have_their_chances(kind_of, assert_counts):
    p = probability(TWO, kind_of, terms=make_terms(kind_of), cells=make_cells(1))
    at = places(simulate(kind_of, np.array([0, 0, *[1] * 10])), TWO)
    assert_counts(at, np.arange(len(TWO)), chances=p)


@pytest.mark.parametrize("kind_of", [(0, 0), (0, 1)])
def test_two_raters_simulated_levels_have_their_chances(kind_of, assert_counts):
    rest = (*[MISSING] * 6, *[NO_ANSWER] * 4)
    every = np.array([(*pair, *rest) for pair in product(range(8), repeat=2)])
    p = probability(every, kind_of, terms=make_terms(kind_of), cells=make_cells(1))
    at = places(simulate(kind_of, np.array([1, 1, *[0] * 10])), every)
    assert_counts(at, np.arange(64), chances=p)


def test_terms_of_the_raters(values, draws):
    terms, d = values(ratings.add_raters)
    for name in ("sensitivity", "specificity"):
        share = d[f"rater_{name}"]
        odds = np.log(share / (1 - share)) + d["rater_spread_sd"] * d[f"rater_{name}_z"]
        np.testing.assert_allclose(terms[name], 1 / (1 + np.exp(-odds)))
    np.testing.assert_allclose(terms["lean"], d["rater_lean_sd"] ** 0.5 * d["rater_lean_z"])
    assert set(terms) == set(TERMS)
    for name, value in ratings.terms(NumPy, draws).items():
        np.testing.assert_allclose(value[3], terms[name], rtol=1e-6)
