"""The progress of a solve, as one fraction."""

from threading import Lock

from dlnflow.solution import Observer


class Progress:
    """Turns the steps done by several threads into one fraction, and stops all of them when the observer raises."""

    def __init__(self, observe: Observer, horizon: float) -> None:
        self.observe, self.horizon = observe, horizon
        self.lock = Lock()
        self.stopped: BaseException | None = None
        self.stage(0.0, 1.0, 1)

    def stage(self, low: float, high: float, steps: int) -> None:
        """The `steps` to come take the progress from `low` to `high`."""
        self.low, self.high, self.done, self.total = low, high, 0, steps

    def __call__(self, t: float) -> None:
        """A step that ends at time `t` is done."""
        with self.lock:
            if self.stopped:
                raise self.stopped
            self.done += 1
            fraction = self.low + (self.high - self.low) * min(1.0, self.done / self.total)
            try:
                self.observe(fraction, f"t = {t:.3g} of {self.horizon:g}")
            except BaseException as error:
                self.stopped = error
                raise
