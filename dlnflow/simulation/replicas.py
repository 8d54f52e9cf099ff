"""Replicas that are done: what is kept of one, averages over several, and their bytes for another attempt."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dlnflow.checkpoint import pack, unpack
from dlnflow.simulation.observables import Weights
from dlnflow.solution import CURVES, NAMES, Array

CURVE_FLOOR = 1e-3  # of a curve's largest value: relative errors are not asked for below, as in the mean-field solver


@dataclass(frozen=True)
class Run:
    """One replica: `values` has shape (len(NAMES), T)."""

    values: Array
    weights: Weights
    steps: int


def statistics(runs: list[Run]) -> tuple[Array, Array]:
    """The mean over replicas and its standard error, each of shape (len(NAMES), T)."""
    values = np.array([run.values for run in runs])
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(runs))


def largest_error(runs: list[Run]) -> float:
    """The largest relative standard error of any curve; what is below 1e-3 of the curve's largest value counts as that."""
    values, stderr = (x[[NAMES.index(name) for name in CURVES]] for x in statistics(runs))
    floor = CURVE_FLOOR * values.max(axis=1, keepdims=True)
    return float(np.max(stderr / np.maximum(values, floor)))


def save(runs: Mapping[int, Run]) -> bytes:
    """Some replicas by their numbers."""
    return pack(
        {
            "numbers": list(runs),
            "steps": [run.steps for run in runs.values()],
            "values": [run.values for run in runs.values()],
            "w": [run.weights.w for run in runs.values()],
            "condition": [run.weights.condition for run in runs.values()],
        }
    )


def load(checkpoint: bytes) -> dict[int, Run]:
    """What `save` wrote."""
    arrays = unpack(checkpoint)
    rows = zip(*(arrays[name] for name in ("numbers", "steps", "values", "w", "condition")), strict=True)
    return {int(number): Run(values, Weights(w, condition), int(steps)) for number, steps, values, w, condition in rows}
