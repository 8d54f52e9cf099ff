"""The self-consistent noise s and threshold θ of the scalar problem, for t → ∞.

With e = E[c (w − w*)²], P = E[prox'(y)] and y = w* + (s/√c) z in a coordinate whose data have the variance c, the conditions are
(arXiv 2510.01930, long-time behaviour; Bayati & Montanari 2012 for the LASSO)

    δ s² = σ² + e,      P = δ (1 − λ/θ).

They are the saddle point of a function that is convex in s and concave in 1/θ (the Gaussian min-max theorem), so two nested monotone roots
find it without fail: at fixed s the root θ of E[c (y − w)²] = (1 − δ) s² − σ² + 2 λ δ s²/θ, and then the root s of P = δ (1 − λ/θ).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.optimize import brentq, root

from dlnflow.model import Problem
from dlnflow.model.initial import COARSE, FINE, Starts
from dlnflow.theory.channel import TRAPEZOIDS, Channel, Nodes, entropy_channel, ridge_channel, soft_channel

LARGEST_LOGARITHM = 120.0  # of what an unknown is over its start: e^120 is far beyond any problem
FEW = 16  # components of the teacher's law


SolutionKind = Literal["interpolation", "least_squares", "lasso", "ridge"]
NEAREST_TO_ONE = 1e-9  # an aspect ratio as near to 1 counts as 1


class NoTheory(ValueError):
    """There is no limit to report for this problem. The text says why."""


@dataclass(frozen=True)
class FixedPoint:
    """The standard deviation s of the effective noise, the threshold θ, and averages over the scalar problem."""

    solution: SolutionKind
    noise: float
    threshold: float
    nodes: Nodes


def solution_kind(problem: Problem) -> SolutionKind | None:
    """Which minimiser the flow converges to; None where that depends on the way."""
    if problem.weight_decay > 0:
        return "lasso" if problem.depth == 2 else "ridge" if problem.depth == 1 else None
    return "least_squares" if problem.aspect_ratio > 1 - NEAREST_TO_ONE else "interpolation"


@dataclass(frozen=True)
class Conditions:
    """The two conditions in the unknowns r and θ, where s² = `floor` + r²: the choice of floor avoids a cancellation.

    `pull` is the value that E[c (y − w)²] must have at (r, θ).
    """

    problem: Problem
    solution: SolutionKind
    channel: Channel
    floor: float
    pull: Callable[[float, float], float]

    def noise(self, r: float) -> float:
        """s."""
        return float(np.sqrt(self.floor + r**2))

    def residuals(self, log_r: float, log_theta: float) -> tuple[float, float]:
        """Both zero at the fixed point; the first increases with θ, the second, once the first is zero, with r."""
        r, theta = float(np.exp(log_r)), float(np.exp(log_theta))
        nodes = self.channel(self.noise(r), theta)
        delta, decay = self.problem.aspect_ratio, self.problem.weight_decay
        unit = 1.0 if decay else 1 - delta  # the size of both sides
        excess = (nodes.mean(nodes.variance * nodes.pull**2) - self.pull(r, theta)) / (unit * r**2)
        slack = (nodes.mean(nodes.shrink) - (1 - delta) - delta * decay / theta) / unit
        return excess, slack

    def at(self, log_r: float, log_theta: float) -> FixedPoint:
        """The scalar problem there."""
        s, theta = self.noise(float(np.exp(log_r))), float(np.exp(log_theta))
        return FixedPoint(self.solution, s, theta, self.channel(s, theta))


def least_squares(problem: Problem) -> FixedPoint:
    """λ = 0, δ > 1 (or δ = 1 without noise): w = w* + (s/√c) z with s² = σ²/(δ − 1), the identity as proximal map."""
    s = problem.noise_std / float(np.sqrt(problem.aspect_ratio - 1)) if problem.noise_std else 0.0
    starts = starts_of(problem)
    return FixedPoint("least_squares", s, 0.0, entropy_channel(problem, starts, _trapezoids(problem, starts))(s, 0.0))


def interpolation(problem: Problem) -> FixedPoint:
    """λ = 0, δ < 1: the interpolating weights nearest to the initial ones in the divergence of the entropy."""
    starts = starts_of(problem)
    conditions = _interpolation(problem, entropy_channel(problem, starts, _trapezoids(problem, starts)))
    if all(group.initial.is_constant for group in problem.population):
        return conditions.at(*_nested_roots(conditions, 1e-12))
    rough = entropy_channel(problem, starts_of(problem, COARSE), _trapezoids(problem, starts))
    start = _nested_roots(_interpolation(problem, rough), 1e-3)
    return conditions.at(*(_joint_root(conditions, start) or _nested_roots(conditions, 1e-9)))


def starts_of(problem: Problem, step: float = FINE) -> list[Starts]:
    """The initial values of every group."""
    return [group.initial.quadrature(problem.is_symmetric, step) for group in problem.population]


def _trapezoids(problem: Problem, starts: list[Starts]) -> int:
    """Fewer for each of many initial values or components: ends to 1e-4 of themselves at the smallest initial values."""
    components = sum(len(group.target.mixture()) for group in problem.population)
    return TRAPEZOIDS if all(len(law.weight) == 1 for law in starts) and components <= FEW else TRAPEZOIDS // 3


def _interpolation(problem: Problem, channel: Channel) -> Conditions:
    delta = problem.aspect_ratio
    return Conditions(problem, "interpolation", channel, problem.noise_std**2 / (1 - delta), lambda r, theta: (1 - delta) * r**2)


def penalised(problem: Problem) -> FixedPoint:
    """λ > 0: the minimum of ‖y − Xw‖²/(2n) + λ‖w‖₁/d at depth 2 and + λ‖w‖²/(4d) at depth 1, whatever the initial values were."""
    delta, variance, decay = problem.aspect_ratio, problem.noise_std**2, problem.weight_decay

    def pull(r: float, theta: float) -> float:
        return (1 - delta) * r**2 - variance + 2 * decay * delta * r**2 / theta

    if problem.depth == 2:
        conditions = Conditions(problem, "lasso", soft_channel(problem), 0.0, pull)
    else:
        conditions = Conditions(problem, "ridge", ridge_channel(problem), 0.0, pull)
    return conditions.at(*_nested_roots(conditions, 1e-12))


def _nested_roots(conditions: Conditions, tolerance: float) -> tuple[float, float]:
    """log r and log θ, each to `tolerance`."""
    problem, log_theta = conditions.problem, 0.0
    residuals = lru_cache(conditions.residuals)

    def slack(log_r: float) -> float:
        nonlocal log_theta
        log_theta = _increasing_root(lambda x: residuals(log_r, x)[0], log_theta, tolerance)
        return residuals(log_r, log_theta)[1]

    start = float(np.log((problem.initial_error + problem.noise_std**2) / problem.aspect_ratio) / 2)
    log_r = _increasing_root(slack, start, tolerance)
    slack(log_r)
    return log_r, log_theta


def _joint_root(conditions: Conditions, start: tuple[float, float]) -> tuple[float, float] | None:
    """log r and log θ from a start that is near, by Powell's hybrid method, which needs few of the dear evaluations; None if it fails."""
    offset = np.asarray(start) - 1  # unknowns near 1, since the method's tolerance is relative
    result = root(lambda x: conditions.residuals(*(offset + x)), np.ones(2), tol=1e-7, options={"eps": 1e-6})
    log_r, log_theta = offset + result.x
    return (float(log_r), float(log_theta)) if result.success else None


def _increasing_root(f: Callable[[float], float], start: float, tolerance: float) -> float:
    """The zero of an increasing f, bracketed from `start` in steps that double."""
    f = lru_cache(f)  # bracketing has evaluated the ends already
    value = f(start)
    direction, step, near, far = (1.0 if value < 0 else -1.0), 0.25, start, start
    while value * direction < 0 and abs(far - start) < LARGEST_LOGARITHM:
        near, far = far, far + direction * step
        value, step = f(far), 2 * step
    if value * direction < 0:
        raise NoTheory(
            "The fixed point was not found to working precision. Try an aspect_ratio further from 1, or constant initial values."
        )
    return float(brentq(f, near, far, xtol=tolerance)) if far != start else start
