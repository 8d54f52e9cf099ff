"""The scalar map of one coordinate at depth L: its weight w against the force that it has felt, along a coordinate q.

Without weight decay a coordinate keeps u^(2−L) + v^(2−L), in the limit L → 2 the product u v, so that one number tells all of it. That
number is q = log(u/v), and q = w at depth 1. With x = −∫₀ᵗ h, from u^(2−L) = u(0)^(2−L) − (L−2) x and v^(2−L) = v(0)^(2−L) + (L−2) x,

    w = (2/L) p^(L/2) sinh(L q/2),   k = dw/dx = u^(2L−2) + v^(2L−2) = 2 p^(L−1) cosh((L−1) q),
    p = u v = u(0) v(0) [cosh((L−2) q/2) / cosh((L−2) q₀/2)]^(2/(L−2)),
    x = [u(0) v(0)]^(1−L/2) sinh((L−2)(q − q₀)/2) / ((L−2) cosh((L−2) q/2)).

The limit L → 2 is w = c sinh q, x = (q − q₀)/2. x(w) is the derivative of the potential of Woodworth et al., arXiv 2002.09277.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from dlnflow.model.initial import Starts
from dlnflow.solution import Array

MOST_STEPS = 100  # of Newton's method between bounds that halve; a few suffice where they need not
ROUNDING = 1e-15  # relative, of a few operations in double precision
CANCELLED = 1e-9  # as near to ±1 a hyperbolic tangent says nothing about its argument
SMALLEST_ANGLE = 1e-12  # relative to the largest that a root can have


@dataclass(frozen=True)
class Point:
    """A coordinate at some q, arrays of one shape: `w`; `x`, minus the force felt; `slope` k = dw/dx; `rate` dx/dq; u² + v²; u² − v²."""

    w: Array
    x: Array
    slope: Array
    rate: Array
    total: Array
    difference: Array


class ScalarMap(ABC):
    """w against q, for I initial values of shape (I, 1), against which arrays of q broadcast."""

    @property
    @abstractmethod
    def size(self) -> float:
        """A weight at which k begins to change."""

    @abstractmethod
    def at(self, q: Array) -> Point:
        """The coordinate at `q`."""

    @abstractmethod
    def coordinate(self, y: Array, theta: float) -> Array:
        """The root q of w + θ x = y."""

    @property
    @abstractmethod
    def lowest(self) -> float:
        """The least k of all weights, that of w = 0; for one initial value."""

    @abstractmethod
    def pole(self, x: float, rest: float) -> tuple[float, float]:
        """R and b, such that 1/(k − p) − R/(w² + b²) has no pole near 0, with p = x min k, 1 − x = `rest`; for one initial value."""

    def beside_the_pole(self, w: Array, slope: Array, x: float, rest: float) -> Array:
        """1/(k − p) − R/(w² + b²) at weights `w` with their k."""
        strength, b = self.pole(x, rest)
        return np.asarray(1 / np.maximum(slope - x * self.lowest, rest * self.lowest) - strength / (w**2 + b**2))


class Exponential(ScalarMap):
    """Depth 2."""

    def __init__(self, starts: Starts) -> None:
        """c = |u(0) v(0)| and q₀ of every initial value."""
        self.c, self.q0 = starts.product[:, None], starts.offset[:, None]

    @property
    def size(self) -> float:
        """c."""
        return float(self.c.min())

    def at(self, q: Array) -> Point:
        """Without cancellation where q is small."""
        grown, shrunk = self.c * np.exp(q) / 2, self.c * np.exp(-q) / 2
        w = np.where(np.abs(q) < 1, self.c * np.sinh(np.clip(q, -1, 1)), grown - shrunk)
        slope = 2 * (grown + shrunk)
        return Point(w, (q - self.q0) / 2, slope, np.full_like(w, 0.5), slope, 2 * w)

    def coordinate(self, y: Array, theta: float) -> Array:
        """By Newton's method from the outside, where it converges monotonically."""
        y = y + theta * self.q0 / 2
        size = np.abs(y)
        q = np.arcsinh(size / self.c)
        if theta > 0:
            q = np.minimum(q, 2 * size / theta)
            for _ in range(8):
                q -= (self.c * np.sinh(q) + theta * q / 2 - size) / (self.c * np.cosh(q) + theta / 2)
        return np.asarray(np.sign(y) * q)

    @property
    def lowest(self) -> float:
        """2 c."""
        return 2 * float(self.c[0, 0])

    def pole(self, x: float, rest: float) -> tuple[float, float]:
        """R = p/2, b² = c² − p²/4."""
        c = float(self.c[0, 0])
        return c * x, float(c * np.sqrt(rest * (1 + x)))

    def beside_the_pole(self, w: Array, slope: Array, x: float, rest: float) -> Array:
        """1/(k + p)."""
        return np.asarray(1 / (slope + self.lowest * x))


