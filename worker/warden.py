"""Watches over the processes that run jobs, from outside: what they hold, whether they live, how long and how much memory they take.

Solvers stop by themselves when they are told (see `heartbeat`); those that do not, because they are deep in compiled code, are killed.
Celery starts a new process for each, and the free one takes what waited for the slot.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store.jobs import JobStore, Right
from worker.announce import announce
from worker.notes import Notes

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.3
PATIENCE_SECONDS = 1.0  # with a solver whose job was taken away
GRACE_SECONDS = 5.0  # after the time limit, at which the solver should have stopped
PAGE = os.sysconf("SC_PAGE_SIZE")
TIMEOUT = "timeout", "the job took longer than its time limit and had to be killed; try a shorter horizon or a lower accuracy"
MEMORY = "out_of_memory", "the job took more memory than a worker may have; try a smaller one"


@dataclass
class Task:
    """A job and the process that runs it."""

    right: Right
    killed_at: float
    lost_at: float | None = None


class Warden:
    """A thread in the main process. `store` should fail at once where the server is away: the limits hold without it."""

    def __init__(self, store: JobStore, notes: Notes, memory: int, send: Callable[[], None]) -> None:
        self._store, self._notes, self._memory, self._send = store, notes, memory, send
        self._tasks: dict[int, Task] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="warden", daemon=True)

    def start(self) -> None:
        """Begin at once."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the round that is under way."""
        self._stop.set()
        self._thread.join()

    def round(self) -> None:
        """Look at every process that runs a job."""
        self._read()
        for pid, task in list(self._tasks.items()):
            try:
                self._look(pid, task)
            except Exception as error:  # a store that is away comes back; the lease decides
                log.warning("job %s: %s", task.right.id, error)

    def _loop(self) -> None:
        while not self._stop.wait(PERIOD_SECONDS):
            self.round()

    def _read(self) -> None:
        for note in self._notes.read():
            if note.right is None:
                self._tasks.pop(note.pid, None)
            else:
                self._tasks[note.pid] = Task(note.right, time.monotonic() + note.limit + GRACE_SECONDS)

    def _look(self, pid: int, task: Task) -> None:
        now = time.monotonic()
        if not _lives(pid):
            self._store.lose(task.right)
            del self._tasks[pid]
            announce(self._store, self._send)
        elif now > task.killed_at:
            self._end(pid, task, *TIMEOUT)
        elif _memory(pid) > self._memory:
            self._end(pid, task, *MEMORY)
        elif self._store.hold(task.right):
            task.lost_at = None
        elif now - (task.lost_at or now) > PATIENCE_SECONDS:
            self._kill(pid, task)
        else:
            task.lost_at = task.lost_at or now

    def _end(self, pid: int, task: Task, code: str, message: str) -> None:
        """The reason comes first: whoever sees that the process is gone must not take it for an accident."""
        try:
            self._store.fail(task.right, code, message)
        finally:
            self._kill(pid, task)

    def _kill(self, pid: int, task: Task) -> None:
        self._read()
        if self._tasks.get(pid) is task:  # and has not just ended by itself
            log.warning("job %s: process %d does not stop and is killed", task.right.id, pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            del self._tasks[pid]
            announce(self._store, self._send)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _memory(pid: int) -> int:
    """The resident bytes of a process, where the system tells."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
