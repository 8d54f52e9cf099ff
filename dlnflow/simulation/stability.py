"""How long the steps of gradient descent may be, as far as that is known of a network before it moves.

Linearised, w moves by −η diag(k) XᵀX (w − w*)/δ, where k = u^(2L−2) + v^(2L−2) is known at the start, and at a sparse teacher, where of
u and v one is zero. The largest eigenvalue Λ, to which weight decay adds Lλ, bounds all steps, and E[c k], c the variance of the data times
d, those of batches: at depth two E[u² + v²] (arXiv 2602.06320). See `GradientDescent.stable_step` and `stable_batch_step`.
"""

import numpy as np

from dlnflow.model import GradientDescent
from dlnflow.simulation.network import Network
from dlnflow.solution import Array

ITERATIONS = 30  # for the largest eigenvalue: a few percent


def exceeded(network: Network, dynamics: GradientDescent, step: float) -> str:
    """A sentence, and a space, for each of the two bounds that the largest `step` is beyond."""
    edge, text = dynamics.stable_step(largest_eigenvalue(network)), ""
    if step > edge:
        text += f"Linearised at its start and at its teacher, the network is stable for steps up to about {edge:.3g}, not {step:.3g}. "
    if dynamics.batch_fraction == 1:
        return text
    edge = dynamics.stable_batch_step(mean_slope(network), 1 / network.per_sample)
    if step > edge:
        text += (
            f"Batches of {dynamics.batch_fraction:.3g} of the samples are stable where τ E[c k] < 2(1 − β), for steps up to {edge:.3g}. "
        )
    return text


def largest_eigenvalue(network: Network) -> float:
    """Λ + Lλ, the larger of that at the start and of that at the teacher."""
    return max(_largest_eigenvalue(network, k) for k in _slopes(network)) + network.depth * network.weight_decay


def mean_slope(network: Network) -> float:
    """E[c k], the larger of that at the start and of that at the teacher."""
    variance = np.einsum("ij,ij->j", network.design.X, network.design.X, dtype=np.float64) * network.per_sample
    return max(float(np.mean(variance * k)) for k in _slopes(network))


def _slopes(network: Network) -> tuple[Array, Array]:
    """k at the start and at the teacher, (d,) each."""
    power = 2 * network.depth - 2
    at_teacher = (network.depth * np.abs(network.teacher)) ** (power / network.depth)
    return np.abs(network.u0) ** power + np.abs(network.v0) ** power, at_teacher


def _largest_eigenvalue(network: Network, k: Array) -> float:
    """That of diag(k) XᵀX/δ, from below, by repeated products."""
    root, x, largest = np.sqrt(k), np.random.default_rng(0).standard_normal(k.size), 0.0
    for _ in range(ITERATIONS):
        image = root * network.design.residual_and_force(root * (x / np.linalg.norm(x)), np.zeros(network.design.rows))[1]
        largest, x = float(np.linalg.norm(image)), image
        if largest == 0:
            return 0.0
    return largest * network.per_sample
