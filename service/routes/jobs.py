"""Jobs: submit, look at, list, cancel."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from dlnflow.jobs.job import Job, Kind, Status, SubmittedJob
from dlnflow.jobs.requests import job_id, request_adapter
from service.context import Context, Service
from service.errors import Conflict, Problem
from service.openapi import REQUEST_BODY
from service.routes.models import JobList
from service.wait import preferred_wait, wait_for

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

RETRY_SECONDS = "1"
Prefer = Annotated[str | None, Header(description="`wait=N`: answer when the job has finished, after N (≤ 30) seconds at the latest")]


@router.post("", status_code=202, response_model=SubmittedJob, openapi_extra=REQUEST_BODY, responses={200: {"model": SubmittedJob}})
async def submit(request: Request, response: Response, service: Service, prefer: Prefer = None) -> SubmittedJob:
    """Submit a job. The same request has the same id and is computed once."""
    _require_json(request.headers.get("content-type"))
    submitted = await run_in_threadpool(_submit, service, await request.body())
    seconds = preferred_wait(prefer)
    job = await wait_for(lambda: service.job(submitted.id), seconds) if seconds else submitted
    response.status_code = 202 if submitted.cache == "miss" and not (seconds and job.finished) else 200
    response.headers["Location"] = job.links["self"]
    if not job.finished:
        response.headers["Retry-After"] = RETRY_SECONDS
    return SubmittedJob(**dict(job) | {"cache": submitted.cache})


@router.get("/{job_id}")
async def read(job_id: str, service: Service, prefer: Prefer = None) -> Job:
    """The job as it stands."""
    return await wait_for(lambda: service.job(job_id), preferred_wait(prefer))


@router.get("")
def listing(
    service: Service,
    status: Status | None = None,
    kind: Kind | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
) -> JobList:
    """Jobs, newest first. `next` is the address of the following page."""
    page = service.store.page(status=status, kind=kind, limit=limit, cursor=cursor)
    return JobList.of(page, status=status, kind=kind, limit=limit)


@router.delete("/{job_id}")
def cancel(job_id: str, service: Service) -> Job:
    """Cancel a job that is queued or running."""
    if not service.store.cancel(job_id):
        job = service.job(job_id)
        raise Conflict(f"job {job_id} has {job.status} already" if job.status != "cancelled" else f"job {job_id} is cancelled already")
    return service.job(job_id)


def _submit(service: Context, body: bytes) -> SubmittedJob:
    """Write the job, then send its message."""
    request = request_adapter.validate_json(body, strict=True)
    cache = service.store.submit(request)
    if cache == "full":
        raise Problem(
            f"{service.settings.max_queued} jobs are waiting already",
            status=429,
            code="queue_full",
            hint="Try again when some have finished.",
            headers={"Retry-After": "10"},
        )
    if cache == "miss":
        service.send(job_id(request))
    return SubmittedJob(**dict(service.job(job_id(request))), cache=cache)


def _require_json(content_type: str | None) -> None:
    """Refuse what an HTML form of another site could send; a missing type is taken as JSON."""
    media_type = (content_type or "application/json").split(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(
            f"the body must be application/json, not {media_type}",
            status=415,
            code="unsupported_media_type",
            hint="Send the header Content-Type: application/json.",
        )
