"""What one time step takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass

from dlnflow.simulation.kernel import Point
from dlnflow.simulation.network import Network
from dlnflow.simulation.spectrum import Spectrum
from dlnflow.solution import Array

Watcher = Callable[[float], None]


@dataclass(frozen=True)
class Around:
    """The field h(t, H) in the neighbourhood of a point, in increments from it, with the `errors` of `kernel.demands`.

    At the end of a step the change since the last exact point, `base`, is computed. `watch(t)` is called before every product with X.
    The `spectrum` of the Jacobian is known where steps are very stiff.
    """

    network: Network
    origin: Point
    base: Point
    errors: tuple[float, float, float]
    watch: Watcher
    spectrum: Spectrum | None = None

    def force(self, t: float, H: Array) -> Array:
        """Ḣ = h, shape (d,)."""
        self.watch(self.origin.t)
        return self.network.field(self.origin, self.network.weights(t, H)[0], self.errors[1])[1]

    def gram(self, x: Array) -> Array:
        """XᵀXx/δ, shape (d,), for the linearised field."""
        self.watch(self.origin.t)
        return self.network.gram(x, self.errors[0])

    def end(self, t: float, H: Array) -> tuple[Point, bool]:
        """That of a step, and whether it is exact."""
        self.watch(self.origin.t)
        return self.network.near(self.base, self.errors[2], t, H)


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
