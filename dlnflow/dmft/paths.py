"""Compiled kernels over the sampled paths: the effective process on one panel, its tangent and its averages.

Paths are taken LANES at a time and keep the path index last, so that the innermost loops vectorise. Panels have m nodes. In a
panel H = H_edge + B (a + R e) with e = w − w*, B the collocation integral, a = ζ plus the memory of earlier panels and R the panel's
own block of R_r. The scalar map is w = (exp(c − 2H) − exp(c + 2H))/2 with c = log(u(0) v(0)) − 2λt, slope −k.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dlnflow.solution import Array

Array32 = NDArray[np.float32]
Scratch = tuple[Array, Array, Array, Array, Array, Array32, Array32, Array32, Array32, Array32]

LANES = 64
NEWTON_STEPS = 200
FULL_STEPS = 30
LARGEST_MOVE = 1.0
SMALL_STEP = 1e-4
OBSERVED = 4  # averages of w w*, |w|, k and w, see `_panel`
FAST = {"contract", "nsz", "reassoc", "arcp"}


@njit(cache=True, nogil=True, error_model="numpy")
def extrapolate(ahead: Array, decay: Array, scale: Array, origin: Array, height: Array, n: int, start: int) -> None:
    """A first guess of H on the panel after n nodes for LANES paths from `start`: straight on, but |w| not beyond that at the edge.

    `ahead` (m,) is the distance from the left edge over that of the last two nodes, `decay` (≥ n + m,) is −2λt. A weight below one may
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
            height[n + i, b] = max(-limit, min(limit, last + ahead[i] * (last - height[n - 2, b])))


