"""Teacher weights by Laplace's law."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dlnflow.model.base import Array
from dlnflow.model.mixtures import Component, gamma_rule, scale_mixture
from dlnflow.model.strata import Magnitude, Stratum, both_signs
from dlnflow.model.targets.law import TargetLaw


class LaplaceTarget(TargetLaw):
    """Teacher weights with the density exp(−√2 |w*|/std)/(√2 std)."""

    kind: Literal["laplace"] = "laplace"
    std: Annotated[float, Field(gt=0, le=100, description="standard deviation")] = 1.0

    @property
    def second_moment(self) -> float:
        """std²."""
        return self.std**2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Differences of exponential variates."""
        return rng.laplace(scale=self.std / 2**0.5, size=dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign: |w*| √2/std is exponential."""
        from scipy.special import gamma, gammaincinv

        def quantile(power: float, x: Array) -> Array:
            return np.asarray(gammaincinv(1 + power, x))

        return both_signs(self.std, Magnitude("laplace", quantile, lambda power: float(gamma(1 + power)), (2.0, 4.0)), folded)

    def mixture(self) -> list[Component]:
        """Normal laws whose variance is exponential (Andrews & Mallows 1974)."""
        value, weight = gamma_rule(1.0, below=0.5, above=2.0)
        return scale_mixture(self.second_moment, value, weight)
