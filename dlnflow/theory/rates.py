"""How fast gradient flow without weight decay converges: the left edge of the spectrum that governs its last phase.

Near the end ẇ = −k h with k = u² + v², so the residual decays under X K Xᵀ/δ. Its spectrum, apart from zeros, is that of a general sample
covariance with population law k (Silverstein & Choi 1995; arXiv 2510.01930 for δ < 1), whose left edge is the largest value of

    δ < 1:  γ(p) = −p + (1/δ) E[k p/(k + p)],  p > 0;      δ > 1:  γ(p) = p − (1/δ) E[k p/(k − p)],  0 < p < min k.

Both are concave in p; k = u^(2L−2) + v^(2L−2) at depth L, and coordinates whose data have the variance c have c k in the place of k. For
δ > 1, w = w* + s z is normal in each component and 1/(k − p) = R/(w² + b²) + what has no pole near w = 0 (R = p/2, b² = c² − p²/4 and
1/(k + p) at depth 2, c = |u(0) v(0)|), so that the singular part of its average is a Voigt profile.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit

from dlnflow.model import Group, Problem
from dlnflow.theory.channel import Nodes
from dlnflow.theory.fixed_point import NEAREST_TO_ONE, FixedPoint, NoTheory
from dlnflow.theory.maps import scalar_map

FARTHEST = 6.0  # standard deviations from w* that a weight ends at in networks of up to 10⁸ weights; rarer ones do not bound the rate


def convergence_rate(problem: Problem, point: FixedPoint) -> float:
    """γ, such that train_loss − its limit decays as e^(−2γt) up to a power of t. Raises `NoTheory` where nothing is known."""
    if problem.weight_decay > 0 and problem.depth == 1:
        raise NoTheory(
            "At depth 1 with weight decay the train loss approaches its limit as e^(−γt), γ = λ + 2 (1 − 1/√δ)², "
            "not as e^(−2γt): `lazy.curves` has it at all times."
        )
    if problem.weight_decay > 0:
        raise NoTheory(
            "With weight decay the rates 2(λ − |h|) of weights that end at zero, and those of weights that end near zero, come arbitrarily "
            "close to 0: the approach is slower than any exponential, and its power of t is not known here."
        )
    tall = problem.aspect_ratio > 1 and not all(group.initial.is_constant for group in problem.population)
    if abs(problem.aspect_ratio - 1) <= NEAREST_TO_ONE or tall:
        return 0.0
    return _left_edge(problem.aspect_ratio, point) if problem.aspect_ratio < 1 else _left_edge_tall(problem, point.noise, point.nodes)


def _left_edge(delta: float, point: FixedPoint) -> float:
    """δ < 1: at the maximum E[(k/(k + p))²] = δ, which lies below θ, and there γ = (p²/δ) E[k/(k + p)²]."""
    k, mean = point.nodes.variance * point.nodes.tangent, point.nodes.mean
    top = float(np.log(point.threshold))

    def slack(p: float) -> float:
        return mean(p * (2 * k + p) / (k + p) ** 2) - (1 - delta)

    ends_at_top = slack(float(np.exp(top))) <= 0  # by rounding, where weights differ in k by dozens of orders of magnitude
    p = np.exp(top if ends_at_top else brentq(lambda x: slack(float(np.exp(x))), top - 60, top))
    return float(p**2 / delta * mean(k / (k + p) ** 2))


def _left_edge_tall(problem: Problem, s: float, nodes: Nodes) -> float:
    """δ > 1: the maximum over p = x min k, searched in log(x/(1 − x)) since it may lie close to either end."""
    lowest, inverse = _mean_inverse(problem, s, nodes)

    def edge(x: float, rest: float) -> float:
        p = x * lowest
        return p * (1 - (1 + p * inverse(x, rest)) / problem.aspect_ratio)

    best = minimize_scalar(lambda logit: -edge(expit(logit), expit(-logit)), bounds=(-40, 40), method="bounded", options={"xatol": 1e-6})
    return -float(best.fun)


def _mean_inverse(problem: Problem, s: float, nodes: Nodes) -> tuple[float, Callable[[float, float], float]]:
    """min c k, and E[1/(c k − p)] as a function of x = p/min c k and 1 − x."""
    groups = [
        _mean_inverse_of(group, problem.depth, s / group.variance**0.5, nodes.of(number)) for number, group in enumerate(problem.population)
    ]
    edges = [group.variance * lowest for group, (lowest, _) in zip(problem.population, groups, strict=True)]
    lowest = min(edges)

    def inverse(x: float, rest: float) -> float:
        total = 0.0
        for group, edge, (_, own) in zip(problem.population, edges, groups, strict=True):
            ratio = lowest / edge
            total += own(ratio * x, (1 - ratio) + ratio * rest) / group.variance
        return total

    return lowest, inverse


def _mean_inverse_of(group: Group, depth: float, s: float, nodes: Nodes) -> tuple[float, Callable[[float, float], float]]:
    """For one group: min k, and its share in E[1/(k − p)] as a function of x = p/min k and 1 − x."""
    nearest, k = group.target.nearest(s, FARTHEST), nodes.tangent
    scalar = scalar_map(depth, group.initial.quadrature(mirrored=False))
    if nearest > 0:
        lowest = float(scalar.at(scalar.coordinate(np.full((1, 1), nearest), 0.0)).slope[0, 0])
        return lowest, lambda x, rest: nodes.mean(1 / np.maximum(k - x * lowest, rest * lowest))

    def inverse(x: float, rest: float) -> float:
        strength, b = scalar.pole(x, rest)
        singular = group.weight * strength * group.target.mean_lorentzian(s, b)
        return singular + nodes.mean(scalar.beside_the_pole(nodes.w, k, x, rest))

    return scalar.lowest, inverse