@njit(inline="always")
def _exp(x: float) -> float:
    """e^x for |x| < 700 without a branch and nearly to the last digit: unlike the C library's, loops over it vectorise."""
    power = np.floor(x * 1.4426950408889634 + 0.5)
    r = x - power * 0.6931471805599453
    series = 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    return series * np.int64((np.int64(power) + np.int64(1023)) << np.int64(52)).view(np.float64)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _map(decay: Array, scale: Array, target: Array, height: Array, error: Array, slope: Array, m: int, n: int, start: int) -> None:
    """Fill e = w − w* and k on the panel's nodes; decay (m,) is −2λt, scale (P,) is log(u(0) v(0))."""
    for i in range(m):
        for b in range(LANES):
            h = height[n + i, b]
            c = decay[i] + scale[start + b]
            larger = _exp(max(-690.0, min(690.0, c + 2.0 * abs(h))))
            smaller = _exp(max(-690.0, min(690.0, c - 2.0 * abs(h))))
            error[n + i, b] = (0.5 if h < 0.0 else -0.5) * (larger - smaller) - target[start + b]
            slope[i, b] = larger + smaller


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
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
    largest = 1.0
    for iteration in range(NEWTON_STEPS):
        _map(decay, scale, target, height, error, slope, m, n, start)
        if largest < SMALL_STEP:
            return True
        for i in range(m):
            for b in range(LANES):
                step[i, b] = forced[i, b] - height[n + i, b]
            for k in range(m):
                c = coupling[i, k]
                one = 1.0 if i == k else 0.0
                for b in range(LANES):
                    step[i, b] += c * error[n + k, b]
                    jacobian[i, k, b] = one + c * slope[k, b]
        _eliminate(jacobian, step, m)
        largest, total = 0.0, 0.0
        for i in range(m):
            for b in range(LANES):
                total += abs(step[i, b])
                largest = max(largest, abs(step[i, b]) / (1.0 + 1e-3 * abs(height[n + i, b])))
        if not total < 1e300:
            return False
        if largest > 0.5:
            _limit(decay, scale, height, step, 1.0 if iteration < FULL_STEPS else 0.3, m, n, start)
        for i in range(m):
            for b in range(LANES):
                height[n + i, b] += step[i, b]
    return False


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _eliminate(matrix: Array, vector: Array, m: int) -> None:
    """Solve LANES systems in place, without pivoting: pivots of I + C K stay away from zero on panels that settle."""
    for j in range(m):
        for b in range(LANES):
            matrix[j, j, b] = 1.0 / matrix[j, j, b]
        for i in range(j + 1, m):
            for b in range(LANES):
                matrix[i, j, b] *= matrix[j, j, b]
                vector[i, b] -= matrix[i, j, b] * vector[j, b]
            for k in range(j + 1, m):
                for b in range(LANES):
                    matrix[i, k, b] -= matrix[i, j, b] * matrix[j, k, b]
    for i in range(m - 1, -1, -1):
        for k in range(i + 1, m):
            for b in range(LANES):
                vector[i, b] -= matrix[i, k, b] * vector[k, b]
        for b in range(LANES):
            vector[i, b] *= matrix[i, i, b]


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


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _tangents(
    pushes: Array32,
    integral: Array32,
    inverse: Array32,
    weighted: Array32,
    slope: Array32,
    tangent: Array32,
    edge: Array32,
    n: int,
    keep: bool,
    response: Array,
    pushed: Array32,
    moved: Array32,
) -> None:
    """Add the LANES paths' share of R_w to `response` (m, ≥ n + m); with `keep`, the paths' tangents go on to the right edge.

    `slope` (m, LANES) is k, `weighted` is k times the paths' weights, `pushes` (m, n) is B times the panel's rows of R_r on earlier
    nodes. `tangent` (N, N, LANES), indexed [source, node, path], holds
    δw(node)/δζ(source), zero before the source's panel; `edge` (N, LANES) is δH/δζ(source) at the left edge.
    """
    m = len(integral)
    for s in range(n + m):
        if s < n:
            first = (s // m) * m
            for i in range(m):
                for b in range(LANES):
                    pushed[i, b] = edge[s, b]
            for j in range(first, n - 3, 4):
                for i in range(m):
                    p0, p1, p2, p3 = pushes[i, j], pushes[i, j + 1], pushes[i, j + 2], pushes[i, j + 3]
                    for b in range(LANES):
                        earlier = p0 * tangent[s, j, b] + p1 * tangent[s, j + 1, b]
                        pushed[i, b] += earlier + (p2 * tangent[s, j + 2, b] + p3 * tangent[s, j + 3, b])
            for j in range(n - (n - first) % 4, n):
                for i in range(m):
                    for b in range(LANES):
                        pushed[i, b] += pushes[i, j] * tangent[s, j, b]
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
            if keep:
                for b in range(LANES):
                    tangent[s, n + i, b] = -slope[i, b] * moved[b]
                if i == m - 1:
                    for b in range(LANES):
                        edge[s, b] = moved[b]


@njit(cache=True, nogil=True, error_model="numpy")
def _scratch(m: int) -> Scratch:
    return (
        np.empty((m, m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, LANES)),
        np.empty((m, m, LANES), np.float32),
        np.empty((m, LANES), np.float32),
        np.empty((m, LANES), np.float32),
        np.empty((m, LANES), np.float32),
        np.empty(LANES, np.float32),
    )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def _panel(
    modes: Array,
    target: Array,
    scale: Array,
    origin: Array,
    weights: Array,
    factor: Array,
    memory: Array,
    pushes: Array32,
    integral: Array,
    integral32: Array32,
    coupling: Array,
    decay: Array,
    height: Array,
    error: Array,
    tangent: Array32,
    edge: Array32,
    n: int,
    start: int,
    keep: bool,
    folded: bool,
    response: Array,
    correlation: Array,
    sums: Array,
    scratch: Scratch,
) -> bool:
    """One panel for the LANES paths from `start`; tells whether they settled. Their `modes` (rank, LANES), `height` and `error`
    (N, LANES) stand close together: rows of all paths, a power of two apart, would drive one another out of the cache.

    Their shares are added to the averages: `sums` (OBSERVED, m) are those of w w*, |w|, k and w (of w sgn w* where `folded`). The
    response is left out where `tangent` is empty.
    """
    jacobian, step, drive, forced, slope, inverse, slope32, weighted, pushed, moved = scratch
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
            slope32[i, b] = slope[i, b]
            weighted[i, b] = weights[start + b] * slope[i, b]
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
    if len(tangent):
        _invert(coupling, slope, jacobian, inverse, m)
        _tangents(pushes, integral32, inverse, weighted, slope32, tangent, edge, n, keep, response, pushed, moved)
    return True


@njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)
def advance(
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
    tangent: Array32,
    edge: Array32,
    keep: bool,
    response: Array,
    correlation: Array,
    sums: Array,
) -> bool:
    """Solve one panel for all paths on top of n earlier nodes; tells whether every path settled.

    `modes` (≥ rank, P) are z, `target` (P,) w*, `scale` (P,) log(u(0) v(0)), `origin` (P,) H at t = 0, `weights` (P,) sum to 1, `strata`
    (P / LANES,) numbers the stratum of each block. `factor` (m, rank) are the panel's rows of L, `memory` (m, n + m) of R_r, `integral`
    (m, m) is B, `decay` (m,) −2λt. `height` (P / LANES, N, LANES) holds H: of the past and a first guess on the panel, the solution on
    return; `error` (P / LANES, N, LANES) is e. `tangent` (P / LANES, N, N, LANES) and `edge` (P / LANES, N, LANES) are those of
    `_tangents`. The averages `response` and `correlation` (m, n + m) are E[δw/δζ] and E[e e], `sums` (S, OBSERVED, m) by stratum what
    `_panel` says.
    """
    m = len(integral)
    n = memory.shape[1] - m
    scratch = _scratch(m)
    coupling = integral @ np.ascontiguousarray(memory[:, n:])
    pushes = (integral @ np.ascontiguousarray(memory[:, :n])).astype(np.float32)
    integral32 = integral.astype(np.float32)
    response[:], correlation[:], sums[:] = 0.0, 0.0, 0.0
    own = np.empty((factor.shape[1], LANES))
    for block in range(len(target) // LANES):
        start = block * LANES
        own[:] = modes[: len(own), start : start + LANES]
        if not _panel(
            own, target, scale, origin, weights, factor, memory, pushes, integral, integral32, coupling, decay, height[block],
            error[block], tangent[block], edge[block], n, start, keep, folded, response, correlation, sums[strata[block]], scratch,
        ):  # fmt: skip
            return False
    return True


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

    As `advance`, with `factor` (N, rank), `memory` (N, N), `integrals` (K, m, m), `ahead` and `decay` (N,), `response` and
    `correlation` (N, N), and `sums` (S, OBSERVED, N). Without `tangents` the response stays zero; unless it is empty, `heights` (N, P) is
    filled with H.
    """
    panels, m, _ = integrals.shape
    size = panels * m
    own, height, error = np.empty((factor.shape[1], LANES)), np.empty((size, LANES)), np.empty((size, LANES))
    rows = size if tangents else 0
    tangent, edge = np.empty((rows, size, LANES), np.float32), np.empty((rows, LANES), np.float32)
    scratch = _scratch(m)
    couplings, pushes = np.empty_like(integrals), np.empty((size, size), np.float32)
    for p in range(panels):
        n = p * m
        couplings[p] = integrals[p] @ np.ascontiguousarray(memory[n : n + m, n : n + m])
        pushes[n : n + m, :n] = integrals[p] @ np.ascontiguousarray(memory[n : n + m, :n])
    integrals32 = integrals.astype(np.float32)
    for block in range(len(strata)):
        start, stratum = block * LANES, strata[block]
        own[:] = modes[: len(own), start : start + LANES]
        for p in range(panels):
            n = p * m
            here = slice(n, n + m)
            extrapolate(ahead[here], decay, scale, origin, height, n, start)
            if not _panel(
                own, target, scale, origin, weights, factor[here], memory[here], pushes[here], integrals[p], integrals32[p], couplings[p],
                decay[here], height, error, tangent, edge, n, start, True, folded,
                response[here], correlation[here], sums[stratum][:, here], scratch,
            ):  # fmt: skip
                return False
        if heights.size:
            heights[:, start : start + LANES] = height
    return True
