"""Follows a running job: reports its progress, notices when it was taken away, and stops it when its time is over."""

import logging
import threading
import time
from types import TracebackType

from dlnflow.jobs.store import Attempt, JobStore
from dlnflow.solution import Cancelled, SolveError

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.25


class Heartbeat:
    """A thread beside the solver, so that observing costs the solver nothing."""

    def __init__(self, store: JobStore, attempt: Attempt, limit: float) -> None:
        self._store, self._attempt = store, attempt
        self._limit, self._deadline = limit, time.monotonic() + limit
        self._latest = (0.0, "starting")
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

    def _beat(self) -> None:
        told, quiet = self._latest, 0
        while not self._stop.wait(PERIOD_SECONDS):
            latest, quiet = self._latest, quiet + 1
            if latest == told and quiet * PERIOD_SECONDS < 1:
                continue
            if not self._tell(*latest):
                self._lost.set()
                return
            told, quiet = latest, 0

    def _tell(self, progress: float, message: str) -> bool:
        try:
            return self._store.progress(self._attempt, progress, message)
        except Exception as error:  # a store that is away comes back
            log.warning("job %s: progress not told: %s", self._attempt.job.id, error)
            return True
