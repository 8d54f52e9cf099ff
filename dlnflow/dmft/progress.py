"""The progress of a solve, as one fraction, and the curves on the way."""

import time
from collections.abc import Callable
from threading import Lock

from dlnflow.dmft.constants import (
    PREVIEW_SECONDS,
)
from dlnflow.solution import Array, Journal, Observer


class Progress:
    """Turns the steps done by several threads into one fraction, and stops all of them when the observer raises."""

    def __init__(self, observe: Observer, horizon: float, journal: Journal, reached: float = 0.0) -> None:
        self.observe, self.horizon, self.journal = observe, horizon, journal
        self.lock, self.shown, self.reached = Lock(), 0.0, reached
        self.stopped: BaseException | None = None
        self.number, self.time = 1, 0.0
        self.stage(0.0, 1.0, 1)

    def stage(self, low: float, high: float, steps: int, name: str = "{where}") -> None:
        """The `steps` to come take the progress from `low` to `high`; `name` says what they are, `{where}` in it how far along the time,
        and `{number}` which pass over the time it is, counted in a solve from 1 on.

        It does not fall: a stage that has to be done again begins from where the progress is.
        """
        self.low, self.high = max(low, self.reached), max(high, self.reached)
        self.done, self.total, self.name = 0, steps, name

    def __call__(self, t: float) -> None:
        """A step that ends at time `t` is done."""
        with self.lock:
            if self.stopped:
                raise self.stopped
            self.done += 1
            self.number, self.time = self.number + (t < self.time), t
            self.reached = self.low + (self.high - self.low) * min(1.0, self.done / self.total)
            where = f"t = {t:.3g} of {self.horizon:g}"
            try:
                self.observe(self.reached, self.name.format(where=where, number=self.number))
            except BaseException as error:
                self.stopped = error
                raise

    def show(self, known: Callable[[], tuple[Array, dict[str, Array]]]) -> None:
        """The times up to which a pass has come and the curves there, if it is a while since the last ones."""
        if time.monotonic() - self.shown > PREVIEW_SECONDS:
            self.journal.preview(*known())
            self.shown = time.monotonic()
