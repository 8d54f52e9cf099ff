"""Uniform teacher weights."""

from typing import Literal

import numpy as np
from pydantic import model_validator

from dlnflow.model.base import Array, contradiction
from dlnflow.model.mixtures import Component
from dlnflow.model.strata import NEGATIVE, POSITIVE, Continuum, Stratum
from dlnflow.model.targets.fields import Value
from dlnflow.model.targets.law import TargetLaw

LEGENDRE = 32  # nodes on either side of 0


class UniformTarget(TargetLaw):
    """Teacher weights that are uniform between `low` and `high`."""

    kind: Literal["uniform"] = "uniform"
    low: Value
    high: Value

    @model_validator(mode="after")
    def _is_an_interval(self) -> "UniformTarget":
        if self.high <= self.low:
            raise contradiction("high", f"high must be above low = {self.low:g}")
        return self

    @property
    def second_moment(self) -> float:
        """(low² + low high + high²)/3."""
        return (self.low**2 + self.low * self.high + self.high**2) / 3

    @property
    def mean(self) -> float:
        """(low + high)/2."""
        return (self.low + self.high) / 2

    @property
    def is_symmetric(self) -> bool:
        """Where 0 is in the middle."""
        return self.low == -self.high

    @property
    def signs(self) -> tuple[float, float, float]:
        """The probabilities that w* < 0, w* = 0 and w* > 0."""
        negative, positive = (share for share, *_ in self._sides())
        return negative, 0.0, positive

    def _sides(self) -> list[tuple[float, float, float]]:
        """The share of each sign, and the ends of |w*| there."""
        sides = ((max(-self.high, 0.0), max(-self.low, 0.0)), (max(self.low, 0.0), max(self.high, 0.0)))
        return [((end - start) / (self.high - self.low), start, end) for start, end in sides]

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Uniform variates."""
        return rng.uniform(self.low, self.high, dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign."""
        if folded:
            return [self._stratum(1.0, 0.0, self.high, POSITIVE, NEGATIVE)]
        sides = zip(self._sides(), (NEGATIVE, POSITIVE), strict=True)
        return [self._stratum(*side, given) for side, given in sides if side[0]]

    def _stratum(self, share: float, start: float, end: float, given: str, opposite: str | None = None) -> Continuum:
        """Magnitudes between `start` and `end`."""
        sign, size = -1 if given == NEGATIVE else 1, ((start**2 + start * end + end**2) / 3) ** 0.5
        return Continuum(
            share, given, opposite, size, lambda x: (sign * (start + (end - start) * x), np.ones_like(x)), ("uniform", sign, start / end)
        )

    def mixture(self) -> list[Component]:
        """Point masses at the nodes of Gauss–Legendre rules on both sides of 0."""
        points, shares = np.polynomial.legendre.leggauss(LEGENDRE)
        sides = zip((-1, 1), self._sides(), strict=True)
        return [
            Component(float(share * weight / 2), float(sign * (start + (end - start) * (1 + point) / 2)), 0.0)
            for sign, (share, start, end) in sides
            for point, weight in zip(points, shares, strict=True)
            if share
        ]

    def nearest(self, s: float, reach: float) -> float:
        """From the end that is nearer to 0, or 0 where that is inside."""
        return max(0.0, self.low - reach * s, -self.high - reach * s)

    def mean_lorentzian(self, s: float, b: float) -> float:
        """The average over w* of a Voigt profile, in a variable in which it is wide."""
        from scipy.special import voigt_profile

        width = float(np.hypot(s, b))
        start, end = np.arcsinh(self.low / width), np.arcsinh(self.high / width)
        points, shares = np.polynomial.legendre.leggauss(4 * LEGENDRE)
        t = start + (end - start) * (1 + points) / 2
        values = voigt_profile(width * np.sinh(t), s, b) * width * np.cosh(t)
        return float(np.pi / b * (shares @ values) / 2 * (end - start) / (self.high - self.low))
