"""The compiled loops over paths: tangents of w in many directions, LANES paths at a time.

A direction is a perturbation of ζ that has been made in the past. For each of M of them a path keeps `du` and `dv`, the derivatives of u
and v, and `past`, the history of R_r δw as coefficients on the memory's R basis functions.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from dlnflow.dmft.paths import LANES

Floats = NDArray[Any]


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def slopes(lanes: Floats, weights: Floats, du: Floats, dv: Floats, count: int) -> Floats:
    """E[δw], shape (count,), in the first `count` directions; `weights` is (B, LANES), `lanes` begins as in `advance`."""
    u, v = lanes[0], lanes[1]
    mean = np.zeros(count)
    for block in range(len(u)):
        a, b = weights[block] * u[block], weights[block] * v[block]
        for m in range(count):
            total = 0.0
            for lane in range(LANES):
                total += a[lane] * du[block, m, lane] - b[lane] * dv[block, m, lane]
            mean[m] += total
    return mean


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def advance(lanes: Floats, step: float, memory: Floats, du: Floats, dv: Floats, past: Floats, count: int) -> None:
    """One step of the first `count` directions, δh = δw + Σ memory[r] past[r], which also enters `past` at row R = len(memory).

    `lanes`, (6, B, LANES), holds what δu and δv are multiplied by in δw, u and v in the force, and what δu and δv are multiplied by in
    the step; `past` is (B, M, rows, LANES).
    """
    wu, wv, u, v, fu, fv = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5]
    rank = len(memory)
    memory = memory.astype(past.dtype)
    for block in range(len(u)):
        for m in range(count):
            change = (wu[block] * du[block, m] - wv[block] * dv[block, m]).astype(past.dtype)
            for r in range(rank):
                for lane in range(LANES):
                    change[lane] += memory[r] * past[block, m, r, lane]
            past[block, m, rank] = change
            for lane in range(LANES):
                du[block, m, lane] = du[block, m, lane] * fu[block, lane] - step * u[block, lane] * change[lane]
                dv[block, m, lane] = dv[block, m, lane] * fv[block, lane] + step * v[block, lane] * change[lane]
