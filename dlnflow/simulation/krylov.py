"""Functions of the Jacobian of the flow times a vector, by Lanczos' method.

The Jacobian J = −(XᵀX/δ) diag(k) is self-adjoint and nonpositive in the inner product Σ k x y, so that a basis of m vectors needs m
products with X and Xᵀ and a tridiagonal T. Of the approximations φ(hJ)b ≈ V φ(hT) e₁ ‖b‖ the corrected one is taken
(Saad, SIAM J. Numer. Anal. 29, 1992, section 4.2): it is exact in every coordinate with k = 0, which the norm does not see.
"""

import numpy as np
from scipy.linalg.lapack import dstev

from dlnflow.simulation.kernel import combination, last_coefficient, orthogonalise, phi
from dlnflow.simulation.step import Around
from dlnflow.solution import Array

MAX_VECTORS = 250
BREAKDOWN = 1e-13  # a new direction that is rounding error


class Krylov:
    """The Krylov space of the Jacobian at a point and the vector b, shape (d,)."""

    def __init__(self, around: Around, b: Array) -> None:
        self.b = b
        self._around = around
        self._k = around.origin.k
        self._norm = self._length(b)
        self._V = np.empty((8, b.size))
        self._alpha: list[float] = []
        self._beta: list[float] = []
        self._rest = b
        self._complete = self._norm == 0
        if not self._complete:
            self._V[0] = b / self._norm

    @property
    def radius(self) -> float:
        """The largest decay rate seen, a lower bound of the spectral radius."""
        return float(-self._lam[0]) if self._alpha else 0.0

    def build(self, p: int, factor: float, h: float, limit: float) -> float:
        """Take in directions until `factor` · φ_p(hJ)b is known to `limit`; the longest step for which it is, `h` or less."""
        while not self._complete:
            self._extend(1 + len(self._alpha) // 4)
            if self._complete or self._error(p, factor, h) <= limit:
                break
            if len(self._alpha) >= MAX_VECTORS:
                return self._shorten(p, factor, h, limit)
        return h

    def phi(self, p: int, h: float) -> Array:
        """φ_p(hJ)b, shape (d,)."""
        if not self._alpha:
            return np.asarray(self.b * phi(p, np.zeros(1))[0])
        return np.asarray(combination(p, h, self._norm, self._lam, self._Q, self._V, self._rest))

    def _error(self, p: int, factor: float, h: float) -> float:
        """That of the uncorrected approximation."""
        return float(abs(factor * last_coefficient(p, h, self._norm, self._lam, self._Q)) * self._around.size(self._rest))

    def _shorten(self, p: int, factor: float, h: float, limit: float) -> float:
        while self._error(p, factor, h) > limit:
            h /= 1.5
        return h

    def _extend(self, directions: int) -> None:
        for _ in range(directions):
            self._next()
            if self._complete:
                break
        m = len(self._alpha)
        lam, self._Q, _ = dstev(np.array(self._alpha), np.array(self._beta[: max(1, m - 1)]))
        self._lam = np.minimum(lam, 0)

    def _next(self) -> None:
        """One more direction."""
        m = len(self._alpha) + 1
        if m == len(self._V):
            self._V = np.concatenate([self._V, np.empty_like(self._V)])
        image = self._around.gram(self._V[m - 1] * -self._k)
        along, before, after = orthogonalise(self._V, m, self._k, image)
        self._rest = image
        self._alpha.append(along)
        self._beta.append(after)
        self._complete = after <= BREAKDOWN * before or m == self.b.size

    def _length(self, x: Array) -> float:
        return float(np.sqrt(self._k @ (x * x)))
