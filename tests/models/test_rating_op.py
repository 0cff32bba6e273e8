"""The compiled sum of the ratings and its derivative, against the formulas."""

from itertools import pairwise

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedInputError

from models.components import maturity, states
from models.ops import NumPy, graph
from models.ratings import formula as ratings
from models.ratings.formula import COUNTS, Rows, ordering, part_lengths
from models.ratings.kernel import _exp, log_of
from models.ratings.op import N_TERMS, WeightedRatings, weighted_ratings

PLAIN = Mode(linker="py", optimizer=None)
KINDS = {
    "one kind": (0, 0),
    "two kinds": (0, 1),
    "three raters": (1, 0, 1),
    "one rater": (0,),
    "no rater of a kind": (0, 2),
}
CELLS, ROWS = 4, 30
CELL, CODES, WEIGHT = range(N_TERMS, N_TERMS + 3)


def make_inputs(kind_of, seed=0):
    """Every input at numbers without symmetry; answers missing here and there, weights zero too."""
    rng, q, r = np.random.default_rng(seed), max(kind_of) + 1, len(kind_of)
    cells = [rng.normal(size=CELLS), rng.normal(size=7), rng.uniform(0.5, 2.0, 2)]
    cells += [rng.normal(size=CELLS), rng.normal(size=8)]
    for _ in range(2):
        cells += [rng.normal(-1.0, 1.0, CELLS), rng.uniform(0.3, 3.0, 8), rng.uniform(0.5, 2.0)]
        cells += [rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.9, CELLS)]
    raters = [rng.uniform(0.5, 1.5, q), rng.uniform(0.05, 0.3, q)]
    raters += [*rng.uniform(0.6, 0.9, (2, q, 3)), 0.15, rng.normal(size=r)]
    raters += [rng.uniform(0.4, 1.2, r), rng.uniform(0.05, 0.2, r)]
    raters += [*rng.uniform(0.6, 0.95, (2, r, 3)), 0.25, 0.7]
    codes = [rng.integers(0, 9, (ROWS, r)), rng.integers(0, 3, (ROWS, 3 * r))]
    codes = np.concatenate([*codes, rng.integers(0, 4, (ROWS, 2 * r))], axis=1)
    codes[10:14] = codes[2]  # one pattern in several cells
    codes[14:20, r:] = codes[2, r:]  # and what differs in the level alone
    weight, cell = rng.choice([0.0, 1.0, 2.5], ROWS), rng.integers(0, CELLS, ROWS)
    cell[14:18] = cell[2]
    return [*map(np.asarray, [*cells, *raters]), cell, codes, weight]


def for_the_node(inputs):
    """The inputs as the node takes them: the rows' order in place of their cells."""
    cell, codes, weight = inputs[N_TERMS:]
    order = ordering(cell, codes, weight=weight, n_cells=CELLS)
    return [*inputs[:N_TERMS], order, codes, weight]


def by_formula(xp, inputs, *, kind_of, link):
    """The same sum by the formulas: NumPy's or a graph's."""
    names = (*states.TERMS, *ratings.TERMS)
    terms = dict(zip(names, inputs[:N_TERMS], strict=True))
    terms["step"] = maturity.link(xp, link, terms["step"])
    state, unused = states.states_of(xp, terms, link=link)
    cell, codes, weight = inputs[N_TERMS:]
    params = (state, *unused, *(terms[name] for name in ratings.TERMS), cell, codes)
    return (weight * ratings.row_logp(xp, codes, *params, kind_of=kind_of)).sum()


def by_node(inputs, kind_of, *, link="logit"):
    """The same sum by the node."""
    return weighted_ratings(inputs, WeightedRatings(kind_of, max(kind_of) + 1, link=link))


