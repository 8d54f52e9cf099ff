"""`Prefer: wait=N` (RFC 7240): hold the answer until the job has finished, up to N seconds."""

import re

from starlette.concurrency import run_in_threadpool

from dlnflow.wire.job import Job
from service.context import Context

LONGEST_WAIT = 30


def preferred_wait(header: str | None) -> int | None:
    """The seconds that a client is ready to wait, None where it does not say."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", header or "", re.IGNORECASE)
    return min(int(found[1]), LONGEST_WAIT) if found else None


async def wait_for(service: Context, job_id: str, seconds: float | None) -> Job:
    """The job as soon as it has finished, or as it stands after `seconds`."""
    job = await run_in_threadpool(service.job, job_id)
    if job.finished or not seconds:
        return job
    await service.live.finished(job_id, seconds)
    return await run_in_threadpool(service.job, job_id)
