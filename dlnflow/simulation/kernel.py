"""The loops that a simulation spends its time in, compiled, so that replicas on several threads do not wait for each other.

The cost of a large network is reading X. Xw − y and Xᵀ(Xw − y) need the same rows, so that eight rows at a time are read once and used
twice; X is kept in single precision, and once more in integers of 16 bits. That of a small one is the interpreter, which one thread at
a time can have: `follow` makes many steps in one call. All of this is one file, since Numba's cache does not notice changes in others.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
FAST = {"reassoc", "contract", "nsz"}
FULL = -(2**62)  # `first` of a matrix that is not triangular
SINGLE = 1e-7  # relative error of products in single precision
ROUNDED = 1e-4  # and of those with its columns rounded to integers of 16 bits; where their entries are Gaussian it is half of that
MAX_VECTORS = 250  # of a Krylov space
BREAKDOWN = 1e-13  # a new direction that is rounding error
NODE = 0.75  # of a step, where its defect is evaluated
ESTIMATE = 0.1  # of the correction that a step makes is taken for its error
ORDER = 3  # of the linearised flow, by whose error steps are chosen
LARGEST_GROWTH = 8.0  # of the step, from one to the next
SCALE_FLOOR = 1e-3  # of the labels: residuals below are followed to this times the tolerance only
FLOOR = 1e-15  # local error that rounding makes of its own, relative to the labels and to the stiffness of the step
REST = 1e-15  # a force that is rounding error, relative to the labels
DEFECT = 100.0  # times the rounding of the field that its linearisation may have: what is left is part of the defect
END_SHARE = 0.3  # of the acceptable error, of the field at the end of a step: the next may be longer
KRYLOV_SHARE = (0.3, 5.0)
KRYLOV_STIFFNESS = 100.0
BATCH = 32  # times that are computed together: products with X are matrix products, and memory stays small


class Matrix(NamedTuple):
    """`X`, shape (rows, d), zero in row i to the left of column `first` + i, and what it is next to.

    That is the integers `rounded` times `units` (d,) in each column, without rows where that is too far from X, and `diagonal`, shape
    (rows,) or none, from column `first` on.
    """

    X: Floats
    rounded: Floats
    units: Floats
    diagonal: Floats
    first: int


class Point(NamedTuple):
    """A network at time `t`: H, w, the slope k = u² + v² and the force h of shape (d,), the residual r of shape (rows,).

    `free` (d,) is w without the squares that are clipped, as is k; they do not move.
    """

    t: float
    H: Floats
    w: Floats
    free: Floats
    k: Floats
    r: Floats
    force: Floats


class System(NamedTuple):
    """What a network keeps: see `Network`; log |u₀v₀| (d,), the largest exponent, from where squares are clipped, 1/δ and λ."""

    matrix: Matrix
    y: Floats
    teacher: Floats
    samples: int
    fixed_residual: float
    log_product: Floats
    ceiling: float
    clipped: float
    per_sample: float
    weight_decay: float


class Goal(NamedTuple):
    """The relative `tolerance` of a flow, the root mean square of its `labels`, and its `end`."""

    tolerance: float
    labels: float
    end: float


class Space(NamedTuple):
    """The Krylov space of J = −(XᵀX/δ) diag(k) and a vector b of the length `norm`: `size` directions, the rows of `V` (> size, d).

    J is the `tridiagonal` matrix there: its diagonal and what is beside it, (2, ≥ size), eigenvalues `lam` (size,) and eigenvectors,
    the columns of `Q`; but that it makes of the last direction something outside, `rest` (d,), unless the space is `complete`.
    """

    k: Floats
    norm: float
    size: int
    V: Floats
    tridiagonal: Floats
    rest: Floats
    complete: bool
    lam: Floats
    Q: Floats


@numba.njit(nogil=True, cache=True, forceinline=True, fastmath=FAST)
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


@numba.njit(nogil=True, cache=True, fastmath=FAST)
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


@numba.njit(nogil=True, fastmath=FAST)
def products(matrix: Matrix, error: float, x: Floats) -> tuple[Floats, Floats]:
    """As `gram`; compiled into what calls it."""
    rows, d = matrix.X.shape
    r, image = np.empty(rows), np.empty(d)
    if error < SINGLE or matrix.X.itemsize > 4:
        residual_and_force(matrix.X, x, np.zeros(rows), matrix.first, r, image)
        return r, image
    scaled, y, sums, g = x.astype(np.float32), np.zeros(rows, np.float32), np.empty(rows, np.float32), np.empty(d, np.float32)
    if error < ROUNDED or len(matrix.rounded) == 0:
        residual_and_force(matrix.X, scaled, y, matrix.first, sums, g)
        r[:], image[:] = sums, g
        return r, image
    for j in range(d):
        scaled[j] = matrix.units[j] * x[j]
    for i in range(len(matrix.diagonal)):
        y[i] = -matrix.diagonal[i] * x[matrix.first + i]
    residual_and_force(matrix.rounded, scaled, y, matrix.first, sums, g)
    r[:], image[:] = sums, matrix.units * g
    for i in range(len(matrix.diagonal)):
        image[matrix.first + i] += matrix.diagonal[i] * r[i]
    return r, image


@numba.njit(nogil=True, cache=True, fastmath=FAST)
def gram(matrix: Matrix, error: float, x: Floats) -> tuple[Floats, Floats]:
    """Xx, shape (rows,), and XᵀXx, shape (d,), in the fastest of three ways whose relative error is about `error` or less."""
    return products(matrix, error, x)


# The functions below are so short that to let another thread run meanwhile costs more, as would those of NumPy, which do.


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def squares(H: Floats, log_product: Floats, shift: float, ceiling: float) -> tuple[Floats, Floats]:
    """e^(log_product − shift ∓ 2H) with no exponent above `ceiling`: u² and v², all of shape (d,)."""
    u2, v2 = np.empty_like(H), np.empty_like(H)
    for j in range(len(H)):
        u2[j] = np.exp(min(log_product[j] - shift - 2 * H[j], ceiling))
        v2[j] = np.exp(min(log_product[j] - shift + 2 * H[j], ceiling))
    return u2, v2


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def weights(H: Floats, log_product: Floats, shift: float, ceiling: float, clipped: float) -> tuple[Floats, Floats, Floats]:
    """w = (u² − v²)/2, then without the squares from `clipped` on, and the sum k of those below, all of shape (d,); else as `squares`."""
    u2, v2 = squares(H, log_product, shift, ceiling)
    w, free, k = np.empty_like(H), np.empty_like(H), np.empty_like(H)
    for j in range(len(H)):
        u, v = u2[j] if u2[j] < clipped else 0.0, v2[j] if v2[j] < clipped else 0.0
        w[j], free[j], k[j] = (u2[j] - v2[j]) / 2, (u - v) / 2, u + v
    return w, free, k


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def moved(x: Floats, s: float, y: Floats) -> Floats:
    """x + s y, of the shape of x and y, (d,)."""
    out = np.empty_like(x)
    for j in range(len(x)):
        out[j] = x[j] + s * y[j]
    return out


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def drift(free: Floats, k: Floats, weight_decay: float) -> Floats:
    """2λ free/k, or 0 where k is, of the shape of `free` and `k`, (d,)."""
    out = np.zeros_like(free)
    for j in range(len(free)):
        if k[j] > 0:
            out[j] = 2 * weight_decay * free[j] / k[j]
    return out


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def distance(x: Floats, y: Floats) -> float:
    """The root mean square of x − y, both of shape (d,)."""
    total = 0.0
    for j in range(len(x)):
        total += (x[j] - y[j]) ** 2
    return float(np.sqrt(total / len(x)))


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def change(k: Floats, other: Floats, x: Floats) -> float:
    """The root mean square of (1 + max(k, other)) x, all of shape (d,)."""
    total = 0.0
    for j in range(len(x)):
        total += ((1.0 + max(k[j], other[j])) * x[j]) ** 2
    return float(np.sqrt(total / len(x)))


@numba.njit(cache=True, forceinline=True)
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


@numba.njit(cache=True, forceinline=True)
def last_coefficient(space: Space, order: int, h: float) -> float:
    """That of the correction to φ_order(hJ)b along what J makes of the last direction of its Krylov space outside of it."""
    values, total = phi(order + 1, h * space.lam), 0.0
    for i in range(space.size):
        total += space.Q[-1, i] * values[i] * space.Q[0, i]
    return h * space.norm * total


@numba.njit(cache=True, forceinline=True)
def uncertainty(space: Space, order: int, h: float) -> float:
    """The error of φ_order(hJ)b without the correction, as `change` measures it."""
    return float(abs(last_coefficient(space, order, h)) * change(space.k, space.k, space.rest))


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def first_direction(k: Floats, b: Floats) -> Space:
    """The space of no directions yet but the first, that of b, shape (d,)."""
    total, V = 0.0, np.empty((8, len(b)))
    for j in range(len(b)):
        total += k[j] * b[j] * b[j]
    norm = float(np.sqrt(total))
    V[0] = b / norm if norm > 0 else b
    return Space(k, norm, 0, V, np.empty((2, 2 * MAX_VECTORS)), b, norm == 0, np.empty(0), np.empty((0, 0)))


@numba.njit(nogil=True, cache=True, forceinline=True, fastmath=FAST)
def take_in(space: Space, image: Floats) -> Space:
    """The space with one more direction, of which J makes `image`, shape (d,); eigenvalues and eigenvectors stay as they were.

    What the directions span is taken from the image in place, twice; that is the next one. They are orthogonal in Σ k x y.
    """
    k, V, m, d, along, before, after = space.k, space.V, space.size + 1, len(image), 0.0, 0.0, 0.0
    for j in range(d):
        before += k[j] * image[j] * image[j]
    for _ in range(2):
        for i in range(m):
            row, component = V[i], 0.0
            for j in range(d):
                component += row[j] * k[j] * image[j]
            for j in range(d):
                image[j] -= component * row[j]
            if i == m - 1:
                along += component
    for j in range(d):
        after += k[j] * image[j] * image[j]
    after = np.sqrt(after)
    if m == len(V):
        longer = np.empty((2 * m, d))
        longer[:m] = V
        V = longer
    if after > 0:
        V[m] = image / after
    space.tridiagonal[0, m - 1], space.tridiagonal[1, m - 1] = along, after
    complete = after <= BREAKDOWN * np.sqrt(before) or m == d
    return Space(k, space.norm, m, V, space.tridiagonal, image, complete, space.lam, space.Q)


@numba.njit(nogil=True, cache=True, forceinline=True)
def diagonalise(space: Space) -> Space:
    """The space with its eigenvalues, none above zero, and eigenvectors."""
    m, T = space.size, np.diag(space.tridiagonal[0, : space.size])
    for i in range(m - 1):
        T[i + 1, i] = T[i, i + 1] = space.tridiagonal[1, i]
    lam, Q = np.linalg.eigh(T)
    Q = np.ascontiguousarray(Q)
    return Space(space.k, space.norm, m, space.V, space.tridiagonal, space.rest, space.complete, np.minimum(lam, 0), Q)


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def add(x: Floats, s: float, space: Space, order: int, h: float) -> Floats:
    """x + s φ_order(hJ)b, shape (d,), with the correction."""
    if space.size == 0:
        return moved(x, s * phi(order, np.zeros(1))[0], space.rest)
    values, last = phi(order, h * space.lam), s * last_coefficient(space, order, h)
    out = moved(x, last, space.rest)
    for i in range(space.size):
        inner, row = 0.0, space.V[i]
        for j in range(space.size):
            inner += space.Q[i, j] * values[j] * space.Q[0, j]
        inner *= s * space.norm
        for j in range(len(out)):
            out[j] += inner * row[j]
    return out


@numba.njit(nogil=True, fastmath=FAST)
def build(system: System, error: float, space: Space, order: int, h: float, limit: float) -> tuple[Space, bool]:
    """The space with as many directions as φ_order(hJ)b needs to be known to `limit`, and whether they are few enough.

    Products have the relative `error`.
    """
    known = space.complete
    while not known and space.size < MAX_VECTORS:
        for _ in range(1 + space.size // 4):
            _, image = products(system.matrix, error, space.V[space.size] * space.k)
            space = take_in(space, image * -system.per_sample)
            if space.complete:
                break
        space = diagonalise(space)
        known = space.complete or uncertainty(space, order, h) <= limit
    return space, known


@numba.njit(nogil=True, fastmath=FAST)
def advance(
    system: System, errors: tuple[float, float, float], origin: Point, base: Point, h: float, limit: float
) -> tuple[bool, Floats, Space, Space, Floats, Point, bool]:
    """`exponential.advance` of a step that is not too stiff for Krylov spaces, from the point `origin` on; `errors` as in `demands`.

    Returns whether it was possible, then x, the Krylov spaces of the linearised flow and of the defect, the error, the end and whether
    it is exact.
    """
    x = drift(origin.free, origin.k, system.weight_decay)
    linear, known = build(system, errors[0], first_direction(origin.k, moved(origin.force, 1.0, x)), 1, h, limit / h)
    tau = NODE * h
    H = add(moved(origin.H, -tau, x), tau, linear, 1, tau)
    shift = 2 * system.weight_decay
    w, _, _ = weights(H, system.log_product, shift * (origin.t + tau), system.ceiling, system.clipped)
    _, image = products(system.matrix, errors[1], moved(w, -1.0, origin.w))
    b = add(moved(moved(origin.force, system.per_sample, image), 1.0, x), -1.0, linear, 0, tau)
    factor = 2 * h**3 / tau**2
    defect = first_direction(origin.k, b)
    if known:
        defect, known = build(system, errors[0], defect, 3, h, limit / factor)
    error = add(np.zeros_like(H), ESTIMATE * factor, defect, 3, h)
    H = moved(add(moved(origin.H, -h, x), h, linear, 1, h), 1 / ESTIMATE, error)
    w, free, k = weights(H, system.log_product, shift * (origin.t + h), system.ceiling, system.clipped)
    exact = ROUNDED * distance(w, base.w) > errors[2]
    if exact:
        r, force = np.empty_like(system.y), np.empty_like(w)
        residual_and_force(system.matrix.X, w, system.y, system.matrix.first, r, force)
        force *= system.per_sample
    else:
        r, image = products(system.matrix, ROUNDED, moved(w, -1.0, base.w))
        r, force = moved(base.r, 1.0, r), moved(base.force, system.per_sample, image)
    return known, x, linear, defect, error, Point(origin.t + h, H, w, free, k, r, force), exact


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def acceptable(system: System, goal: Goal, w: Floats, r: Floats, stiffness: float) -> float:
    """The local error that is acceptable at w (d,) and r (rows,), in w; `stiffness` is that of the step, its length times the radius."""
    total = system.fixed_residual
    for i in range(len(r)):
        total += r[i] * r[i]
    scale = max(min(np.sqrt(total / system.samples), distance(w, system.teacher)), SCALE_FLOOR * goal.labels)
    return float(max(goal.tolerance * scale, FLOOR * (100 + stiffness) * goal.labels))


@numba.njit(cache=True, forceinline=True)
def demands(goal: Goal, stiffness: float, allowed: float) -> tuple[tuple[float, float, float], float]:
    """How accurate a step has to be: errors of products for the Jacobian and for the change of the force at the node, relative; that in w
    of its end, by rounded products; and how well functions of the Jacobian are computed, in `change`. `allowed` is its local error.

    The flow may amplify errors of its field by the stiffness, but spreads them over its directions. The error of functions of the
    Jacobian is estimated as it was before the last direction, and is far less. But in the defect of a stiff step it would pass for
    nonlinearity and shorten the steps of an almost linear flow.
    """
    share, (least, most) = 1 / max(stiffness, 1.0), KRYLOV_SHARE
    rounding, limit = share * goal.tolerance, min(max(KRYLOV_STIFFNESS * share, least), most) * allowed
    return (DEFECT * rounding, rounding, END_SHARE * share * allowed), limit


@numba.njit(cache=True, forceinline=True)
def next_length(h: float, error: float) -> float:
    """Of the step after one of length `h` whose error is so many times the acceptable one."""
    factor: float = min(max(0.85 * max(error, 1e-10) ** (-1 / ORDER), 0.1), LARGEST_GROWTH)
    return h * factor


@numba.njit(cache=True, forceinline=True, fastmath=FAST)
def at_rest(system: System, goal: Goal, force: Floats) -> bool:
    """Whether nothing moves any more but the last bits, at `force`, shape (d,)."""
    return distance(force, np.zeros_like(force)) <= (REST * goal.labels if system.weight_decay == 0 else 0.0)


@numba.njit(cache=True, forceinline=True)
def too_short(h: float, t: float) -> bool:
    """Whether steps of length `h` lead nowhere from `t` on; also where h is not a number."""
    return not h >= max(1e-13 * t, 1e-300)


@numba.njit(cache=True, forceinline=True)
def largest_rate(space: Space) -> float:
    """The largest decay rate that the space has seen, a lower bound of the spectral radius."""
    return -space.lam[0] if space.size > 0 else 0.0


@numba.njit(nogil=True, cache=True, fastmath=FAST)
def follow(
    system: System, goal: Goal, point: Point, base: Point, h: float, radius: float, stiffest: float, times: Floats, most: int
) -> tuple[Point, Point, float, float, int, Floats, Floats, Floats]:
    """Make up to `most` steps from `point` on, through some of the increasing `times`, shape (T,); `base` is the last exact point.

    `h` is the length of the next step, `radius` that of the spectrum. Steps as stiff as `stiffest` are left to the interpreter, and what
    else is rare: the end of all motion, steps that become too short or that pass more than BATCH times. Returns the point reached, the
    last exact one, h, radius, the number of steps and for each time passed H (m, d), with w (m, d) and r (m, rows) at an earlier time.
    """
    H, w, r = np.empty((2 * BATCH, len(point.H))), np.empty((2 * BATCH, len(point.H))), np.empty((2 * BATCH, len(point.r)))
    steps, done = 0, 0
    while steps < most and done < min(BATCH, len(times)) and not at_rest(system, goal, point.force) and not too_short(h, point.t):
        length = min(h, goal.end - point.t)
        stiffness = length * radius
        if stiffness >= stiffest:
            break
        errors, limit = demands(goal, stiffness, acceptable(system, goal, point.w, point.r, stiffness))
        known, x, linear, defect, error, end, exact = advance(system, errors, point, base, length, limit)
        if not known:
            break
        size = change(end.k, point.k, error) / acceptable(system, goal, end.w, end.r, stiffness)
        if not size <= 1:
            h = next_length(length, size)
            continue
        last = done
        while last < len(times) and (times[last] <= end.t or end.t >= goal.end * (1 - 1e-14)):
            last += 1
        if last - done > BATCH:
            break
        for i in range(done, last):
            s = min(times[i] - point.t, length)
            H[i] = add(moved(point.H, -s, x), s, linear, 1, s)
            H[i] = add(H[i], 2 * s**3 / (NODE * length) ** 2, defect, 3, s)
            w[i], r[i] = point.w, point.r
        h, radius = next_length(length, size), max(largest_rate(linear), largest_rate(defect))
        if exact:
            base = end
        point, done, steps = end, last, steps + 1
    return point, base, h, radius, steps, H[:done], w[:done], r[:done]
