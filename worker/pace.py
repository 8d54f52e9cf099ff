"""How fast this machine is at the moment: it varies from one to another, and by two thirds from hour to hour."""

import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawArray

from dlnflow import dmft
from dlnflow.forecast_fit import PACE_SECONDS
from dlnflow.model import BernoulliGaussTarget, Problem

PERIOD_SECONDS = 120.0  # between two measurements, which take a hundredth of it
REPEATS = 3  # of which the least counts: while a stack starts, a solve may take a third longer
PROBLEM = Problem(aspect_ratio=0.5, target=BernoulliGaussTarget(density=0.1), noise_std=0.1, initial_scale=0.3)


def measure(repeats: int = REPEATS) -> float:
    """The processor seconds of a solve, over those that it took where the forecast was fitted."""
    return min(_seconds() for _ in range(repeats)) / PACE_SECONDS


def _seconds() -> float:
    start = time.process_time()
    dmft.solve(PROBLEM, 32.0, accuracy=0.01)
    return time.process_time() - start


class Pace:
    """The latest measurement, shared with the children that are forked after it was made."""

    def __init__(self, measure: Callable[[], float] = measure) -> None:
        self._measure = measure
        self._shared = RawArray("d", [1.0, -PERIOD_SECONDS])  # the pace, and when it was measured

    @property
    def value(self) -> float:
        """Processor seconds that a job takes here for each that is forecast."""
        return float(self._shared[0])

    def begin(self) -> None:
        """A first, rough value while a worker starts, which loads the solver too; it is measured well after the first job."""
        self._shared[0] = measure(1)

    def refresh(self, now: float) -> None:
        """Measure again where that was not done lately; `now` in seconds on a clock of all processes, zero at its start."""
        if now - self._shared[1] >= PERIOD_SECONDS:
            self._shared[1] = now  # first, so that no other process does it too
            self._shared[0] = self._measure()
