"""What one time step takes and gives, whichever method makes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dlnflow.solution import Array

Field = Callable[[float, Array], Array]


@dataclass(frozen=True)
class Step:
    """The end of a step: the state `y`, its derivative `f` and the local error estimate, each of shape (d,).

    `interpolate(theta)` is the state at the fraction theta in [0, 1] of the step.
    """

    y: Array
    f: Array
    error: Array
    interpolate: Callable[[float], Array]


class Method(Protocol):
    """A one-step method for ẏ = field(t, y) whose Jacobian has a real, nonpositive spectrum."""

    order: int

    def longest(self, radius: float) -> float:
        """The longest stable step where the Jacobian has the spectral radius `radius`."""

    def cost(self, stiffness: float) -> int:
        """Evaluations of the field in a step with h · radius = `stiffness`."""

    def step(self, field: Field, t: float, y: Array, f: Array, h: float, radius: float) -> Step:
        """From y(t), shape (d,), with f = field(t, y), to t + h."""
