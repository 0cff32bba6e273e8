r"""Powers of two for compiled sums, several at a time.

.. math:: 2^y = 2^n\, (1 + r\, q(r)), \qquad r = y - n,

with n the whole number nearest to y and q the polynomial through :math:`(2^r - 1) / r` at the
Chebyshev points of :math:`[-\frac12, \frac12]`: within 3e-14 of the library's, near 1 within
rounding.

numba's cache of a compiled function looks at the file of that function alone: whoever edits this
file or :mod:`models.use_kernel` empties the cache (``__pycache__``), or the old lines go on being
used.
"""

import numba
import numpy as np
from scipy import special

FAST = {"contract", "reassoc", "nsz"}
"""What LLVM may assume; not that numbers are finite."""
DEGREE = 8
Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7, Q8 = (
    np.log(2.0)
    * np.polynomial.Chebyshev.interpolate(lambda r: special.exprel(0.5 * np.log(2.0) * r), DEGREE)
    .convert(kind=np.polynomial.Polynomial)
    .coef
    * 2.0 ** np.arange(DEGREE + 1)
)
"""Coefficients of q."""
LEAST = float(np.finfo(float).minexp)
"""Least power of two."""
FRACTION = np.finfo(float).nmant
"""Bits of a double after those of its exponent."""
ROUND = 1.5 * 2.0**FRACTION
"""What rounds a number that it is added to, and leaves the whole in the last bits of the sum."""
PER_E = float(np.log2(np.e))
"""What turns a power of e into one of two."""


@numba.njit(fastmath=FAST - {"reassoc"}, error_model="numpy")
def power(y: float) -> float:
    """Return 2^y for y <= 0."""
    y = max(y, LEAST)
    whole = y + ROUND
    r = y - (whole - ROUND)
    q = Q4 + r * (Q5 + r * (Q6 + r * (Q7 + r * Q8)))
    p = 1.0 + r * (Q0 + r * (Q1 + r * (Q2 + r * (Q3 + r * q))))
    bits = np.float64(p).view(np.int64) + (np.float64(whole).view(np.int64) << FRACTION)
    return np.int64(bits).view(np.float64)
