"""Requests on the wire: what a client may ask for. A job is its content: see `job_id`."""

import hashlib
import json
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, JsonValue, TypeAdapter, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from dlnflow import __version__
from dlnflow.model import Design, Dynamics, GaussianDesign, GradientFlow, Integral, Model, Problem, StochasticGradientFlow
from dlnflow.wire import points
from dlnflow.wire.fields import path_of, sentence_of

MAX_TIMES = 1000
MAX_POINTS = 10_000

SHORTEST = 1e-12  # a time below which a step's third power is no number any more


def _time(t: float) -> float:
    if 0 < t < SHORTEST:
        raise ValueError(f"a time is 0 or at least {SHORTEST}")
    return t


Time = Annotated[float, Field(ge=0), AfterValidator(_time)]
Horizon = Annotated[float, Field(ge=1e-2, le=1e5, description="last time of the curves, dimensionless")]
Seed = Annotated[int, Field(ge=0, lt=2**63, description="of everything random: the same request gives the same numbers"), Integral]


class TimedRequest(Model):
    """A job whose result is a set of curves up to `horizon`."""

    max_steps: ClassVar[int]

    problem: Problem
    horizon: Horizon
    times: Annotated[
        Annotated[tuple[Time, ...], Field(min_length=1, max_length=MAX_TIMES)] | None,
        Field(description="increasing times of the curves, up to the horizon; where left out, a grid is chosen, logarithmic in time"),
    ] = None
    seed: Seed = 0
    dynamics: Annotated[Dynamics, Field(description="gradient flow, stochastic or not, or gradient descent with a finite step")] = (
        GradientFlow()
    )
    truncation: Annotated[
        Annotated[float, Field(ge=1e-2, le=1e4)] | None, Field(description="M: u and v are clipped to [−M, M] in the dynamics and in w")
    ] = None

    @field_validator("dynamics")
    @classmethod
    def _few_steps(cls, dynamics: Dynamics, info: ValidationInfo) -> Dynamics:
        horizon = info.data.get("horizon")
        steps = 0.0 if horizon is None else dynamics.steps(horizon)
        if steps > cls.max_steps * (1 + 1e-9):
            raise PydanticCustomError(
                "too_many_steps",
                "horizon / step_size must be at most {most} steps; use a larger step_size or a shorter horizon",
                {"most": cls.max_steps, "field": "step_size"},
            )
        if horizon is not None and horizon > dynamics.ends_at * (1 + 1e-9):
            raise PydanticCustomError(
                "schedule_ends",
                "the steps of the schedule end at t = {end}, before the horizon; lower horizon or give more steps",
                {"end": f"{dynamics.ends_at:.6g}", "field": "step_size"},
            )
        if 0 < steps < 1:
            raise PydanticCustomError("no_step", "the first step must end within the horizon; raise horizon", {"field": "step_size"})
        return dynamics

    @field_validator("times")
    @classmethod
    def _increasing(cls, times: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if times is not None and any(a >= b for a, b in pairwise(times)):
            raise ValueError("times must be strictly increasing; sort them and drop repeated ones")
        return times

    @field_validator("truncation")
    @classmethod
    def _of_depth_two(cls, truncation: float | None, info: ValidationInfo) -> float | None:
        problem: Problem | None = info.data.get("problem")
        if truncation is not None and problem and problem.depth != 2:
            raise ValueError("a truncation is for networks of depth 2; leave out truncation, or the depth of the problem")
        return truncation

    @model_validator(mode="after")
    def _within_horizon(self) -> "TimedRequest":
        if self.times is not None and self.times[-1] > self.horizon:
            raise PydanticCustomError(
                "beyond_horizon", "times must not pass the horizon; raise horizon or drop the later times", {"field": "times"}
            )
        return self


class DmftFields(TimedRequest):
    """What a mean-field solve needs."""

    max_steps: ClassVar[int] = 2000

    accuracy: Annotated[
        float,
        Field(ge=1e-4, le=0.2, description="largest error of any curve, relative to it, or to 1e-3 of its peak where it is below that"),
    ] = 0.01

    @field_validator("dynamics")
    @classmethod
    def _has_mean_field(cls, dynamics: Dynamics, info: ValidationInfo) -> Dynamics:
        problem: Problem | None = info.data.get("problem")
        if problem and isinstance(dynamics, StochasticGradientFlow) and (why := problem.why_not_stochastic):
            raise PydanticCustomError("no_mean_field", "stochastic gradient flow: {why}", {"why": why, "field": "kind"})
        return dynamics

    @model_validator(mode="after")
    def _followed(self) -> "DmftFields":
        if not self.dynamics.is_discrete and self.horizon > self.problem.followed_until:
            raise PydanticCustomError(
                "not_followed",
                "at this depth and weight_decay the mean field of gradient flow is followed up to t = {end}; lower horizon or weight_decay",
                {"end": f"{self.problem.followed_until:.4g}", "field": "horizon"},
            )
        return self

    @field_validator("truncation")
    @classmethod
    def _truncated_descent(cls, truncation: float | None, info: ValidationInfo) -> float | None:
        dynamics: Dynamics | None = info.data.get("dynamics")
        if truncation is not None and dynamics and not dynamics.is_discrete:
            raise ValueError("the mean-field theory is truncated for gradient descent only; give dynamics a step_size, or simulate")
        return truncation


class SimulationFields(TimedRequest):
    """What a simulation needs."""

    max_steps: ClassVar[int] = 100_000

    dimension: Annotated[int, Field(ge=10, le=20_000, description="d, parameters of the network"), Integral] = 1000
    replicas: Annotated[int, Field(ge=2, le=1000, description="independent networks to average"), Integral] = 8
    design: Annotated[Design, Field(description="law of the entries of X")] = GaussianDesign()
    standard_error: Annotated[
        Annotated[float, Field(ge=1e-4, le=1)] | None,
        Field(description="end with fewer replicas, 4 or more, when the relative standard error of every curve is down to this"),
    ] = None

    @model_validator(mode="after")
    def _has_samples(self) -> "SimulationFields":
        if round(self.problem.aspect_ratio * self.dimension) < 1:
            raise PydanticCustomError(
                "no_samples", "aspect_ratio · dimension must be at least one sample; raise dimension", {"field": "dimension"}
            )
        return self


class DmftRequest(DmftFields):
    """Solve the dynamical mean-field theory of gradient flow or descent to the relative accuracy `accuracy`."""

    kind: Literal["dmft"]


class SimulationRequest(SimulationFields):
    """Simulate `replicas` finite networks with `dimension` parameters each."""

    kind: Literal["simulation"]


def _is_flow(value: object) -> bool:
    return isinstance(value, GradientFlow)


class TheoryRequest(Model):
    """State what is known in closed form: where the problem ends, how fast, and on which time scales."""

    kind: Literal["theory"]
    problem: Problem
    dynamics: Annotated[
        Dynamics,
        Field(
            exclude_if=_is_flow,
            description="gradient flow, stochastic or not, or gradient descent, of which batches, momentum and stable steps are described",
        ),
    ] = GradientFlow()


class ComparisonRequest(DmftFields, SimulationFields):
    """Solve the mean-field theory, simulate the same problem, and say whether they agree."""

    kind: Literal["comparison"]

    @property
    def size(self) -> int:
        """How many children there are."""
        return 2

    def values(self, index: int) -> dict[str, Any]:
        """What sets one child apart."""
        return {"kind": ("dmft", "simulation")[index]}

    def child(self, index: int) -> DmftRequest | SimulationRequest:
        """The request of one child: 0 for the mean-field theory, 1 for the simulation."""
        model = (DmftRequest, SimulationRequest)[index]
        fields: dict[str, Any] = {name: getattr(self, name) for name in model.model_fields if name != "kind"}
        return model(**fields, **self.values(index))


Base = Annotated[DmftRequest | SimulationRequest | TheoryRequest | ComparisonRequest, Field(discriminator="kind")]
base_adapter: TypeAdapter[Base] = TypeAdapter(Base)
Axis = Annotated[tuple[JsonValue, ...], Field(min_length=1)]


class SweepRequest(Model):
    """Run `base` at every combination of the values on `axes`, whose names are dotted paths such as `problem.initial_scale`."""

    kind: Literal["sweep"]
    base: Annotated[Base, Field(description="a job of another kind")]
    axes: Annotated[dict[str, Axis], Field(min_length=1, max_length=16, description=f"values by dotted path, up to {MAX_POINTS} points")]

    @field_validator("axes")
    @classmethod
    def _points_can_run(cls, axes: dict[str, Axis], info: ValidationInfo) -> dict[str, Axis]:
        """Every value is replaced by what the field makes of it, so that 1 and 1.0 are the same point."""
        size = points.count(axes)
        if size > MAX_POINTS:
            raise PydanticCustomError(
                "too_many_points",
                "{size} points are more than {most}; use fewer values",
                {"size": size, "most": MAX_POINTS, "base": info.data.get("base")},
            )
        for path in axes:
            if around := next((other for other in axes if path.startswith(f"{other}.")), None):
                raise _refusal(path, f"it lies within the axis {around}; give whole values on that one")
        if "base" not in info.data:
            return axes
        base = info.data["base"].model_dump(mode="json")
        first = {path: values[0] for path, values in axes.items()}
        read = {path: tuple(_read(base, first | {path: value}, path) for value in values) for path, values in axes.items()}
        for path, axis in read.items():
            if len({json.dumps(value, sort_keys=True) for value in axis}) < len(axis):
                raise _refusal(path, "the values of an axis must differ")
        for index in range(size if len(read) > 1 else 0):
            _point(base, points.values_at(read, index), list(read)[-1])
        return read

    @property
    def size(self) -> int:
        """How many children there are."""
        return points.count(self.axes)

    def values(self, index: int) -> dict[str, Any]:
        """What sets one child apart: its value on every axis."""
        return points.values_at(self.axes, index)

    def child(self, index: int) -> Base:
        """The request of one child."""
        return base_adapter.validate_python(points.with_values(self.base.model_dump(mode="json"), self.values(index)))


def _read(base: dict[str, Any], values: dict[str, Any], path: str) -> Any:
    """The value on the axis `path`, as its field reads it."""
    return points.value_of(_point(base, values, path), path)


def _point(base: dict[str, Any], values: dict[str, Any], path: str) -> Base:
    """The request at one point; a refusal names the axis `path`."""
    try:
        return base_adapter.validate_json(json.dumps(points.with_values(base, values)), strict=True)
    except KeyError:
        raise _refusal(path, f"a job of kind {base['kind']} has no such field here") from None
    except ValidationError as error:
        raise _refusal(path, _wrong(error.errors()[0], values, path)) from None


def _wrong(error: Any, values: dict[str, Any], path: str) -> str:
    """What is wrong at a point: a rule about several fields is told with the values on all axes, any other with that on the axis `path`."""
    where, together = path_of(error), "field" in error.get("ctx", {})
    given = ", ".join(f"{name} = {json.dumps(value)}" for name, value in (values if together else {path: values[path]}).items())
    elsewhere = "" if where == path else f"{where}: "
    remedy = f"; give whole values on an axis {where}" if together and path.startswith(f"{where}.") else ""
    return f"{given}: {elsewhere}{sentence_of(error)}{remedy}"


def _refusal(path: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("axis", "{message}", {"message": message, "field": path})


ParentRequest = ComparisonRequest | SweepRequest
Request = Annotated[
    DmftRequest | SimulationRequest | TheoryRequest | ComparisonRequest | SweepRequest,
    Field(discriminator="kind"),
]
request_adapter: TypeAdapter[Request] = TypeAdapter(Request)


def job_id(request: Request) -> str:
    """The content address of a request, defaults filled in, on this version of the solvers."""
    content = f"{__version__}\n{request.model_dump_json()}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
