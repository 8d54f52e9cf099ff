"""Step sizes that change from step to step: one schedule a class. On the wire a bare number η stands for steps that are all alike."""

from abc import abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from dlnflow.model.base import Array, Integral, Model, contradiction

MOST_STEPS = 100_000  # of one schedule, as many as a simulation may make
Step = Annotated[float, Field(ge=1e-5, le=10, description="η, dimensionless time per step")]
Steps = Annotated[int, Field(ge=1, le=MOST_STEPS, description="how many steps there are"), Integral]


class Schedule(Model):
    """A finite sequence of steps."""

    @property
    @abstractmethod
    def sizes(self) -> Array:
        """η of every step, shape (K,)."""


class ListSchedule(Schedule):
    """Steps that are given one by one."""

    kind: Literal["list"]
    values: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS, description="η of every step, in their order")]

    @property
    def sizes(self) -> Array:
        """The values."""
        return np.array(self.values)


class LinearSchedule(Schedule):
    """From `start` to `end` in equal changes: η_j = start + (end − start) j/(steps − 1)."""

    kind: Literal["linear"]
    start: Step
    end: Step
    steps: Steps

    @property
    def sizes(self) -> Array:
        """Those of `numpy.linspace`."""
        return np.linspace(self.start, self.end, self.steps)


class CosineSchedule(Schedule):
    """From `start` to `end` by half a period of the cosine: η_j = end + (start − end)(1 + cos(π j/(steps − 1)))/2."""

    kind: Literal["cosine"]
    start: Step
    end: Step
    steps: Steps

    @property
    def sizes(self) -> Array:
        """The first is `start`, the last `end`."""
        return self.end + (self.start - self.end) * (1 + np.cos(np.pi * np.linspace(0, 1, self.steps))) / 2


class WarmupDecaySchedule(Schedule):
    """Up to `peak` in `warmup_steps` equal changes, η_j = peak (j + 1)/warmup_steps, then down to `end` in equal changes."""

    kind: Literal["warmup_decay"]
    peak: Step
    end: Step
    warmup_steps: Steps
    steps: Steps

    @model_validator(mode="after")
    def _warms_up_within(self) -> "WarmupDecaySchedule":
        if self.warmup_steps >= self.steps:
            raise contradiction("warmup_steps", "warmup_steps must be fewer than steps; lower it or raise steps")
        return self

    @property
    def sizes(self) -> Array:
        """The first is peak/warmup_steps, the last `end`."""
        up = self.peak * np.arange(1, self.warmup_steps + 1) / self.warmup_steps
        return np.append(up, np.linspace(self.peak, self.end, self.steps - self.warmup_steps + 1)[1:])


NUMBER = "a number"  # in place of a kind, and among the kinds where one is refused


def _kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", NUMBER)
    return None if kind is None else str(kind)


def _one_number(value: Any) -> Any:
    if isinstance(value, list | tuple):
        raise PydanticCustomError("schedule", 'Input should be a number; a list of steps is written {"kind": "list", "values": […]}')
    return value


StepSize = Annotated[
    Annotated[Step, BeforeValidator(_one_number), Tag(NUMBER)]
    | Annotated[ListSchedule, Tag("list")]
    | Annotated[LinearSchedule, Tag("linear")]
    | Annotated[CosineSchedule, Tag("cosine")]
    | Annotated[WarmupDecaySchedule, Tag("warmup_decay")],
    Discriminator(_kind),
]
