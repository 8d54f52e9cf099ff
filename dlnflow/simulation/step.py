"""What one time step takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

from dlnflow.simulation.kernel import Point
from dlnflow.simulation.network import Network
from dlnflow.simulation.spectrum import Spectrum
from dlnflow.solution import Array

Watcher = Callable[[float], None]

DEFECT = 100.0  # times the rounding of the field that its linearisation may have


@dataclass(frozen=True)
class Around:
    """The field h(t, H) in the neighbourhood of a point, in increments from it, with the relative error `rounding`.

    That is relative to the change since `origin`; at the end of a step the change since the last exact point, `base`, is computed to
    `error` in w. `watch(t)` is called before every product with X, or before a step whose products are short. The `spectrum` of the
    Jacobian is known where steps are very stiff.
    """

    network: Network
    origin: Point
    base: Point
    rounding: float
    watch: Watcher
    error: float = 0.0
    spectrum: Spectrum | None = None

    def force(self, t: float, H: Array) -> Array:
        """Ḣ = h, shape (d,)."""
        self.watch(self.origin.t)
        return self.network.field(self.origin, self.network.weights(t, H)[0], self.rounding)[1]

    def gram(self, x: Array) -> Array:
        """XᵀXx/δ, shape (d,), for the linearised field: what its error leaves is part of the defect."""
        self.watch(self.origin.t)
        return self.network.gram(x, DEFECT * self.rounding)

    def end(self, t: float, H: Array) -> tuple[Point, bool]:
        """That of a step, and whether it is exact."""
        self.watch(self.origin.t)
        return self.network.near(self.base, self.error, t, H)


@dataclass(frozen=True)
class Step:
    """The `end` of a step of length `h`, whether that is `exact`, and the estimate `error` of its local error in H, shape (d,).

    `interpolate(theta)` is H at the fraction theta in [0, 1] of the step; `radius` is the spectral radius of the Jacobian as far as the
    step saw it, from below.
    """

    h: float
    end: Point
    exact: bool
    error: Array
    interpolate: Callable[[float], Array]
    radius: float
