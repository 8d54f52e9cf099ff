"""What the main process of every worker does beside running jobs, so that none is lost. Any number may do it at once."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from dlnflow.jobs.store import JobStore
from worker.announce import announce
from worker.pace import Pace
from worker.watchdog import Watchdog

log = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0
GREETING_SECONDS = 5.0  # at the most, since the store may be away
SETTLING_SECONDS = 5.0  # after the store was away, in which those who hold leases renew them


class Upkeep:
    """A thread that says that the worker lives, ends leases that ran out, sends messages that were lost and drops what is too old."""

    def __init__(
        self, store: JobStore, worker: str, slots: int, retention: float, send: Callable[[], None], pace: Pace, alive_file: str = ""
    ) -> None:
        self._store, self._worker, self._slots, self._retention, self._send, self._pace = store, worker, slots, retention, send, pace
        self._alive_file = Path(alive_file) if alive_file else None
        self._watchdog = Watchdog(store, worker, slots)
        self._in_contact_since: float | None = None
        self._greeted = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin at once. No job should be claimed before the worker's slots are known."""
        self._thread.start()
        self._greeted.wait(GREETING_SECONDS)

    def stop(self) -> None:
        """Finish the round that is under way, and give the worker's jobs back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._store.release(self._worker)

    def round(self) -> None:
        """One round."""
        began = time.monotonic()
        self._store.greet(self._worker, self._slots, self._pace.value)
        self._greeted.set()
        if self._alive_file:
            self._alive_file.touch()
        if time.monotonic() - began > 1 or self._in_contact_since is None:
            self._in_contact_since = time.monotonic()
        if time.monotonic() - self._in_contact_since >= SETTLING_SECONDS:
            self._store.expire_leases()
        self._store.forget(self._retention)
        announce(self._store, self._send)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self.round()
                if self._watchdog.hungry():
                    self._watchdog.bite()
            except Exception as error:  # a store that is away comes back
                self._in_contact_since = None
                log.warning("upkeep: %s", error)
            self._stop.wait(PERIOD_SECONDS)
