"""The exponential step in plain NumPy, with functions of dense matrices."""

import numpy as np
from scipy.linalg import expm

NODE, ESTIMATE = 0.75, 0.1


def jacobian(network, k):
    X = network.design.X
    return -(X.T @ X) * (X.shape[1] / network.samples) * k


def dense_phi(p, A):
    """φ_p(A) from the exponential of an augmented matrix (Sidje 1998)."""
    n = len(A)
    block = np.zeros(((p + 1) * n, (p + 1) * n))
    block[:n, :n] = A
    for i in range(p):
        block[i * n : (i + 1) * n, (i + 1) * n : (i + 2) * n] = np.eye(n)
    return expm(block)[:n, p * n :]


def step_of_numpy(network, t, H, h):
    """The end of an exponential step, the estimate of its error, and H on the way, with functions of dense matrices."""
    at = network.compiled.at
    origin = at(t, H)
    J = jacobian(network, origin.k)
    x = np.divide(2 * network.weight_decay * origin.free, origin.k, out=np.zeros_like(H), where=origin.k > 0)
    tau = NODE * h

    def linearised(s):
        return H + s * dense_phi(1, s * J) @ (origin.force + x) - s * x

    defect = at(t + tau, linearised(tau)).force + x - dense_phi(0, tau * J) @ (origin.force + x)

    def inside(s):
        return linearised(s) + 2 * s**3 / tau**2 * dense_phi(3, s * J) @ defect

    return inside(h), ESTIMATE * (inside(h) - linearised(h)), inside
