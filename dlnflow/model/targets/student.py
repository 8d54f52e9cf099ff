"""Teacher weights by Student's law, with heavy tails."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dlnflow.model.base import Array
from dlnflow.model.mixtures import Component, gamma_rule, scale_mixture
from dlnflow.model.strata import Magnitude, Stratum, both_signs
from dlnflow.model.targets.law import TargetLaw


class StudentTarget(TargetLaw):
    """Teacher weights that are Student's t, scaled to the standard deviation `std`.

    With fewer than 3 degrees of freedom the mean square of a million draws is still off by percents, so that no finite network
    resembles the limit. Up to 4 its variance is infinite: the standard errors of finite networks are then not to be trusted.
    """

    kind: Literal["student_t"] = "student_t"
    degrees_of_freedom: Annotated[float, Field(ge=3, le=1000, description="ν; tails fall as |w*|^(−ν−1)")]
    std: Annotated[float, Field(gt=0, le=100, description="standard deviation")] = 1.0

    @property
    def second_moment(self) -> float:
        """std²."""
        return self.std**2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Student's variates."""
        scale = self.std * (1 - 2 / self.degrees_of_freedom) ** 0.5
        return np.asarray(scale * rng.standard_t(self.degrees_of_freedom, dimension))

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign: 1/(1 + t²/ν) has a beta law."""
        from scipy.special import beta, betaincinv

        degrees = self.degrees_of_freedom

        def quantile(power: float, x: Array) -> Array:
            z = betaincinv((degrees - power) / 2, (1 + power) / 2, 1 - x)
            return np.asarray(np.sqrt((1 - z) / z))

        def moment(power: float) -> float:
            return float(beta((degrees - power) / 2, (1 + power) / 2) / beta(degrees / 2, 0.5))

        law = Magnitude(("student_t", degrees), quantile, moment, (2.0, min(4.0, degrees - 1)))
        return both_signs(self.std, law, folded)

    def mixture(self) -> list[Component]:
        """Normal laws whose inverse variance has a gamma law."""
        half = self.degrees_of_freedom / 2
        value, weight = gamma_rule(half, below=half - 1, above=half + 0.5)
        return scale_mixture(self.second_moment, 1 / value, weight)
