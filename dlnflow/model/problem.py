"""What is solved: a diagonal linear network trained on a linear teacher (arXiv 2510.01930).

Every quantity is dimensionless. Ranges are those in which the solvers are tested.
"""

from typing import Annotated

from pydantic import Field, model_validator

from dlnflow.model.base import Model, contradiction
from dlnflow.model.initial import InitialLaw, InitialScale, law_of
from dlnflow.model.strata import Stratum
from dlnflow.model.targets import Target


class Problem(Model):
    """A diagonal linear network w = (u² − v²)/2 learning y = X w* + ξ in the limit n, d → ∞."""

    aspect_ratio: Annotated[float, Field(ge=0.05, le=100, description="δ = n/d, samples per parameter")]
    target: Target
    noise_std: Annotated[float, Field(ge=0, le=10, description="σ, standard deviation of the label noise")] = 0.0
    initial_scale: Annotated[InitialScale, Field(description="a, with u(0) = v(0) = a; or u and v apart; or random ones")]
    weight_decay: Annotated[float, Field(ge=0, le=10, description="λ, the L2 penalty on u and v")] = 0.0

    @model_validator(mode="after")
    def _has_something_to_learn(self) -> "Problem":
        if self.noise_std == 0 and self.target_second_moment == 0:
            raise contradiction("target", "all weights are zero and noise_std is 0, so there is nothing to learn")
        return self

    @property
    def initial(self) -> InitialLaw:
        """The law of the initial values."""
        return law_of(self.initial_scale)

    @property
    def is_symmetric(self) -> bool:
        """Whether (u, v, w*) and (v, u, −w*) have the same law at t = 0, and then at all times."""
        return self.target.is_symmetric and self.initial.is_symmetric

    @property
    def strata(self) -> list[Stratum]:
        """The parts of the law of w* from which quasi-random points are drawn."""
        return self.target.strata(self.is_symmetric)

    @property
    def conditions(self) -> list[tuple[str, float]]:
        """The name and the probability of every condition on w* under which w is described."""
        return self.target.conditions

    @property
    def target_second_moment(self) -> float:
        """E[w*²]."""
        return self.target.second_moment

    @property
    def target_mean(self) -> float:
        """E[w*]."""
        return self.target.mean

    @property
    def typical_weight(self) -> float:
        """W = sqrt(E[w*² | w* ≠ 0]), the size of a weight that has to be learned; 0 for a teacher that is zero."""
        learned = sum(kind.probability for kind in self.target.mixture() if kind.mean or kind.variance)
        return float((self.target_second_moment / learned) ** 0.5) if learned else 0.0

    @property
    def initial_second_moment(self) -> float:
        """E[u(0)²/2 + v(0)²/2], a² where the initial values are balanced."""
        return self.initial.second_moment

    @property
    def initial_error(self) -> float:
        """E[(w(0) − w*)²]."""
        initial = self.initial
        return self.target_second_moment - 2 * initial.mean_weight * self.target_mean + initial.mean_square_weight
