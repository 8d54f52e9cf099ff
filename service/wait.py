"""`Prefer: wait=N` (RFC 7240): hold the answer until the job has finished, up to N seconds."""

import asyncio
import re
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from dlnflow.jobs.job import Job

LONGEST_WAIT = 30
PERIOD_SECONDS = 0.1


def preferred_wait(header: str | None) -> int:
    """The seconds that a client is ready to wait."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", header or "", re.IGNORECASE)
    return min(int(found[1]), LONGEST_WAIT) if found else 0


async def wait_for(read: Callable[[], Job], seconds: float) -> Job:
    """The job as soon as it has finished, or as it stands after `seconds`."""
    deadline = time.monotonic() + seconds
    job = await run_in_threadpool(read)
    while not job.finished and time.monotonic() < deadline:
        await asyncio.sleep(PERIOD_SECONDS)
        job = await run_in_threadpool(read)
    return job
