"""Relative errors of curves, and how far a solve is from the accuracy that was asked for."""

from dataclasses import dataclass

import numpy as np

from dlnflow.solution import CURVES, Array

FLOOR = 1e-3
COVERAGE = 2.0

Curves = dict[str, Array]


def relative(change: Array, value: Array) -> Array:
    """`change` relative to `value`, or to FLOOR of the largest value where that is more; zero where both vanish."""
    scale = scale_of(value)
    return np.divide(np.abs(change), scale, out=np.zeros_like(change), where=scale > 0)


def scale_of(value: Array) -> Array:
    """What errors of a curve are relative to."""
    return np.maximum(np.abs(value), FLOOR * np.abs(value).max())


def difference(one: Curves, other: Curves) -> Curves:
    """The relative difference of two sets of curves."""
    return {name: relative(one[name] - value, value) for name, value in other.items()}


@dataclass(frozen=True)
class Errors:
    """The parts of the relative error of every curve, each (T,): sampling is COVERAGE standard errors."""

    sampling: Curves
    time_step: Curves
    fixed_point: Curves

    def total(self, name: str) -> Array:
        """The sum of the parts for one curve, (T,)."""
        return self.sampling[name] + self.time_step[name] + self.fixed_point[name]

    def largest(self) -> dict[str, float]:
        """The largest total of any curve, and each part's largest value."""
        parts = {"sampling": self.sampling, "time_step": self.time_step, "fixed_point": self.fixed_point}
        worst = {"total": max(float(self.total(name).max()) for name in CURVES)}
        return worst | {part: max(float(values[name].max()) for name in CURVES) for part, values in parts.items()}

    def excess(self, accuracy: float) -> float:
        """By how much the sampling error exceeds what the other parts leave of `accuracy`, at least half of it."""
        return max(
            float((self.sampling[name] / np.maximum(accuracy - self.time_step[name] - self.fixed_point[name], accuracy / 2)).max())
            for name in CURVES
        )
