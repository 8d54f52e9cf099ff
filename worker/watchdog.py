"""Notices that Celery stopped taking messages, as it may do after the store was away, and ends the worker so that a new one starts."""

import logging
import os
import time
from collections.abc import Callable

from store.jobs import JobStore

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 8.0
GAP_SECONDS = 5.0  # between two looks, after which this process was away itself and begins to watch anew


class Watchdog:
    """Hungry means: for `PATIENCE_SECONDS` this worker could have taken the same job, or the same message."""

    def __init__(self, store: JobStore, worker: str, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._worker, self._slots, self._clock = store, worker, slots, clock
        self._seen: str | bytes | None = None
        self._since = self._looked = clock()

    def hungry(self) -> bool:
        """Look once."""
        food, now = self._store.next_job(self._worker) or self._next_message(), self._clock()
        if food is None or food != self._seen or now - self._looked > GAP_SECONDS:
            self._seen, self._since = food, now
        self._looked = now
        return now - self._since > PATIENCE_SECONDS

    def _next_message(self) -> bytes | None:
        """Where a process is free for it: there is one more than slots."""
        return self._store.next_message() if self._store.running(self._worker) <= self._slots else None

    def bite(self) -> None:
        """Give this worker's jobs back and end it at once; its children end with it."""
        log.critical("jobs or messages wait but are not taken; the worker ends to be started again")
        self._store.release(self._worker)
        os._exit(1)  # no signal: the first process of a container would not get it
