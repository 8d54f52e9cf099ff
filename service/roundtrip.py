"""Whether a task that is sent is carried out: a ping through the queue, remembered for some seconds."""

import secrets
import time
from collections.abc import Callable
from threading import Lock

from dlnflow.jobs.store import JobStore

FRESH_SECONDS = 5.0
PATIENCE_SECONDS = 2.0


class RoundTrip:
    """Sends one ping at a time, however many ask."""

    def __init__(self, store: JobStore, ping: Callable[[str], None]) -> None:
        self._store, self._ping = store, ping
        self._answered = -FRESH_SECONDS
        self._lock = Lock()

    def answered(self) -> bool:
        """Whether a worker answers, or did a moment ago."""
        with self._lock:
            if time.monotonic() - self._answered < FRESH_SECONDS:
                return True
            token = secrets.token_hex(8)
            self._ping(token)
            answered = self._store.await_pong(token, PATIENCE_SECONDS)
            if answered:
                self._answered = time.monotonic()
            return answered
