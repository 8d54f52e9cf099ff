"""The eigenvalues of the Jacobian of the flow, for steps too stiff for a Krylov space.

With A = X diag(k) Xᵀ/δ, of shape (rows, rows), J = −(XᵀX/δ) diag(k) has φ_p(hJ)b = b/p! − (h/δ) Xᵀ φ_{p+1}(−hA) X (k b).
"""

import numpy as np
from scipy.linalg import eigh

from dlnflow.native import simulation as native
from dlnflow.simulation.network import Network
from dlnflow.solution import Array

LARGEST = 2500  # rows up to which the eigenvalues are worth their time and memory


def spectrum(network: Network, k: Array) -> native.Spectrum:
    """The eigenvalues and eigenvectors of A for the slopes `k`, shape (d,)."""
    X = network.design.X
    eigenvalues, vectors = eigh(((X * k) @ X.T) * network.per_sample, overwrite_a=True, check_finite=False)
    return native.Spectrum(k, np.minimum(-eigenvalues, 0), np.ascontiguousarray(vectors.T))
