"""The loops that a simulation spends its time in, compiled, so that replicas on several threads do not wait for each other.

The cost of a large network is reading X. Xw − y and Xᵀ(Xw − y) need the same rows, so that four rows at a time are read once and used
twice; X is kept in single precision and its products are summed in the precision of `w`.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
FULL = -(2**62)  # `first` of a matrix that is not triangular


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def residual_and_force(X: Floats, w: Floats, y: Floats, first: int, r: Floats, g: Floats) -> None:
    """Fill r = Xw − y, shape (rows,), and g = Xᵀr, shape (d,); `X` has shape (rows, d).

    Entries of row i to the left of column `first` + i are taken to be zero and are not read. `w`, `y`, `r` and `g` have one
    and the same type, that of the sums.
    """
    rows = len(X)
    g[:] = 0
    whole = rows - rows % 4
    for i in range(0, whole, 4):
        left = max(0, first + i)
        xa, xb, xc, xe = X[i, left:], X[i + 1, left:], X[i + 2, left:], X[i + 3, left:]
        wl, gl = w[left:], g[left:]
        a, b, c, e = -y[i], -y[i + 1], -y[i + 2], -y[i + 3]
        for j in range(len(wl)):
            a += xa[j] * wl[j]
            b += xb[j] * wl[j]
            c += xc[j] * wl[j]
            e += xe[j] * wl[j]
        for j in range(len(wl)):
            gl[j] += a * xa[j] + b * xb[j] + c * xc[j] + e * xe[j]
        r[i], r[i + 1], r[i + 2], r[i + 3] = a, b, c, e
    for i in range(whole, rows):
        left = max(0, first + i)
        xa, wl, gl = X[i, left:], w[left:], g[left:]
        a = -y[i]
        for j in range(len(wl)):
            a += xa[j] * wl[j]
        for j in range(len(wl)):
            gl[j] += a * xa[j]
        r[i] = a


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def orthogonalise(V: Floats, m: int, k: Floats, x: Floats) -> tuple[float, float, float]:
    """Take from `x`, shape (d,), what the first `m` rows of `V` span in the inner product Σ k x y, twice; then put it into row m.

    Row m is normalised unless it is zero. Returns the component along row m − 1 and the norms of x before and after.
    """
    d, along, before, after = len(x), 0.0, 0.0, 0.0
    for j in range(d):
        before += k[j] * x[j] * x[j]
    for _ in range(2):
        for i in range(m):
            row, component = V[i], 0.0
            for j in range(d):
                component += row[j] * k[j] * x[j]
            for j in range(d):
                x[j] -= component * row[j]
            if i == m - 1:
                along += component
    for j in range(d):
        after += k[j] * x[j] * x[j]
    after = np.sqrt(after)
    if after > 0:
        V[m] = x / after
    return along, np.sqrt(before), after


@numba.njit(nogil=True, cache=True)
def phi(order: int, z: Floats) -> Floats:
    """φ_order(z) for z ≤ 0, of the shape of z: φ₀ = exp and φ_p(z) = (φ_{p−1}(z) − 1/(p−1)!)/z, at 0 its limit 1/p!."""
    out = np.empty_like(z)
    for i in range(z.size):
        x = z[i]
        if x > -1:
            term = 1.0
            for p in range(1, order + 1):
                term /= p
            total = term
            for j in range(1, 19):
                term *= x / (order + j)
                total += term
            out[i] = total
        else:
            value, factorial = np.exp(x), 1.0
            for p in range(1, order + 1):
                value = (value - factorial) / x
                factorial /= p
            out[i] = value
    return out
