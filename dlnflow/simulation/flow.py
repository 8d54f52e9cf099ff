"""Gradient flow of one network, integrated in H = ∫₀ᵗ h (arXiv 2510.01930), or its like at other depths, with error control.

A step is one of an exponential Rosenbrock method of order 4: it is exact for the linearised flow, so that accuracy alone limits it. Its
functions of the Jacobian come from Krylov spaces or, where steps are so stiff that these would become too large, from all eigenvalues.
Steps are made in the compiled core; when to compute eigenvalues, and what to keep of the flow, is decided here.
"""

from collections.abc import Iterator

import numpy as np

from dlnflow.model import InitialScale
from dlnflow.model.initial import law_of
from dlnflow.native import simulation as native
from dlnflow.simulation import spectrum
from dlnflow.simulation.network import Network
from dlnflow.simulation.products import Design
from dlnflow.simulation.snapshots import Snapshots, Watcher
from dlnflow.solution import Array, SolveError

TOLERANCE = 3e-3  # relative local error of a step; losses are accurate to about a third of it
BATCH = 32  # times that are computed together: products with X are matrix products, and memory stays small


def gradient_flow(
    X: Array,
    y: Array,
    teacher: Array,
    times: Array,
    *,
    initial_scale: InitialScale,
    weight_decay: float = 0.0,
    depth: float = 2.0,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Array:
    """w(t) of a diagonal linear network under gradient flow on given data.

    `X` has shape (n, d), `y` (n,), `teacher` w* (d,) (it sets the scale of the error control only) and the increasing `times` (T,),
    dimensionless. The result has shape (T, d). `seed` draws the initial values where `initial_scale` says that they are random.
    Loss and error are accurate to about a third of the relative `tolerance`; `SolveError` where the flow cannot be followed.
    """
    u0, v0 = law_of(initial_scale).draw(X.shape[1], np.random.default_rng(seed))
    network = Network(Design(X), y, teacher, u0, v0, weight_decay, samples=len(y), depth=depth)
    return np.concatenate([part.w for part in follow(Flow(network, float(times[-1]), tolerance), times)])


class Flow:
    """The state of one network, its `point`, on its way to the time `end`.

    The local error of a step in H and in w is kept below `tolerance` times the smaller of the root mean squares of r and w − w*. At
    its end r and the force are exact, or their change since the last such end has the error of rounded products. `watch(t)` is called
    before every product with X, or every few milliseconds where they are short.
    """

    def __init__(self, network: Network, end: float, tolerance: float = TOLERANCE, watch: Watcher = lambda t: None) -> None:
        self.network = network
        self._compiled = network.compiled_flow(tolerance, end)
        self._watch = watch
        self._stiffest = np.inf  # length times spectral radius of a step, from which on Krylov spaces do not do
        self._spectrum: native.Spectrum | None = None

    @property
    def point(self) -> native.Point:
        """The end of the last step."""
        return self._compiled.point

    @property
    def exact(self) -> bool:
        """Whether its residual and its force are exact, not followed from an earlier point."""
        return bool(self._compiled.exact)

    @property
    def steps(self) -> int:
        """How many were made."""
        return int(self._compiled.steps)

    def advance(self, until: float) -> None:
        """Make steps until the time is reached; `SolveError` where they become too short."""
        while (outcome := self._make_steps(until)) != native.Outcome.REACHED:
            if outcome == native.Outcome.STUCK:
                t = self._compiled.t
                raise SolveError("diverged", f"The time step became too small at t = {t:.6g}. Try a smaller initial_scale or horizon.")
            if outcome == native.Outcome.STIFF:
                self._spectrum = spectrum.spectrum(self.network, self.point.k)
            elif self.network.design.rows <= spectrum.LARGEST:
                self._stiffest = self._compiled.stiffness

    def _make_steps(self, until: float) -> native.Outcome:
        """Until the time is reached, or something else is needed."""
        return self._compiled.advance(until, stiffest=self._stiffest, spectrum=self._spectrum, watch=self._watch)

    def at(self, times: Array) -> Snapshots:
        """The network at some of the increasing `times`, shape (m,), from the last step on."""
        steps = []
        for t in times:
            self.advance(t)
            steps.append(self._compiled.at(t))
        w, u2, v2, w_before, r_before, integral = (np.array(each) for each in zip(*steps, strict=True))
        averaged = np.where(times[:, None] > 0, integral / np.where(times > 0, times, 1.0)[:, None], w)
        return Snapshots(times, w, u2, v2, r_before + self.network.design.images(w - w_before), averaged)


def follow(flow: Flow, times: Array) -> Iterator[Snapshots]:
    """The network at every one of the increasing `times`, shape (T,), up to the end of the flow, BATCH at once but for the last."""
    for done in range(0, len(times), BATCH):
        yield flow.at(times[done : done + BATCH])
