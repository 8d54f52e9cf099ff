"""A group of coordinates: how large it is, the variance of its data, and the laws of its teacher weights and initial values."""

from typing import Annotated

from pydantic import Field

from dlnflow.model.base import Model
from dlnflow.model.initial import InitialLaw, InitialScale, law_of
from dlnflow.model.targets import Target


class Group(Model):
    """A share of the coordinates. Their columns of X have variance c/d, so that the data's covariance is diagonal."""

    weight: Annotated[float, Field(gt=0, le=1, description="share of all coordinates")]
    variance: Annotated[float, Field(ge=1e-3, le=1e3, description="c, variance of the group's data, times d")] = 1.0
    target: Target
    initial_scale: Annotated[InitialScale, Field(description="a, with u(0) = v(0) = a; or u and v apart; or random ones")]

    @property
    def initial(self) -> InitialLaw:
        """The law of the initial values."""
        return law_of(self.initial_scale)

    @property
    def is_symmetric(self) -> bool:
        """Whether (u, v, w*) and (v, u, −w*) have the same law at t = 0."""
        return self.target.is_symmetric and self.initial.is_symmetric

    def initial_error(self, depth: float) -> float:
        """E[(w(0) − w*)²]."""
        target, initial = self.target, self.initial
        return target.second_moment - 2 * initial.mean_weight(depth) * target.mean + initial.mean_square_weight(depth)
