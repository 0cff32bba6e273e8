"""Compiled weighted sum of logarithms, with a logarithm that is computed for several at once."""

import numba
import numpy as np
from numba.cpython.unsafe.numbers import viewer

from models.rating_tables import FAST, Reals


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy", forceinline=True)
def log_of(x: float) -> float:
    """Return log(x) of a positive normal x to two ulps, in steps that vectors can do too."""
    # Bits above those of sqrt(1/2) leave a mantissa m between it and sqrt(2), and an exponent.
    bits = np.uint64(viewer(x, numba.uint64))  # type: ignore[call-arg]
    shifted = (bits + np.uint64(0x95F619980C433)) >> np.uint64(52)
    power = viewer(shifted | np.uint64(0x4330000000000000), numba.float64) - 4503599627371519.0
    m = viewer(bits - ((shifted - np.uint64(1023)) << np.uint64(52)), numba.float64)
    # log m = 2 artanh f, f = (m - 1) / (m + 1), whose series is in powers of f squared.
    f = (m - 1.0) / (m + 1.0)
    s = f * f
    s2 = s * s
    s4 = s2 * s2
    a = (1.0 / 3.0 + 1.0 / 5.0 * s) + (1.0 / 7.0 + 1.0 / 9.0 * s) * s2
    b = (1.0 / 11.0 + 1.0 / 13.0 * s) + (1.0 / 15.0 + 1.0 / 17.0 * s) * s2
    c = (1.0 / 19.0 + 1.0 / 21.0 * s) + 1.0 / 23.0 * s2
    p = a + (b + c * s4) * s4
    y = power * 1.9082149292705877e-10 + 2.0 * f * s * p
    return (power * 0.6931471803691238 + (2.0 * f + y)) + (x - x)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy")
def weighted_logs(x: Reals, weight: Reals) -> float:
    """Return the weighted sum of logarithms."""
    total = 0.0
    for j in range(len(x)):
        total += weight[j] * log_of(x[j])
    return total
