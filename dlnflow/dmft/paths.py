"""Compiled kernels over the sampled paths: the effective process on one panel, its tangent and its averages.

Paths are taken LANES at a time and keep the path index last, so that the innermost loops vectorise. Panels have m nodes. In a
panel H = H_edge + B (a + R e) with e = w − w*, B the collocation integral, a = ζ plus the memory of earlier panels and R the panel's
own block of R_r. The scalar map is w = (exp(c − 2H) − exp(c + 2H))/2 with c = log(u(0) v(0)) − 2λt, slope −k.

All of it is in one file: what Numba keeps compiled is made again only where the file of the calling function changes. Functions that are
called from compiled ones are inlined: sums vectorise otherwise in a process that compiles them than where they are loaded.
"""

import numpy as np
from numba import njit
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from dlnflow.solution import Array

Array32 = NDArray[np.float32]
Scratch = tuple[Array, Array, Array, Array, Array32, Array32, Array32, Array32, Array32]

LANES = 64
NEWTON_STEPS = 200
FULL_STEPS = 30
LARGEST_MOVE = 1.0
SMALL_STEP = 1e-4
OBSERVED = 4  # averages of w w*, |w|, k and w, see `_panel`
CHUNK = 16  # blocks of paths that are sorted by when they begin to move
QUIET = 1e-3  # integral of k over time below which a path has not begun to: its H is that of the fields alone, but for this share
HALF_STEP = 0.5 * float(np.log(2))
EXP = tuple(float(c) for c in Chebyshev.interpolate(np.exp, 9, domain=[-HALF_STEP, HALF_STEP]).convert(kind=Polynomial).coef)
FAST = {"contract", "nsz", "reassoc", "arcp"}


@njit(cache=True, nogil=True, error_model="numpy")
def extrapolate(ahead: Array, decay: Array, scale: Array, origin: Array, height: Array, n: int, start: int) -> None:
    """A first guess of H on the panel after n nodes for LANES paths from `start`: the parabola on, but |w| not beyond that at the edge.

    `ahead` (m, 3) are its weights on the last three nodes, `decay` (≥ n + m,) is −2λt. A weight below one may
    grow to about one: to keep |w| is what weight decay asks for, where |H| grows by λ for ever.
    """
    for i in range(len(ahead)):
        for b in range(LANES):
            if n == 0:
                height[i, b] = origin[start + b]
                continue
            last = height[n - 1, b]
            most = max(decay[n - 1] + scale[start + b] + 2.0 * abs(last), 0.0) - decay[n + i] - scale[start + b]
            limit = max(0.5 * most, 0.0)
            guess = ahead[i, 0] * height[n - 3, b] + ahead[i, 1] * height[n - 2, b] + ahead[i, 2] * last
            height[n + i, b] = max(-limit, min(limit, guess))


@njit(cache=True, nogil=True, error_model="numpy")
def extrapolate_all(ahead: Array, decay: Array, scale: Array, origin: Array, heights: Array, n: int) -> None:
    """`extrapolate` for all paths; `heights` is (P / LANES, N, LANES)."""
    for block in range(len(heights)):
        extrapolate(ahead, decay, scale, origin, heights[block], n, block * LANES)


