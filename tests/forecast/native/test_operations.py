"""Graphs as LLVM functions, against PyTensor's own evaluation and SciPy."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.scalar import Composite, exp, float64
from pytensor.tensor.elemwise import Elemwise
from scipy import special

from forecast.native.lowering import compile_function
from forecast.native.object_code import digamma, inverse_erfc, scaled_erfc
from forecast.native.program import UnknownOperationError

PLAIN = Mode(linker="py", optimizer=None)
RNG = np.random.default_rng(5)
X, Y = pt.tensor("x", shape=(4, 6)), pt.tensor("y", shape=(6,))
N, AT = pt.tensor("n", shape=(4, 6), dtype="int32"), pt.tensor("i", shape=(5,), dtype="int32")
S = pt.tensor("s", shape=(1,))
LONG = pt.tensor("longer", shape=(700,))
GIVEN = {
    X: RNG.normal(size=(4, 6)),
    Y: RNG.uniform(0.1, 3.0, 6),
    N: RNG.integers(-3, 4, (4, 6)).astype("int32"),
    AT: np.array([3, 0, 3, -1, 1], dtype="int32"),
    S: np.array([0.7]),
    LONG: RNG.normal(size=700),
}


def computed(output):
    """The array that the compiled function of a graph gives."""
    function = compile_function(list(GIVEN), {"result": output})
    given = {v.name: x for v, x in GIVEN.items()}
    return function.map(given, n=1)["result"][0]


def several(*arrays):
    """An operation on scalars that is made of several others."""
    x, y = float64(), float64()
    return Elemwise(Composite([x, y], [exp(x) * y + 2.0]))(*arrays)


GRAPHS = {
    "element-wise": pt.exp(X) * Y + X / (1.0 + Y**2) - pt.sqr(X),
    "broadcast once more": (pt.log(Y)[None, :] + S) * X[:, :1],
    "scalar in a register": pt.sqrt(S).sum() * X,
    "sum over an axis": (X * Y).sum(axis=0) / X.prod(axis=0),
    "sum of all": (X * N).sum(),
    "all and any": pt.concatenate([(X > -9.0).all(axis=1), (X > 1.0).any(axis=1)]),
    "views": X.T[::-1, 1:3].reshape((3, 4)) * 2.0,
    "steps backwards": X[::-2, -1] + X[-1, 0],
    "gather": X[AT, 1:4] + Y[AT][:, None],
    "gather two axes": X[AT, pt.switch(AT < 0, 5, AT)],
    "gather in the last axis": X[..., AT],
    "scatter": pt.inc_subtensor(pt.zeros((4, 6))[AT], pt.stack([Y] * 5)),
    "put": pt.set_subtensor(X[1:3], S),
    "join": pt.concatenate([X, pt.exp(X)[:2]], axis=0),
    "split": pt.split(Y, [1, 2, 3])[2] * 1.0,
    "vector of numbers": pt.stack([X[0, 0], S[0], Y.sum()]),
    "running sum": pt.cumsum(X * Y, axis=-1),
    "running sum down": pt.cumsum(X, axis=0),
    "repeated": pt.alloc(pt.exp(Y), 3, 6),
    "switch": pt.switch(pt.eq(N, 1) | (X > Y) & pt.invert(pt.lt(N, 0)), X, N),
    "compare": pt.stack([pt.le(X, Y), pt.ge(X, Y), pt.neq(N, 2)]),
    "not a number": pt.isnan(pt.log(X)) | pt.isinf(X / 0.0),
    "softplus and sigmoid": pt.softplus(40.0 * X) + pt.sigmoid(30.0 * X),
    "log1mexp": pt.log1mexp(-Y),
    "special": pt.gammaln(Y) + pt.psi(Y) + pt.erfc(X) + pt.erf(X) + pt.expm1(X) + pt.log1p(Y),
    "several at once": several(X, pt.alloc(Y, 4, 6)),
    "quantile": pt.erfcinv(pt.sigmoid(3.0 * X) * 2.0),
    "larger and smaller": pt.maximum(X, Y) - pt.minimum(X, 0.0) + pt.sign(X) * abs(X),
    "power": Y**2.5 + 1.0 / Y,
    "whole numbers": abs(N) * 2 - N,
    "cast": pt.cast(X > 0.0, "float64") + pt.cast(N, "float64") / 3.0,
    "longer than the stack": pt.cumsum(pt.exp(LONG) * S) - pt.exp(LONG),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_computes_what_pytensor_does(name):
    output = GRAPHS[name]
    call = pytensor.function(list(GIVEN), output, mode=PLAIN, on_unused_input="ignore")
    with np.errstate(all="ignore"):
        expected = call(*GIVEN.values())
    got = computed(output)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    # Sums may be reordered: some ulps of numbers of order 10.
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-13)


def test_an_unknown_operation_is_named():
    with pytest.raises(UnknownOperationError, match="knows no Sort"):
        computed(pt.sort(Y))
    with pytest.raises(UnknownOperationError, match="knows no Sinh"):
        computed(pt.sinh(Y))


def test_digamma():
    x = np.exp(np.linspace(-8.0, 12.0, 801))
    np.testing.assert_allclose([digamma(v) for v in x], special.psi(x), rtol=2e-15, atol=2e-15)
    assert np.isnan(digamma(-0.5))


def test_inverse_erfc():
    p = np.concatenate([np.linspace(0.01, 1.99, 401), 10.0 ** -np.arange(1.0, 300.0, 7.0)])
    got = [inverse_erfc(v) for v in p]
    np.testing.assert_allclose(got, special.erfcinv(p), rtol=1e-14, atol=1e-16)
    assert [inverse_erfc(v) for v in (0.0, 2.0)] == [np.inf, -np.inf]
    assert np.isnan(inverse_erfc(2.5))


def test_scaled_erfc():
    x = np.concatenate([np.linspace(-5.0, 30.0, 701), [1e3, 1e8]])
    # Below 10 the exponential of x^2 loses as many ulps as x^2 is large.
    np.testing.assert_allclose([scaled_erfc(v) for v in x], special.erfcx(x), rtol=3e-14)
