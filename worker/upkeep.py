"""What the main process of every worker does beside running jobs, so that none is lost. Any number may do it at once."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from store.connection import MICRO
from store.jobs import JobStore
from worker.announce import announce
from worker.pace import Pace
from worker.watchdog import Watchdog

log = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0
GREETING_SECONDS = 5.0  # at the most, since the store may be away
SETTLING_SECONDS = 5.0  # after the store or this process was away or a clock was set, in which those who hold leases renew them
GAP_SECONDS = 5.0  # between two rounds, by either clock or between the two, that are more than a slow round; a lease is three times as long


class Upkeep:
    """A thread that says that the worker lives, ends leases that ran out, sends messages that were lost and drops what is too old."""

    def __init__(
        self,
        store: JobStore,
        worker: str,
        slots: int,
        retention: float,
        send: Callable[[], None],
        pace: Pace,
        alive_file: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._worker, self._slots, self._retention, self._send, self._pace = store, worker, slots, retention, send, pace
        self._alive_file = Path(alive_file) if alive_file else None
        self._clock = clock
        self._watchdog = Watchdog(store, worker, slots, clock)
        self._last: tuple[float, float] | None = None  # round, by this process's clock and by the store's
        self._in_contact_since = clock()
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
        looked = self._store.workers.greet(self._worker, self._slots, self._pace.value)
        self._greeted.set()
        if self._alive_file:
            self._alive_file.touch()
        if self._settled(looked / MICRO):
            self._store.expire_leases(looked)
        self._store.forget(self._retention)
        announce(self._store, self._send)

    def _settled(self, store_now: float) -> bool:
        """Whether whoever holds a lease had the time to renew it: since this process and the store were both awake, by one clock."""
        now, last = self._clock(), self._last
        self._last = now, store_now
        if last is None or now - last[0] > GAP_SECONDS or abs(store_now - last[1] - (now - last[0])) > GAP_SECONDS:
            self._in_contact_since = now
        return now - self._in_contact_since >= SETTLING_SECONDS

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self.round()
                if self._watchdog.hungry():
                    self._watchdog.bite()
            except Exception as error:  # a store that is away comes back
                self._last = None
                log.warning("upkeep: %s", error)
            self._stop.wait(PERIOD_SECONDS)
