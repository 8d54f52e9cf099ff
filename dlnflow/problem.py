"""What is solved: a diagonal linear network trained on a linear teacher (arXiv 2510.01930).

Every quantity is dimensionless. Ranges are those in which the solvers are tested.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """A frozen pydantic model that refuses unknown fields, infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _wrong(field: str, message: str) -> PydanticCustomError:
    """A rule about several fields that is broken, and which of them to change."""
    return PydanticCustomError("contradiction", "{message}", {"message": message, "field": field})


def _integer(value: Any) -> Any:
    """A float that is an integer, and that no rounding can have made one, as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


Integral = BeforeValidator(_integer)  # for fields that are integers: 100.0 and 1e2 are 100

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
            raise _wrong("probabilities", "atoms and probabilities must have the same length")
        if len(set(self.atoms)) != len(self.atoms):
            raise _wrong("atoms", "atoms must be distinct")
        if abs(sum(self.probabilities) - 1) > 1e-9:
            raise _wrong("probabilities", f"probabilities must sum to 1, not {sum(self.probabilities):.12g}")
        return self


Target = Annotated[GaussianTarget | BernoulliGaussTarget | DiscreteTarget, Field(discriminator="kind")]


Scale = Annotated[float, Field(ge=1e-4, le=100)]


class PairScale(Model):
    """Constant initial values that differ: u(0) = `u`, v(0) = `v`, so that w(0) = (u² − v²)/2."""

    u: Scale
    v: Scale


class GaussianScale(Model):
    """Random initial values: the entries of u(0) and v(0) are independent draws from N(0, std²)."""

    kind: Literal["gaussian"]
    std: Scale


def _kind_of_scale(value: Any) -> str:
    if isinstance(value, PairScale) or (isinstance(value, dict) and value.keys() & {"u", "v"}):
        return "pair"
    return "random" if isinstance(value, GaussianScale | dict) else "balanced"


InitialScale = Annotated[
    Annotated[Scale, Tag("balanced")] | Annotated[PairScale, Tag("pair")] | Annotated[GaussianScale, Tag("random")],
    Discriminator(_kind_of_scale),
]


class GradientFlow(Model):
    """du/dt = −d ∂L/∂u, dv/dt = −d ∂L/∂v: gradient descent with an infinitesimal step."""

    kind: Literal["gradient_flow"] = "gradient_flow"


class GradientDescent(Model):
    """u ← u − η d ∂L/∂u and likewise v, at the times 0, η, 2η, … with η = `step_size`, exact for a finite step."""

    kind: Literal["gradient_descent"]
    step_size: Annotated[float, Field(ge=1e-5, le=10, description="η, dimensionless time per step")]


Dynamics = Annotated[GradientFlow | GradientDescent, Field(discriminator="kind")]


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
            raise _wrong("target", "all weights are zero and noise_std is 0, so there is nothing to learn")
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

    @property
    def is_symmetric(self) -> bool:
        """Whether (u, v, w*) and (v, u, −w*) have the same law at t = 0, and then at all times."""
        return not isinstance(self.target, DiscreteTarget) and not isinstance(self.initial_scale, PairScale)

    @property
    def initial_second_moment(self) -> float:
        """E[u(0)²/2 + v(0)²/2], a² where the initial values are balanced."""
        match self.initial_scale:
            case PairScale(u=u, v=v):
                return (u**2 + v**2) / 2
            case GaussianScale(std=std):
                return std**2
            case a:
                return a**2

    @property
    def initial_error(self) -> float:
        """E[(w(0) − w*)²]."""
        match self.initial_scale:
            case PairScale(u=u, v=v):
                w = (u**2 - v**2) / 2
                return self.target_second_moment - 2 * w * self.target_mean + w**2
            case GaussianScale(std=std):
                return self.target_second_moment + std**4
            case _:
                return self.target_second_moment

    @property
    def target_mean(self) -> float:
        """E[w*]."""
        if isinstance(self.target, DiscreteTarget):
            return sum(p * atom for p, atom in zip(self.target.probabilities, self.target.atoms, strict=True))
        return 0.0
