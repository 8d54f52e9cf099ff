"""Functions of the Jacobian of the flow times a vector, by all eigenvalues, for steps too stiff for a Krylov space.

With A = X diag(k) Xᵀ/δ, of shape (rows, rows), J = −(XᵀX/δ) diag(k) has φ_p(hJ)b = b/p! − (h/δ) Xᵀ φ_{p+1}(−hA) X (k b).
"""

import numpy as np
from scipy.linalg import eigh

from dlnflow.simulation.kernel import phi
from dlnflow.simulation.network import Network
from dlnflow.solution import Array

LARGEST = 2500  # rows up to which the eigenvalues are worth their time and memory
SAME = 1e-6  # relative change of k up to which they are used again: the defect of a step makes up for it


class Spectrum:
    """The eigenvalues of A for the slopes `k`, shape (d,)."""

    def __init__(self, network: Network, k: Array) -> None:
        X = network.design.X
        self.network, self.k = network, k
        self._per_sample = X.shape[1] / network.samples
        lam, self._Q = eigh(((X * k) @ X.T) * self._per_sample, overwrite_a=True, check_finite=False)
        self._decay = np.minimum(-lam, 0)

    @property
    def radius(self) -> float:
        """The largest eigenvalue."""
        return float(-self._decay[-1])

    def serves(self, k: Array) -> bool:
        """Whether the slopes have hardly changed."""
        return bool(np.all(np.abs(k - self.k) <= SAME * self.k))

    def times(self, b: Array) -> "SpectralVector":
        """The functions of J times `b`, shape (d,)."""
        design = self.network.design
        return SpectralVector(self, b, self._Q.T @ design.residual_and_force(self.k * b, np.zeros(design.rows))[0])

    def function(self, p: int, h: float, b: Array, components: Array) -> Array:
        """φ_p(hJ)b, shape (d,), from the `components` of X (k b) along the eigenvectors, shape (rows,)."""
        inner = self._Q @ (phi(p + 1, h * self._decay) * components)
        return np.asarray(b * phi(p, np.zeros(1))[0] - h * self._per_sample * self.network.design.combine(inner))


class SpectralVector:
    """A vector of which functions of the Jacobian are wanted."""

    def __init__(self, spectrum: Spectrum, b: Array, components: Array) -> None:
        self._spectrum, self._b, self._components = spectrum, b, components
        self.radius = spectrum.radius

    def build(self, p: int, factor: float, h: float, limit: float) -> float:
        """Nothing is left to do for any step."""
        return h

    def add(self, x: Array, s: float, p: int, h: float) -> Array:
        """x + s φ_p(hJ)b, shape (d,)."""
        return x + s * self._spectrum.function(p, h, self._b, self._components)
