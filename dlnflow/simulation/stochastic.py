"""Stochastic gradient flow of one network: dH = (1/δ) Xᵀ(r dt + √(τδ) r dB), a Brownian motion for every sample.

Two walks make Euler–Maruyama steps, at depth two of log u and log v, under the same noise, one of them twice as many, half as long. The
error of averages is linear in the length, so that twice the fine walk less the coarse one has none to first order (D. Talay and L. Tubaro,
Stoch. Anal. Appl. 8, 1990).
"""

from collections.abc import Iterator

import numpy as np

from dlnflow.simulation.network import Network
from dlnflow.simulation.snapshots import Snapshots, Watcher
from dlnflow.solution import Array, SolveError

STEP = 0.2  # of the coarse walk, over the shortest time scale
REFRESHED = 20  # steps after which the largest eigenvalue is followed
FIRST, NEXT = 30, 3  # products for it, at the start and later
SMALLEST = 1e-100  # of u and v, which noise beyond the edge of stability drives to zero
LARGEST_WEIGHT = 1e100  # whose square is still a number


class Walk:
    """u and v of a network on its way, with w, r and h there, and the integral of w so far."""

    def __init__(self, network: Network) -> None:
        self.network, self.u, self.v = network, network.u0.copy(), network.v0.copy()
        self.integral = np.zeros_like(self.u)
        self._evaluate()

    def move(self, step: float, noise: Array) -> None:
        """One step under the white `noise` (n,) of its samples, the mean of √(τδ) dB/dt on it."""
        X = self.network.design.X
        force = self.network.per_sample * ((self.r * noise).astype(X.dtype) @ X)
        self.integral += step * self.w
        self.u = self._moved(self.u, self.inner_u, step, self.h, force)
        self.v = self._moved(self.v, self.inner_v, step, -self.h, -force)
        self._evaluate()

    def at(self, t: float, coarse: Snapshots | None = None) -> Snapshots:
        """The network at the time t."""
        averaged = self.integral / t if t else self.w
        return Snapshots(
            np.array([t]), *(part[None] for part in (self.w, self.inner_u**2, self.inner_v**2, self.r, averaged)), coarse=coarse
        )

    def _moved(self, layer: Array, inner: Array, step: float, drift: Array, noise: Array) -> Array:
        """u after a step; at depth two its logarithm moves, with Itô's term by the square of the noise that was drawn: it stays bounded."""
        if self.network.depth == 2 and self.network.truncation == np.inf:
            moved = step * noise
            after = layer * np.exp(-step * (self.network.weight_decay + drift) - moved - moved**2 / 2)
            return np.copysign(np.maximum(np.abs(after), SMALLEST), after)
        return np.asarray(layer - self.network.descent(step, inner, drift + noise))

    def _evaluate(self) -> None:
        limit = self.network.truncation
        self.inner_u, self.inner_v = np.clip(self.u, -limit, limit), np.clip(self.v, -limit, limit)
        self.w = self.network.weights(self.inner_u, self.inner_v)
        if not np.abs(self.w).max() < LARGEST_WEIGHT:
            raise SolveError("diverged", "Stochastic gradient flow ran away. Try a smaller temperature or initial_scale.")
        self.r, self.h = self.network.force(self.w)


class StochasticFlow:
    """Two walks of one network at a `temperature` τ, and how many `steps` they have made.

    `watch(t)` is called before every step. Raises SolveError where the weights run away.
    """

    def __init__(self, network: Network, temperature: float, rng: np.random.Generator, watch: Watcher = lambda t: None) -> None:
        self.network, self.temperature, self.time, self.steps = network, temperature, 0.0, 0
        self.coarse, self.fine = Walk(network), Walk(network)
        self._rng, self._watch = rng, watch
        self._vector, self._largest = rng.standard_normal(network.u0.size), 0.0

    def advance(self, until: float) -> None:
        """Make steps until the time is reached."""
        while self.time < until:
            self._watch(self.time)
            left, longest = until - self.time, self._longest()
            last = left <= longest * (1 + 1e-9)
            step = left if last else longest
            first, second = (
                self._rng.standard_normal((2, self.network.samples)) * (self.temperature / self.network.per_sample / step) ** 0.5
            )
            self.fine.move(step / 2, first * 2**0.5)
            self.fine.move(step / 2, second * 2**0.5)
            self.coarse.move(step, (first + second) / 2**0.5)
            self.time, self.steps = until if last else self.time + step, self.steps + 3

    def at(self, t: float) -> Snapshots:
        """Both walks at the time t, the fine one first."""
        self.advance(t)
        return self.fine.at(t, self.coarse.at(t))

    def _longest(self) -> float:
        """A share of the shortest time: of the residual's modes, of growing weights, of weight decay, of noise and of what that feeds."""
        depth, walk = self.network.depth, self.fine
        if self.steps % (3 * REFRESHED) == 0:
            self._follow_largest(NEXT if self.steps else FIRST)
        growth = 2 * (depth - 1) * float(np.abs(walk.h).max())
        slopes = np.abs(walk.inner_u) ** (2 * depth - 2) + np.abs(walk.inner_v) ** (2 * depth - 2)
        loss = float(walk.r @ walk.r) / self.network.samples
        noise = self.temperature * (loss + np.mean(slopes**2) + self.network.per_sample * np.mean(slopes) ** 2)
        return float(STEP / (self._largest + growth + depth * self.network.weight_decay + noise))

    def _follow_largest(self, products: int) -> None:
        """The largest eigenvalue of diag(k) XᵀX/δ, from below, by so many products more."""
        power, walk = 2 * self.network.depth - 2, self.fine
        root = np.sqrt(np.abs(walk.inner_u) ** power + np.abs(walk.inner_v) ** power)
        for _ in range(products):
            x = self._vector / np.linalg.norm(self._vector)
            self._vector = root * self.network.design.residual_and_force(root * x, np.zeros(self.network.design.rows))[1]
            self._largest = float(np.linalg.norm(self._vector)) * self.network.per_sample


def follow_noise(flow: StochasticFlow, times: Array) -> Iterator[Snapshots]:
    """The network at every one of the increasing `times`, shape (T,)."""
    for t in times:
        yield flow.at(float(t))
