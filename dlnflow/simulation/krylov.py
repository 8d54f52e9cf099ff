"""Functions of the Jacobian of the flow times a vector, by Lanczos' method.

The Jacobian J = −(XᵀX/δ) diag(k) is self-adjoint and nonpositive in the inner product Σ k x y, so that a basis of m vectors needs m
products with X and Xᵀ and a tridiagonal T. Of the approximations φ(hJ)b ≈ V φ(hT) e₁ ‖b‖ the corrected one is taken
(Saad, SIAM J. Numer. Anal. 29, 1992, section 4.2): it is exact in every coordinate with k = 0, which the norm does not see.
"""

from collections.abc import Callable

from dlnflow.simulation import kernel
from dlnflow.simulation.kernel import MAX_VECTORS, Space
from dlnflow.solution import Array


class Krylov:
    """Functions of J times a vector, from its Krylov `space`. `gram(x)` is XᵀXx/δ, shape (d,)."""

    def __init__(self, space: Space, gram: Callable[[Array], Array]) -> None:
        self.space = space
        self._gram = gram

    @property
    def radius(self) -> float:
        """The largest decay rate seen, a lower bound of the spectral radius."""
        return kernel.largest_rate(self.space)

    def build(self, p: int, factor: float, h: float, limit: float) -> float:
        """Take in directions until `factor` · φ_p(hJ)b is known to `limit`; the longest step for which it is, `h` or less."""
        while not self.space.complete:
            self._extend(1 + self.space.size // 4)
            if self.space.complete or self._error(p, factor, h) <= limit:
                break
            if self.space.size >= MAX_VECTORS:
                return self._shorten(p, factor, h, limit)
        return h

    def add(self, x: Array, s: float, p: int, h: float) -> Array:
        """x + s φ_p(hJ)b, shape (d,)."""
        return kernel.add(x, s, self.space, p, h)

    def _error(self, p: int, factor: float, h: float) -> float:
        """That of the uncorrected approximation."""
        return factor * kernel.uncertainty(self.space, p, h)

    def _shorten(self, p: int, factor: float, h: float, limit: float) -> float:
        while self._error(p, factor, h) > limit:
            h /= 1.5
        return h

    def _extend(self, directions: int) -> None:
        for _ in range(directions):
            space = self.space
            self.space = kernel.take_in(space, self._gram(space.V[space.size] * -space.k))
            if self.space.complete:
                break
        self.space = kernel.diagonalise(self.space)
