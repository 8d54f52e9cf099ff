"""Gradient flow of one network, integrated in H = ∫₀ᵗ h (arXiv 2510.01930; MATH §1) with error control.

Two explicit methods share the work: Dormand–Prince where accuracy limits the step, extrapolated Runge–Kutta–Chebyshev where
stability would. Each step is made by the one that gets further per evaluation of the field.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from dlnflow.simulation.chebyshev import Chebyshev
from dlnflow.simulation.dormand_prince import DormandPrince
from dlnflow.simulation.network import Network
from dlnflow.simulation.step import Method, Step
from dlnflow.solution import Array, SolveError

TOLERANCE = 1e-5
FLOOR = 1e-15  # local error that rounding makes of its own, relative to the labels and to the stiffness of the step
REST = 1e-15  # a force that is rounding error, relative to the labels
RADIUS_MARGIN = 1.1  # power iteration approaches the radius from below, and the radius grows between estimates
STEPS_PER_RADIUS = 8
FIRST_STEP = 1e-4
IDLE_GROWTH = 1.03

Watcher = Callable[[float], None]


def gradient_flow(
    X: Array, y: Array, teacher: Array, times: Array, *, initial_scale: float, weight_decay: float = 0.0, tolerance: float = TOLERANCE
) -> Array:
    """w(t) of a diagonal linear network under gradient flow from u = v = a on given data.

    `X` has shape (n, d), `y` (n,), `teacher` w* (d,) (it sets the scale of the error control only) and the increasing `times` (T,),
    dimensionless. The result has shape (T, d).
    """
    network = Network(X, y, teacher, initial_scale, weight_decay, samples=len(y))
    states = trajectory(Flow(network, float(times[-1]), tolerance), times)
    return np.array([network.weights(t, H) for t, H in zip(times, states, strict=True)])


class Flow:
    """The state (t, H) of one network on its way to the time `end`.

    The local error of a step in H and in w is kept below `tolerance` times the smaller of the root mean squares of r and w − w*.
    `watch(t)` is called at every evaluation of the force.
    """

    def __init__(self, network: Network, end: float, tolerance: float = TOLERANCE, watch: Watcher = lambda t: None) -> None:
        self.network = network
        self.end = end
        self.tolerance = tolerance
        self.t = 0.0
        self.H = np.zeros(network.teacher.size)
        self.force = network.force(0.0, self.H)
        self.steps = 0
        self._watch = watch
        self._direction = np.ones_like(self.H)
        self._estimate_radius()
        first = FIRST_STEP / (1 + self._radius)
        self._allowed: dict[Method, float] = {DormandPrince(): first, Chebyshev(): first}

    def advance(self) -> Step:
        """Make one step, as long as the tolerance allows, and return it; `t` becomes its end."""
        if self._at_rest():
            self.t = self.end
            return Step(self.H, self.force, np.zeros_like(self.H), lambda theta: self.H)
        if self.steps % STEPS_PER_RADIUS == 0:
            self._estimate_radius()
        while True:
            method, h = self._choose()
            step = method.step(self._field, self.t, self.H, self.force, h, self._radius)
            if self._accepts(method, h, step):
                break
            self._estimate_radius()
        self.t = self.t + h if self.t + h < self.end * (1 - 1e-14) else self.end
        self.H, self.force = step.y, step.f
        self.steps += 1
        return step

    def _at_rest(self) -> bool:
        """Whether nothing moves any more but the last bits."""
        return _rms(self.force) <= (REST * _rms(self.network.y) if self.network.weight_decay == 0 else 0)

    def _field(self, t: float, H: Array) -> Array:
        self._watch(self.t)
        return self.network.force(t, H)

    def _choose(self) -> tuple[Method, float]:
        """The method that gets furthest per evaluation of the field, and its step."""
        steps = {m: min(h, m.longest(self._radius), self.end - self.t) for m, h in self._allowed.items()}
        method = max(steps, key=lambda m: steps[m] / m.cost(steps[m] * self._radius))
        if steps[method] < 1e-13 * self.t or steps[method] < 1e-300:
            raise SolveError("diverged", f"The time step became too small at t = {self.t:.6g}. Try a smaller initial_scale or horizon.")
        return method, steps[method]

    def _accepts(self, method: Method, h: float, step: Step) -> bool:
        """Whether the step is accurate enough; in any case, adapt the length of the next one."""
        error = self._scaled_error(h, step)
        best = h * float(np.clip(0.85 * max(error, 1e-10) ** (-1 / method.order), 0.1, 4))
        accepted = error <= 1
        self._allowed[method] = max(best, self._allowed[method]) if accepted and h < self._allowed[method] else best
        for idle in self._allowed.keys() - {method}:  # it may do better again: let it be tried after a while
            self._allowed[idle] *= IDLE_GROWTH
        return accepted

    def _scaled_error(self, h: float, step: Step) -> float:
        network, t = self.network, self.t + h
        w = network.weights(t, step.y)
        scale = min(_rms(network.residual(w)), _rms(w - network.teacher))
        allowed = max(self.tolerance * scale, FLOOR * (100 + h * self._radius) * _rms(network.y))
        return _rms((1 + network.slope(t, step.y)) * step.error) / allowed

    def _estimate_radius(self) -> None:
        k = self.network.slope(self.t, self.H)
        radius, self._direction = self.network.spectral_radius(k, self._direction)
        self._radius = RADIUS_MARGIN * radius


def trajectory(flow: Flow, times: Iterable[float]) -> Iterator[Array]:
    """H, shape (d,), at every one of the increasing `times` up to `flow.end`."""
    start, step = flow.t, None
    for time in times:
        while flow.t < time:
            start, step = flow.t, flow.advance()
        yield flow.H if step is None else step.interpolate((time - start) / (flow.t - start))


def _rms(x: Array) -> float:
    return float(np.sqrt(np.mean(x * x)))
