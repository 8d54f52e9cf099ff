"""An exponential Rosenbrock step of order 4: exact for the linear part of the flow however stiff it is.

The method is exprb42 of Luan (J. Comput. Appl. Math. 2017). With J the Jacobian at the start, b = h + x and x = 2λw/k, which solves
J x = ∂h/∂t, the flow of the linearised equation is U(τ) = H + τ φ₁(τJ) b − τ x: one Krylov space serves a force that depends on time.
Its defect D at τ = ¾h, what the true force has beyond the linearised one, gives the correction (32/9) h φ₃(hJ) D. The correction
itself is the error of the linearised flow; a tenth of it is taken as the estimate for the corrected one.
"""

import numpy as np

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import ESTIMATE, NODE
from dlnflow.simulation.krylov import Krylov
from dlnflow.simulation.spectrum import SpectralVector
from dlnflow.simulation.step import Around, Step
from dlnflow.solution import Array


def advance(around: Around, h: float, limit: float) -> Step:
    """From the point that `around` is about, on by `h`, or less where a Krylov space would become too large.

    Functions of J are computed to `limit`, in `kernel.change`. A step costs two evaluations of the force and as many products
    with X as two Krylov spaces need.
    """
    point = around.origin
    x = kernel.drift(point.free, point.k, around.network.weight_decay)
    linear = _functions(around, kernel.moved(point.force, 1.0, x))
    h = linear.build(1, h, h, limit)

    def linearised(s: float) -> Array:
        return linear.add(kernel.moved(point.H, -s, x), s, 1, s)

    tau = NODE * h
    force = around.force(point.t + tau, linearised(tau))
    defect = _functions(around, linear.add(kernel.moved(force, 1.0, x), -1.0, 0, tau))
    h = defect.build(3, 2 * h**3 / tau**2, h, limit)

    def correction(H: Array, share: float, s: float) -> Array:
        return defect.add(H, share * 2 * s**3 / tau**2, 3, s)

    error = correction(np.zeros_like(x), ESTIMATE, h)
    end, exact = around.end(point.t + h, kernel.moved(linearised(h), 1 / ESTIMATE, error))
    radius = max(linear.radius, defect.radius)
    return Step(h, end, exact, error, lambda theta: correction(linearised(theta * h), 1.0, theta * h), radius)


def _functions(around: Around, b: Array) -> Krylov | SpectralVector:
    """Functions of the Jacobian times `b`, shape (d,)."""
    if around.spectrum is not None:
        return around.spectrum.times(b)
    return Krylov(kernel.first_direction(around.origin.k, b), around.gram)
