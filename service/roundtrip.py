"""Whether a task that is sent is carried out: a ping through the queue, remembered for some seconds."""

import secrets
import time
from collections.abc import Callable
from threading import Lock

from store.jobs import JobStore

FRESH_SECONDS = 5.0
LOOKS, LOOK_SECONDS = 8, 0.25  # at the answer to one ping


class RoundTrip:
    """Sends one ping at a time, however many ask."""

    def __init__(self, store: JobStore, ping: Callable[[str], None]) -> None:
        self._store, self._ping = store, ping
        self._answered = -FRESH_SECONDS
        self._lock = Lock()

    def answered(self) -> bool:
        """Whether a worker answers, did a moment ago, or all slots are taken: a ping waits behind the messages of jobs."""
        with self._lock:
            if self._all_busy() or time.monotonic() - self._answered < FRESH_SECONDS:
                return True
            token = secrets.token_hex(8)
            self._ping(token)
            for _ in range(LOOKS):
                if self._store.workers.await_pong(token, LOOK_SECONDS):
                    self._answered = time.monotonic()
                    return True
                if self._all_busy():
                    return True
            return False

    def _all_busy(self) -> bool:
        return self._store.busy() >= self._store.workers.slots() > 0
