"""Gradient flow of one network, integrated in H = ∫₀ᵗ h (arXiv 2510.01930) with error control.

The method is exact for the linearised flow, so that accuracy alone limits its steps.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dlnflow.problem import InitialScale
from dlnflow.simulation import exponential, kernel, spectrum
from dlnflow.simulation.draw import draw_initial
from dlnflow.simulation.kernel import Point
from dlnflow.simulation.network import Network, rms
from dlnflow.simulation.products import Design
from dlnflow.simulation.snapshots import BATCH, Snapshots
from dlnflow.simulation.spectrum import Spectrum
from dlnflow.simulation.step import Around, Step, Watcher
from dlnflow.solution import Array, SolveError

TOLERANCE = 3e-3
SCALE_FLOOR = 1e-3  # of the labels: residuals below are followed to this times the tolerance only
FLOOR = 1e-15  # local error that rounding makes of its own, relative to the labels and to the stiffness of the step
REST = 1e-15  # a force that is rounding error, relative to the labels
FIRST_CHANGE = 0.2  # of H in the first step
KRYLOV_SHARE = (0.3, 5.0)
KRYLOV_STIFFNESS = 100.0
END_SHARE = 0.3  # of the acceptable error, of the field at the end of a step: the next may be longer
LARGEST_GROWTH = 8.0  # of the step, from one to the next


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
    u0, v0 = draw_initial(initial_scale, X.shape[1], np.random.default_rng(seed))
    network = Network(Design(X), y, teacher, u0, v0, weight_decay, samples=len(y))
    return np.concatenate([part.w for part in follow(Flow(network, float(times[-1]), tolerance), times)])


class Flow:
    """The state of one network, its `point`, on its way to the time `end`.

    The local error of a step in H and in w is kept below `tolerance` times the smaller of the root mean squares of r and w − w*. At
    its end r and the force are exact, or their change since the last such end has the error of rounded products. `watch(t)` is called
    before every product with X, or every step where products are short.
    """

    def __init__(self, network: Network, end: float, tolerance: float = TOLERANCE, watch: Watcher = lambda t: None) -> None:
        self.network = network
        self.end = end
        self.tolerance = tolerance
        self.point = self._exact = network.at(0.0, network.start)
        self.steps = 0
        self._watch = watch
        self._stiffest = np.inf  # h · radius from which steps are too stiff for Krylov spaces
        self._spectrum: Spectrum | None = None
        self._labels = rms(network.y)
        self._radius = float(self.point.k.max())
        fastest = float(np.abs(self.point.force).max())
        self._h = FIRST_CHANGE / fastest if fastest > 0 else np.inf

    def advance(self) -> Step:
        """Make one step, as long as the tolerance allows, and return it; `point` becomes its end."""
        if self._at_rest():
            H = self.point.H
            self.point = self.point._replace(t=self.end)
            return Step(self.end, self.point, False, np.zeros_like(H), lambda theta: H, 0.0)
        accepted = False
        while not accepted:
            h = self._next_length()
            step = exponential.advance(self._around(h), h, self._krylov_share(h) * self._acceptable(self.point, h))
            if step.h < h and self.network.design.rows <= spectrum.LARGEST:
                self._stiffest = step.h * self._radius
            accepted = self._accepts(step)
        self._radius = step.radius
        if step.exact:
            self._exact = step.end
        self.point = step.end if step.end.t < self.end * (1 - 1e-14) else step.end._replace(t=self.end)
        self.steps += 1
        return step

    def _at_rest(self) -> bool:
        """Whether nothing moves any more but the last bits."""
        return rms(self.point.force) <= (REST * self._labels if self.network.weight_decay == 0 else 0)

    def _next_length(self) -> float:
        t = self.point.t
        if self._h < max(1e-13 * t, 1e-300):
            raise SolveError("diverged", f"The time step became too small at t = {t:.6g}. Try a smaller initial_scale or horizon.")
        return min(self._h, self.end - t)

    def _around(self, h: float) -> Around:
        stiffness = h * self._radius
        share = 1 / max(stiffness, 1.0)  # since the flow may amplify errors of its field so much, but spreads them over its directions
        rounding, error = share * self.tolerance, END_SHARE * share * self._acceptable(self.point, h)
        return Around(self.network, self.point, self._exact, rounding, self._watch, error, self._spectrum_for(stiffness))

    def _spectrum_for(self, stiffness: float) -> Spectrum | None:
        """The spectrum of the Jacobian, where Krylov spaces were too small for less."""
        if stiffness < self._stiffest:
            return None
        if self._spectrum is None or not self._spectrum.serves(self.point.k):
            self._spectrum = Spectrum(self.network, self.point.k)
        return self._spectrum

    def _krylov_share(self, h: float) -> float:
        """How well functions of the Jacobian are computed, relative to the error that is acceptable.

        Their error is estimated as it was before the last direction, and is far less. But in the defect of a stiff step it would pass
        for nonlinearity and shorten the steps of an almost linear flow.
        """
        least, most = KRYLOV_SHARE
        return min(max(KRYLOV_STIFFNESS / max(h * self._radius, 1.0), least), most)

    def _accepts(self, step: Step) -> bool:
        """Whether the step is accurate enough; in any case, adapt the length of the next one."""
        size = kernel.change(step.end.k, self.point.k, step.error)
        error = size / self._acceptable(step.end, step.h)
        self._h = step.h * min(max(0.85 * max(error, 1e-10) ** (-1 / exponential.ORDER), 0.1), LARGEST_GROWTH)
        return error <= 1

    def _acceptable(self, point: Point, h: float) -> float:
        """The local error that is acceptable where the network is at `point`, in w."""
        residual = np.sqrt((float(point.r @ point.r) + self.network.fixed_residual) / self.network.samples)
        scale = max(min(float(residual), kernel.distance(point.w, self.network.teacher)), SCALE_FLOOR * self._labels)
        return max(self.tolerance * scale, FLOOR * (100 + h * self._radius) * self._labels)


def follow(flow: Flow, times: Array) -> Iterator[Snapshots]:
    """The network at every one of the increasing `times`, shape (T,), up to `flow.end`, at least BATCH at once but for the last."""
    done = int(np.searchsorted(times, flow.point.t, side="right"))
    waiting = [_Reached(t, flow.point.H, flow.point.w, flow.point.r) for t in times[:done]]
    while done < len(times):
        start, step = flow.point, flow.advance()
        reached = int(np.searchsorted(times, flow.point.t, side="right"))
        span = flow.point.t - start.t
        for i in range(done, reached, BATCH):
            part = times[i : min(i + BATCH, reached)]
            waiting += [_Reached(t, step.interpolate((t - start.t) / span), start.w, start.r) for t in part]
            if len(waiting) >= BATCH:
                yield _snapshots(flow.network, waiting)
                waiting = []
        done = reached
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
