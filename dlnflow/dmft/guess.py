"""What the iteration of a panel starts from, after a front of n nodes."""

import numpy as np

from dlnflow.dmft.averages import AveragedKernels
from dlnflow.dmft.front import Front
from dlnflow.dmft.residuals import ResidualKernels


def at_rest(front: Front) -> ResidualKernels:
    """R_r and C_r of a network that stands still after the left edge: R_w and C_e of the edge, repeated."""
    problem, n, m = front.problem, front.nodes, front.order
    if n == 0:
        return ResidualKernels(np.eye(m), np.full((m, m), problem.initial_error + problem.noise_std**2))
    response = np.zeros((m, n + m))
    response[:, :n] = front.residual_response[n - 1, :n]
    response[:, n - 1] -= 1.0
    response[:, n:] = np.eye(m)
    correlation = np.empty((m, n + m))
    correlation[:, :n] = front.residual_correlation[n - 1, :n]
    correlation[:, n:] = front.residual_correlation[n - 1, n - 1]
    return ResidualKernels(response, correlation)


def shifted(front: Front) -> AveragedKernels:
    """R_w of the panel before, shifted by one panel, and C_e of the edge, repeated; there has to be a panel before.

    A network at rest is stiff: it is thousands of its time scales to the next node, and R_w is nearly the inverse of R_r.
    """
    n, m = front.nodes, front.order
    response, correlation = np.zeros((2, m, n + m))
    response[:, m:] = front.response[n - m : n, :n]
    correlation[:, :n], correlation[:, n:] = front.correlation[n - 1, :n], front.correlation[n - 1, n - 1]
    return AveragedKernels(response, correlation)


def continued(front: Front, expected: AveragedKernels) -> AveragedKernels:
    """R_w and C_e as they are at the left edge, and from there on the changes of those `expected`, all rows of each, eq. (18)."""
    n, m = front.nodes, front.order
    response, correlation = (kernel[n : n + m, : n + m].copy() for kernel in (expected.response, expected.correlation))
    if n:
        response[:, :n] += front.response[n - 1, :n] - expected.response[n - 1, :n]
        correlation[:, :n] += front.correlation[n - 1, :n] - expected.correlation[n - 1, :n]
        correlation[:, n:] += front.correlation[n - 1, n - 1] - expected.correlation[n - 1, n - 1]
    return AveragedKernels(response, correlation)
