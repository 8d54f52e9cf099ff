"""What is kept of one network: its curves, its order parameters and w(t) given each atom or sign of w*."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlnflow.model import Problem
from dlnflow.model.curves import ERROR, OBSERVED, excess_risk
from dlnflow.simulation.network import Network
from dlnflow.simulation.snapshots import Snapshots
from dlnflow.solution import CURVES, QUANTILES, Array, Conditional

MAX_POOLED = 20_000_000  # weights kept for quantiles, 160 MB


def measure(network: Network, problem: Problem, at: Snapshots) -> dict[str, Array]:
    """Every curve and order parameter at the times of `at` (definitions: docs/notation.md), each of shape (m,).

    Where there are coarse ones they are extrapolated, but no curve to below zero.
    """
    found = _measured(network, problem, at)
    if at.coarse is None:
        return found
    extrapolated = {name: 2 * found[name] - coarse for name, coarse in _measured(network, problem, at.coarse).items()}
    return extrapolated | {name: np.where(extrapolated[name] > 0, extrapolated[name], found[name]) for name in CURVES}


def _measured(network: Network, problem: Problem, at: Snapshots) -> dict[str, Array]:
    parameter_error = ERROR.of(at, network.teacher, problem.support_threshold)
    risk = parameter_error if problem.is_isotropic else excess_risk(at, network.teacher, problem.variances(network.members))
    return {
        "train_loss": (np.einsum("tr,tr->t", at.r, at.r) + network.fixed_residual) / (2 * network.samples),
        "test_loss": (risk + problem.noise_std**2) / 2,
        "parameter_error": parameter_error,
    } | {parameter.name: parameter.of(at, network.teacher, problem.support_threshold) for parameter in OBSERVED}


@dataclass(frozen=True)
class Weights:
    """w(t) of the coordinates kept of one replica: `w` has shape (T, m), `condition` (m,)."""

    w: Array
    condition: NDArray[np.intp]


def coordinates_kept(dimension: int, times: int, replicas: int) -> int:
    """How many coordinates of each replica enter the conditional statistics: all, or the first few where memory is short."""
    return min(dimension, max(1, MAX_POOLED // (times * replicas)))


def conditional(problem: Problem, replicas: list[Weights]) -> tuple[Conditional, ...]:
    """Statistics of w given w*, pooled over replicas, for the conditions that were met."""
    w = np.concatenate([replica.w for replica in replicas], axis=1)
    condition = np.concatenate([replica.condition for replica in replicas])
    met = [(i, name, p) for i, (name, p) in enumerate(problem.conditions) if np.any(condition == i)]
    return tuple(_statistics(name, p, w[:, condition == i]) for i, name, p in met)


def _statistics(name: str, probability: float, w: Array) -> Conditional:
    return Conditional(name, probability, w.mean(axis=1), np.quantile(w, QUANTILES, axis=1))
