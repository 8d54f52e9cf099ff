"""The parts of a result, in the format that the client asks for."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from dlnflow.jobs import results
from dlnflow.jobs.job import PARTS, Job
from service.context import Context, Service
from service.errors import Conflict, NotFound
from service.formats import JSON, choose

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])


@dataclass(frozen=True)
class Wanted:
    """What a client wants to get, and what it has already."""

    format: Annotated[str | None, Query(description="json, csv or npz; overrides Accept")] = None
    accept: Annotated[str | None, Header()] = None
    if_none_match: Annotated[str | None, Header()] = None


Wish = Annotated[Wanted, Depends()]


@router.get("/curves")
def curves(job_id: str, service: Service, wanted: Wish) -> Response:
    """Losses over time, with standard errors."""
    return _answer(service, job_id, "curves", wanted)


@router.get("/order-parameters")
def order_parameters(job_id: str, service: Service, wanted: Wish) -> Response:
    """Overlap and norms over time, and statistics of w given w*."""
    return _answer(service, job_id, "order-parameters", wanted)


@router.get("/kernels")
def kernels(job_id: str, service: Service, wanted: Wish) -> Response:
    """Two-time correlations and responses of a mean-field solve."""
    return _answer(service, job_id, "kernels", wanted)


@router.get("/diagnostics")
def diagnostics(job_id: str, service: Service, wanted: Wish) -> Response:
    """How the solve went, and how far to trust it."""
    return _answer(service, job_id, "diagnostics", wanted)


def _answer(service: Context, job_id: str, part: str, wanted: Wanted) -> Response:
    chosen = choose(part, wanted.format, wanted.accept)
    body = chosen.encode(results.decode(part, _stored(service, job_id, part)))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    if _matches(wanted.if_none_match, tag):
        return Response(status_code=304, headers=headers)
    if chosen is not JSON:
        headers["Content-Disposition"] = f'attachment; filename="{job_id}-{part}.{chosen.name}"'
    return Response(body, headers=headers, media_type=chosen.media_type)


def _stored(service: Context, job_id: str, part: str) -> bytes:
    """The bytes of one part, or why there are none."""
    job = service.job(job_id)
    if part not in PARTS[job.kind]:
        raise NotFound(f"a job of kind {job.kind} has no {part}", hint="Only the mean-field solver (kind dmft) has two-time kernels.")
    _require_success(job)
    stored = service.store.part(job_id, part)
    if stored is None:
        raise NotFound(f"the result of job {job_id} is gone", hint="Submit it again with POST /v1/jobs.")
    return stored


def _require_success(job: Job) -> None:
    if job.error is not None:
        raise Conflict(f"job {job.id} failed: {job.error.message}", code=job.error.code, hint="Submitting it again runs it again.")
    if job.status == "cancelled":
        raise Conflict(f"job {job.id} was cancelled", code="cancelled", hint="Submitting it again runs it again.")
    if not job.finished:
        raise Conflict(f"job {job.id} is {job.status}", code="not_finished", hint="Wait for it.", headers={"Retry-After": "1"})


def _matches(if_none_match: str | None, tag: str) -> bool:
    candidates = [item.strip().removeprefix("W/") for item in (if_none_match or "").split(",")]
    return "*" in candidates or tag in candidates
