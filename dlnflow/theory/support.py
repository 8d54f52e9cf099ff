"""The support of the weights at t → ∞: what of it is missed, and which zeros of the teacher count as part of it."""

import numpy as np
from scipy.special import ndtr

from dlnflow.model import Group, Problem
from dlnflow.model.initial import Starts
from dlnflow.solution import Array
from dlnflow.theory.fixed_point import FixedPoint, starts_of
from dlnflow.theory.maps import FORGOTTEN, scalar_map


def support(problem: Problem, point: FixedPoint) -> tuple[float, float]:
    """P(|w| ≤ θ, w* ≠ 0) and P(|w| > θ, w* = 0), θ the `support_threshold`.

    The proximal map increases, so that |w| > θ where y = w* + (s/√c) z is above y(θ) or below y(−θ), which is known without inverting it.
    Zeros of the teacher are the components of its law that are point masses at 0.
    """
    missed = false = 0.0
    for group, law in zip(problem.population, starts_of(problem), strict=True):
        low, high = (_driven(problem, point, group, law, side) for side in (-1, 1))
        for kind in group.target.mixture():
            spread = np.sqrt(kind.variance + point.noise**2 / group.variance)
            inside = float(law.weight @ (_share_up_to(high, kind.mean, spread) - _share_below(low, kind.mean, spread)))
            share = group.weight * kind.probability
            if kind.mean or kind.variance:
                missed += share * inside
            else:
                false += share * (1 - inside)
    return missed, false


def _driven(problem: Problem, point: FixedPoint, group: Group, law: Starts, side: int) -> Array:
    """The last y on this `side` of 0 at which |w| ≤ θ, for every initial value, (I,)."""
    w, theta = side * problem.support_threshold, point.threshold / group.variance
    if point.solution == "lasso":
        return np.full(len(law.weight), w + side * theta)
    scalar = scalar_map(problem.depth, FORGOTTEN if point.solution == "ridge" else law)
    x = scalar.at(scalar.coordinate(np.full((1, 1), w), 0.0)).x
    return np.broadcast_to((w + theta * x)[:, 0], len(law.weight))


def _share_up_to(y: Array, mean: float, spread: float) -> Array:
    return ndtr((y - mean) / spread) if spread else (mean <= y).astype(float)


def _share_below(y: Array, mean: float, spread: float) -> Array:
    return ndtr((y - mean) / spread) if spread else (mean < y).astype(float)
