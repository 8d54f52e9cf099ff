"""How far the iteration of a panel is, when it ends, and when the other method takes over."""

from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from dlnflow.dmft.constants import GROWN, MISLEADING, NEWTON_FROM, NEWTON_STALLED, STALLED, TOLERANCES


class Verdict(Enum):
    """What becomes of an iteration after a step."""

    GO_ON = auto()
    SETTLED = auto()
    STALLED = auto()  # and its residual is acceptable
    UNSETTLED = auto()


@dataclass(frozen=True)
class Bounds:
    """Of an iteration: the residual wanted, that which is acceptable where it stalls, and the most evaluations of its map.

    By Newton's method, which gains it at once, the residual wanted is the least there is: where it is needed, errors are many times that.
    """

    tolerance: float
    acceptable: float
    most: int

    def wanted(self, standing: "Standing") -> float:
        """The residual wanted of an iteration."""
        return min(self.tolerance, TOLERANCES[0]) if standing.by_newton else self.tolerance


@dataclass(frozen=True)
class Standing:
    """How far an iteration is after a `number` of evaluations: the last and the `least` residual.

    `halved` is the least residual when it had last become less than half of what it was, at evaluation `halved_at`. An iteration that is
    `guided` started from a guess that may mislead. It is `lost` where paths did not settle at the last evaluation. After `since`
    evaluations the present method took over: Newton's, if `by_newton`, which is `stuck` where no share of its step leads on.
    """

    number: int = 0
    residual: float = np.inf
    least: float = np.inf
    halved: float = np.inf
    halved_at: int = 0
    guided: bool = False
    lost: bool = False
    since: int = 0
    by_newton: bool = False
    stuck: bool = False

    @property
    def is_to_change(self) -> bool:
        """Whether the other method takes over: Newton's from a point that is not much worse than the best."""
        if self.by_newton:
            return self.stuck or self.number - max(self.halved_at, self.since) >= NEWTON_STALLED
        return self.number - self.since >= NEWTON_FROM and self.residual < GROWN * self.least

    def changed(self) -> "Standing":
        """With the other method."""
        return replace(self, by_newton=not self.by_newton, since=self.number, stuck=False)

    def after(self, residual: float) -> "Standing":
        """After another evaluation with this residual."""
        number, least = self.number + 1, min(self.least, residual)
        halved, halved_at = (least, number) if least < self.halved / 2 else (self.halved, self.halved_at)
        return replace(self, number=number, residual=residual, least=least, halved=halved, halved_at=halved_at, lost=False)


def terminate(standing: Standing, bounds: Bounds) -> Verdict:
    """Whether an iteration ends, and how."""
    least, acceptable = standing.least, standing.least < bounds.acceptable
    if least < bounds.wanted(standing):
        return Verdict.SETTLED
    if standing.number >= bounds.most:
        return Verdict.STALLED if acceptable else Verdict.UNSETTLED
    if standing.lost:
        return Verdict.GO_ON
    if acceptable and standing.number - standing.halved_at >= STALLED:
        return Verdict.STALLED
    return Verdict.UNSETTLED if standing.guided and standing.number > 1 and least > MISLEADING else Verdict.GO_ON
