"""The parts of the law of a teacher weight from which quasi-random samples are drawn, each for itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from dlnflow.model.base import Array

NEGATIVE, ZERO, POSITIVE = SIGNS = ("w*<0", "w*=0", "w*>0")


@dataclass(frozen=True)
class Stratum(ABC):
    """A share `probability` of all coordinates, whose w* meets the condition `given`: `size` times a number of a law without units.

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
    size: float

    @property
    def shape(self) -> Hashable:
        """What strata have in common that differ in their size alone."""
        return type(self)

    def within(self, share: float, label: str) -> "Stratum":
        """The same part of a group that has a `share` of all coordinates, with the group's `label` after the names of conditions."""
        opposite = self.opposite and self.opposite + label
        return replace(self, probability=share * self.probability, given=self.given + label, opposite=opposite)

    def place(self, uniform: Array) -> tuple[Array, Array]:
        """What `uniform` (coordinates, P) tell of w*, and the weights that make up for where the points lie, (P,) each."""
        count = uniform.shape[1]
        return np.zeros(count), np.ones(count)

    @abstractmethod
    def unit(self, told: Array, weights: Array) -> Array:
        """w* over its size, (P,), from what is told of it: of a normal stratum its coordinate. `weights` sum to 1."""


@dataclass(frozen=True)
class Atom(Stratum):
    """One value, the `size`."""

    is_constant = True

    def unit(self, told: Array, weights: Array) -> Array:
        """One."""
        return np.ones_like(told)


@dataclass(frozen=True)
class Normal(Stratum):
    """N(0, `size`²), drawn with the modes, whose second moments are exact."""

    is_normal = True

    def unit(self, told: Array, weights: Array) -> Array:
        """Its standard normal coordinate."""
        return told


@dataclass(frozen=True)
class Continuum(Stratum):
    """Teacher weights of one sign, of root mean square `size`, that are a `quantile` function of one uniform coordinate.

    `quantile(x)` gives w* up to its scale, and weights that make up for an importance in the choice of points; its `law` is hashable,
    the same for the same quantiles.
    """

    coordinates = 1

    quantile: Callable[[Array], tuple[Array, Array]]
    law: Hashable

    @property
    def shape(self) -> Hashable:
        """The law too."""
        return type(self), self.law

    def place(self, uniform: Array) -> tuple[Array, Array]:
        """The quantiles."""
        return self.quantile(uniform[0])

    def unit(self, told: Array, weights: Array) -> Array:
        """With the exact second moment."""
        return told / np.sqrt(weights @ told**2)


@dataclass(frozen=True)
class Magnitude:
    """The law of |w*| in some unit: quantiles of this law weighted by |w*|^p and its moments E|w*|^p, both functions of the power p.

    It is called by its `name`.

    Half of the points are drawn from the law, the others from it weighted by each of the `powers`: rare large weights matter as their
    squares in errors, and more in what few weights have learned early.
    """

    name: Hashable
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
    return [
        Continuum(probability / 2, given, None, std, partial(_half_normal, side), ("half normal", side))
        for side, given in ((0, NEGATIVE), (1, POSITIVE))
    ]


def _half_normal(side: int, x: Array) -> tuple[Array, Array]:
    from scipy.special import ndtri

    return ndtri((x + side) / 2), np.ones_like(x)


def both_signs(size: float, law: Magnitude, folded: bool) -> list[Stratum]:
    """Teacher weights of root mean square `size` that are as likely negative as positive."""
    if folded:
        return [Continuum(1.0, POSITIVE, NEGATIVE, size, partial(law.points, 1), (law.name, 1))]
    return [
        Continuum(0.5, given, None, size, partial(law.points, sign), (law.name, sign)) for sign, given in ((-1, NEGATIVE), (1, POSITIVE))
    ]