class Power(ScalarMap):
    """Depth L > 2, where x is bounded."""

    def __init__(self, depth: float, log_product: Array, q0: Array) -> None:
        """L, and log u(0) v(0) and q₀ of every initial value."""
        self.depth, self.excess, self.q0 = depth, depth - 2, q0
        self.log_product_at_zero = log_product - 2 / self.excess * _log_cosh(self.excess * q0 / 2)
        self.scale = np.exp(-self.excess / 2 * log_product)

    @property
    def size(self) -> float:
        """(u v)^(L/2) at w = 0."""
        return float(np.exp(self.depth / 2 * self.log_product_at_zero).min())

    def at(self, q: Array) -> Point:
        """From logarithms, without cancellation where q is small."""
        depth, size = self.depth, np.abs(q)
        log_product = self.log_product_at_zero + 2 / self.excess * _log_cosh(self.excess * q / 2)
        larger = log_product + size  # 2 log max(u, v)
        x, rate = self._force(q)
        return Point(
            w=np.sign(q) * np.exp(depth / 2 * larger) * -np.expm1(-depth * size) / depth,
            x=x,
            slope=np.exp((depth - 1) * larger) * (1 + np.exp(-2 * (depth - 1) * size)),
            rate=rate,
            total=np.exp(larger) * (1 + np.exp(-2 * size)),
            difference=np.sign(q) * np.exp(larger) * -np.expm1(-2 * size),
        )

    def _force(self, q: Array) -> tuple[Array, Array]:
        """x and dx/dq."""
        e = self.excess
        cosh = np.cosh(e * q / 2)
        return self.scale * np.sinh(e * (q - self.q0) / 2) / (e * cosh), self.scale * np.cosh(e * self.q0 / 2) / (2 * cosh**2)

    def coordinate(self, y: Array, theta: float) -> Array:
        """By Newton's method between q₀ and the nearer root of w = y and w(0) + θ x = y, bisecting where it would leave."""
        start = self.at(self.q0).w
        side = np.where(y < start, -1.0, 1.0)
        bound = side * np.minimum(self._reach(side * y), self._reach_of_force(side, side * (y - start), theta))
        near = np.broadcast_to(self.q0, bound.shape)
        low, high = np.minimum(near, bound), np.maximum(near, bound)

        def f(q: Array) -> tuple[Array, Array]:
            point = self.at(q)
            return point.w + theta * point.x - y, (point.slope + theta) * point.rate

        return _root(f, low, high, np.asarray(bound))

    def _reach(self, w: Array) -> Array:
        """An upper bound of q at the weight `w`: from u^L ≤ L w + v^L and from sinh; 0 for negative ones."""
        depth, e, w = self.depth, self.excess, np.maximum(w, 0.0)
        log_v = self.log_product_at_zero / 2  # of the largest v at w ≥ 0, that of w = 0
        log_ratio = np.log1p(depth * w * np.exp(-depth * log_v)) / depth  # of u to it
        of_power = np.log(np.maximum(2 * np.exp(e * log_ratio) - 1, 1.0)) / e
        of_sinh = 2 / depth * np.arcsinh(depth * w / 2 * np.exp(-depth * log_v))
        return np.asarray(np.minimum(of_power, of_sinh))

    def _reach_of_force(self, side: Array, gap: Array, theta: float) -> Array:
        """An upper bound of side · q, from θ |x| ≤ |y − w(0)| = `gap`; infinite where that says nothing."""
        if theta == 0:
            return np.full_like(gap, np.inf)
        e = self.excess
        ratio = np.tanh(e * side * self.q0 / 2) + 2 * e * gap / (theta * 2 * self.scale * np.cosh(e * self.q0 / 2))
        told = np.abs(ratio) < 1 - CANCELLED
        return np.asarray(np.where(told, 2 / e * np.arctanh(np.where(told, ratio, 0.0)), np.inf))

    @property
    def lowest(self) -> float:
        """2 p^(L−1) at q = 0."""
        return 2 * float(np.exp((self.depth - 1) * self.log_product_at_zero)[0, 0])

    def pole(self, x: float, rest: float) -> tuple[float, float]:
        """At q = iφ, where k = p: b = |w|, R = 2w/(dk/dw), with cosines for hyperbolic ones."""
        depth, e = self.depth, self.excess
        angle = self._angle(rest)
        product = float(np.exp(self.log_product_at_zero)[0, 0]) * np.cos(e * angle / 2) ** (2 / e)
        b = 2 / depth * product ** (depth / 2) * np.sin(depth * angle / 2)
        rate = float(np.exp(-e / 2 * self.log_product_at_zero)[0, 0]) / (2 * np.cos(e * angle / 2) ** 2)
        return float(2 * b * rate / ((depth - 1) * (np.tan(e * angle / 2) + np.tan((depth - 1) * angle)))), float(b)

    def _angle(self, rest: float) -> float:
        """φ at which k(iφ)/min k = 1 − `rest`."""
        depth, e, wanted = self.depth, self.excess, float(np.log1p(-rest))
        largest = np.log(np.pi / 2 / (depth - 1))

        def excess(log_angle: float) -> float:
            angle = np.exp(log_angle)
            return float(2 * (depth - 1) / e * _log_cos(e * angle / 2) + _log_cos((depth - 1) * angle) - wanted)

        return float(np.exp(brentq(excess, largest + np.log(SMALLEST_ANGLE), largest - ROUNDING, xtol=1e-12)))


