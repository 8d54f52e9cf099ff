"""How long the steps of gradient descent may be, as far as that is known of a network before it moves.

Linearised, w moves by −η diag(k) XᵀX (w − w*)/δ, where k = u^(2L−2) + v^(2L−2) is known at the start, and at a sparse teacher, where of
u and v one is zero. Steps are stable up to η = 2 (1 + β)/Λ, with the momentum β and the largest eigenvalue Λ (Polyak 1964), to which weight
decay adds Lλ. What batches leave out multiplies the error by τ E[c k]/2, τ = η (1 − b)/(b δ) and c the variance of the data times d: it
grows from τ E[c k] = 2 on, at depth two τ E[u² + v²] = 2 (arXiv 2602.06320).
"""

import numpy as np

from dlnflow.model import GradientDescent
from dlnflow.simulation.network import Network
from dlnflow.solution import Array

ITERATIONS = 30  # for the largest eigenvalue: a few percent


def exceeded(network: Network, dynamics: GradientDescent, step: float) -> str:
    """A sentence, and a space, for each of the two bounds that the largest `step` is beyond."""
    edge, text = stable_step(network, dynamics.momentum), ""
    if step > edge:
        text += f"Linearised at its start and at its teacher, the network is stable for steps up to about {edge:.3g}, not {step:.3g}. "
    edge = stable_batch_step(network, dynamics.batch_fraction)
    if step > edge:
        text += f"Batches of {dynamics.batch_fraction:.3g} of the samples are stable where τ E[u² + v²] < 2, for steps up to {edge:.3g}. "
    return text


def stable_step(network: Network, momentum: float = 0.0) -> float:
    """The longest stable step of the linearised network, 2 (1 + β)/(Λ + Lλ)."""
    largest = max(_largest_eigenvalue(network, k) for k in _slopes(network)) + network.depth * network.weight_decay
    return 2 * (1 + momentum) / largest


def stable_batch_step(network: Network, fraction: float) -> float:
    """The step at which τ E[c k] = 2; infinite without batches."""
    if fraction == 1:
        return np.inf
    variance = np.einsum("ij,ij->j", network.design.X, network.design.X, dtype=np.float64) * network.per_sample
    tau = 2 / max(float(np.mean(variance * k)) for k in _slopes(network))
    return tau * fraction / (1 - fraction) / network.per_sample


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
