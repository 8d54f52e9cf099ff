"""Gradient descent of one network with finite steps: u ← u − η (u^(L−1) h + λu) + β (u − u before), and v likewise with −h.

A step may use a batch of the samples, drawn for it, and noisy labels.
"""

from collections.abc import Iterator

import numpy as np

from dlnflow.model import GradientDescent, InitialScale
from dlnflow.model.initial import law_of
from dlnflow.simulation.batches import draw_batch
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design
from dlnflow.simulation.snapshots import Snapshots, Watcher
from dlnflow.simulation.stability import exceeded
from dlnflow.solution import Array, SolveError

LARGEST_FACTOR = 1e10  # by which one step may multiply u or v at depth two; beyond, nothing is learned any more
LARGEST_WEIGHT = 1e100  # whose square is still a number


def gradient_descent(
    X: Array,
    y: Array,
    times: Array,
    *,
    dynamics: GradientDescent,
    initial_scale: InitialScale,
    weight_decay: float = 0.0,
    depth: float = 2.0,
    seed: int = 0,
) -> Array:
    """w(t) of a diagonal linear network under gradient descent on given data.

    `X` has shape (n, d), `y` (n,) and the increasing `times` (T,), dimensionless: at each, w is that after the last step before, t = Σ η.
    The result has shape (T, d). `seed` draws the initial values where `initial_scale` says that they are random, and the batches and the
    label noise of `dynamics`. Raises `ValueError` where times are beyond the last step of a schedule, `SolveError` where steps are so long
    that the weights run away.
    """
    rng = np.random.default_rng(seed)
    u0, v0 = law_of(initial_scale).draw(X.shape[1], rng)
    network = Network(Design(X), y, np.zeros(X.shape[1]), u0, v0, weight_decay, samples=len(y), depth=depth)
    return np.concatenate([part.w for part in descend(Descent(network, dynamics, float(times[-1]), rng), times)])


class Descent:
    """The state of one network after some `steps` of `dynamics`, on its way to the time `end`.

    What is random in its steps is drawn from `rng`. `watch(t)` is called at every step. Raises `ValueError` where the steps of a schedule
    do not reach the end.
    """

    def __init__(
        self,
        network: Network,
        dynamics: GradientDescent,
        end: float,
        rng: np.random.Generator | None = None,
        watch: Watcher = lambda t: None,
    ) -> None:
        if end > dynamics.ends_at * (1 + 1e-9):
            raise ValueError(f"step_size: its steps end at t = {dynamics.ends_at:.6g}, before {end:.6g}. Give more steps or earlier times.")
        self.network, self.dynamics, self.end = network, dynamics, end
        self.steps = 0
        self.u, self.v = network.u0.copy(), network.v0.copy()
        self.time, self._sum = 0.0, np.zeros_like(self.u)
        self._moved_u, self._moved_v = np.zeros((2, len(self.u)))  # by the last step
        self._sizes, self._times = dynamics.sizes(end), dynamics.times(end)
        self._rng = rng or np.random.default_rng(0)
        self._watch = watch
        self._products: tuple[Array, Array] | None = None  # the residual and h of all samples, once they are needed
        self._evaluate()

    def advance(self) -> None:
        """Make one step; `SolveError` where the steps are so long that u and v run away."""
        self._watch(self._times[self.steps])
        force, step = self._step_force(), self._sizes[self.steps]
        if not step * np.abs(force).max() < LARGEST_FACTOR:
            raise self._ran_away()
        self.time += step
        self._sum += step * self.w
        self.u, self._moved_u = self._moved(self.u, self.inner_u, step, force, self._moved_u)
        self.v, self._moved_v = self._moved(self.v, self.inner_v, step, -force, self._moved_v)
        self.steps += 1
        self._evaluate()

    @property
    def averaged(self) -> Array:
        """The mean of w before each step so far, weighted by its length, (d,); w itself before the first."""
        return self._sum / self.time if self.time else self.w

    @property
    def residual(self) -> Array:
        """r = Xw − y, shape (rows,), of all samples and the labels as they are."""
        return self._whole()[0]

    def _moved(self, layer: Array, inner: Array, step: float, force: Array, before: Array) -> tuple[Array, Array]:
        """u after a step, and by how much it moved."""
        after = layer - self.network.descent(step, inner, force) + self.dynamics.momentum * before
        return after, after - layer

    def _step_force(self) -> Array:
        """h as the next step sees it."""
        if not self.dynamics.is_stochastic:
            return self._whole()[1]
        return self.network.batch_force(self.w, draw_batch(self.dynamics, self.network.samples, self._rng))

    def _whole(self) -> tuple[Array, Array]:
        """The residual and h of all samples."""
        if self._products is None:
            self._products = self.network.force(self.w)
        return self._products

    def _evaluate(self) -> None:
        limit = self.network.truncation
        self.inner_u, self.inner_v = np.clip(self.u, -limit, limit), np.clip(self.v, -limit, limit)
        self.w = self.network.weights(self.inner_u, self.inner_v)
        self._products = None
        if not np.abs(self.w).max() < LARGEST_WEIGHT:
            raise self._ran_away()

    def _ran_away(self) -> SolveError:
        """What happened, what is known of the reason, and what to try."""
        known = exceeded(self.network, self.dynamics, float(self._sizes[: self.steps + 1].max()))
        message = f"Gradient descent ran away at t = {self._times[self.steps]:.6g}. {known}Try a smaller step_size or initial_scale."
        return SolveError("diverged", message)


def descend(descent: Descent, times: Array) -> Iterator[Snapshots]:
    """The network at every one of the increasing `times`, shape (T,), up to the end, which is that of the last step before."""
    for t, steps in zip(times, descent.dynamics.steps_until(times, descent.end), strict=True):
        while descent.steps < steps:
            descent.advance()
        parts = descent.w, descent.inner_u**2, descent.inner_v**2, descent.residual, descent.averaged
        yield Snapshots(np.array([t]), *(part[None] for part in parts))
