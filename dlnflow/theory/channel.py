"""The scalar problem that remains of the network at late times: w = prox(y), y = w* + s z, z ~ N(0, 1).

Without weight decay w + θ x(w) = y with x = φ', the entropy's derivative, that of the scalar map: (q − q₀)/2 with w = c sinh q at depth 2
(arXiv 2510.01930, long-time behaviour; Woodworth et al. 2020). With weight decay w = sign(y) max(|y| − θ, 0) (the LASSO) at depth 2, and
w + θ w/2 = y (ridge regression) at depth 1. Averages over y are quadratures whose nodes are w itself, so that the map need never be
inverted except at the ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from dlnflow.model import Group, Problem
from dlnflow.model.initial import Starts
from dlnflow.solution import Array
from dlnflow.theory.maps import FORGOTTEN, Point, ScalarMap, scalar_map

REACH = 7.5  # standard deviations of y that are integrated; 6e-14 of the mass lies outside
NARROWEST = 1e-10  # width of a point mass, relative to where it is: far below every scale of the integrand, and above rounding
TRAPEZOIDS = 384  # the integrand is entire and vanishes at both ends
PIECE = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Nodes:
    """A quadrature over groups, w*, z and the initial values; every array has the same shape, `weight` sums to 1.

    `pull` is y − w, `shrink` is 1 − prox'(y) (kept apart since it may be small), `tangent` is k = u^(2L−2) + v^(2L−2), `total` u² + v²,
    `difference` u² − v²; `guess` and `doubt` are the mean and the variance of w* given y; `group` numbers the group of coordinates, and
    `variance` is its c.
    """

    weight: Array
    w: Array
    pull: Array
    shrink: Array
    tangent: Array
    total: Array
    difference: Array
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
    pairs = zip(problem.population, starts, strict=True)
    return _together(problem, [_entropy(group, law, scalar_map(problem.depth, law), trapezoids) for group, law in pairs])


def ridge_channel(problem: Problem) -> Channel:
    """The proximal map of depth 1 with weight decay: w + θ w/2 = y, and u = −v."""
    return entropy_channel(problem, [FORGOTTEN] * len(problem.population), TRAPEZOIDS)


def soft_channel(problem: Problem) -> Channel:
    """The proximal map of depth 2 with weight decay: soft thresholding, where u v = 0 and so k = 2|w|."""
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


def _entropy(group: Group, law: Starts, scalar: ScalarMap, trapezoids: int) -> GroupChannel:
    probability, mean, variance = _columns(group)
    grid = np.linspace(0, 1, trapezoids)

    def nodes(s: float, theta: float) -> tuple[Array, ...]:
        spread = np.maximum(np.sqrt(variance + s**2), NARROWEST * np.abs(mean))
        spread = np.where(spread > 0, spread, 1e-6 * scalar.size)
        ends = scalar.coordinate(mean + REACH * spread * np.array([-1.0, 1.0]), theta)
        low, high = ends[..., :1], ends[..., 1:]
        point = scalar.at(low + (high - low) * grid)
        pull = theta * point.x
        density = _normal((point.w + pull - mean) / spread) / spread
        weight = probability * law.weight[:, None] * density * ((point.slope + theta) * point.rate) * (high - low) / (trapezoids - 1)
        return _nodes(mean, variance, s, weight, pull, theta / (point.slope + theta), point)

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
        size = 2 * np.abs(w)
        return _nodes(mean, variance, s, weight, y - w, 1 - outside, Point(w, y, size, outside, size, 2 * w))

    return nodes


def _columns(group: Group) -> Array:
    """Probability, mean and variance of the K components of w*, shape (3, K, 1, 1)."""
    return np.array([(kind.probability, kind.mean, kind.variance) for kind in group.target.mixture()]).T[:, :, None, None]


def _normal(z: Array) -> Array:
    """The standard normal density."""
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


def _nodes(mean: Array, variance: Array, s: float, weight: Array, pull: Array, shrink: Array, point: Point) -> tuple[Array, ...]:
    """Add what y = w + pull says about w*, and lay all components in a row."""
    gain, w = np.divide(variance, variance + s**2, out=np.zeros_like(variance), where=variance > 0), point.w
    guess, doubt = mean + gain * (w + pull - mean), np.broadcast_to(gain * s**2, w.shape)
    columns = (weight, w, pull, shrink, point.slope, point.total, point.difference, guess, doubt)
    return tuple(np.ravel(values) for values in columns)
