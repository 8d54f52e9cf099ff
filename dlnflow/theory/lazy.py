"""The lazy limit, in which the network is linear regression: exact curves by quadrature over the Marchenko–Pastur law.

For initial values far above every weight, k = u² + v² stays at κ = u(0)² + v(0)² (2a² where they are equal) and ẇ = −κ h is linear. With ρ
the Marchenko–Pastur law of XᵀX/δ (mean 1, ratio 1/δ, an atom 1 − δ at 0 for δ < 1) and e₀ = E[(w(0) − w*)²],

    parameter_error(t) = ∫ρ(dx) [e₀ e^(−2κxt) + σ² (1 − e^(−κxt))²/(δx)],
    train_loss(t)      = ½ ∫ρ(dx) e^(−2κxt) (x e₀ + σ²/δ) + ½ max(0, 1 − 1/δ) σ²   (the integral without the atom).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from dlnflow.model import Problem
from dlnflow.solution import Array
from dlnflow.theory.curves import LimitCurves
from dlnflow.theory.fixed_point import NoTheory

ABSCISSAE = np.linspace(-4.0, 4.0, 241)  # of a double-exponential rule, which resolves both edges of the spectrum at all times


def curves(problem: Problem, time: ArrayLike) -> LimitCurves:
    """The curves at `time`, shape (T,), of the linear regression that `problem` tends to as its initial values grow.

    The network itself differs by about (max |w|/κ)², relatively. Raises `NoTheory` for random initial values and for weight decay.
    """
    _require_linear(problem)
    delta, e0, variance = problem.aspect_ratio, problem.initial_error, problem.noise_std**2
    rate = 2 * problem.initial_second_moment * np.asarray(time, dtype=np.float64)[:, None]

    def error(x: Array) -> Array:
        return e0 * np.exp(-2 * rate * x) + variance * np.expm1(-rate * x) ** 2 / (delta * x)

    def loss(x: Array) -> Array:
        return np.exp(-2 * rate * x) * (x * e0 + variance / delta) / 2

    parameter_error = spectral_average(error, delta) + max(0.0, 1 - delta) * e0
    train_loss = spectral_average(loss, delta) + max(0.0, 1 - 1 / delta) * variance / 2
    return LimitCurves(rate[:, 0] / (2 * problem.initial_second_moment), train_loss, (parameter_error + variance) / 2, parameter_error)


def spectral_average(f: Callable[[Array], Array], delta: float) -> Array:
    """∫ρ(x) f(x) dx over the nonzero spectrum of XᵀX/δ, over the last axis of f's values."""
    root = delta**-0.5
    low, width = (1 - root) ** 2, 4 * root
    below, above, jacobian = _unit_interval()
    x = low + width * below
    density = delta * width * np.sqrt(below * above) / (2 * np.pi * x)
    return np.asarray(f(x) @ (density * width * jacobian))


def _unit_interval() -> tuple[Array, Array, Array]:
    """x, 1 − x and weights on (0, 1), with x = 1/(1 + e^(−π sinh t)) (Takahasi & Mori 1974)."""
    arm = np.pi * np.sinh(ABSCISSAE)
    below, above = 1 / (1 + np.exp(-arm)), 1 / (1 + np.exp(arm))
    return below, above, below * above * np.pi * np.cosh(ABSCISSAE) * (ABSCISSAE[1] - ABSCISSAE[0])


def _require_linear(problem: Problem) -> None:
    kappas = {group.initial.slope(problem.depth) for group in problem.population}
    if len(kappas) > 1 or not (problem.is_isotropic and all(group.initial.is_constant for group in problem.population)):
        raise NoTheory("The lazy limit needs one κ and one variance for all coordinates. Give constant initial values.")
    if problem.weight_decay > 0:
        raise NoTheory("The lazy limit holds without weight decay, which ends it. Set weight_decay to 0.")
