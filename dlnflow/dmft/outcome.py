"""What becomes of an iteration that has no fixed point: data that a caller decides on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

Out = TypeVar("Out")


@dataclass(frozen=True)
class Unsettled:
    """No fixed point, and `why`. Solves that end at the time `reached` may have one; 0 where that is not known."""

    why: str
    reached: float = 0.0


def settled(outcomes: Iterable[Out | Unsettled]) -> list[Out] | Unsettled:
    """All outcomes in their order, or the first that is Unsettled."""
    every: list[Out] = []
    for outcome in outcomes:
        if isinstance(outcome, Unsettled):
            return outcome
        every.append(outcome)
    return every
