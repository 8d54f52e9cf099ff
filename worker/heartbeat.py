"""Follows a running job: tells its progress, keeps its checkpoints, notices when it was taken away, stops it when its time is over."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

from dlnflow.left import TimeLeft
from dlnflow.solution import CURVES, Array, Cancelled, Journal, SolveError
from dlnflow.wire import results
from store.jobs import Attempt, JobStore

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.25
FIRST_CHECKPOINT_SECONDS = 0.5  # from the beginning; a shorter job is done again as soon
CHECKPOINT_RATE = 1e6  # bytes a second of checkpoints that one job writes, on average
MOST_CHECKPOINT = 32_000_000  # bytes; what is larger would cost the store more than doing the work again


class Heartbeat(Journal):
    """A thread beside the solver, so that observing costs the solver nothing."""

    def __init__(self, store: JobStore, attempt: Attempt, limit: float) -> None:
        self._store, self._attempt = store, attempt
        self._limit, self._deadline = limit, time.monotonic() + limit
        self._latest = (0.0, "starting")
        self._left = TimeLeft()
        self._preview: bytes | None = None
        self._checkpoint: bytes | None = None
        self._next_save = time.monotonic() + FIRST_CHECKPOINT_SECONDS
        self.earlier = store.load_checkpoint(attempt.id)
        self._lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def observe(self, progress: float, message: str) -> None:
        """The solver's observer: note how far it is, and stop it where the job is no longer ours or took too long."""
        if self._lost.is_set():
            raise Cancelled
        if time.monotonic() > self._deadline:
            raise SolveError("timeout", f"the job took longer than its {self._limit:g} s; try a shorter horizon or a lower accuracy")
        self._latest = (min(max(float(progress), self._latest[0]), 1.0), message)

    def preview(self, time: Array, values: dict[str, Array], stderr: dict[str, Array] | None = None) -> None:
        """Let those who follow the job see its curves as they are known so far."""
        errors = {f"{name}_stderr": stderr[name] for name in CURVES} if stderr else {}
        self._preview = results.to_json({"time": time} | {name: values[name] for name in CURVES} | errors)

    def save(self, checkpoint: Callable[[], bytes]) -> None:
        """Leave the next attempt something to go on from, as often as the store should bear."""
        if time.monotonic() > self._next_save:
            found = checkpoint()
            self._checkpoint = found if len(found) <= MOST_CHECKPOINT else None
            self._next_save = time.monotonic() + len(found) / CHECKPOINT_RATE

    def expect(self, seconds: float) -> None:
        """Count down from here what is told to be left."""
        self._left.expect(seconds)

    def _beat(self) -> None:
        told, quiet = (*self._latest, self._left.seconds), 0
        while not self._stop.wait(PERIOD_SECONDS):
            self._keep()
            latest, quiet = (*self._latest, self._left.seconds), quiet + 1
            if latest == told and quiet * PERIOD_SECONDS < 1:
                continue
            if not self._tell(*latest):
                self._lost.set()
                return
            told, quiet = latest, 0

    def _keep(self) -> None:
        """Pass on the newest preview and checkpoint; either is of use, but not needed."""
        preview, checkpoint, self._preview, self._checkpoint = self._preview, self._checkpoint, None, None
        try:
            if preview:
                self._store.add_preview(self._attempt, preview)
            if checkpoint:
                self._store.save_checkpoint(self._attempt, checkpoint)
        except Exception as error:  # a store that is away or full
            log.warning("job %s: checkpoint or preview not kept: %s", self._attempt.id, error)

    def _tell(self, progress: float, message: str, left: float | None) -> bool:
        try:
            return self._store.progress(self._attempt, progress, message, left)
        except Exception as error:  # a store that is away comes back
            log.warning("job %s: progress not told: %s", self._attempt.job.id, error)
            return True
