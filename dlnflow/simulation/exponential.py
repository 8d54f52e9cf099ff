"""An exponential Rosenbrock step of order 4: exact for the linear part of the flow however stiff it is.

The method is exprb42 of Luan (J. Comput. Appl. Math. 2017). With J the Jacobian at the start, b = h + x and x = 2λw/k, which solves
J x = ∂h/∂t, the flow of the linearised equation is U(τ) = H + τ φ₁(τJ) b − τ x: one Krylov space serves a force that depends on time.
Its defect D at τ = ¾h, what the true force has beyond the linearised one, gives the correction (32/9) h φ₃(hJ) D. The correction
itself is the error of the linearised flow; a tenth of it is taken as the estimate for the corrected one.
"""

import numpy as np

from dlnflow.simulation.krylov import Krylov
from dlnflow.simulation.spectrum import SpectralVector
from dlnflow.simulation.step import Around, Step
from dlnflow.solution import Array

NODE = 0.75
ESTIMATE = 0.1
ORDER = 3  # of the linearised flow, by whose error steps are chosen


def advance(around: Around, h: float, limit: float) -> Step:
    """From the point that `around` is about, on by `h`, or less where a Krylov space would become too large.

    Functions of J are computed to `limit`, in `around.size`. A step costs two evaluations of the force and as many products
    with X as two Krylov spaces need.
    """
    point, decay = around.origin, around.network.weight_decay
    x = 2 * decay * np.divide(point.free, point.k, out=np.zeros_like(point.w), where=point.k > 0)
    linear = _functions(around, point.force + x)
    h = linear.build(1, h, h, limit)

    def linearised(tau: float) -> Array:
        return np.asarray(point.H + tau * (linear.phi(1, tau) - x))

    tau = NODE * h
    defect = _functions(around, around.force(point.t + tau, linearised(tau)) + x - linear.phi(0, tau))
    h = defect.build(3, 2 * h**3 / tau**2, h, limit)

    def corrected(s: float) -> Array:
        return linearised(s) + correction(s)

    def correction(s: float) -> Array:
        return 2 * s**3 / tau**2 * defect.phi(3, s)

    last = correction(h)
    end = around.point(point.t + h, linearised(h) + last)
    return Step(h, end, ESTIMATE * last, lambda theta: corrected(theta * h), max(linear.radius, defect.radius))


def _functions(around: Around, b: Array) -> Krylov | SpectralVector:
    """Functions of the Jacobian times `b`, shape (d,)."""
    return around.spectrum.times(b) if around.spectrum is not None else Krylov(around, b)
