"""Many jobs at once: each as soon as it has finished."""

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

from dlnflow.client.async_job import AsyncJob
from dlnflow.client.errors import WaitTimeout
from dlnflow.client.job import Job

J = TypeVar("J", Job, AsyncJob)


class _Pending(Generic[J]):
    """The jobs that have not finished, and until when to wait for them."""

    def __init__(self, jobs: Iterable[J], timeout: float | None) -> None:
        self.jobs: dict[str, J] = {job.id: job for job in jobs}
        self._timeout, self._deadline = timeout, None if timeout is None else time.monotonic() + timeout

    @property
    def left(self) -> float | None:
        """Seconds that may still be waited."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def take(self) -> list[J]:
        """Remove and return those that have finished."""
        finished = [job for job in self.jobs.values() if job.finished]
        for job in finished:
            del self.jobs[job.id]
        if self.jobs and self.left == 0:
            raise WaitTimeout(f"{len(self.jobs)} jobs go on after {self._timeout} s: {', '.join(self.jobs)}")
        return finished


def as_completed(jobs: Iterable[Job], timeout: float | None = None) -> Iterator[Job]:
    """Jobs as they come to their end, good or bad; raises WaitTimeout after `timeout` seconds."""
    pending = _Pending(jobs, timeout)
    while pending.jobs:
        yield from pending.take()
        for number, job in enumerate(list(pending.jobs.values())):
            job.refresh(wait=1 if number == 0 else 0, timeout=pending.left)


async def as_completed_async(jobs: Iterable[AsyncJob], timeout: float | None = None) -> AsyncIterator[AsyncJob]:
    """The same for the jobs of an AsyncClient."""
    pending = _Pending(jobs, timeout)
    while pending.jobs:
        for finished in pending.take():
            yield finished
        for number, job in enumerate(list(pending.jobs.values())):
            await job.refresh(wait=1 if number == 0 else 0, timeout=pending.left)
