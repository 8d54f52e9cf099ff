"""Sparse teacher weights: normal ones among zeros."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dlnflow.model.base import Array
from dlnflow.model.mixtures import Component
from dlnflow.model.strata import ZERO, Atom, Stratum, normal_strata
from dlnflow.model.targets.fields import Std
from dlnflow.model.targets.law import TargetLaw


class BernoulliGaussTarget(TargetLaw):
    """Teacher weights that are N(0, std²) with probability `density` and 0 otherwise."""

    kind: Literal["bernoulli_gauss"] = "bernoulli_gauss"
    density: Annotated[float, Field(ge=0.001, le=1, description="probability that a weight is not zero")]
    std: Std = 1.0

    @property
    def second_moment(self) -> float:
        """density · std²."""
        return self.density * self.std**2

    @property
    def signs(self) -> tuple[float, float, float]:
        """The probabilities that w* < 0, w* = 0 and w* > 0."""
        return self.density / 2, 1 - self.density, self.density / 2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Normal variates, of which some are kept."""
        return self.std * rng.standard_normal(dimension) * (rng.random(dimension) < self.density)

    def strata(self, folded: bool) -> list[Stratum]:
        """The zeros and the others."""
        zero: list[Stratum] = [Atom(1 - self.density, ZERO, ZERO if folded else None, 0.0)] if self.density < 1 else []
        return [*zero, *normal_strata(self.density, self.std, folded)]

    def mixture(self) -> list[Component]:
        """A point mass and a normal law."""
        zero = [Component(1 - self.density, 0.0, 0.0)] if self.density < 1 else []
        return [*zero, Component(self.density, 0.0, self.std**2)]
