"""What is solved: a diagonal linear network trained on a linear teacher (arXiv 2510.01930).

Every quantity is dimensionless. Ranges are those in which the solvers are tested.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Model(BaseModel):
    """A frozen pydantic model that refuses unknown fields, infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Std = Annotated[float, Field(gt=0, le=100, description="standard deviation of the nonzero weights")]


class GaussianTarget(Model):
    """Teacher weights w* ~ N(0, std²)."""

    kind: Literal["gaussian"] = "gaussian"
    std: Std = 1.0


class BernoulliGaussTarget(Model):
    """Teacher weights that are N(0, std²) with probability `density` and 0 otherwise."""

    kind: Literal["bernoulli_gauss"] = "bernoulli_gauss"
    density: Annotated[float, Field(ge=0.001, le=1, description="probability that a weight is not zero")]
    std: Std = 1.0


Atom = Annotated[float, Field(ge=-100, le=100)]
Probability = Annotated[float, Field(gt=0, le=1)]


class DiscreteTarget(Model):
    """Teacher weights on finitely many distinct `atoms` with the given `probabilities`."""

    kind: Literal["discrete"] = "discrete"
    atoms: Annotated[tuple[Atom, ...], Field(min_length=1, max_length=16)]
    probabilities: Annotated[tuple[Probability, ...], Field(min_length=1, max_length=16)]

    @model_validator(mode="after")
    def _is_a_distribution(self) -> "DiscreteTarget":
        if len(self.atoms) != len(self.probabilities):
            raise ValueError("atoms and probabilities must have the same length")
        if len(set(self.atoms)) != len(self.atoms):
            raise ValueError("atoms must be distinct")
        if abs(sum(self.probabilities) - 1) > 1e-9:
            raise ValueError("probabilities must sum to 1")
        return self


Target = Annotated[GaussianTarget | BernoulliGaussTarget | DiscreteTarget, Field(discriminator="kind")]


class Problem(Model):
    """A diagonal linear network w = (u² − v²)/2 learning y = X w* + ξ in the limit n, d → ∞."""

    aspect_ratio: Annotated[float, Field(ge=0.05, le=100, description="δ = n/d, samples per parameter")]
    target: Target
    noise_std: Annotated[float, Field(ge=0, le=10, description="σ, standard deviation of the label noise")] = 0.0
    initial_scale: Annotated[float, Field(ge=1e-4, le=100, description="a, with u(0) = v(0) = a")]
    weight_decay: Annotated[float, Field(ge=0, le=10, description="λ, the L2 penalty on u and v")] = 0.0

    @model_validator(mode="after")
    def _has_something_to_learn(self) -> "Problem":
        if self.noise_std == 0 and self.target_second_moment == 0:
            raise ValueError("target: all weights are zero and noise_std is 0, so there is nothing to learn")
        return self

    @property
    def target_second_moment(self) -> float:
        """E[w*²]."""
        match self.target:
            case GaussianTarget(std=std):
                return std**2
            case BernoulliGaussTarget(density=density, std=std):
                return density * std**2
            case DiscreteTarget(atoms=atoms, probabilities=probabilities):
                return sum(p * atom**2 for p, atom in zip(probabilities, atoms, strict=True))