class Linear(ScalarMap):
    """Depth 1, where k = 2 and q = w; u + v is kept."""

    def __init__(self, starts: Starts) -> None:
        """w(0) and u(0) + v(0) of every initial value."""
        root, half = np.sqrt(starts.product)[:, None], starts.offset[:, None] / 2
        self.start, self.sum = 2 * root * np.sinh(half), 2 * root * np.cosh(half)

    @property
    def size(self) -> float:
        """Any weight: k never changes."""
        return 1.0

    def at(self, q: Array) -> Point:
        """w = q."""
        flat = np.full_like(q, 1.0)
        return Point(q, (q - self.start) / 2, 2 * flat, flat / 2, (self.sum**2 + q**2) / 2, self.sum * q)

    def coordinate(self, y: Array, theta: float) -> Array:
        """The weighted mean of y and w(0)."""
        return np.asarray((y + theta / 2 * self.start) / (1 + theta / 2))

    @property
    def lowest(self) -> float:
        """2."""
        return 2.0

    def pole(self, x: float, rest: float) -> tuple[float, float]:
        """None: 1/(2 − p) is constant."""
        return 0.0, 1.0


def scalar_map(depth: float, starts: Starts) -> ScalarMap:
    """The map of this depth."""
    if depth == 2:
        return Exponential(starts)
    return Power(depth, np.log(starts.product)[:, None], starts.offset[:, None]) if depth > 2 else Linear(starts)


FORGOTTEN = Starts(np.ones(1), np.zeros(1), np.zeros(1))
"""Initial values that weight decay has shrunk to zero."""


def _log_cosh(z: Array) -> Array:
    size = np.abs(z)
    return np.asarray(
        np.where(size < 1, np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2), size + np.log1p(np.exp(-2 * size)) - np.log(2))
    )


def _log_cos(z: float) -> float:
    return float(np.log1p(-(np.sin(z) ** 2)) / 2 if z < 0.5 else np.log(np.cos(z)))


def _root(f: Callable[[Array], tuple[Array, Array]], low: Array, high: Array, start: Array) -> Array:
    """The zeros of increasing functions between `low` and `high`; f gives values and slopes."""
    q = start
    for _ in range(MOST_STEPS):
        value, slope = f(q)
        low, high = np.where(value <= 0, q, low), np.where(value >= 0, q, high)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            following = q - value / slope
        following = np.where((following >= low) & (following <= high), following, (low + high) / 2)
        moved, q = np.abs(following - q), following
        if np.all(moved <= ROUNDING * (1 + np.abs(q))):
            break
    return q