@njit(inline="always")
def _exp(x: float) -> float:
    """e^x for |x| < 700 without a branch, to 3e-14 relative: unlike the C library's, loops over it vectorise."""
    power = np.floor(x * 1.4426950408889634 + 0.5)
    r = x - power * 0.6931471805599453
    series = EXP[9]
    series = series * r + EXP[8]
    series = series * r + EXP[7]
    series = series * r + EXP[6]
    series = series * r + EXP[5]
    series = series * r + EXP[4]
    series = series * r + EXP[3]
    series = series * r + EXP[2]
    series = series * r + EXP[1]
    series = series * r + EXP[0]
    return series * np.int64((np.int64(power) + np.int64(1023)) << np.int64(52)).view(np.float64)


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _map(decay: Array, scale: Array, target: Array, height: Array, error: Array, slope: Array, m: int, n: int, start: int) -> None:
    """Fill e = w − w* and k on the panel's nodes; decay (m,) is −2λt, scale (P,) is log(u(0) v(0))."""
    for i in range(m):
        for b in range(LANES):
            c, h = decay[i] + scale[start + b], 2.0 * height[n + i, b]
            falling = _exp(max(-690.0, min(690.0, c - h)))
            rising = _exp(max(-690.0, min(690.0, c + h)))
            error[n + i, b] = 0.5 * (falling - rising) - target[start + b]
            slope[i, b] = falling + rising


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _newton(
    decay: Array,
    scale: Array,
    target: Array,
    coupling: Array,
    forced: Array,
    height: Array,
    error: Array,
    slope: Array,
    jacobian: Array,
    step: Array,
    n: int,
    start: int,
) -> bool:
    """Solve H = forced + C e(H) on a panel for LANES paths by a damped Newton iteration; tells whether all of them settled."""
    m = len(coupling)
    unsettled = 1.0
    for iteration in range(NEWTON_STEPS):
        _map(decay, scale, target, height, error, slope, m, n, start)
        if unsettled == 0.0:
            return True
        if m == 4:
            past = slice(n, n + m)
            _step_of_four(
                coupling, forced.reshape(-1), height[past].reshape(-1), error[past].reshape(-1), slope.reshape(-1), step.reshape(-1)
            )
        else:
            _step(coupling, forced, height, error, slope, jacobian, step, n)
        unsettled, far, total = 0.0, 0.0, 0.0
        for i in range(m):
            for b in range(LANES):
                move, unit = abs(step[i, b]), 1.0 + 1e-3 * abs(height[n + i, b])
                total += move
                unsettled += 0.0 if move < SMALL_STEP * unit else 1.0
                far += 0.0 if move < 0.5 * unit else 1.0
        if not total < 1e300:
            return False
        if far > 0.0:
            _limit(decay, scale, height, step, 1.0 if iteration < FULL_STEPS else 0.3, m, n, start)
        for i in range(m):
            for b in range(LANES):
                height[n + i, b] += step[i, b]
    return False


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _step_of_four(coupling: Array, forced: Array, height: Array, error: Array, slope: Array, step: Array) -> None:
    """As `_step` on a panel of four nodes, whose arrays, flat here, lie one node after the other: all of it stays in registers."""
    c00, c01, c02, c03 = coupling[0, 0], coupling[0, 1], coupling[0, 2], coupling[0, 3]
    c10, c11, c12, c13 = coupling[1, 0], coupling[1, 1], coupling[1, 2], coupling[1, 3]
    c20, c21, c22, c23 = coupling[2, 0], coupling[2, 1], coupling[2, 2], coupling[2, 3]
    c30, c31, c32, c33 = coupling[3, 0], coupling[3, 1], coupling[3, 2], coupling[3, 3]
    for b in range(LANES):
        e0, e1, e2, e3 = error[b], error[b + LANES], error[b + 2 * LANES], error[b + 3 * LANES]
        k0, k1, k2, k3 = slope[b], slope[b + LANES], slope[b + 2 * LANES], slope[b + 3 * LANES]
        x0 = forced[b] - height[b] + ((c00 * e0 + c01 * e1) + (c02 * e2 + c03 * e3))
        x1 = forced[b + LANES] - height[b + LANES] + ((c10 * e0 + c11 * e1) + (c12 * e2 + c13 * e3))
        x2 = forced[b + 2 * LANES] - height[b + 2 * LANES] + ((c20 * e0 + c21 * e1) + (c22 * e2 + c23 * e3))
        x3 = forced[b + 3 * LANES] - height[b + 3 * LANES] + ((c30 * e0 + c31 * e1) + (c32 * e2 + c33 * e3))
        a01, a02, a03 = c01 * k1, c02 * k2, c03 * k3
        p0 = 1.0 / (1.0 + c00 * k0)
        f1, f2, f3 = c10 * k0 * p0, c20 * k0 * p0, c30 * k0 * p0
        a11, a12, a13 = 1.0 + c11 * k1 - f1 * a01, c12 * k2 - f1 * a02, c13 * k3 - f1 * a03
        a21, a22, a23 = c21 * k1 - f2 * a01, 1.0 + c22 * k2 - f2 * a02, c23 * k3 - f2 * a03
        a31, a32, a33 = c31 * k1 - f3 * a01, c32 * k2 - f3 * a02, 1.0 + c33 * k3 - f3 * a03
        x1, x2, x3 = x1 - f1 * x0, x2 - f2 * x0, x3 - f3 * x0
        p1 = 1.0 / a11
        f2, f3 = a21 * p1, a31 * p1
        a22, a23, a32, a33 = a22 - f2 * a12, a23 - f2 * a13, a32 - f3 * a12, a33 - f3 * a13
        x2, x3 = x2 - f2 * x1, x3 - f3 * x1
        p2 = 1.0 / a22
        f3 = a32 * p2
        x3 = (x3 - f3 * x2) / (a33 - f3 * a23)
        x2 = (x2 - a23 * x3) * p2
        x1 = (x1 - (a12 * x2 + a13 * x3)) * p1
        x0 = (x0 - (a01 * x1 + a02 * x2 + a03 * x3)) * p0
        step[b], step[b + LANES], step[b + 2 * LANES], step[b + 3 * LANES] = x0, x1, x2, x3


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _step(coupling: Array, forced: Array, height: Array, error: Array, slope: Array, matrix: Array, step: Array, n: int) -> None:
    """Newton's step in H, by elimination without pivoting: pivots of I + C K stay away from zero on panels that settle."""
    m = len(coupling)
    for i in range(m):
        for b in range(LANES):
            step[i, b] = forced[i, b] - height[n + i, b]
        for k in range(m):
            c = coupling[i, k]
            one = 1.0 if i == k else 0.0
            for b in range(LANES):
                step[i, b] += c * error[n + k, b]
                matrix[i, k, b] = one + c * slope[k, b]
    for j in range(m):
        for b in range(LANES):
            matrix[j, j, b] = 1.0 / matrix[j, j, b]
        for i in range(j + 1, m):
            for b in range(LANES):
                matrix[i, j, b] *= matrix[j, j, b]
                step[i, b] -= matrix[i, j, b] * step[j, b]
            for k in range(j + 1, m):
                for b in range(LANES):
                    matrix[i, k, b] -= matrix[i, j, b] * matrix[j, k, b]
    for i in range(m - 1, -1, -1):
        for k in range(i + 1, m):
            for b in range(LANES):
                step[i, b] -= matrix[i, k, b] * step[k, b]
        for b in range(LANES):
            step[i, b] *= matrix[i, i, b]


