"""The lazy limit, in which the network is linear regression: exact curves by quadrature over the Marchenko–Pastur law.

For initial values far above every weight, k stays at κ = u(0)^(2L−2) + v(0)^(2L−2) (2a² at depth 2 where they are equal) and ẇ = −κ h is
linear. Depth 1 is this at all times, with κ = 2, and then with weight decay too: ẇ = −2h − λw. With ρ the Marchenko–Pastur law of XᵀX/δ
(mean 1, ratio 1/δ, an atom 1 − δ at 0 for δ < 1), A = e^(−(κx + λ)t), g = (1 − A)/(κx + λ) and B = A + λg, so that w − w* = A w(0) − B w* +
κgν in the mode x with noise ν,

    parameter_error(t) = ∫ρ(dx) [E(A w(0) − B w*)² + κ²g²xσ²/δ],
    train_loss(t)      = ½ ∫ρ(dx) [x E(A w(0) − B w*)² + B²σ²/δ] + ½ max(0, 1 − 1/δ) σ²   (the integral without the atom).
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
    """The curves at `time`, shape (T,), of the linear regression that `problem` is at depth 1, and tends to as its initial values grow.

    Deeper networks differ by about (max |w|/a^L)², relatively. Raises `NoTheory` for random initial values, for groups that differ in κ or
    variance, and for weight decay at other depths than 1.
    """
    _require_linear(problem)
    delta, variance, kappa = problem.aspect_ratio, problem.noise_std**2, 2 * problem.initial_second_moment
    t = np.asarray(time, dtype=np.float64)[:, None]

    def modes(x: Array) -> tuple[Array, Array, Array]:
        """E(A w(0) − B w*)², B and κg."""
        rate = kappa * x + problem.weight_decay
        left, grown = np.exp(-rate * t), -kappa * np.expm1(-rate * t) / rate
        back = left + problem.weight_decay / kappa * grown
        return _square(problem, left, back), back, grown

    def error(x: Array) -> Array:
        square, _, grown = modes(x)
        return square + grown**2 * x * variance / delta

    def loss(x: Array) -> Array:
        square, back, _ = modes(x)
        return (x * square + back**2 * variance / delta) / 2

    unseen = _square(problem, np.exp(-problem.weight_decay * t[:, 0]), np.ones(len(t)))
    parameter_error = spectral_average(error, delta) + max(0.0, 1 - delta) * unseen
    train_loss = spectral_average(loss, delta) + max(0.0, 1 - 1 / delta) * variance / 2
    return LimitCurves(t[:, 0], train_loss, (parameter_error + variance) / 2, parameter_error)


def _square(problem: Problem, left: Array, back: Array) -> Array:
    """E(A w(0) − B w*)² from A = `left` and B = `back`."""
    start = sum(group.weight * group.initial.mean_square_weight(problem.depth) for group in problem.population)
    both = sum(group.weight * group.initial.mean_weight(problem.depth) * group.target.mean for group in problem.population)
    return np.asarray(start * left**2 - 2 * both * left * back + problem.target_second_moment * back**2)


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
    if problem.weight_decay > 0 and problem.depth > 1:
        raise NoTheory("The lazy limit holds without weight decay, which ends it. Set weight_decay to 0.")
