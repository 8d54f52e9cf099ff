"""What one time step takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

from dlnflow.simulation.kernel import change
from dlnflow.simulation.network import Network, Point
from dlnflow.simulation.spectrum import Spectrum
from dlnflow.solution import Array

Watcher = Callable[[float], None]

DEFECT = 100.0  # times the rounding of the field that its linearisation may have


@dataclass(frozen=True)
class Around:
    """The field h(t, H) in the neighbourhood of a point, in increments from it, with the relative error `rounding`.

    That is relative to the change since `origin`; at the end of a step the change since the last exact point is computed to `error`
    in w. `watch(t)` is called before every product with X. The `spectrum` of the Jacobian is known where steps are very stiff.
    """

    network: Network
    origin: Point
    rounding: float
    watch: Watcher
    error: float = 0.0
    spectrum: Spectrum | None = None

    def force(self, t: float, H: Array) -> Array:
        """Ḣ = h, shape (d,)."""
        self.watch(self.origin.t)
        return self.origin.force + self.network.gram(self.network.weights(t, H) - self.origin.w, self.rounding)

    def gram(self, x: Array) -> Array:
        """XᵀXx/δ, shape (d,), for the linearised field: what its error leaves is part of the defect."""
        self.watch(self.origin.t)
        return self.network.gram(x, DEFECT * self.rounding)

    def point(self, t: float, H: Array) -> Point:
        """The end of a step."""
        self.watch(self.origin.t)
        return self.network.at(t, H, self.origin.exact, self.error)

    def size(self, x: Array) -> float:
        """The root mean square of a change `x` of H, shape (d,), and of the change kx of w that it makes."""
        return float(change(self.origin.k, x))


@dataclass(frozen=True)
class Step:
    """The end of a step of length `h` and the estimate `error` of its local error in H, shape (d,).

    `interpolate(theta)` is H at the fraction theta in [0, 1] of the step; `radius` is the spectral radius of the Jacobian as far as the
    step saw it, from below.
    """

    h: float
    end: Point
    error: Array
    interpolate: Callable[[float], Array]
    radius: float
