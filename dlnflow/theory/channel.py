"""The scalar problem that remains of the network at late times: w = prox(y), y = w* + s z, z ~ N(0, 1).

Two proximal maps occur. Without weight decay w + θ φ'(w) = y with the entropy of mirror descent, φ'(w) = (q − q₀)/2 and w = c sinh q
(arXiv 2510.01930, long-time behaviour; Woodworth et al. 2020). With weight decay w = sign(y) max(|y| − θ, 0) (the LASSO). Averages over y
are quadratures whose nodes are w itself, so that the map need never be inverted except at the ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from dlnflow.model import Group, Problem
from dlnflow.model.initial import Starts
from dlnflow.solution import Array

REACH = 7.5  # standard deviations of y that are integrated; 6e-14 of the mass lies outside
NARROWEST = 1e-10  # width of a point mass, relative to where it is: far below every scale of the integrand, and above rounding
TRAPEZOIDS = 384  # the integrand is entire and vanishes at both ends
PIECE = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Nodes:
    """A quadrature over groups, w*, z and the initial values; every array has the same shape, `weight` sums to 1.

    `pull` is y − w, `shrink` is 1 − prox'(y) (kept apart since it may be small), `tangent` is k = u² + v², `guess` and `doubt` are the mean
    and the variance of w* given y; `group` numbers the group of coordinates, and `variance` is its c.
    """

    weight: Array
    w: Array
    pull: Array
    shrink: Array
    tangent: Array
    guess: Array
    doubt: Array
    variance: Array
    group: Array

    def mean(self, values: Array) -> float:
        """The average of `values`, given at the nodes."""
        return float(np.vdot(self.weight, values))

    def of(self, group: int) -> "Nodes":
        """The nodes of one group, whose weights sum to its share."""
        here = self.group == group
        return Nodes(*(getattr(self, field.name)[here] for field in fields(self)))

    @property
    def square(self) -> Array:
        """(w − w*)² given y."""
        return (self.w - self.guess) ** 2 + self.doubt

    @property
    def error(self) -> float:
        """E[(w − w*)²]."""
        return self.mean(self.square)

    @property
    def risk(self) -> float:
        """E[c (w − w*)²]."""
        return self.mean(self.variance * self.square)


Channel = Callable[[float, float], Nodes]
"""Nodes for the standard deviation s of the effective noise and the threshold θ."""

GroupChannel = Callable[[float, float], tuple[Array, ...]]
"""The same for coordinates with c = 1: the fields of `Nodes` but for the last two."""


def entropy_channel(problem: Problem, starts: Sequence[Starts], trapezoids: int) -> Channel:
    """The proximal map of gradient flow without weight decay; θ = 0 is the identity."""
    return _together(problem, [_entropy(group, law, trapezoids) for group, law in zip(problem.population, starts, strict=True)])


def soft_channel(problem: Problem) -> Channel:
    """The proximal map of gradient flow with weight decay: soft thresholding, where u v = 0 and so k = 2|w|."""
    return _together(problem, [_soft(group) for group in problem.population])


def _together(problem: Problem, channels: Sequence[GroupChannel]) -> Channel:
    """A coordinate of variance c is one of variance 1 with s/√c and θ/c: w + (θ/c) φ'(w) = w* + (s/√c) z."""

    def nodes(s: float, theta: float) -> Nodes:
        parts = []
        for number, (group, channel) in enumerate(zip(problem.population, channels, strict=True)):
            weight, *others = channel(s / group.variance**0.5, theta / group.variance)
            parts.append((group.weight * weight, *others, np.full_like(weight, group.variance), np.full(len(weight), number)))
        return Nodes(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    return nodes


def _entropy(group: Group, law: Starts, trapezoids: int) -> GroupChannel:
    probability, mean, variance = _columns(group)
    grid, c, q0 = np.linspace(0, 1, trapezoids), law.product[:, None], law.offset[:, None]

    def nodes(s: float, theta: float) -> tuple[Array, ...]:
        spread = np.maximum(np.sqrt(variance + s**2), NARROWEST * np.abs(mean))
        spread = np.where(spread > 0, spread, 1e-6 * law.product.min())
        ends = _coordinate(mean + REACH * spread * np.array([-1.0, 1.0]) + theta * q0 / 2, c, theta)
        low, high = ends[..., :1], ends[..., 1:]
        q = low + (high - low) * grid
        grown, shrunk = c * np.exp(q) / 2, c * np.exp(-q) / 2
        w = np.where(np.abs(q) < 1, c * np.sinh(np.clip(q, -1, 1)), grown - shrunk)
        pull, half_k = theta / 2 * (q - q0), grown + shrunk
        density = _normal((w + pull - mean) / spread) / spread
        weight = probability * law.weight[:, None] * density * (half_k + theta / 2) * (high - low) / (trapezoids - 1)
        return _nodes(mean, variance, s, weight, w, pull, (theta / 2) / (half_k + theta / 2), 2 * half_k)

    return nodes


def _soft(group: Group) -> GroupChannel:
    (probability, mean, variance), (points, shares) = _columns(group), PIECE

    def nodes(s: float, theta: float) -> tuple[Array, ...]:
        spread = np.sqrt(variance + s**2)
        low, high = mean - REACH * spread, mean + REACH * spread
        edges = np.concatenate([low, np.clip([-theta, theta], low, high), high], axis=-1)
        half = np.diff(edges).swapaxes(1, 2) / 2
        y = edges[..., :-1].swapaxes(1, 2) + half * (1 + points)
        outside = np.array([[1.0], [0.0], [1.0]]) + 0 * y
        pull = np.clip(y, -theta, theta)
        w = (y - pull) * outside
        weight = probability * half * shares * _normal((y - mean) / spread) / spread
        return _nodes(mean, variance, s, weight, w, y - w, 1 - outside, 2 * np.abs(w))

    return nodes


def _columns(group: Group) -> Array:
    """Probability, mean and variance of the K components of w*, shape (3, K, 1, 1)."""
    return np.array([(kind.probability, kind.mean, kind.variance) for kind in group.target.mixture()]).T[:, :, None, None]


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


def _nodes(
    mean: Array, variance: Array, s: float, weight: Array, w: Array, pull: Array, shrink: Array, tangent: Array
) -> tuple[Array, ...]:
    """Add what y = w + pull says about w*, and lay all components in a row."""
    gain = np.divide(variance, variance + s**2, out=np.zeros_like(variance), where=variance > 0)
    guess = mean + gain * (w + pull - mean)
    return tuple(np.ravel(values) for values in (weight, w, pull, shrink, tangent, guess, np.broadcast_to(gain * s**2, w.shape)))