def value_and_gradient(inputs, kind_of, *, link="logit", mode=PLAIN):
    inputs = for_the_node(inputs)
    variables = [pt.as_tensor_variable(x).type() for x in inputs]
    total = by_node(variables, kind_of, link=link)
    terms = variables[:N_TERMS]
    call = pytensor.function(variables, [total, *pytensor.grad(total, terms)], mode=mode)
    return call(*inputs)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("kind_of", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_value_is_the_weighted_sum_of_rows(kind_of, link, seed):
    inputs = make_inputs(kind_of, seed)
    total, *_ = value_and_gradient(inputs, kind_of, link=link)
    expected = by_formula(NumPy, inputs, kind_of=kind_of, link=link)
    assert total == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("kind_of", KINDS.values(), ids=KINDS)
def test_derivative_is_that_of_the_formula(kind_of, link):
    inputs = make_inputs(kind_of, seed=7)
    _, *got = value_and_gradient(inputs, kind_of, link=link)
    terms = [pt.as_tensor_variable(x).type() for x in inputs[:N_TERMS]]
    rows = [pt.as_tensor_variable(x) for x in inputs[N_TERMS:]]
    total = by_formula(graph(), [*terms, *rows], kind_of=kind_of, link=link)
    call = pytensor.function(terms, pytensor.grad(total, terms), mode=PLAIN)
    for i, (mine, theirs) in enumerate(zip(got, call(*inputs[:N_TERMS]), strict=True)):
        assert np.abs(theirs).max() > 1e-3, i
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-11, err_msg=str(i))


def test_derivative_by_finite_differences():
    kind_of = (0, 1)
    inputs = make_inputs(kind_of, seed=8)
    _, *got = value_and_gradient(inputs, kind_of)
    for i in range(N_TERMS):
        way = np.random.default_rng(i).normal(size=np.shape(inputs[i]))
        ends = []
        for h in (1e-5, -1e-5):
            moved = [*inputs[:i], inputs[i] + h * way, *inputs[i + 1 :]]
            ends.append(by_formula(NumPy, moved, kind_of=kind_of, link="logit"))
        # Central differences of a sum near 100 in steps of 1e-5: rounding alone is 1e-9.
        assert (got[i] * way).sum() == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-6), i


def test_a_row_without_weight_adds_exactly_nothing():
    """Neither an impossible row nor a cell that is not a number."""
    kind_of = (0, 1)
    inputs = make_inputs(kind_of)
    inputs[0][3] = np.nan
    inputs[WEIGHT][inputs[CELL] == 3] = 0.0
    inputs[WEIGHT][:5] = 0.0
    keep = inputs[WEIGHT] > 0.0
    fewer = [*inputs[:N_TERMS], *(x[keep] for x in inputs[N_TERMS:])]
    pairs = zip(*(value_and_gradient(x, kind_of) for x in (inputs, fewer)), strict=True)
    for whole, part in pairs:
        np.testing.assert_array_equal(whole, part)
        assert np.isfinite(whole).all()


def impossible(weight):
    """A rater who never misreads sees tracking where no work tracks; dims as the inputs."""
    inputs = make_inputs((0,))
    inputs[3] = np.full(CELLS, -1e4)
    inputs[18], inputs[24] = np.ones((1, 3)), np.ones((1, 3))
    inputs[CODES][0] = [8, 1, 2, 2, 0, 0]
    inputs[WEIGHT] = np.zeros(ROWS)
    inputs[WEIGHT][:2] = weight, 1.0
    inputs[CODES][1] = [4, 0, 1, 1, 1, 2]
    return value_and_gradient(inputs, (0,))


def test_an_impossible_row_has_a_finite_log_probability():
    without, once = impossible(0.0), impossible(1.0)
    assert once[0] - without[0] == pytest.approx(np.log(ratings.FLOOR))
    assert np.isfinite(np.concatenate([np.ravel(x) for x in once])).all()


@pytest.mark.parametrize("at", [0, 3, 5, 21])
def test_what_is_not_a_number_stays_so(at):
    inputs = make_inputs((0, 0))
    inputs[WEIGHT][:] = 1.0
    inputs[at] = inputs[at] * np.nan
    assert np.isnan(value_and_gradient(inputs, (0, 0))[0])


