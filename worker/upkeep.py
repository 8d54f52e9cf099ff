"""What the main process of every worker does beside running jobs, so that none is lost. Any number may do it at once."""

import logging
import threading
from collections.abc import Callable

from dlnflow.jobs.store import JobStore
from worker.watchdog import Watchdog

log = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0


class Upkeep:
    """A thread that says that the worker lives, ends leases that ran out and sends messages that were lost."""

    def __init__(self, store: JobStore, worker: str, slots: int, send: Callable[[str], None]) -> None:
        self._store, self._worker, self._send = store, worker, send
        self._watchdog = Watchdog(store, worker, slots)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin at once."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the round that is under way, and give the worker's jobs back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._store.release(self._worker)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                upkeep(self._store, self._worker, self._send)
                if self._watchdog.hungry():
                    self._watchdog.bite()
            except Exception as error:  # a store that is away comes back
                log.warning("upkeep: %s", error)
            self._stop.wait(PERIOD_SECONDS)


def upkeep(store: JobStore, worker: str, send: Callable[[str], None]) -> None:
    """One round."""
    store.greet(worker)
    store.expire_leases()
    for job_id in store.take_unsent():
        send(job_id)