@njit(cache=True, nogil=True, error_model="numpy")
def _limit(decay: Array, scale: Array, height: Array, step: Array, damping: float, m: int, n: int, start: int) -> None:
    """Shorten steps in H where w would overshoot, as diode equations are solved."""
    for i in range(m):
        for b in range(LANES):
            move, h = step[i, b], height[n + i, b]
            if move * h > 0.0 and abs(move) > 0.5:
                move = np.sign(move) * 0.5 * (1.0 + np.log(2.0 * abs(move)))
            if decay[i] + scale[start + b] + 2.0 * abs(h + move) > 40.0:
                move = max(-LARGEST_MOVE, min(LARGEST_MOVE, move))
            step[i, b] = damping * move


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _invert(coupling: Array, slope: Array, work: Array, inverse: Array32, m: int) -> None:
    """`inverse` (m, m, LANES) of I + C K by Gauss–Jordan elimination."""
    for i in range(m):
        for k in range(m):
            one = 1.0 if i == k else 0.0
            for b in range(LANES):
                work[i, k, b] = one + coupling[i, k] * slope[k, b]
    for j in range(m):
        for b in range(LANES):
            work[j, j, b] = 1.0 / work[j, j, b]
        for k in range(m):
            if k != j:
                for b in range(LANES):
                    work[j, k, b] *= work[j, j, b]
        for i in range(m):
            if i != j:
                for k in range(m):
                    if k != j:
                        for b in range(LANES):
                            work[i, k, b] -= work[i, j, b] * work[j, k, b]
                for b in range(LANES):
                    work[i, j, b] *= -work[j, j, b]
    for i in range(m):
        for k in range(m):
            for b in range(LANES):
                inverse[i, k, b] = work[i, k, b]


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _tangents(
    pushes: Array32,
    integral: Array32,
    inverse: Array32,
    weighted: Array32,
    slope: Array32,
    tangent: Array32,
    edge: Array32,
    reached: Array32,
    n: int,
    response: Array,
    pushed: Array32,
    moved: Array32,
) -> None:
    """Add the LANES paths' share of R_w to `response` (m, ≥ n + m), and take the paths' tangents on to the right edge.

    `slope` (m, LANES) is k, `weighted` is k times the paths' weights, `pushes` (m, n) is B times the panel's rows of R_r on earlier
    nodes. `tangent` (N (N + m) / 2, LANES) holds δw(node)/δζ(source), source after source, each from the
    nodes of its own panel on; `edge` (N, LANES) is δH/δζ(source) at the left edge, `reached`, which may be the same, at the right one.
    """
    m, size = len(integral), len(edge)
    for s in range(n + m):
        first = (s // m) * m
        start = first * size - first * (first - m) // 2 + (s - first) * (size - first)
        own = tangent[start : start + n + m - first]
        if s < n:
            for i in range(m):
                for b in range(LANES):
                    pushed[i, b] = edge[s, b]
            known = n - first
            for j in range(0, known - 3, 4):
                for i in range(m):
                    p0, p1, p2, p3 = pushes[i, first + j], pushes[i, first + j + 1], pushes[i, first + j + 2], pushes[i, first + j + 3]
                    for b in range(LANES):
                        earlier = p0 * own[j, b] + p1 * own[j + 1, b]
                        pushed[i, b] += earlier + (p2 * own[j + 2, b] + p3 * own[j + 3, b])
            for j in range(known - known % 4, known):
                for i in range(m):
                    for b in range(LANES):
                        pushed[i, b] += pushes[i, first + j] * own[j, b]
        else:
            for i in range(m):
                for b in range(LANES):
                    pushed[i, b] = integral[i, s - n]
        for i in range(m):
            for b in range(LANES):
                moved[b] = 0.0
            for k in range(m):
                for b in range(LANES):
                    moved[b] += inverse[i, k, b] * pushed[k, b]
            total = np.float32(0.0)
            for b in range(LANES):
                total += weighted[i, b] * moved[b]
            response[i, s] -= total
            for b in range(LANES):
                own[n - first + i, b] = -slope[i, b] * moved[b]
            if i == m - 1:
                for b in range(LANES):
                    reached[s, b] = moved[b]


@njit(cache=True, nogil=True, error_model="numpy")
def _scratch(m: int) -> Scratch:
    return (
        np.empty((m, m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, m, LANES), np.float32),
        np.empty((m, LANES), np.float32),
        np.empty((m, LANES), np.float32),
        np.empty((m, LANES), np.float32),
        np.empty(LANES, np.float32),
    )


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _panel(
    modes: Array,
    target: Array,
    scale: Array,
    origin: Array,
    weights: Array,
    factor: Array,
    memory: Array,
    integral: Array,
    coupling: Array,
    decay: Array,
    height: Array,
    error: Array,
    slope: Array,
    n: int,
    start: int,
    folded: bool,
    correlation: Array,
    sums: Array,
    scratch: Scratch,
) -> bool:
    """One panel for the LANES paths from `start`; tells whether they settled. Their `modes` (rank, LANES), `height` and `error`
    (N, LANES) stand close together: rows of all paths, a power of two apart, would drive one another out of the cache.

    `slope` (m, LANES) is filled with k. Their shares are added to the averages: `sums` (OBSERVED, m) are those of w w*, |w|, k and w (of
    w sgn w* where `folded`).
    """
    jacobian, step, drive, forced = scratch[:4]
    m = len(integral)
    for i in range(m):
        for b in range(LANES):
            drive[i, b] = 0.0
        for k in range(factor.shape[1]):
            for b in range(LANES):
                drive[i, b] += factor[i, k] * modes[k, b]
        for j in range(n):
            for b in range(LANES):
                drive[i, b] += memory[i, j] * error[j, b]
    for i in range(m):
        for b in range(LANES):
            forced[i, b] = height[n - 1, b] if n else origin[start + b]
        for k in range(m):
            for b in range(LANES):
                forced[i, b] += integral[i, k] * drive[k, b]
    if not _newton(decay, scale, target, coupling, forced, height, error, slope, jacobian, step, n, start):
        return False
    for i in range(m):
        for b in range(LANES):
            forced[i, b] = weights[start + b] * error[n + i, b]
    for i in range(m):  # no stores among the sums: whether such a loop vectorises would depend on where its arrays happen to lie
        overlap, absolute, slopes, mean = 0.0, 0.0, 0.0, 0.0
        for b in range(LANES):
            weight, teacher = weights[start + b], target[start + b]
            w = error[n + i, b] + teacher
            overlap += weight * (w * teacher)
            absolute += weight * abs(w)
            slopes += weight * slope[i, b]
            mean += weight * (-w if folded and teacher < 0.0 else w)
        sums[0, i] += overlap
        sums[1, i] += absolute
        sums[2, i] += slopes
        sums[3, i] += mean
        for j in range(n + m):
            total = 0.0
            for b in range(LANES):
                total += forced[i, b] * error[j, b]
            correlation[i, j] += total
    return True


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _respond(
    coupling: Array,
    slope: Array,
    weights: Array,
    pushes: Array32,
    integral: Array32,
    tangent: Array32,
    edge: Array32,
    reached: Array32,
    n: int,
    response: Array,
    scratch: Scratch,
) -> None:
    """`_tangents` of LANES paths with the slopes k and the `weights` (LANES,)."""
    jacobian, inverse, slope32, weighted, pushed, moved = scratch[0], *scratch[4:]
    m = len(coupling)
    for i in range(m):
        for b in range(LANES):
            slope32[i, b] = slope[i, b]
            weighted[i, b] = weights[b] * slope[i, b]
    _invert(coupling, slope, jacobian, inverse, m)
    _tangents(pushes, integral, inverse, weighted, slope32, tangent, edge, reached, n, response, pushed, moved)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def advance(
    blocks: tuple[int, int],
    modes: Array,
    target: Array,
    scale: Array,
    origin: Array,
    weights: Array,
    strata: NDArray[np.int64],
    folded: bool,
    factor: Array,
    memory: Array,
    integral: Array,
    decay: Array,
    height: Array,
    error: Array,
    shift: Array,
    early: NDArray[np.int64],
    tangent: Array32,
    edge: Array32,
    reached: Array32,
    response: Array,
    correlation: Array,
    sums: Array,
) -> bool:
    """Solve one panel for the paths of the `blocks` [first, last) on top of n earlier nodes; tells whether every one of them settled.

    `modes` (≥ rank, P) are z, `target` (P,) w*, `scale` (P,) log(u(0) v(0)), `origin` (P,) H at t = 0, `weights` (P,) sum to 1, `strata`
    (P / LANES,) numbers the stratum of each block. `factor` (m, rank) are the panel's rows of L, `memory` (m, n + m) of R_r, `integral`
    (m, m) is B, `decay` (m,) −2λt. `height` (P / LANES, N, LANES) holds H: of the past and a first guess on the panel, the solution on
    return; `error` (P / LANES, N, LANES) is e. `tangent` (P / LANES, N (N + m) / 2, LANES), `edge` and `reached` (P / LANES, N, LANES) are
    those of `_tangents` to perturbations from node `early` (P / LANES,) on. Earlier ones are multiples of that at the last node of its
    panel, as `_responses` says, with the weights `shift` (≥ n + m,) of the nodes in the integral over time. These paths' shares of the
    averages `response` and `correlation` (m, n + m), E[δw/δζ] and E[e e], replace what is there, and so do `sums` (S, OBSERVED, m), by
    stratum what `_panel` says.
    """
    m = len(integral)
    n = memory.shape[1] - m
    scratch = _scratch(m)
    coupling = integral @ np.ascontiguousarray(memory[:, n:])
    pushes = (integral @ np.ascontiguousarray(memory[:, :n])).astype(np.float32)
    integral32 = integral.astype(np.float32)
    response[:], correlation[:], sums[:] = 0.0, 0.0, 0.0
    own, slope, share = np.empty((factor.shape[1], LANES)), np.empty((m, LANES)), np.empty((m, n + m))
    for block in range(blocks[0], blocks[1]):
        start, first = block * LANES, early[block]
        own[:] = modes[: len(own), start : start + LANES]
        if not _panel(
            own, target, scale, origin, weights, factor, memory, integral, coupling, decay,
            height[block], error[block], slope, n, start, folded, correlation, sums[strata[block]], scratch,
        ):  # fmt: skip
            return False
        share[:] = 0.0
        past = np.ascontiguousarray(pushes[:, first:])
        _respond(
            coupling, slope, weights[start : start + LANES], past, integral32,
            tangent[block], edge[block], reached[block], n - first, share, scratch,
        )  # fmt: skip
        _collect(share, shift, first, m, response)
    return True


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _collect(share: Array, shift: Array, first: int, m: int, response: Array) -> None:
    """Add to rows of R_w what perturbations from node `first` on make of them, and multiples of one for those before."""
    for i in range(len(response)):
        for s in range(response.shape[1] - first):
            response[i, first + s] += share[i, s]
        for s in range(first):
            response[i, s] += share[i, m - 1] * (shift[s] / shift[first + m - 1])


@njit(forceinline=True, error_model="numpy", fastmath=FAST)
def _responses(
    slopes: Array,
    weights: Array,
    integrals: Array,
    couplings: Array,
    pushes: Array32,
    tangent: Array32,
    edge: Array32,
    response: Array,
    scratch: Scratch,
) -> None:
    """Add to `response` (N, N) what paths with the slopes k, `slopes` (B, N, LANES), and the `weights` (B LANES,) make of R_w.

    Before it begins to move, the H of a path is the integral of the fields alone. Perturbations that are so early shift it by the weights
    of their nodes in that integral, and are multiples of one another from then on: only those in the last panel before are followed, for
    LANES paths that begin at about the same time.
    """
    blocks, size, _ = slopes.shape
    panels, m, _ = integrals.shape
    quiet = np.zeros(blocks * LANES, np.int64)
    for path in range(len(quiet)):
        moved = 0.0
        for p in range(panels):
            for i in range(m):
                moved += integrals[p, m - 1, i] * slopes[path // LANES, p * m + i, path % LANES]
            if moved > QUIET:
                break
            quiet[path] += 1
    order = np.argsort(quiet, kind="mergesort")
    slope, weight, share = np.empty((size, LANES)), np.empty(LANES), np.empty((m, size))
    integrals32, shift = integrals.astype(np.float32), np.ascontiguousarray(integrals[:, m - 1]).ravel()
    for block in range(blocks):
        for b in range(LANES):
            path = order[block * LANES + b]
            weight[b] = weights[path]
            for i in range(size):
                slope[i, b] = slopes[path // LANES, i, path % LANES]
        still = quiet[order[block * LANES]]
        first = max(still - 1, 0) * m
        for p in range(panels):
            n = p * m
            if p < still:
                for i in range(m):
                    mean = 0.0
                    for b in range(LANES):
                        mean += weight[b] * slope[n + i, b]
                    for s in range(n):
                        response[n + i, s] -= mean * shift[s]
                    for k in range(m):
                        response[n + i, n + k] -= mean * integrals[p, i, k]
            if n >= first:
                share[:] = 0.0
                past = np.ascontiguousarray(pushes[n : n + m, first:n])
                _respond(couplings[p], slope[n : n + m], weight, past, integrals32[p], tangent, edge, edge, n - first, share, scratch)
                if p >= still:
                    _collect(share, shift, first, m, response[n : n + m, : n + m])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def propagate(
    modes: Array,
    target: Array,
    scale: Array,
    origin: Array,
    weights: Array,
    strata: NDArray[np.int64],
    folded: bool,
    factor: Array,
    memory: Array,
    integrals: Array,
    ahead: Array,
    decay: Array,
    response: Array,
    correlation: Array,
    sums: Array,
    heights: Array,
    tangents: bool,
) -> bool:
    """All panels for all paths with given kernels, block by block; tells whether every path settled.

    As `advance`, with `factor` (N, rank), `memory` (N, N), `integrals` (K, m, m), `ahead` (N, 3), `decay` (N,), `response` and
    `correlation` (N, N), and `sums` (S, OBSERVED, N). Without `tangents` the response stays zero; unless it is empty, `heights` (N, P) is
    filled with H.
    """
    panels, m, _ = integrals.shape
    size, blocks = panels * m, len(strata)
    own, height, error = np.empty((factor.shape[1], LANES)), np.empty((size, LANES)), np.empty((size, LANES))
    slopes = np.empty((CHUNK, size, LANES))
    rows = size if tangents else 0
    tangent, edge = np.empty((rows * (size + m) // 2, LANES), np.float32), np.empty((rows, LANES), np.float32)
    scratch = _scratch(m)
    couplings, pushes = np.empty_like(integrals), np.empty((size, size), np.float32)
    for p in range(panels):
        n = p * m
        couplings[p] = integrals[p] @ np.ascontiguousarray(memory[n : n + m, n : n + m])
        pushes[n : n + m, :n] = integrals[p] @ np.ascontiguousarray(memory[n : n + m, :n])
    for chunk in range(0, blocks, CHUNK):
        end = min(chunk + CHUNK, blocks)
        for block in range(chunk, end):
            start, stratum = block * LANES, strata[block]
            own[:] = modes[: len(own), start : start + LANES]
            for p in range(panels):
                n = p * m
                here = slice(n, n + m)
                extrapolate(ahead[here], decay, scale, origin, height, n, start)
                if not _panel(
                    own, target, scale, origin, weights, factor[here], memory[here], integrals[p], couplings[p], decay[here],
                    height, error, slopes[block - chunk, here], n, start, folded, correlation[here], sums[stratum][:, here], scratch,
                ):  # fmt: skip
                    return False
            if heights.size:
                heights[:, start : start + LANES] = height
        if tangents:
            known = slopes[: end - chunk], weights[chunk * LANES : end * LANES]
            _responses(*known, integrals, couplings, pushes, tangent, edge, response, scratch)
    return True
