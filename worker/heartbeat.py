"""Holds a running job: renews its lease, reports its progress, and notices when it was taken away."""

import logging
import threading
from types import TracebackType

from dlnflow.jobs.store import Attempt, JobStore
from dlnflow.solution import Cancelled

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.25


class Heartbeat:
    """A thread beside the solver, so that observing costs the solver nothing."""

    def __init__(self, store: JobStore, attempt: Attempt) -> None:
        self._store, self._attempt = store, attempt
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
        """The solver's observer: note how far it is, and stop it where the job is no longer ours."""
        if self._lost.is_set():
            raise Cancelled
        self._latest = (min(max(float(progress), self._latest[0]), 1.0), message)

    def _beat(self) -> None:
        told, quiet = self._latest, 0
        while not self._stop.wait(PERIOD_SECONDS):
            latest, quiet = self._latest, quiet + 1
            if latest == told and quiet * PERIOD_SECONDS < 1:
                continue
            if not self._renew(*latest):
                self._lost.set()
                return
            told, quiet = latest, 0

    def _renew(self, progress: float, message: str) -> bool:
        try:
            return self._store.renew(self._attempt, progress, message)
        except Exception as error:  # a store that is away comes back; the lease decides
            log.warning("job %s: lease not renewed: %s", self._attempt.job.id, error)
            return True
