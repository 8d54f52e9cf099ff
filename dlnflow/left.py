"""How long a job still takes: what its solver expects, counted down and told with one digit."""

import time
from collections.abc import Callable

from dlnflow.solution import Journal, Observer

OVERDUE = 0.2  # of the time that has passed since: what takes longer than expected is taken to need that much still
LEAST_PROGRESS = 0.1  # from which on the time taken tells what is left


class TimeLeft:
    """Counts down from the latest expectation."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._latest: tuple[float, float] | None = None

    def expect(self, seconds: float) -> None:
        """From now on it takes about so long."""
        self._latest = self._clock(), seconds

    @property
    def seconds(self) -> float | None:
        """Seconds left, with one digit and at least one; None where nothing is expected."""
        if self._latest is None:
            return None
        since, expected = self._latest
        passed = self._clock() - since
        return max(1.0, float(f"{max(expected - passed, OVERDUE * passed):.1g}"))


def by_progress(observe: Observer, journal: Journal, clock: Callable[[], float] = time.monotonic) -> Observer:
    """An observer of a solve whose progress grows evenly: as `observe`, and it lets `journal` know what is left."""
    start: tuple[float, float] | None = None

    def watch(progress: float, message: str) -> None:
        nonlocal start
        start = start or (clock(), progress)
        gained = progress - start[1]
        if gained >= LEAST_PROGRESS:
            journal.expect((clock() - start[0]) * (1 - progress) / gained)
        observe(progress, message)

    return watch


def say(seconds: float | None) -> str:
    """For people; nothing where it is not known."""
    if seconds is None:
        return ""
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
