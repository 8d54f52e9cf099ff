"""The scalar problem that remains of the network at late times: w = prox(y), y = w* + s z, z ~ N(0, 1).

Two proximal maps occur. Without weight decay w + θ φ'(w) = y with the entropy of mirror descent, φ'(w) = (q − q₀)/2 and w = c sinh q
(arXiv 2510.01930, long-time behaviour; Woodworth et al. 2020). With weight decay w = sign(y) max(|y| − θ, 0) (the LASSO). Averages over y
are quadratures whose nodes are w itself, so that the map need never be inverted except at the ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from dlnflow.problem import Problem
from dlnflow.solution import Array
from dlnflow.theory.initial import InitialLaw
from dlnflow.theory.teacher import Stratum, strata

REACH = 7.5  # standard deviations of y that are integrated; 6e-14 of the mass lies outside
TRAPEZOIDS = 384  # the integrand is entire and vanishes at both ends
PIECE = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Nodes:
    """A quadrature over w*, z and the initial values; every array has the same shape, `weight` sums to 1.

    `pull` is y − w, `shrink` is 1 − prox'(y) (kept apart since it may be small),
    `tangent` is k = u² + v², `guess` and `doubt` are the mean and the variance of w* given y.
    """

    weight: Array
    w: Array
    pull: Array
    shrink: Array
    tangent: Array
    guess: Array
    doubt: Array

    def mean(self, values: Array) -> float:
        """The average of `values`, given at the nodes."""
        return float(np.vdot(self.weight, values))

    @property
    def error(self) -> float:
        """E[(w − w*)²]."""
        return self.mean((self.w - self.guess) ** 2 + self.doubt)


Channel = Callable[[float, float], Nodes]
"""Nodes for the standard deviation s of the effective noise and the threshold θ."""


def entropy_channel(problem: Problem, law: InitialLaw, trapezoids: int) -> Channel:
    """The proximal map of gradient flow without weight decay; θ = 0 is the identity."""
    kinds = strata(problem)
    grid = np.linspace(0, 1, trapezoids)

    def stratum(kind: Stratum, s: float, theta: float) -> Nodes:
        c, q0 = law.product[:, None], law.offset[:, None]
        spread = _spread(kind, s, law.product.min())
        ends = kind.mean + REACH * spread * np.array([-1.0, 1.0])
        low, high = _coordinate(ends + theta * q0 / 2, c, theta).T[:, :, None]
        q = low + (high - low) * grid
        grown, shrunk = c * np.exp(q) / 2, c * np.exp(-q) / 2
        w = np.where(np.abs(q) < 1, c * np.sinh(np.clip(q, -1, 1)), grown - shrunk)
        pull, half_k = theta / 2 * (q - q0), grown + shrunk
        density = _normal((w + pull - kind.mean) / spread) / spread
        weight = kind.probability * law.weight[:, None] * density * (half_k + theta / 2) * (high - low) / (trapezoids - 1)
        return _nodes(kind, s, weight, w, pull, (theta / 2) / (half_k + theta / 2), 2 * half_k)

    return lambda s, theta: _join([stratum(kind, s, theta) for kind in kinds])


def soft_channel(problem: Problem) -> Channel:
    """The proximal map of gradient flow with weight decay: soft thresholding, where u v = 0 and so k = 2|w|."""
    kinds, (points, shares) = strata(problem), PIECE

    def stratum(kind: Stratum, s: float, theta: float) -> Nodes:
        spread = float(np.sqrt(kind.variance + s**2))
        low, high = kind.mean - REACH * spread, kind.mean + REACH * spread
        edges = np.array([low, *np.clip([-theta, theta], low, high), high])
        half = np.diff(edges)[:, None] / 2
        y = edges[:-1, None] + half * (1 + points)
        outside = np.array([[1.0], [0.0], [1.0]]) + 0 * y
        pull = np.clip(y, -theta, theta)
        w = (y - pull) * outside
        weight = kind.probability * half * shares * _normal((y - kind.mean) / spread) / spread
        return _nodes(kind, s, weight, w, y - w, 1 - outside, 2 * np.abs(w))

    return lambda s, theta: _join([stratum(kind, s, theta) for kind in kinds])


def _spread(kind: Stratum, s: float, c: float) -> float:
    """The standard deviation of y; a point mass gets a width far below every scale of the integrand, and above rounding."""
    spread = float(np.sqrt(kind.variance + s**2))
    return max(spread, 1e-10 * abs(kind.mean)) or 1e-6 * c


def _coordinate(y: Array, c: Array, theta: float) -> Array:
    """The root q of c sinh q + θ q/2 = y by Newton's method from the outside, where it converges monotonically."""
    size = np.abs(y)
    q = np.arcsinh(size / c)
    if theta > 0:
        q = np.minimum(q, 2 * size / theta)
        for _ in range(8):
            q -= (c * np.sinh(q) + theta * q / 2 - size) / (c * np.cosh(q) + theta / 2)
    return np.asarray(np.sign(y) * q)


def _normal(z: Array) -> Array:
    """The standard normal density."""
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


def _nodes(kind: Stratum, s: float, weight: Array, w: Array, pull: Array, shrink: Array, tangent: Array) -> Nodes:
    """Add what y = w + pull says about w*."""
    gain = kind.variance / (kind.variance + s**2) if kind.variance else 0.0
    guess = kind.mean + gain * (w + pull - kind.mean)
    return Nodes(weight, w, pull, shrink, tangent, guess, np.full_like(w, gain * s**2))


def _join(parts: list[Nodes]) -> Nodes:
    names = [field.name for field in fields(Nodes)]
    return Nodes(*(np.concatenate([getattr(part, name).ravel() for part in parts]) for name in names))
