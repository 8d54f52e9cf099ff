"""How u and v move: one dynamics a class."""

import math
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dlnflow.model.base import Array, Model
from dlnflow.model.schedules import Schedule, StepSize

SLACK = 1e-9  # relative rounding of a time that still counts as that of a step
Found = TypeVar("Found")


class DynamicsLaw(Model):
    """What solvers and forecasts ask of a dynamics."""

    is_discrete: ClassVar[bool]
    """Whether it goes in steps."""

    @property
    def is_stochastic(self) -> bool:
        """Whether it is random for given data and initial values."""
        return False

    @property
    def ends_at(self) -> float:
        """The last time that it reaches."""
        return math.inf

    def steps(self, horizon: float) -> float:
        """How many steps, maybe not a whole number, there are until the `horizon`; 0 where time is continuous."""
        return 0.0

    def choose(
        self,
        flow: "Callable[[GradientFlow], Found]",
        descent: "Callable[[GradientDescent], Found]",
        stochastic: "Callable[[StochasticGradientFlow], Found]",
    ) -> Found:
        """What the one of three solvers gives that this dynamics is for."""
        match self:
            case GradientFlow():
                return flow(self)
            case GradientDescent():
                return descent(self)
            case StochasticGradientFlow():
                return stochastic(self)
        raise AssertionError(f"{type(self).__name__} has no solver")


class GradientFlow(DynamicsLaw):
    """du/dt = −d ∂L/∂u, dv/dt = −d ∂L/∂v: gradient descent with an infinitesimal step."""

    is_discrete = False

    kind: Literal["gradient_flow"] = "gradient_flow"


class StochasticGradientFlow(DynamicsLaw):
    """Gradient flow under the noise of small batches: the limit of short steps η at a fixed temperature τ = η(1 − b)/(bδ).

    du/dt = −u^(L−1) h − λu and likewise v with −h, where every sample has a Brownian motion of its own in h, of the strength of
    its residual: dH = (1/δ) Xᵀ(r dt + √(τδ) r dB), in the sense of Itô (arXiv 2602.06320).
    """

    is_discrete = False

    kind: Literal["stochastic_gradient_flow"]
    temperature: Annotated[
        float, Field(gt=0, le=100, description="τ = η(1 − b)/(bδ), of steps η and the share b of the samples in a batch")
    ]

    @property
    def is_stochastic(self) -> bool:
        """It is."""
        return True


def _is_one(value: object) -> bool:
    return value == 1


def _is_zero(value: object) -> bool:
    return value == 0


class GradientDescent(DynamicsLaw):
    """u ← u − η d ∂L/∂u + β (u − u before) and likewise v, at the times 0, η₀, η₀ + η₁, …, exact for finite steps η_j.

    With a `batch_fraction` b below 1, every step uses each sample independently with probability b, its gradient divided by b; with
    `label_noise_std` σ_l, every step adds fresh noise of that size to the labels.
    """

    is_discrete = True

    kind: Literal["gradient_descent"]
    step_size: Annotated[StepSize, Field(description="η, dimensionless time per step: a number, or a schedule")]
    batch_fraction: Annotated[
        float, Field(gt=0, le=1, exclude_if=_is_one, description="b, the share of the samples that a step uses, chosen anew at each")
    ] = 1.0
    momentum: Annotated[float, Field(ge=0, lt=1, exclude_if=_is_zero, description="β, of the heavy ball")] = 0.0
    label_noise_std: Annotated[
        float, Field(ge=0, le=10, exclude_if=_is_zero, description="σ_l, standard deviation of the noise that each step adds to the labels")
    ] = 0.0

    @property
    def is_stochastic(self) -> bool:
        """Whether batches or labels are drawn for every step."""
        return self.batch_fraction < 1 or self.label_noise_std > 0

    @property
    def is_plain(self) -> bool:
        """Whether it is gradient descent of the whole loss with equal steps and nothing else."""
        return not (self.is_stochastic or self.momentum or isinstance(self.step_size, Schedule))

    @property
    def ends_at(self) -> float:
        """The time after the last step of the schedule; infinite where steps are all alike."""
        return float(self.step_size.sizes.sum()) if isinstance(self.step_size, Schedule) else math.inf

    @property
    def typical_step(self) -> float:
        """The mean step."""
        return float(self.step_size.sizes.mean()) if isinstance(self.step_size, Schedule) else self.step_size

    def stable_step(self, largest: float) -> float:
        """The step up to which small motions decay: 2(1 + β)/Λ, Λ the `largest` eigenvalue of du/dt linearised (Polyak 1964)."""
        return 2 * (1 + self.momentum) / largest

    def stable_batch_step(self, mean: float, aspect_ratio: float) -> float:
        """The step from which on what batches leave out feeds itself: τ E[c k] = 2(1 − β), τ = η(1 − b)/(bδ), `mean` = E[c k].

        It is infinite without batches.
        """
        b = self.batch_fraction
        return 2 * (1 - self.momentum) * b * aspect_ratio / ((1 - b) * mean) if b < 1 else math.inf

    def steps(self, horizon: float) -> float:
        """t/η; of a schedule, with the next step's share."""
        if not isinstance(self.step_size, Schedule):
            return horizon / self.step_size
        times = self.times(horizon)
        return float(np.interp(horizon, times, np.arange(len(times))))

    def sizes(self, horizon: float) -> Array:
        """η of every step up to the `horizon`, shape (K,); of a schedule, all of them."""
        if isinstance(self.step_size, Schedule):
            return self.step_size.sizes
        return np.full(int(np.floor(horizon / self.step_size * (1 + SLACK))), self.step_size)

    def times(self, horizon: float) -> Array:
        """The time of every state up to the `horizon`, shape (K + 1,), 0 first; of a schedule, of all."""
        if isinstance(self.step_size, Schedule):
            return np.append(0.0, np.cumsum(self.step_size.sizes))
        return np.asarray(self.step_size * np.arange(len(self.sizes(horizon)) + 1.0))

    def steps_until(self, t: Array, horizon: float) -> NDArray[np.intp]:
        """How many steps have been made by the times `t`, shape (T,): the most that end at t or before."""
        times = self.times(horizon)
        return np.asarray(np.searchsorted(times, np.asarray(t) * (1 + SLACK) + SLACK * self.typical_step, side="right") - 1)


Dynamics = Annotated[GradientFlow | GradientDescent | StochasticGradientFlow, Field(discriminator="kind")]
