"""Gradient descent of one network with a finite step: u ← u (1 − η(h + λ)), v ← v (1 − η(−h + λ)) at the times 0, η, 2η, …"""

from collections.abc import Iterator

import numpy as np

from dlnflow.grids import steps_until
from dlnflow.simulation.network import Network
from dlnflow.simulation.snapshots import Snapshots, Watcher
from dlnflow.solution import Array, SolveError

LARGEST_FACTOR = 1e10  # by which one step may multiply u or v; beyond, nothing is learned any more


class Descent:
    """The state of one network after `steps` steps of length η = `step_size`. `watch(t)` is called at every step."""

    def __init__(self, network: Network, step_size: float, watch: Watcher = lambda t: None) -> None:
        self.network = network
        self.step_size = step_size
        self.steps = 0
        self.u, self.v = network.u0.copy(), network.v0.copy()
        self.time, self._sum = 0.0, np.zeros_like(self.u)
        self._watch = watch
        self._evaluate()

    def advance(self) -> None:
        """Make one step; `SolveError` where the step is so long that u and v run away."""
        self._watch(self.steps * self.step_size)
        if not self.step_size * np.abs(self.force).max() < LARGEST_FACTOR:
            time = self.steps * self.step_size
            raise SolveError("diverged", f"Gradient descent ran away at t = {time:.6g}. Try a smaller step_size or initial_scale.")
        self.time += self.step_size
        self._sum += self.step_size * self.w
        self.u -= self.step_size * self.inner_u * (self.network.weight_decay + self.force)
        self.v -= self.step_size * self.inner_v * (self.network.weight_decay - self.force)
        self.steps += 1
        self._evaluate()

    @property
    def averaged(self) -> Array:
        """The mean of w before each step so far, weighted by its length, (d,); w itself before the first."""
        return self._sum / self.time if self.time else self.w

    def _evaluate(self) -> None:
        limit = self.network.truncation
        self.inner_u, self.inner_v = np.clip(self.u, -limit, limit), np.clip(self.v, -limit, limit)
        self.w = (self.inner_u**2 - self.inner_v**2) / 2
        self.residual, self.force = self.network.force(self.w)


def descend(descent: Descent, times: Array) -> Iterator[Snapshots]:
    """The network at every one of the increasing `times`, shape (T,), which is that of the last step before."""
    for t, steps in zip(times, steps_until(times, descent.step_size), strict=True):
        while descent.steps < steps:
            descent.advance()
        parts = descent.w, descent.inner_u**2, descent.inner_v**2, descent.residual, descent.averaged
        yield Snapshots(np.array([t]), *(part[None] for part in parts))
