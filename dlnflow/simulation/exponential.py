"""An exponential Rosenbrock step of order 4: exact for the linear part of the flow however stiff it is.

The method is exprb42 of Luan (J. Comput. Appl. Math. 2017). With J the Jacobian at the start, b = h + x and x = 2λw/k, which solves
J x = ∂h/∂t, the flow of the linearised equation is U(τ) = H + τ φ₁(τJ) b − τ x: one Krylov space serves a force that depends on time.
Its defect D at τ = ¾h, what the true force has beyond the linearised one, gives the correction (32/9) h φ₃(hJ) D. The correction
itself is the error of the linearised flow; a tenth of it is taken as the estimate for the corrected one.
"""

from dataclasses import dataclass

import numpy as np

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import ESTIMATE, NODE, Point
from dlnflow.simulation.krylov import Krylov
from dlnflow.simulation.spectrum import SpectralVector
from dlnflow.simulation.step import DEFECT, Around, Step
from dlnflow.solution import Array

ORDER = 3  # of the linearised flow, by whose error steps are chosen


def advance(around: Around, h: float, limit: float) -> Step:
    """From the point that `around` is about, on by `h`, or less where a Krylov space would become too large.

    Functions of J are computed to `limit`, in `kernel.change`. A step costs two evaluations of the force and as many products
    with X as two Krylov spaces need. It is made in one compiled call where products are short and Krylov spaces large enough.
    """
    if around.spectrum is None and around.network.design.short:
        step = _compiled(around, h, limit)
        if step is not None:
            return step
    point = around.origin
    x = kernel.drift(point.free, point.k, around.network.weight_decay)
    linear = _functions(around, kernel.moved(point.force, 1.0, x))
    h = linear.build(1, h, h, limit)
    tau = NODE * h
    H = linear.add(kernel.moved(point.H, -tau, x), tau, 1, tau)
    defect = _functions(around, linear.add(kernel.moved(around.force(point.t + tau, H), 1.0, x), -1.0, 0, tau))
    h = defect.build(3, 2 * h**3 / tau**2, h, limit)
    parts = _Parts(point.H, x, linear, defect, tau)
    error = parts.correction(np.zeros_like(H), ESTIMATE, h)
    end = around.end(point.t + h, kernel.moved(parts.linearised(h), 1 / ESTIMATE, error))
    return parts.step(h, error, *end)


def _compiled(around: Around, h: float, limit: float) -> Step | None:
    """The step in one call, None where its Krylov spaces would become too large."""
    around.watch(around.origin.t)
    errors = DEFECT * around.rounding, around.rounding, around.error
    known, x, linear, defect, error, end, exact = kernel.advance(around.network.system, errors, around.origin, around.base, h, limit)
    if not known:
        return None
    parts = _Parts(around.origin.H, x, Krylov(linear, around.gram), Krylov(defect, around.gram), NODE * h)
    return parts.step(h, error, end, exact)


@dataclass(frozen=True)
class _Parts:
    """What H is made of within a step: H at its start and `x`, shape (d,), functions of J times b and times the defect at `tau`."""

    H: Array
    x: Array
    linear: Krylov | SpectralVector
    defect: Krylov | SpectralVector
    tau: float

    def linearised(self, s: float) -> Array:
        """U(s), shape (d,)."""
        return self.linear.add(kernel.moved(self.H, -s, self.x), s, 1, s)

    def correction(self, H: Array, share: float, s: float) -> Array:
        """`H`, shape (d,), with a share of the correction at s."""
        return self.defect.add(H, share * 2 * s**3 / self.tau**2, 3, s)

    def step(self, h: float, error: Array, end: Point, exact: bool) -> Step:
        """The step of length `h`."""

        def interpolate(theta: float) -> Array:
            return self.correction(self.linearised(theta * h), 1.0, theta * h)

        return Step(h, end, exact, error, interpolate, max(self.linear.radius, self.defect.radius))


def _functions(around: Around, b: Array) -> Krylov | SpectralVector:
    """Functions of the Jacobian times `b`, shape (d,)."""
    if around.spectrum is not None:
        return around.spectrum.times(b)
    return Krylov(kernel.first_direction(around.origin.k, b), around.gram)
