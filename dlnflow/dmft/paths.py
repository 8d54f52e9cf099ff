"""Compiled kernels over the sampled paths of one panel: the effective process and its tangent.

Arrays over paths keep the path index last. Panels have m nodes; `edge` is the left edge of the panel. In the panel
H = H_edge + B (a + R e) with e = w − w*, B the collocation integral, a = ζ plus the memory of earlier panels and R the
panel's own block of R_r. The scalar map is w = (exp(c − 2H) − exp(c + 2H))/2 with c = 2 log a − 2λt, slope −k.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dlnflow.solution import Array

BLOCK = 128
NEWTON_STEPS = 200
FULL_STEPS = 30
LARGEST_MOVE = 1.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def _factor(matrix: Array, m: int) -> None:
    """LU factors in place without pivoting; pivots of I + C K stay away from zero for the panels that converge."""
    for j in range(m):
        inverse = 1.0 / matrix[j, j]
        for i in range(j + 1, m):
            matrix[i, j] *= inverse
            for k in range(j + 1, m):
                matrix[i, k] -= matrix[i, j] * matrix[j, k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def _solve(matrix: Array, vector: Array, m: int) -> None:
    for i in range(1, m):
        for j in range(i):
            vector[i] -= matrix[i, j] * vector[j]
    for i in range(m - 1, -1, -1):
        for j in range(i + 1, m):
            vector[i] -= matrix[i, j] * vector[j]
        vector[i] /= matrix[i, i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def solve_paths(
    drive: Array,
    edge: Array,
    exponent: Array,
    integral: Array,
    own: Array,
    target: Array,
    height: Array,
    error: Array,
    slope: Array,
) -> int:
    """Solve every path on a panel by a damped Newton iteration; returns the number of paths that failed.

    `drive` (m, P) is a; `edge` (P,) is H at the left edge; `exponent` (m,) is c; `integral` (m, m) is B; `own` (m, m) is R;
    `target` (P,) is w*. `height` (m, P) is H: a first guess on entry, the solution on return; `error` and `slope`
    (m, P) are filled with e and k. A step is limited in H where w would overshoot (as diode equations are solved).
    """
    m, paths = drive.shape
    coupling = integral @ own
    forced = np.empty(m)
    jacobian = np.empty((m, m))
    step = np.empty(m)
    failed = 0
    for p in range(paths):
        for i in range(m):
            total = edge[p]
            for k in range(m):
                total += integral[i, k] * drive[k, p]
            forced[i] = total
        converged = False
        for iteration in range(NEWTON_STEPS):
            damping = 1.0 if iteration < FULL_STEPS else 0.3
            for i in range(m):
                up = np.exp(exponent[i] - 2.0 * height[i, p])
                down = np.exp(exponent[i] + 2.0 * height[i, p])
                error[i, p] = 0.5 * (up - down) - target[p]
                slope[i, p] = up + down
            if converged:
                break
            for i in range(m):
                residual = height[i, p] - forced[i]
                for k in range(m):
                    residual -= coupling[i, k] * error[k, p]
                    jacobian[i, k] = coupling[i, k] * slope[k, p]
                jacobian[i, i] += 1.0
                step[i] = -residual
            _factor(jacobian, m)
            _solve(jacobian, step, m)
            largest = 0.0
            for i in range(m):
                move = step[i]
                grows = move * height[i, p] > 0.0
                if grows and abs(move) > 0.5:
                    move = np.sign(move) * 0.5 * (1.0 + np.log(2.0 * abs(move)))
                if exponent[i] + 2.0 * abs(height[i, p] + move) > 40.0:
                    move = max(-LARGEST_MOVE, min(LARGEST_MOVE, move))
                move *= damping
                height[i, p] += move
                largest = max(largest, abs(move) / (1.0 + 1e-3 * abs(height[i, p])))
            if not largest < 1e300:
                break
            converged = largest < 1e-9
        if not converged:
            failed += 1
    return failed


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})
def tangents(
    memory: Array,
    own: Array,
    integral: Array,
    slope: Array,
    weight: Array,
    tangent: NDArray[np.float32],
    edge: NDArray[np.float32],
    first: NDArray[np.int64],
    count: int,
    keep: bool,
) -> Array:
    """The average tangent of a panel, R_w rows of shape (m, count + m); with `keep`, also its paths.

    `memory` (m, count) holds the panel's rows of R_r on earlier nodes, `own` (m, m) its own block. `tangent`
    (N, N, P), indexed [source, node, path], holds δw(node)/δζ(source) of earlier nodes and, with `keep`, gets the
    panel's; `edge` (N, P) is δH/δζ(source) at the left edge, moved to the right edge with `keep`. `first` (count,) is
    the first node at which each source acts.
    """
    m, paths = slope.shape
    average = np.zeros((m, count + m))
    coupling = integral @ own
    inverse = np.empty((m, m, paths), np.float32)
    jacobian = np.empty((m, m))
    unit = np.empty(m)
    for p in range(paths):
        for i in range(m):
            for k in range(m):
                jacobian[i, k] = coupling[i, k] * slope[k, p]
            jacobian[i, i] += 1.0
        _factor(jacobian, m)
        for k in range(m):
            unit[:] = 0.0
            unit[k] = 1.0
            _solve(jacobian, unit, m)
            for i in range(m):
                inverse[i, k, p] = unit[i]
    gain = integral.astype(np.float32)
    rows = memory.astype(np.float32)
    weights = weight.astype(np.float32)
    slopes = slope.astype(np.float32)
    summed = np.empty((m, BLOCK), np.float32)
    pushed = np.empty((m, BLOCK), np.float32)
    moved = np.empty(BLOCK, np.float32)
    for start in range(0, paths, BLOCK):
        size = min(BLOCK, paths - start)
        for s in range(count + m):
            if s < count:
                summed[:, :] = 0.0
                for j in range(first[s], count):
                    past = tangent[s, j, start : start + size]
                    for i in range(m):
                        factor = rows[i, j]
                        for b in range(size):
                            summed[i, b] += factor * past[b]
                origin = edge[s, start : start + size]
                for i in range(m):
                    for b in range(size):
                        pushed[i, b] = origin[b]
                    for k in range(m):
                        factor = gain[i, k]
                        for b in range(size):
                            pushed[i, b] += factor * summed[k, b]
            else:
                for i in range(m):
                    for b in range(size):
                        pushed[i, b] = gain[i, s - count]
            for i in range(m):
                for b in range(size):
                    moved[b] = 0.0
                for k in range(m):
                    for b in range(size):
                        moved[b] += inverse[i, k, start + b] * pushed[k, b]
                total = np.float32(0.0)
                for b in range(size):
                    total += weights[start + b] * slopes[i, start + b] * moved[b]
                average[i, s] -= total
                if keep:
                    for b in range(size):
                        tangent[s, count + i, start + b] = -slopes[i, start + b] * moved[b]
                    if i == m - 1:
                        for b in range(size):
                            edge[s, start + b] = moved[b]
    return average
