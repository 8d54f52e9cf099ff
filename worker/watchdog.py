"""Notices that Celery stopped taking messages, as it may do after the store was away, and ends the worker so that a new one starts."""

import logging
import os
import time

from dlnflow.jobs.store import JobStore

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 8.0


class Watchdog:
    """Hungry means: the same message has waited for `PATIENCE_SECONDS` while this worker had room for it."""

    def __init__(self, store: JobStore, worker: str, slots: int) -> None:
        self._store, self._worker, self._slots = store, worker, slots
        self._seen: bytes | None = None
        self._since = time.monotonic()

    def hungry(self) -> bool:
        """Look once."""
        message = self._store.next_message()
        if message is None or message != self._seen or self._store.running(self._worker) >= self._slots:
            self._seen, self._since = message, time.monotonic()
        return time.monotonic() - self._since > PATIENCE_SECONDS

    def bite(self) -> None:
        """Give this worker's jobs back and end it at once; its children end with it."""
        log.critical("messages wait but are not taken; the worker ends to be started again")
        self._store.release(self._worker)
        os._exit(1)  # no signal: the first process of a container would not get it
