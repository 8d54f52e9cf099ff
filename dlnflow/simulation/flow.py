"""Gradient flow of one network, integrated in H = ∫₀ᵗ h (arXiv 2510.01930) with error control.

The method is exact for the linearised flow, so that accuracy alone limits its steps.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dlnflow.model import InitialScale
from dlnflow.model.initial import law_of
from dlnflow.simulation import exponential, kernel, spectrum
from dlnflow.simulation.kernel import BATCH, Goal, Point
from dlnflow.simulation.network import Network, rms
from dlnflow.simulation.products import Design
from dlnflow.simulation.snapshots import Snapshots
from dlnflow.simulation.spectrum import Spectrum
from dlnflow.simulation.step import Around, Step, Watcher
from dlnflow.solution import Array, SolveError

TOLERANCE = 3e-3
FIRST_CHANGE = 0.2  # of H in the first step
AT_ONCE = 20_000_000  # entries of X in the steps of one compiled call, some ten milliseconds
FIXED = 200_000  # entries that take as long as what else is in a step


def gradient_flow(
    X: Array,
    y: Array,
    teacher: Array,
    times: Array,
    *,
    initial_scale: InitialScale,
    weight_decay: float = 0.0,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Array:
    """w(t) of a diagonal linear network under gradient flow on given data.

    `X` has shape (n, d), `y` (n,), `teacher` w* (d,) (it sets the scale of the error control only) and the increasing `times` (T,),
    dimensionless. The result has shape (T, d). `seed` draws the initial values where `initial_scale` says that they are random.
    Loss and error are accurate to about a third of the relative `tolerance`; `SolveError` where the flow cannot be followed.
    """
    u0, v0 = law_of(initial_scale).draw(X.shape[1], np.random.default_rng(seed))
    network = Network(Design(X), y, teacher, u0, v0, weight_decay, samples=len(y))
    return np.concatenate([part.w for part in follow(Flow(network, float(times[-1]), tolerance), times)])


class Flow:
    """The state of one network, its `point`, on its way to the time `end`.

    The local error of a step in H and in w is kept below `tolerance` times the smaller of the root mean squares of r and w − w*. At
    its end r and the force are exact, or their change since the last such end has the error of rounded products. `watch(t)` is called
    before every product with X, or some steps where they are short.
    """

    def __init__(self, network: Network, end: float, tolerance: float = TOLERANCE, watch: Watcher = lambda t: None) -> None:
        self.network = network
        self.end = end
        self.point = self._exact = network.at(0.0, network.start)
        self.steps = 0
        self._watch = watch
        self._stiffest = np.inf  # h · radius from which steps are too stiff for Krylov spaces
        self._spectrum: Spectrum | None = None
        self._goal = Goal(tolerance, rms(network.y), end)
        self._radius = float(self.point.k.max())
        fastest = float(np.abs(self.point.force).max())
        self._h = FIRST_CHANGE / fastest if fastest > 0 else np.inf

    def advance(self) -> Step:
        """Make one step, as long as the tolerance allows, and return it; `point` becomes its end."""
        if kernel.at_rest(self.network.system, self._goal, self.point.force):
            H = self.point.H
            self.point = self.point._replace(t=self.end)
            return Step(self.end, self.point, False, np.zeros_like(H), lambda theta: H, 0.0)
        accepted = False
        while not accepted:
            h = self._next_length()
            stiffness = h * self._radius
            errors, limit = kernel.demands(self._goal, stiffness, self._acceptable(self.point, stiffness))
            around = Around(self.network, self.point, self._exact, errors, self._watch, self._spectrum_for(stiffness))
            step = exponential.advance(around, h, limit)
            if step.h < h and self.network.design.rows <= spectrum.LARGEST:
                self._stiffest = step.h * self._radius
            accepted = self._accepts(step)
        self._radius = step.radius
        if step.exact:
            self._exact = step.end
        self._arrive(step.end)
        self.steps += 1
        return step

    def through(self, times: Array) -> Iterator["_Reached"]:
        """Make one step, or some if they are short, and give the network at the first of the increasing `times` (T,), which they pass."""
        start, steps = self.point, self.steps
        if self.network.design.short:
            yield from self._run(times)
        if self.steps == steps:
            step = self.advance()
            span = self.point.t - start.t
            for t in times[: np.searchsorted(times, self.point.t, side="right")]:
                yield _Reached(t, step.interpolate((t - start.t) / span), start.w, start.r)

    def _run(self, times: Array) -> Iterator["_Reached"]:
        """Steps in one compiled call, none where the next is not for it."""
        self._watch(self.point.t)
        most = AT_ONCE // (self.network.design.X.size + FIXED)
        state = self.point, self._exact, self._h, self._radius
        end, self._exact, self._h, self._radius, steps, *reached = kernel.follow(
            self.network.system, self._goal, *state, self._stiffest, times, most
        )
        self._arrive(end)
        self.steps += steps
        yield from map(_Reached, times, *reached)

    def _arrive(self, point: Point) -> None:
        self.point = point if point.t < self.end * (1 - 1e-14) else point._replace(t=self.end)

    def _next_length(self) -> float:
        t = self.point.t
        if kernel.too_short(self._h, t):
            raise SolveError("diverged", f"The time step became too small at t = {t:.6g}. Try a smaller initial_scale or horizon.")
        return min(self._h, self.end - t)

    def _spectrum_for(self, stiffness: float) -> Spectrum | None:
        """The spectrum of the Jacobian, where Krylov spaces were too small for less."""
        if stiffness < self._stiffest:
            return None
        if self._spectrum is None or not self._spectrum.serves(self.point.k):
            self._spectrum = Spectrum(self.network, self.point.k)
        return self._spectrum

    def _accepts(self, step: Step) -> bool:
        """Whether the step is accurate enough; in any case, adapt the length of the next one."""
        size = kernel.change(step.end.k, self.point.k, step.error)
        error = size / self._acceptable(step.end, step.h * self._radius)
        self._h = kernel.next_length(step.h, error)
        return error <= 1

    def _acceptable(self, point: Point, stiffness: float) -> float:
        return kernel.acceptable(self.network.system, self._goal, point.w, point.r, stiffness)


def follow(flow: Flow, times: Array) -> Iterator[Snapshots]:
    """The network at every one of the increasing `times`, shape (T,), up to `flow.end`, BATCH at once but for the last."""
    done = int(np.searchsorted(times, flow.point.t, side="right"))
    waiting = [_Reached(t, flow.point.H, flow.point.w, flow.point.r) for t in times[:done]]
    while done < len(times):
        for reached in flow.through(times[done:]):
            waiting.append(reached)
            done += 1
            if len(waiting) == BATCH:
                yield _snapshots(flow.network, waiting)
                waiting = []
    if waiting:
        yield _snapshots(flow.network, waiting)


class _Reached(NamedTuple):
    """`H` (d,) at the time `t`, and an earlier w (d,) with its residuals r (rows,), from which those at the time are followed."""

    t: float
    H: Array
    w: Array
    r: Array


def _snapshots(network: Network, reached: list[_Reached]) -> Snapshots:
    t, H, w_before, r_before = (np.array(each) for each in zip(*reached, strict=True))
    u2, v2 = (np.array(each) for each in zip(*map(network.squares, t, H), strict=True))
    w = (u2 - v2) / 2
    return Snapshots(t, w, u2, v2, r_before + network.design.images(w - w_before))
