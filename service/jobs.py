"""What is done with jobs: every outcome in the store is an answer, or a refusal that says why."""

import logging

from dlnflow.wire.job import Job, SubmittedJob
from dlnflow.wire.requests import job_id as content_id
from service.access import Caller, said
from service.admission import require_affordable
from service.context import Context
from service.data import with_data
from service.errors import Conflict, Forbidden, Problem
from service.submission import read_request

log = logging.getLogger(__name__)


def submit(service: Context, body: bytes, caller: Caller | None) -> SubmittedJob:
    """Write the job, then send its message; one that was there may have come before others by this."""
    request = with_data(service, read_request(body))
    cost = require_affordable(request, service.settings, service.store.workers.pace())
    client = caller.who if caller else ""
    if client and not service.store.has_room(client, service.settings.max_client_jobs):
        raise _too_many(f"{service.settings.max_client_jobs} of your jobs have not finished yet", "too_many_jobs")
    cache = service.store.submit(request, client, cost.seconds)
    if cache == "full":
        raise _too_many(f"{service.settings.max_queued} jobs are waiting already", "queue_full")
    if cache == "miss" or (cache == "joined" and service.store.unannounced()):
        service.send(content_id(request))
    return SubmittedJob(**dict(service.job(content_id(request))), cache=cache)


def cancel(service: Context, job_id: str, caller: Caller | None) -> Job:
    """Cancel a job for the caller, or for everybody."""
    match service.store.cancel(job_id, caller and caller.owner):
        case "foreign":
            raise Forbidden(
                f"job {job_id} was asked for by others, and not by you",
                hint="It goes on for them. What belongs to a sweep or a comparison is cancelled with that; an operator's key cancels all.",
            )
        case "finished":
            job = service.job(job_id)
            raise Conflict(f"job {job_id} has {job.status} already" if job.status != "cancelled" else f"job {job_id} is cancelled already")
        case "left":
            log.info("job %s: %s no longer waits for it, others do", job_id, said(caller))
        case "cancelled":
            log.info("job %s: cancelled by %s", job_id, said(caller))
    return service.job(job_id)


def delete(service: Context, job_id: str, caller: Caller | None) -> None:
    """Forget a finished job for the caller, or for everybody."""
    job = service.job(job_id)
    match service.store.delete(job_id, caller and caller.owner):
        case "unfinished":
            raise Conflict(f"job {job_id} is {job.status}", code="not_finished", hint=f"Cancel it first: DELETE /v1/jobs/{job_id}.")
        case "foreign":
            raise Forbidden(
                f"job {job_id} was asked for by others, and not by you",
                hint="What belongs to a sweep or a comparison is deleted with that; an operator's key deletes all.",
            )
        case "left":
            log.info("job %s: let go by %s, others want it", job_id, said(caller))
        case "deleted":
            log.info("job %s: deleted by %s", job_id, said(caller))


def require_success(job: Job) -> None:
    """Raise where a job has no result, and say why."""
    if job.error is not None:
        raise Conflict(f"job {job.id} failed: {job.error.message}", code=job.error.code, hint="Submitting it again runs it again.")
    if job.status == "cancelled":
        raise Conflict(f"job {job.id} was cancelled", code="cancelled", hint="Submitting it again runs it again.")
    if not job.finished:
        raise Conflict(f"job {job.id} is {job.status}", code="not_finished", hint="Wait for it.", headers={"Retry-After": "1"})


def _too_many(detail: str, code: str) -> Problem:
    return Problem(detail, status=429, code=code, hint="Try again when some have finished.", headers={"Retry-After": "10"})
