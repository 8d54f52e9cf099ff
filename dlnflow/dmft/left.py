"""How long the rest of a solve takes, as expected at each stage from the seconds of those before it."""

import time
from collections.abc import Callable

from dlnflow.dmft.constants import PANELS_OVER_PANELS, ROUND_POWER, ROUNDS_OVER_PANELS, SEPARATE_OVER_PANELS
from dlnflow.dmft.stages import Check, Panels, Round, Separate, Stage, TimeStep
from dlnflow.solution import Journal


class Left:
    """The clock of a solve: before a stage that tells what is to come, it lets the journal know how long that takes.

    Rounds are known from the panels, which are solved on a small sample, and then from the round before. Nothing is known
    while the first panels are made, nor right after a solve was taken up; checks and time steps are counted with their round.
    """

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self._stage: Stage | None = None
        self._since = clock()
        self._panels = 0.0  # seconds of the last try
        self._round: Round | None = None
        self._of_round = 0.0  # seconds, with its checks

    def begins(self, stage: Stage) -> None:
        """The stage before has ended, and this one begins."""
        now = self._clock()
        self._ended(now - self._since)
        self._stage, self._since = stage, now
        if expected := self._expected(stage):
            self._journal.expect(expected)

    def _ended(self, seconds: float) -> None:
        match self._stage:
            case Panels():
                self._panels, self._round = seconds, None
            case Round():
                self._round, self._of_round = self._stage, seconds
            case Check() | TimeStep():
                self._of_round += seconds

    def _expected(self, stage: Stage) -> float:
        """Seconds of this stage and those that usually follow; 0 where that is not known, or was told before."""
        match stage:
            case Panels():
                return PANELS_OVER_PANELS * self._panels
            case Round() if self._round:
                return self._of_round * (stage.paths / self._round.paths) ** ROUND_POWER
            case Round():
                return ROUNDS_OVER_PANELS * self._panels
            case Separate():
                return SEPARATE_OVER_PANELS * self._panels
        return 0.0