def test_exponential():
    x = np.concatenate([np.linspace(-700.0, 700.0, 4001), np.linspace(-1.0, 1.0, 401), [0.0]])
    np.testing.assert_allclose([_exp(v) for v in x], np.exp(x), rtol=5e-16)
    assert [_exp(v) for v in (-np.inf, -1e4, 1e4, np.inf)] == [0.0, 0.0, np.inf, np.inf]
    assert np.isnan(_exp(np.nan))


def test_logarithm():
    x = np.concatenate([np.geomspace(1e-300, 1.0, 4001), np.linspace(0.4, 1.7, 401), [1e300]])
    exact = np.log(x)
    np.testing.assert_allclose([log_of(v) for v in x], exact, rtol=5e-16, atol=1e-320)
    assert log_of(1.0) == 0.0
    assert np.isnan([log_of(v) for v in (np.nan, np.inf)]).all()


def test_order_puts_rows_of_a_cell_with_the_same_rest_together():
    """Cells, patterns and weights of the rows that weigh are found again, each row once."""
    inputs = make_inputs((0, 1))
    cell, codes, weight = inputs[N_TERMS:]
    order = ordering(cell, codes, weight=weight, n_cells=CELLS)
    at = np.cumsum([COUNTS, *part_lengths(ROWS, CELLS)])
    rows = Rows(*(order[i:j] for i, j in pairwise(at)))
    assert at[-1] == len(order)
    n, found = rows.start[rows.pairs[-1]], []
    for c in range(CELLS):
        for pair in range(rows.pairs[c], rows.pairs[c + 1]):
            for j in range(rows.start[pair], rows.start[pair + 1]):
                i = rows.row[j]
                assert cell[i] == c
                assert (codes[i, :2] == codes[rows.level_first[rows.level[j]], :2]).all()
                assert (codes[i, 2:] == codes[rows.rest_first[rows.rest[pair]], 2:]).all()
                found.append(i)
    assert len(found) == n
    assert sorted(found) == np.flatnonzero(weight).tolist()
    given = weight > 0.0
    pairs = np.unique(np.column_stack([cell, codes[:, 2:]])[given], axis=0)
    assert rows.pairs[-1] == len(pairs) < given.sum()
    assert order[:COUNTS].tolist() == [
        len(np.unique(codes[given, i:j], axis=0)) for i, j in ((0, 2), (2, 12))
    ]


def test_order_of_rows_without_weight_is_empty():
    inputs = make_inputs((0,))
    inputs[WEIGHT][:] = 0.0
    total, *slopes = value_and_gradient(inputs, (0,))
    assert total == 0.0
    assert not any(np.any(x) for x in slopes)


def test_rows_are_data_and_there_is_no_second_derivative():
    inputs = [pt.as_tensor_variable(x).type() for x in for_the_node(make_inputs((0, 0)))]
    total = by_node(inputs, (0, 0))
    with pytest.raises(DisconnectedInputError):
        pytensor.grad(total, inputs[WEIGHT])
    theta = inputs[0]
    with pytest.raises(NotImplementedError, match="second derivative"):
        pytensor.grad(pytensor.grad(total, theta).sum(), theta)


@pytest.mark.slow
def test_numba_computes_the_same_in_one_node():
    kind_of = (0, 1)
    inputs = make_inputs(kind_of)
    variables = [pt.as_tensor_variable(x).type() for x in for_the_node(inputs)]
    total = by_node(variables, kind_of, link="probit")
    outputs = [total, *pytensor.grad(total, variables[:N_TERMS])]
    call = pytensor.function(variables, outputs, mode="NUMBA")
    assert sum(isinstance(x.op, WeightedRatings) for x in call.maker.fgraph.apply_nodes) == 1
    for mine, plain in zip(
        call(*for_the_node(inputs)),
        value_and_gradient(inputs, kind_of, link="probit"),
        strict=True,
    ):
        np.testing.assert_allclose(mine, plain, rtol=1e-12, atol=1e-14)
