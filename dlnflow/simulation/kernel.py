"""The loops that a simulation spends its time in, compiled, so that replicas on several threads do not wait for each other.

The cost of a large network is reading X. Xw − y and Xᵀ(Xw − y) need the same rows, so that eight rows at a time are read once and used
twice; X is kept in single precision, and once more in integers of 16 bits, and products are summed in the precision of `w`.
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

    Entries of row i to the left of column `first` + i have to be zero; all but up to seven of them are not read. `w`, `y`, `r` and `g`
    have one and the same type, that of the sums, X any.
    """
    rows, kind = len(X), w.dtype.type
    g[:] = 0
    whole = rows - rows % 8
    for i in range(0, whole, 8):
        left = max(0, first + i)
        wl, gl = w[left:], g[left:]
        x1, x2, x3, x4 = X[i, left:], X[i + 1, left:], X[i + 2, left:], X[i + 3, left:]
        x5, x6, x7, x8 = X[i + 4, left:], X[i + 5, left:], X[i + 6, left:], X[i + 7, left:]
        r1, r2, r3, r4, r5, r6, r7, r8 = -y[i], -y[i + 1], -y[i + 2], -y[i + 3], -y[i + 4], -y[i + 5], -y[i + 6], -y[i + 7]
        for j in range(len(wl)):
            r1 += kind(x1[j]) * wl[j]
            r2 += kind(x2[j]) * wl[j]
            r3 += kind(x3[j]) * wl[j]
            r4 += kind(x4[j]) * wl[j]
            r5 += kind(x5[j]) * wl[j]
            r6 += kind(x6[j]) * wl[j]
            r7 += kind(x7[j]) * wl[j]
            r8 += kind(x8[j]) * wl[j]
        for j in range(len(wl)):
            gl[j] += (r1 * kind(x1[j]) + r2 * kind(x2[j]) + r3 * kind(x3[j]) + r4 * kind(x4[j])) + (
                r5 * kind(x5[j]) + r6 * kind(x6[j]) + r7 * kind(x7[j]) + r8 * kind(x8[j])
            )
        r[i], r[i + 1], r[i + 2], r[i + 3], r[i + 4], r[i + 5], r[i + 6], r[i + 7] = r1, r2, r3, r4, r5, r6, r7, r8
    for i in range(whole, rows):
        left = max(0, first + i)
        xa, wl, gl = X[i, left:], w[left:], g[left:]
        a = -y[i]
        for j in range(len(wl)):
            a += kind(xa[j]) * wl[j]
        for j in range(len(wl)):
            gl[j] += a * kind(xa[j])
        r[i] = a


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def round_columns(X: Floats, first: int, levels: int) -> tuple[NDArray[np.int16], Floats, Floats]:
    """Integers Q (rows, d) up to `levels`, units (d,) and the sums of squares of the columns of X, (d,).

    Q[i, j] units[j] is next to X[i, j], but that the diagonal of a matrix that is triangular from column `first` on is left out.
    """
    squares, units, Q = np.zeros_like(X[0]), np.zeros_like(X[0]), np.zeros(X.shape, np.int16)
    for i in range(len(X)):
        left = max(0, first + i + 1)
        x, largest, total = X[i, left:], units[left:], squares[left:]
        for j in range(len(x)):
            largest[j] = max(largest[j], abs(x[j]))
            total[j] += x[j] * x[j]
        if left > 0:
            squares[left - 1] += X[i, left - 1] ** 2
    factors = np.zeros_like(units)
    for j in range(len(units)):
        if units[j] > 0:
            units[j] /= np.float32(levels)
            factors[j] = np.float32(1) / units[j]
    for i in range(len(X)):
        left = max(0, first + i + 1)
        x, f, q = X[i, left:], factors[left:], Q[i, left:]
        for j in range(len(x)):
            q[j] = np.int32(np.rint(x[j] * f[j]))
    return Q, units, squares


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def products(X: Floats, diagonal: Floats, units: Floats, x: Floats, first: int, r: Floats) -> Floats:
    """Fill r = Ax, shape (rows,), and return AᵀAx, shape (d,), summed in the precision of `r`.

    A is X times `units` (d,) in each column, and has `diagonal`, shape (rows,) or none, from column `first` on.
    """
    scaled, y, g = np.empty(len(x), r.dtype), np.zeros(len(r), r.dtype), np.empty(len(x), r.dtype)
    for j in range(len(x)):
        scaled[j] = units[j] * x[j]
    for i in range(len(diagonal)):
        y[i] = -diagonal[i] * x[first + i]
    residual_and_force(X, scaled, y, first, r, g)
    out = units * g
    for i in range(len(diagonal)):
        out[first + i] += diagonal[i] * r[i]
    return out


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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def last_coefficient(order: int, h: float, norm: float, lam: Floats, Q: Floats) -> float:
    """That of the correction to φ_order(hJ)b from a Krylov space, along what J makes of its last direction outside of it.

    `lam` (m,) and the columns of `Q` (m, m) are the eigenvalues and eigenvectors of the tridiagonal matrix, `norm` is the length of b.
    """
    values, total = phi(order + 1, h * lam), 0.0
    for i in range(len(lam)):
        total += Q[-1, i] * values[i] * Q[0, i]
    return h * norm * total


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})  # so short that to let another thread run costs more
def combination(order: int, h: float, norm: float, lam: Floats, Q: Floats, V: Floats, rest: Floats) -> Floats:
    """φ_order(hJ)b, shape (d,), from the directions `V` (≥ m, d), corrected along `rest` (d,); else as `last_coefficient`."""
    values, out = phi(order, h * lam), last_coefficient(order, h, norm, lam, Q) * rest
    for i in range(len(lam)):
        inner, row = 0.0, V[i]
        for j in range(len(lam)):
            inner += Q[i, j] * values[j] * Q[0, j]
        inner *= norm
        for j in range(len(out)):
            out[j] += inner * row[j]
    return out


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def change(k: Floats, x: Floats) -> float:
    """The root mean square of (1 + k) x, both of shape (d,)."""
    total = 0.0
    for j in range(len(x)):
        total += ((1.0 + k[j]) * x[j]) ** 2
    return float(np.sqrt(total / len(x)))
