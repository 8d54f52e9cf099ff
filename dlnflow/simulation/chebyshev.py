"""One step of an extrapolated Runge–Kutta–Chebyshev method: explicit, of order 3, stable for stiff decays.

The Jacobian of the flow, −(XᵀX/δ) diag(k), has a real nonpositive spectrum of radius up to about (1 + δ^(−1/2))² 2 max(a², |w|).
s stages of the second-order method of Sommeijer, Shampine and Verwer (J. Comput. Appl. Math. 88, 1998) are stable up to a radius
that grows as s². One step of length h and two of length h/2 are combined to cancel the leading error. Their difference is taken
as the error estimate: three times the error of the two short steps, because stiff components converge at a lower order. The
damping is chosen so large that the combination, whose weights are 4/3 and −1/3, is stable itself.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlnflow.simulation.step import Field, Step
from dlnflow.solution import Array

DAMPING = 1.0
INTERVAL = 0.58  # s stages are stable up to more than this times s² − 1
LARGEST_STIFFNESS = 1e7  # about 10,000 evaluations; their rounding errors grow with the stiffness


@dataclass(frozen=True)
class Coefficients:
    """The recurrence of s stages for D_j = Y_j − Y_0: D_j = μ_j D_{j−1} + ν_j D_{j−2} + h (μ̃_j F_{j−1} + γ̃_j F_0)."""

    mu: Array
    nu: Array
    mu_tilde: Array
    gamma_tilde: Array
    c: Array
    interval: float  # stable for h · spectral radius up to here


@lru_cache(maxsize=64)
def coefficients(stages: int) -> Coefficients:
    """The coefficients of `stages` ≥ 2 stages, from Chebyshev polynomials at w₀ = 1 + damping/s²."""
    w0 = 1 + DAMPING / stages**2
    T, D, D2 = _chebyshev(stages, w0)
    w1 = D[-1] / D2[-1]
    b = np.empty(stages + 1)
    b[2:] = D2[2:] / D[2:] ** 2
    b[:2] = b[2]
    a = 1 - b * T
    mu, nu, mu_tilde, gamma_tilde = np.zeros((4, stages + 1))
    mu_tilde[1] = b[1] * w1
    mu[2:] = 2 * w0 * b[2:] / b[1:-1]
    nu[2:] = -b[2:] / b[:-2]
    mu_tilde[2:] = 2 * w1 * b[2:] / b[1:-1]
    gamma_tilde[2:] = -a[1:-1] * mu_tilde[2:]
    c = np.zeros(stages + 1)
    c[1] = mu_tilde[1]
    c[2:] = w1 * D2[2:] / D[2:]
    return Coefficients(mu, nu, mu_tilde, gamma_tilde, c, (w0 + 1) / w1)


def _chebyshev(degree: int, x: float) -> tuple[Array, Array, Array]:
    """T_j(x), T_j'(x), T_j''(x) for j = 0 … degree, each of shape (degree + 1,)."""
    T, D, D2 = np.zeros((3, degree + 1))
    T[:2] = 1, x
    D[1] = 1
    for j in range(2, degree + 1):
        T[j] = 2 * x * T[j - 1] - T[j - 2]
        D[j] = 2 * T[j - 1] + 2 * x * D[j - 1] - D[j - 2]
        D2[j] = 4 * D[j - 1] + 2 * x * D2[j - 1] - D2[j - 2]
    return T, D, D2


def stages_for(stiffness: float) -> int:
    """The fewest stages that are stable at h · radius = `stiffness`."""
    return max(2, math.ceil(math.sqrt(1 + stiffness / INTERVAL)))


class Chebyshev:
    """As many evaluations a step as stability asks for: about 3.1 √(h · radius)."""

    order = 3

    def longest(self, radius: float) -> float:
        """The longest step that keeps the number of stages, and so the time between two steps, within bounds."""
        return LARGEST_STIFFNESS / radius if radius > 0 else np.inf

    def cost(self, stiffness: float) -> int:
        """Evaluations of the field."""
        return stages_for(stiffness) + 2 * stages_for(stiffness / 2)

    def step(self, field: Field, t: float, y: Array, f: Array, h: float, radius: float) -> Step:
        """From y(t), shape (d,), with f = field(t, y), to t + h."""
        coarse = _second_order(field, t, y, f, h, stages_for(h * radius))
        stages = stages_for(h * radius / 2)
        middle = _second_order(field, t, y, f, h / 2, stages)
        fine = _second_order(field, t + h / 2, middle, field(t + h / 2, middle), h / 2, stages)
        new = fine + (fine - coarse) / 3
        f_new = field(t + h, new)

        def interpolate(theta: float) -> Array:
            """The cubic Hermite interpolant."""
            rest = 1 - theta
            ends = (1 + 2 * theta) * rest**2 * y + theta**2 * (3 - 2 * theta) * new
            return np.asarray(ends + theta * rest * h * (rest * f - theta * f_new))

        return Step(new, f_new, fine - coarse, interpolate)


def _second_order(field: Field, t: float, y: Array, f: Array, h: float, stages: int) -> Array:
    """One step, in increments from y, so that rounding is relative to the change and not to the state."""
    p = coefficients(stages)
    before, now = np.zeros_like(y), p.mu_tilde[1] * h * f
    for j in range(2, stages + 1):
        rate = p.mu_tilde[j] * field(t + p.c[j - 1] * h, y + now) + p.gamma_tilde[j] * f
        before, now = now, p.mu[j] * now + p.nu[j] * before + h * rate
    return np.asarray(y + now)
