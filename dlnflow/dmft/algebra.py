"""The compiled linear algebra of a panel's rows: of matrices so small that NumPy's calls take longer than what they do.

A panel has m nodes, N come before it. All of it raises LinAlgError where a matrix is singular or not finite.
"""

import numpy as np
from numba import njit

from dlnflow.solution import Array

MODE_SHARE = 1e-5  # of the variance of ζ at the end of a panel, below which a component is no mode
MODE_FLOOR = 1e-9  # of that at the start
LEAST_VARIANCE = 0.03  # of the cut, that a component which is wanted is taken to have


@njit(cache=True, nogil=True)
def implied(response: Array, correlation: Array, known: Array, aspect_ratio: float, noise: float) -> tuple[Array, Array]:
    """R_r = (1 − R_w/δ)⁻¹ and C_r = R_r (C_e + σ²) R_rᵀ on a panel's rows, (m, N + m) each, from those of R_w and C_e; `noise` is σ².

    By blocks: the panel's own block of 1 − R_w/δ is solved for what earlier rows imply, those of R_r and C_r side by side in `known`
    (N, 2 N).
    """
    m = len(response)
    n = response.shape[1] - m
    memory, error = response / aspect_ratio, correlation + noise
    past, before = memory[:, :n].copy(), error[:, :n].copy()
    earlier = past @ known
    driven = before @ known[:, :n].copy().T
    earlier[:, n:] += driven
    right = np.empty((m, 2 * (n + m)))
    right[:, :n], right[:, n : n + m], right[:, n + m : m + 2 * n] = earlier[:, :n], np.eye(m), earlier[:, n:]
    right[:, m + 2 * n :] = error[:, n:] + earlier[:, n:].copy() @ past.T + past @ driven.T
    found = np.linalg.solve(np.eye(m) - memory[:, n:], right)
    residual_response, residual_correlation = np.empty((m, n + m)), np.empty((m, n + m))
    residual_response[:], residual_correlation[:] = found[:, : n + m], found[:, n + m :]
    residual_correlation[:, n:] = residual_correlation[:, n:].copy() @ residual_response[:, n:].copy().T
    return residual_response, residual_correlation


@njit(cache=True, nogil=True)
def factor(correlation: Array, readout: Array, start: float, roots: Array, wanted: Array, free: bool) -> tuple[Array, Array, int]:
    """Rows of L on a panel, (m, D) to its last mode, from rows of C_ζ (m, N + m), and the weights (m, new) that read new modes off it.

    What earlier modes leave unexplained on the panel is split into its principal components, whose coefficients are the panel's new
    modes: `readout` (N, rank) reads earlier ones off, `roots` (m,) are the square roots of the panel's quadrature weights. Components
    below the cut are dropped where the number of modes is `free`, `start` being C_ζ(0, 0); otherwise `wanted` (m, new), a block of L,
    fixes how many there are, and what they are turned towards. Also returns how many are above the cut.
    """
    n = correlation.shape[1] - len(correlation)
    rows = correlation[:, :n].copy() @ readout
    remainder = correlation[:, n:] - rows @ rows.T
    variance, component = np.linalg.eigh(roots.reshape(-1, 1) * remainder * roots)
    cut = max(MODE_FLOOR * start, MODE_SHARE * correlation[-1, -1])
    above = int(np.sum(variance > cut))
    count = above if free else wanted.shape[1]
    size = np.sqrt(np.maximum(variance[::-1][:count], LEAST_VARIANCE * cut))
    modes = component[:, ::-1][:, :count] * roots.reshape(-1, 1) / size
    columns = remainder @ modes
    if free:
        for k in range(count):
            if columns[-1, k] < 0:
                modes[:, k] *= -1.0
    elif count:
        left, _, right = np.linalg.svd(columns.T.copy() @ wanted)
        modes = modes @ (left @ right)
    return np.concatenate((rows, remainder @ modes), axis=1), modes, above


@njit(cache=True, nogil=True)
def change(
    response: Array, correlation: Array, new_response: Array, new_correlation: Array, scale: Array, least: float
) -> tuple[Array, Array, float]:
    """What an iteration changes in R_r and, relative to their norms, in C_r, (2 m, N + m), these norms (m, N + m), and the largest.

    `scale` (N,) are the roots of C_r(s, s) on earlier nodes, `least` is the least that counts as C_r(t, t). The changes of R_r count
    together, over those of a row relative to the largest row. The largest is infinite where anything is not finite.
    """
    m, size = response.shape
    n = size - m
    across = np.empty(size)
    across[:n] = scale
    for i in range(m):
        across[n + i] = np.sqrt(max(new_correlation[i, n + i], least))
    found, norm = np.empty((2 * m, size)), np.empty((m, size))
    largest, moved, whole, everything = 0.0, 0.0, 0.0, 0.0
    for i in range(m):
        row, all_of_row = 0.0, 0.0
        for j in range(size):
            norm[i, j] = across[n + i] * across[j]
            found[i, j] = new_response[i, j] - response[i, j]
            found[m + i, j] = (new_correlation[i, j] - correlation[i, j]) / norm[i, j]
            row += found[i, j] ** 2
            all_of_row += new_response[i, j] ** 2
            largest = max(largest, abs(found[m + i, j]))
            everything += new_response[i, j] + new_correlation[i, j]
        moved, whole = max(moved, row), max(whole, all_of_row)
    if not np.isfinite(everything):
        return found, norm, np.inf
    return found, norm, max(largest, np.sqrt(moved / whole))


@njit(cache=True, nogil=True)
def mixed(moves: Array, changes: Array, point: Array, residual: Array) -> Array:
    """`point` + `residual` (X,) with the combination of `moves` and `changes` (K, X) that cancels the residual best, see `anderson`."""
    weights = np.linalg.lstsq(changes.T, residual, 1e-10)[0]
    found: Array = point + residual - weights @ (moves + changes)
    return found
