"""How u and v move: one dynamics a class."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from dlnflow.model.base import Model

Found = TypeVar("Found")


class DynamicsLaw(Model):
    """What solvers and forecasts ask of a dynamics."""

    is_discrete: ClassVar[bool]
    """Whether it goes in steps."""

    @abstractmethod
    def steps(self, horizon: float) -> float:
        """How many steps, maybe not a whole number, there are until the `horizon`; 0 where time is continuous."""

    @abstractmethod
    def choose(self, flow: "Callable[[GradientFlow], Found]", descent: "Callable[[GradientDescent], Found]") -> Found:
        """What the one of two solvers gives that this dynamics is for."""


class GradientFlow(DynamicsLaw):
    """du/dt = −d ∂L/∂u, dv/dt = −d ∂L/∂v: gradient descent with an infinitesimal step."""

    is_discrete = False

    kind: Literal["gradient_flow"] = "gradient_flow"

    def steps(self, horizon: float) -> float:
        """None."""
        return 0.0

    def choose(self, flow: "Callable[[GradientFlow], Found]", descent: "Callable[[GradientDescent], Found]") -> Found:
        """That of continuous time."""
        return flow(self)


class GradientDescent(DynamicsLaw):
    """u ← u − η d ∂L/∂u and likewise v, at the times 0, η, 2η, … with η = `step_size`, exact for a finite step."""

    is_discrete = True

    kind: Literal["gradient_descent"]
    step_size: Annotated[float, Field(ge=1e-5, le=10, description="η, dimensionless time per step")]

    def steps(self, horizon: float) -> float:
        """t/η."""
        return horizon / self.step_size

    def choose(self, flow: "Callable[[GradientFlow], Found]", descent: "Callable[[GradientDescent], Found]") -> Found:
        """That of steps."""
        return descent(self)


Dynamics = Annotated[GradientFlow | GradientDescent, Field(discriminator="kind")]
