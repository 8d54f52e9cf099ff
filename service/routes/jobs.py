"""Jobs: submit, look at, list, cancel, delete."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from dlnflow.wire.job import Job, Kind, Status, SubmittedJob
from service import jobs
from service.admission import require_json
from service.context import Caller, Service
from service.models import JobList, read_cursor
from service.openapi import REQUEST_BODY
from service.wait import preferred_wait, wait_for

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

RETRY_SECONDS = "1"
Prefer = Annotated[str | None, Header(description="`wait=N`: answer when the job has finished, after N (≤ 30) seconds at the latest")]


@router.post("", status_code=202, response_model=SubmittedJob, openapi_extra=REQUEST_BODY, responses={200: {"model": SubmittedJob}})
async def submit_job(request: Request, response: Response, service: Service, caller: Caller, prefer: Prefer = None) -> SubmittedJob:
    """Submit a job. The same request has the same id and is computed once."""
    require_json(request.headers.get("content-type"))
    submitted = await run_in_threadpool(jobs.submit, service, await request.body(), caller)
    seconds = preferred_wait(prefer)
    job = await wait_for(service, submitted.id, seconds) if seconds else submitted
    response.status_code = 202 if submitted.cache == "miss" and not (seconds and job.finished) else 200
    response.headers["Location"] = job.links["self"]
    _say(response, job, seconds)
    return SubmittedJob(**dict(job) | {"cache": submitted.cache})


@router.get("/{job_id}")
async def read_job(job_id: str, response: Response, service: Service, prefer: Prefer = None) -> Job:
    """The job as it stands."""
    seconds = preferred_wait(prefer)
    job = await wait_for(service, job_id, seconds)
    _say(response, job, seconds)
    return job


@router.get("")
def list_jobs(
    service: Service,
    caller: Caller,
    status: Status | None = None,
    kind: Kind | None = None,
    mine: Annotated[bool, Query(description="only what the caller asked for; without keys that is all there is")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=64, description="where the page starts: `cursor` of the page before")] = None,
) -> JobList:
    """Jobs, newest first. `next` is the address of the following page."""
    client = caller.who if mine and caller else None
    page = service.store.page(status=status, kind=kind, limit=limit, cursor=read_cursor(cursor), client=client)
    filters = {"status": status, "kind": kind, "mine": "true" if mine else None, "limit": limit}
    return JobList.of(page, service.settings.root_path, filters)


@router.delete("/{job_id}")
def cancel_job(job_id: str, service: Service, caller: Caller) -> Job:
    """Cancel a job that is queued or running, and that the caller asked for; it goes on for others who asked for it too."""
    return jobs.cancel(service, job_id, caller)


@router.delete("/{job_id}/result", status_code=204)
def delete_job(job_id: str, service: Service, caller: Caller) -> None:
    """Forget a finished job that the caller asked for, with its result and its children; it stays for others who asked for it too."""
    jobs.delete(service, job_id, caller)


def _say(response: Response, job: Job, seconds: int | None) -> None:
    """When to come back, and whether the client's preference was followed."""
    if not job.finished:
        response.headers["Retry-After"] = RETRY_SECONDS
    if seconds is not None:
        response.headers["Preference-Applied"] = f"wait={seconds}"
