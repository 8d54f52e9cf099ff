"""Relative errors of curves, and how far a solve is from the accuracy that was asked for."""

from dataclasses import dataclass

import numpy as np

from dlnflow.dmft.constants import (
    FLOOR,
    LEAST_SAMPLING_PART,
    SAMPLING_PART,
)
from dlnflow.model.curves import SHARES
from dlnflow.solution import CURVES, Array

Curves = dict[str, Array]


@dataclass(frozen=True)
class Scale:
    """What errors are relative to: the curve, or FLOOR of its `largest` value at any time where that is more."""

    largest: dict[str, float]

    def of(self, name: str, value: Array) -> Array:
        """The scale of the curve `name` where it has the values `value`, (T,)."""
        return np.maximum(np.abs(value), FLOOR * self.largest[name])

    def relative(self, name: str, change: Array, value: Array) -> Array:
        """`change` of the curve `name` relative to its scale; zero where both vanish."""
        scale = self.of(name, value)
        return np.divide(np.abs(change), scale, out=np.zeros_like(change), where=scale > 0)

    def difference(self, one: Curves, other: Curves) -> Curves:
        """The relative difference of two sets of curves."""
        return {name: self.relative(name, one[name] - value, value) for name, value in other.items()}


def grained(spread: Curves, paths: int) -> Curves:
    """The `spread` (T,) of every curve from so many `paths` in all: a share of them is not known better than one path."""
    return spread | {name: np.maximum(spread[name], 1 / paths) for name in SHARES}


@dataclass(frozen=True)
class Errors:
    """The parts of the relative error of every curve, each (T,): sampling is 95 % of Student's t, eq. (24)."""

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

    def without(self, part: str) -> float:
        """The largest sum of the other two parts of any curve."""
        return max(float((self.total(name) - getattr(self, part)[name]).max()) for name in CURVES)

    def excess(self, accuracy: float) -> float:
        """By how much the sampling error exceeds nine tenths of what the time step leaves of `accuracy`, or of its half."""
        left = {name: np.maximum(accuracy - self.time_step[name], LEAST_SAMPLING_PART * accuracy) for name in CURVES}
        return max(float((self.sampling[name] / (SAMPLING_PART * left[name])).max()) for name in CURVES)
