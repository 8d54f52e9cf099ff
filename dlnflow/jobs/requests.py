"""Requests on the wire: what a client may ask for. A job is its content: see `job_id`."""

import hashlib
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlnflow import __version__
from dlnflow.design import Design, GaussianDesign
from dlnflow.problem import Dynamics, GradientDescent, GradientFlow, Model, Problem

MAX_TIMES = 1000

Horizon = Annotated[float, Field(ge=1e-2, le=1e5, description="last time of the curves, dimensionless")]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class TimedRequest(Model):
    """A job whose result is a set of curves up to `horizon`."""

    max_steps: ClassVar[int]

    problem: Problem
    horizon: Horizon
    times: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1, max_length=MAX_TIMES)] | None = None
    seed: Seed = 0
    dynamics: Annotated[Dynamics, Field(description="gradient flow, or gradient descent with a finite step")] = GradientFlow()

    @field_validator("dynamics")
    @classmethod
    def _few_steps(cls, dynamics: Dynamics, info: ValidationInfo) -> Dynamics:
        horizon = info.data.get("horizon")
        if isinstance(dynamics, GradientDescent) and horizon is not None and horizon / dynamics.step_size > cls.max_steps * (1 + 1e-9):
            raise PydanticCustomError(
                "too_many_steps",
                "horizon / step_size must be at most {most} steps; use a larger step_size or a shorter horizon",
                {"most": cls.max_steps, "field": "step_size"},
            )
        return dynamics

    @field_validator("times")
    @classmethod
    def _increasing(cls, times: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if times is not None and any(a >= b for a, b in pairwise(times)):
            raise ValueError("times must be strictly increasing; sort them and drop repeated ones")
        return times

    @model_validator(mode="after")
    def _within_horizon(self) -> "TimedRequest":
        if self.times is not None and self.times[-1] > self.horizon:
            raise ValueError("times must not pass the horizon; raise horizon or drop the later times")
        return self


class DmftRequest(TimedRequest):
    """Solve the dynamical mean-field theory of gradient flow to the relative accuracy `accuracy`."""

    kind: Literal["dmft"]
    dynamics: Annotated[GradientFlow, Field(description="gradient flow; gradient descent is for simulations")] = GradientFlow()
    accuracy: Annotated[float, Field(ge=1e-4, le=0.2, description="largest relative error of any curve")] = 0.01


class SimulationRequest(TimedRequest):
    """Simulate `replicas` finite networks with `dimension` parameters each."""

    max_steps: ClassVar[int] = 100_000

    kind: Literal["simulation"]
    dimension: Annotated[int, Field(ge=10, le=20_000, description="d, parameters of the network")] = 1000
    replicas: Annotated[int, Field(ge=2, le=1000, description="independent networks to average")] = 8
    design: Annotated[Design, Field(description="law of the entries of X")] = GaussianDesign()
    standard_error: Annotated[
        Annotated[float, Field(ge=1e-4, le=1)] | None,
        Field(description="end with fewer replicas, 4 or more, when the relative standard error of every curve is down to this"),
    ] = None

    @model_validator(mode="after")
    def _has_samples(self) -> "SimulationRequest":
        if round(self.problem.aspect_ratio * self.dimension) < 1:
            raise ValueError("aspect_ratio · dimension must be at least one sample; raise dimension")
        return self


Request = Annotated[DmftRequest | SimulationRequest, Field(discriminator="kind")]
request_adapter: TypeAdapter[Request] = TypeAdapter(Request)


def job_id(request: Request) -> str:
    """The content address of a request, defaults filled in, on this version of the solvers."""
    content = f"{__version__}\n{request.model_dump_json()}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
