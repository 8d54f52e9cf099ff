"""The parts of the law of a teacher weight from which quasi-random samples are drawn, each for itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from dlnflow.model.base import Array

NEGATIVE, ZERO, POSITIVE = SIGNS = ("w*<0", "w*=0", "w*>0")


@dataclass(frozen=True)
class Stratum(ABC):
    """A share `probability` of all coordinates, whose w* meets the condition `given`.

    Where the law is symmetric, they stand for their mirror images too, which meet the `opposite` condition.
    """

    is_constant: ClassVar[bool] = False
    is_normal: ClassVar[bool] = False
    """Whether w* is a multiple of a standard normal coordinate, like the modes of the noise."""
    coordinates: ClassVar[int] = 0
    """Uniform coordinates that w* takes for itself."""

    probability: float
    given: str
    opposite: str | None

    def within(self, share: float, label: str) -> "Stratum":
        """The same part of a group that has a `share` of all coordinates, with the group's `label` after the names of conditions."""
        opposite = self.opposite and self.opposite + label
        return replace(self, probability=share * self.probability, given=self.given + label, opposite=opposite)

    def place(self, uniform: Array) -> tuple[Array, Array]:
        """What `uniform` (coordinates, P) tell of w*, and the weights that make up for where the points lie, (P,) each."""
        count = uniform.shape[1]
        return np.zeros(count), np.ones(count)

    def normal(self, target: Array) -> Array:
        """The standard normal coordinates of w* = `target`, (K, P): one of a normal stratum, none of others."""
        return np.empty((0, len(target)))

    @abstractmethod
    def fit(self, shape: Array, weights: Array) -> Array:
        """w* (P,) from what is told of it: of a normal stratum its coordinate. `weights` sum to 1."""


@dataclass(frozen=True)
class Atom(Stratum):
    """One `value`."""

    is_constant = True

    value: float

    def fit(self, shape: Array, weights: Array) -> Array:
        """The value."""
        return np.full_like(shape, self.value)


@dataclass(frozen=True)
class Normal(Stratum):
    """N(0, `std`²), drawn with the modes, whose second moments are exact."""

    is_normal = True

    std: float

    def normal(self, target: Array) -> Array:
        """One."""
        return target[None] / self.std

    def fit(self, shape: Array, weights: Array) -> Array:
        """From its standard normal coordinate."""
        return self.std * shape


@dataclass(frozen=True)
class Continuum(Stratum):
    """Teacher weights of one sign, of root mean square `size`, that are a `quantile` function of one uniform coordinate.

    `quantile(x)` gives w* up to its scale, and weights that make up for an importance in the choice of points.
    """

    coordinates = 1

    size: float
    quantile: Callable[[Array], tuple[Array, Array]]

    def place(self, uniform: Array) -> tuple[Array, Array]:
        """The quantiles."""
        return self.quantile(uniform[0])

    def fit(self, shape: Array, weights: Array) -> Array:
        """With the exact second moment."""
        return self.size * (shape / np.sqrt(weights @ shape**2))


@dataclass(frozen=True)
class Magnitude:
    """The law of |w*| in some unit: quantiles of this law weighted by |w*|^p and its moments E|w*|^p, both functions of the power p.

    Half of the points are drawn from the law, the others from it weighted by each of the `powers`: rare large weights matter as their
    squares in errors, and more in what few weights have learned early.
    """

    quantile: Callable[[float, Array], Array]
    moment: Callable[[float], float]
    powers: tuple[float, ...]

    def points(self, sign: int, x: Array) -> tuple[Array, Array]:
        """w* and the weights that make up for where the points lie, from uniform `x`, (P,) each."""
        count = len(self.powers)
        value, part = self.quantile(0.0, 2 * x % 1), np.floor((2 * x - 1) * count)
        excess = np.zeros_like(x)
        for number, power in enumerate(self.powers):
            value = np.where(part == number, self.quantile(power, (2 * x - 1) * count % 1), value)
        for power in self.powers:
            excess += value**power / self.moment(power) / count
        return sign * value, 1 / (1 + excess)


def normal_strata(probability: float, std: float, folded: bool) -> list[Stratum]:
    """Teacher weights N(0, `std`²): with the modes where the problem is symmetric, else a stratum for each sign."""
    if folded:
        return [Normal(probability, POSITIVE, NEGATIVE, std)]
    return [Continuum(probability / 2, given, None, std, partial(_half_normal, side)) for side, given in ((0, NEGATIVE), (1, POSITIVE))]


def _half_normal(side: int, x: Array) -> tuple[Array, Array]:
    from scipy.special import ndtri

    return ndtri((x + side) / 2), np.ones_like(x)


def both_signs(size: float, law: Magnitude, folded: bool) -> list[Stratum]:
    """Teacher weights of root mean square `size` that are as likely negative as positive."""
    if folded:
        return [Continuum(1.0, POSITIVE, NEGATIVE, size, partial(law.points, 1))]
    return [Continuum(0.5, given, None, size, partial(law.points, sign)) for sign, given in ((-1, NEGATIVE), (1, POSITIVE))]
