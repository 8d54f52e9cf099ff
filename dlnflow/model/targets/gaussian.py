"""Normal teacher weights."""

from typing import Literal

import numpy as np

from dlnflow.model.base import Array
from dlnflow.model.mixtures import Component
from dlnflow.model.strata import Stratum, normal_strata
from dlnflow.model.targets.fields import Std
from dlnflow.model.targets.law import TargetLaw


class GaussianTarget(TargetLaw):
    """Teacher weights w* ~ N(0, std²)."""

    kind: Literal["gaussian"] = "gaussian"
    std: Std = 1.0

    @property
    def second_moment(self) -> float:
        """std²."""
        return self.std**2

    def draw(self, dimension: int, rng: np.random.Generator) -> Array:
        """Normal variates."""
        return self.std * rng.standard_normal(dimension)

    def strata(self, folded: bool) -> list[Stratum]:
        """One, or one for each sign."""
        return normal_strata(1.0, self.std, folded)

    def mixture(self) -> list[Component]:
        """Itself."""
        return [Component(1.0, 0.0, self.std**2)]
