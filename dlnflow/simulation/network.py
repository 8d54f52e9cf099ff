"""One finite diagonal linear network: its data, and its exact nonlinear map from H to w (arXiv 2510.01930).

With H(t) = ∫₀ᵗ h the flow of arXiv 2510.01930 reads u² = u₀² e^(−2λt−2H), v² = v₀² e^(−2λt+2H), w = (u² − v²)/2. Starting H at
−log|u₀/v₀|/2 instead of 0 makes the factor in front |u₀v₀| in both. Every exponential is taken of the whole exponent, so that
neither |u₀v₀| e^(−2λt) nor e^(2H) can overflow alone.

The truncated network of the rigorous theory has T(u) and T(v), clipped to [−M, M], in the place of u and v on the right-hand side and in w:
u̇ = −T(u)(h + λ), w = (T(u)² − T(v)²)/2. A coordinate beyond M moves at the speed of one at M, so that log(u/M) below M and u/M − 1
above is again linear in H, and T(u)² is u² as above with its exponent limited to log M².
"""

from functools import cached_property

import numpy as np

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import ROUNDED, Point, System
from dlnflow.simulation.products import Design
from dlnflow.solution import Array

LARGEST_EXPONENT = 60.0  # far above any weight, and e^60 leaves room in single precision; a step that gets there is refused
SMOOTH = 1 - 1e-12  # share of the square of the truncation that is below it beyond rounding


class Network:
    """Training data, initial values and the weight decay of one network.

    `design` holds X, shape (rows, d), `y` has shape (rows,), `teacher`, `u0` and `v0` (d,), the latter without zeros. The residual
    r = Xw − y has `samples` entries, of which those outside the column space of X do not move and enter only by the sum of their
    squares, `fixed_residual`. u and v are clipped at `truncation`, if there is one.
    """

    def __init__(
        self,
        design: Design,
        y: Array,
        teacher: Array,
        u0: Array,
        v0: Array,
        weight_decay: float,
        samples: int,
        fixed_residual: float = 0.0,
        truncation: float | None = None,
    ) -> None:
        self.design, self.y, self.teacher, self.u0, self.v0 = design, y, teacher, u0, v0
        self.weight_decay, self.samples, self.fixed_residual = weight_decay, samples, fixed_residual
        self.truncation = np.inf if truncation is None else truncation
        self._clipped = SMOOTH * self.truncation**2
        self._ceiling = min(LARGEST_EXPONENT, 2 * float(np.log(self.truncation)))
        u, v = self._exponent(u0), self._exponent(v0)
        self.start = (v - u) / 2
        self._log_product = u + v
        self._per_sample = teacher.size / samples

    def _exponent(self, start: Array) -> Array:
        """log |u|, continued above the truncation so that it is linear in H."""
        inside = np.minimum(np.abs(start), self.truncation)
        return np.asarray(np.log(inside) + (np.abs(start) - inside) / inside)

    @cached_property
    def system(self) -> System:
        """What compiled steps have to know, for a design in one part."""
        data = self.design.parts[0], self.y, self.teacher, self.samples, self.fixed_residual
        return System(*data, self._log_product, self._ceiling, self._clipped, self._per_sample, self.weight_decay)

    def squares(self, t: float, H: Array) -> tuple[Array, Array]:
        """u² and v² at H, clipped, each of shape (d,)."""
        u2, v2 = kernel.squares(H, self._log_product, 2 * self.weight_decay * t, self._ceiling)
        return u2, v2

    def weights(self, t: float, H: Array) -> tuple[Array, Array, Array]:
        """w = (u² − v²)/2 at H, `free` and k of a `Point`, each of shape (d,)."""
        w, free, k = kernel.weights(H, self._log_product, 2 * self.weight_decay * t, self._ceiling, self._clipped)
        return w, free, k

    def at(self, t: float, H: Array) -> Point:
        """Everything at one time, from `H`, shape (d,)."""
        w, free, k = self.weights(t, H)
        return Point(t, H, w, free, k, *self.force(w))

    def near(self, base: Point, error: float, t: float, H: Array) -> tuple[Point, bool]:
        """As `at`, and whether it is exact; from the exact point `base` on where that gives r to `error` in w."""
        w, free, k = self.weights(t, H)
        exact = ROUNDED * kernel.distance(w, base.w) > error
        return Point(t, H, w, free, k, *(self.force(w) if exact else self.field(base, w, ROUNDED))), exact

    def field(self, base: Point, w: Array, error: float) -> tuple[Array, Array]:
        """As `force`, from that at `base` on with a change that has the relative `error`."""
        r, image = self.design.products(kernel.moved(w, -1.0, base.w), error)
        return kernel.moved(base.r, 1.0, r), kernel.moved(base.force, self._per_sample, image)

    def force(self, w: Array) -> tuple[Array, Array]:
        """The residual r = Xw − y, shape (rows,), and h = Xᵀr/δ, shape (d,)."""
        r, image = self.design.residual_and_force(w, self.y)
        return r, image * self._per_sample

    def gram(self, x: Array, error: float = 0.0) -> Array:
        """XᵀXx/δ, shape (d,), how the force changes with w, to the relative `error`."""
        return self.design.products(x, error)[1] * self._per_sample


def rms(x: Array) -> float:
    """The root mean square of the entries."""
    return kernel.distance(x, np.zeros_like(x))
