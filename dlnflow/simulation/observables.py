"""What is kept of one network: its curves, its order parameters and w(t) given each atom or sign of w*."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlnflow.problem import BernoulliGaussTarget, DiscreteTarget, Problem, Target
from dlnflow.simulation.network import Network
from dlnflow.simulation.snapshots import Snapshots
from dlnflow.solution import CURVES, ORDER_PARAMETERS, QUANTILES, Array, Conditional

NAMES = (*CURVES, *ORDER_PARAMETERS)
MAX_POOLED = 20_000_000  # weights kept for quantiles, 160 MB


def measure(network: Network, problem: Problem, at: Snapshots) -> dict[str, Array]:
    """Every curve and order parameter at the times of `at` (definitions: docs/notation.md), each of shape (m,)."""
    parameter_error = np.mean((at.w - network.teacher) ** 2, axis=1)
    return {
        "train_loss": (np.einsum("tr,tr->t", at.r, at.r) + network.fixed_residual) / (2 * network.samples),
        "test_loss": (parameter_error + problem.noise_std**2) / 2,
        "parameter_error": parameter_error,
        "overlap": at.w @ network.teacher / network.teacher.size,
        "norm": np.mean(at.w**2, axis=1),
        "l1_norm": np.mean(np.abs(at.w), axis=1),
        "u_norm": np.mean(at.u2, axis=1),
        "v_norm": np.mean(at.v2, axis=1),
    }


def conditions(target: Target) -> list[tuple[str, float]]:
    """The name and the probability of every atom of w*, or of its signs where it is continuous."""
    if isinstance(target, DiscreteTarget):
        return [(f"w*={atom:g}", p) for atom, p in zip(target.atoms, target.probabilities, strict=True)]
    density = target.density if isinstance(target, BernoulliGaussTarget) else 1.0
    return [("w*<0", density / 2), ("w*=0", 1 - density), ("w*>0", density / 2)]


def classify(target: Target, teacher: Array) -> NDArray[np.intp]:
    """The index in `conditions(target)` that every entry of `teacher` meets, shape (d,)."""
    if isinstance(target, DiscreteTarget):
        return np.asarray(np.argmax(teacher[:, None] == np.array(target.atoms), axis=1))
    return np.sign(teacher).astype(np.intp) + 1


@dataclass(frozen=True)
class Weights:
    """w(t) of the coordinates kept of one replica: `w` has shape (T, m), `condition` (m,)."""

    w: Array
    condition: NDArray[np.intp]


def coordinates_kept(dimension: int, times: int, replicas: int) -> int:
    """How many coordinates of each replica enter the conditional statistics: all, or the first few where memory is short."""
    return min(dimension, max(1, MAX_POOLED // (times * replicas)))


def conditional(target: Target, replicas: list[Weights]) -> tuple[Conditional, ...]:
    """Statistics of w given w*, pooled over replicas, for the conditions that were met."""
    w = np.concatenate([replica.w for replica in replicas], axis=1)
    condition = np.concatenate([replica.condition for replica in replicas])
    met = [(i, name, p) for i, (name, p) in enumerate(conditions(target)) if np.any(condition == i)]
    return tuple(_statistics(name, p, w[:, condition == i]) for i, name, p in met)


def _statistics(name: str, probability: float, w: Array) -> Conditional:
    return Conditional(name, probability, w.mean(axis=1), np.quantile(w, QUANTILES, axis=1))
