"""The white noise of stochastic gradient flow, eqs. (37a) to (37e): what it drives paths by, and adds to the loss, on a panel.

dH = h dt with h = ζ + R_r(e + n), n = √(τ D) dB/dt, and D = C_r(t, t). On a panel of m nodes n is projected on polynomials below degree m
in the time that runs as its variance does. What is left over is independent of these, vanishes at the edge, and enters averages at the
other nodes by its variance alone.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import legendre

from dlnflow.dmft.constants import MOST_LOSSES, SAME_LOSS, WHITE_COLUMNS
from dlnflow.dmft.outcome import Unsettled
from dlnflow.dmft.residuals import ResidualKernels
from dlnflow.solution import Array


@dataclass(frozen=True)
class Brownian:
    """White noise on m nodes of a panel.

    By normal draws its values are `projected` (m, WHITE_COLUMNS), the coefficients of Legendre polynomials, or such that its integrals
    to the nodes have their covariance `exact` (m, m); of the variance of the integrals, the projection leaves out what is `missing` (m,).
    """

    projected: Array
    exact: Array
    missing: Array


@cache
def _legendre(m: int) -> list[Array]:
    """The integrals from 0 of the m first orthonormal polynomials on [0, 1], as Legendre series of 2x − 1."""
    return [legendre.legint(row, lbnd=-1) / 2 for row in np.diag(np.sqrt(2 * np.arange(m) + 1))]


def brownian(clock: Array, integral: Array) -> Brownian:
    """Eq. (37c): its integrals to the nodes have the variances `clock` (m,), increasing; `integral` (m, m) is that over time."""
    m, whole = len(clock), clock[-1]
    integrals = np.stack([legendre.legval(2 * clock / whole - 1, series) for series in _legendre(m)], axis=1)
    exact = np.tril(np.broadcast_to(np.sqrt(np.diff(clock, prepend=0.0)), (m, m)))
    values = np.linalg.solve(integral, np.concatenate([whole**0.5 * integrals, exact], axis=1))
    missing = np.maximum(clock - whole * np.sum(integrals**2, axis=1), 0.0)
    return Brownian(np.pad(values[:, :m], ((0, 0), (0, WHITE_COLUMNS - m))), values[:, m:], missing)


@dataclass(frozen=True)
class White:
    """On a panel: D, `loss` (m,), the noise n by its own draws, `drive` (m, WHITE_COLUMNS), and R_r n by all draws, `rows` (m, D).

    Columns of `rows` that belong to ζ are zero, new ones of it left out. The variance of H has what is `missing` (m,) besides.
    """

    loss: Array
    drive: Array
    rows: Array
    missing: Array


def white(rows: ResidualKernels, slopes: Array, past: Array, integral: Array, temperature: float, aspect_ratio: float) -> White | Unsettled:
    """That of a panel with these `rows` of R_r and of C_0 = R_r (C_e + σ²) R_rᵀ, and the `integral` over time (m, m).

    E[κ²] are `slopes` (m,), `past` (n, D) is n on earlier nodes. What the noise adds to C_r, eq. (37d), depends on D itself.
    """
    m = len(rows.response)
    own = rows.response[:, -m:]
    before = rows.response[:, :-m] @ past
    fixed = np.diag(rows.correlation[:, -m:]) + aspect_ratio * np.sum(before**2, axis=1)
    loss, after = np.zeros(m), np.maximum(fixed, 0.0)
    for _ in range(MOST_LOSSES):
        loss, clock = after, temperature * integral @ after
        if not np.all(np.diff(clock, prepend=0.0) > 0) or not np.isfinite(clock).all():
            return Unsettled("the noise of the batches feeds itself")
        noise = brownian(clock, integral)
        direct = np.sum(((own - np.eye(m)) @ noise.exact) ** 2, axis=1)
        after = np.maximum(fixed + aspect_ratio * direct + slopes * noise.missing, 0.0)
        if np.max(np.abs(after - loss)) <= SAME_LOSS * np.max(after):
            break
    return White(after, noise.projected, np.concatenate([before, own @ noise.projected], axis=1), noise.missing)
