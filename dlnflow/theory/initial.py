"""The law of the initial values, in the two numbers by which they enter w.

With c = |u(0) v(0)| and q₀ = log |u(0)/v(0)|, gradient flow of arXiv 2510.01930 without weight decay keeps
w = c sinh q, q = q₀ − 2 ∫₀ᵗ h, and u² + v² = 2 c cosh q.
"""

from dataclasses import dataclass

import numpy as np

from dlnflow.problem import GaussianScale, PairScale, Problem
from dlnflow.solution import Array

COARSE, FINE = 0.7, 0.3  # steps of the double-exponential rule: a start within 20 %, and final errors to about 1e-5 of themselves


@dataclass(frozen=True)
class InitialLaw:
    """I weighted initial values: `weight` sums to 1, `product` is c, `offset` is q₀, each of shape (I,).

    Where the problem is symmetric under (u, v, w*) → (v, u, −w*), one of two mirror images stands for both.
    """

    weight: Array
    product: Array
    offset: Array


def initial_law(problem: Problem, step: float = FINE) -> InitialLaw:
    """One point where u(0), v(0) are constants, a quadrature of the given `step` where they are random."""
    match problem.initial_scale:
        case PairScale(u=u, v=v):
            return InitialLaw(np.ones(1), np.array([u * v]), np.array([np.log(u / v)]))
        case GaussianScale(std=std):
            return _independent_normal(std, step, problem.is_symmetric)
        case a:
            return InitialLaw(np.ones(1), np.array([a**2]), np.zeros(1))


def _independent_normal(std: float, step: float, mirrored: bool) -> InitialLaw:
    value, weight = _half_normal(step)
    i, j = np.tril_indices(len(value)) if mirrored else np.indices((len(value),) * 2).reshape(2, -1)
    multiplicity = np.where(i == j, 1.0, 2.0) if mirrored else 1.0
    return InitialLaw(
        weight=weight[i] * weight[j] * multiplicity,
        product=std**2 * value[i] * value[j],
        offset=np.log(value[i] / value[j]),
    )


def _half_normal(step: float) -> tuple[Array, Array]:
    """|g| for g ~ N(0, 1): nodes and weights that integrate logarithms at 0 too (Takahasi & Mori 1974)."""
    t = np.arange(-2.9, 2.2, step)
    value = np.exp(t - np.exp(-t))
    weight = np.exp(-(value**2) / 2) * value * (1 + np.exp(-t))
    return value, weight / weight.sum()
